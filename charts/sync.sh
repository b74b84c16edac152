#!/usr/bin/env bash
# Copies the files that the templates read into the chart's files/: the generated CRDs of crds/, because a packaged chart has no
# files from outside its directory, and the default values, because `helm upgrade --reuse-values` hides those of the new chart.
# tests/chart fails if the copies differ.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
chart=$root/charts/technical-user-operator
rm -f -- "$chart"/files/crds/*.yaml
cp -- "$root"/crds/*.yaml "$chart"/files/crds/
cp -- "$chart"/values.yaml "$chart"/files/values.yaml
