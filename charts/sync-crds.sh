#!/usr/bin/env bash
# Copies the generated CRDs of crds/ into the chart: a packaged chart holds nothing from outside its own directory.
# tests/chart fails while the copies differ.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
copies=$root/charts/technical-user-operator/files/crds
rm -f -- "$copies"/*.yaml
cp -- "$root"/crds/*.yaml "$copies"/
