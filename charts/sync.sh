#!/usr/bin/env bash
# Copies into the chart's files/ what its templates read: the generated CRDs of crds/, as a packaged chart holds nothing from
# outside its own directory, and the default values, as `helm upgrade --reuse-values` hides those of the new chart.
# tests/chart fails while the copies differ.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
chart=$root/charts/technical-user-operator
rm -f -- "$chart"/files/crds/*.yaml
cp -- "$root"/crds/*.yaml "$chart"/files/crds/
cp -- "$chart"/values.yaml "$chart"/files/values.yaml
