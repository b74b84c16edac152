#!/usr/bin/env bash
# Builds the image of the connector that tests run in pods: a docker-archive, as tools/image.py makes it.
#
#   image.sh OUT.tar [NAME:TAG]
#
# The name is connector:test by default.
set -euo pipefail
[[ $# -ge 1 && $# -le 2 ]] || { echo "usage: image.sh OUT.tar [NAME:TAG]" >&2; exit 2; }
out=$(realpath -m -- "$1")
readonly out name=${2:-connector:test}
cd "$(dirname "$0")"
umask 022
mkdir -p "$(dirname "$out")"
root=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$root"' EXIT
CGO_ENABLED=0 GOWORK=off GOFLAGS='' go build -buildvcs=false -trimpath -ldflags "-s -w" -o "$root/connector" .
python3 ../../tools/image.py "$root" "$out" "$name" --user 65532:65532 --expose 8080/tcp \
  --entrypoint '["/connector"]'
