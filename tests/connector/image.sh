#!/usr/bin/env bash
# Builds the image of the connector that tests run in pods: a docker-archive, by tools/image.py.
#
#   image.sh OUT.tar [NAME:TAG [ROOTS.pem]]
#
# The name is connector:test by default. The program trusts the authorities of ROOTS.pem, as a program in a company's image
# trusts the company's. Without it, it trusts only those in CA_FILE.
set -euo pipefail
[[ $# -ge 1 && $# -le 3 ]] || { echo "usage: image.sh OUT.tar [NAME:TAG [ROOTS.pem]]" >&2; exit 2; }
out=$(realpath -m -- "$1")
roots=${3:+$(realpath -- "$3")}
readonly out roots name=${2:-connector:test}
cd "$(dirname "$0")"
umask 022
mkdir -p "$(dirname "$out")"
root=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$root"' EXIT
CGO_ENABLED=0 GOWORK=off GOFLAGS='' go build -buildvcs=false -trimpath -ldflags "-s -w" -o "$root/connector" .
if [[ -n $roots ]]; then
  install -D -m 0644 "$roots" "$root/etc/ssl/certs/ca-certificates.crt"
fi
python3 ../../tools/image.py "$root" "$out" "$name" --user 65532:65532 --expose 8080/tcp \
  --entrypoint '["/connector"]'
