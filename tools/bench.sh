#!/usr/bin/env bash
# Measures the operator's release build against a real apiserver and a simulated portal: users a second, how long a user waits,
# and what each costs. Prints a table for each profile and writes target/bench/PROFILE.json. docs/performance.md explains them.
#
#   [PROFILES="bulk idle"] [N=1000] [DELAY=20] [WORKERS=8] [RUNS=1] bench.sh
#
# PROFILES: some of bulk restart idle heal real limits wallet delete outage arrivals polite vault rotate foreign, default all.
# N: the number of users. DELAY: how many milliseconds the portal takes for each call. WORKERS: how many resources the operator
# reconciles at the same time, default as the operator's. RUNS: how often each profile is measured; the table has the medians.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")

say() { printf 'bench: %s\n' "$*" >&2; }

say "building the programs that the benchmark runs (half an hour the first time)"
bash tests/testbed/build.sh >/dev/null
bash tests/testbed/build.sh vault >/dev/null

# As the image is built. Another setting of the user, such as incremental builds, would make the program slower.
export CARGO_INCREMENTAL=0
say "building the release of the operator"
cargo build --release --locked --package technical-user-operator --bin technical-user-operator >&2
mkdir -p "$target/bench"
# Cargo writes another one to the same place with the tests: their features are on in it.
cp --remove-destination "$target/release/technical-user-operator" "$target/bench/technical-user-operator"

say "building the benchmark"
cargo test --release --locked --package technical-user-operator --test bench --no-run >&2

export OPERATOR="$target/bench/technical-user-operator"
cargo test --quiet --release --locked --package technical-user-operator --test bench -- \
  --ignored --exact --nocapture runs::measure
