#!/usr/bin/env bash
# Writes into DIRECTORY what main.go is built from: External Secrets Operator as released, with the version and the sums of
# go.mod and go.sum, less the providers other than Vault and the generators.
#
#   source.sh DIRECTORY
#
# Its controllers import all of them, and with them the libraries of every cloud, by two files that only list them. Go
# cannot replace a file of a module that it fetched, so the module is copied.
set -euo pipefail

readonly target=$1 name=github.com/external-secrets/external-secrets
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
version=$(awk -v name=$name '$1 == "require" && $2 == name { print $3 }' "$here/go.mod")
# Fails where what is fetched, or was fetched before, is not what go.sum says.
fetched=$(cd "$here" && GOWORK=off GOFLAGS='' go mod download -json "$name@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')

mkdir -p "$target/external-secrets/definitions"
cp -R "$fetched/apis" "$fetched/pkg" "$fetched/go.mod" "$fetched/go.sum" "$target"
chmod -R u+w "$target"
cat >"$target/pkg/provider/register/register.go" <<EOF
package register

import _ "$name/pkg/provider/vault"
EOF
echo 'package register' >"$target/pkg/generator/register/register.go"
cp "$here/main.go" "$target/external-secrets"
# The controller of PushSecrets also lists GeneratorStates.
for kind in external-secrets.io_secretstores external-secrets.io_pushsecrets generators.external-secrets.io_generatorstates; do
  cp "$fetched/config/crds/bases/$kind.yaml" "$target/external-secrets/definitions"
done
