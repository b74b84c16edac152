#!/usr/bin/env bash
# Tests the operator as users install it: the chart, the image and a connector on a real node, with the commands of the pages.
# Compares the machine before and after.
#
#   e2e.sh [arguments for the tests, such as a name]
#
# UPDATE_PAGES=1 writes the output of the documented commands into the pages instead of comparing it.
set -euo pipefail
cd "$(dirname "$0")/.."
testbed() { "${CARGO_TARGET_DIR:-target}/debug/testbed" "$@"; }

bash tests/testbed/build.sh >/dev/null
cargo build --quiet --package testbed --package portal-simulator
testbed node check
tools/image.sh >/dev/null
cargo test --quiet --test installed --no-run

before=$(bash tests/testbed/leftovers.sh)
# The tests wait half of the time: for the end of leases and attempts, and for pods.
status=0
cargo test --test installed -- --test-threads 6 "$@" || status=$?
# The nodes end with the process of the tests, a moment later.
for _ in $(seq 1 300); do
  after=$(bash tests/testbed/leftovers.sh)
  [ "$after" != "$before" ] || break
  sleep 0.2
done
if ! diff <(echo "$before") <(echo "$after"); then
  echo "the tests changed the machine: see above" >&2
  exit 1
fi
exit "$status"
