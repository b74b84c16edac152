#!/usr/bin/env bash
# All tests. What is not there is installed and built first, and cached.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s (%d s so far)\n' "$*" "$SECONDS"; }

step "real parts for the tests: etcd, kube-apiserver, kube-controller-manager, kubectl, helm"
bash tests/testbed/build.sh >/dev/null

step "format"
cargo fmt --all --check

step "lints"
cargo clippy --quiet --workspace --all-targets -- -D warnings

step "dependencies"
tools/deny.sh

step "tests"
# Build everything first: the test binaries start the operator's binary.
cargo build --quiet --workspace --bins
cargo test --quiet --workspace --no-run
# Doc tests are part of it; what is said is said in the end, in one place.
cargo test --workspace --no-fail-fast

step "all passed"
