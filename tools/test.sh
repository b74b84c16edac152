#!/usr/bin/env bash
# Runs all tests. It installs, builds and caches what is missing first.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '\n== %s (%d s so far)\n' "$*" "$SECONDS"; }

step "programs for the tests: etcd, Kubernetes, helm, Vault, External Secrets, readers of files, Flux"
bash tests/testbed/build.sh >/dev/null
bash tests/testbed/build.sh vault external-secrets readers flux >/dev/null

step "format"
cargo fmt --all --check
unformatted=$(gofmt -l tests/connector tests/testbed/go)
[ -z "$unformatted" ] || { echo "not formatted by gofmt: $unformatted" >&2; exit 1; }

step "shell scripts"
tools/shellcheck.sh

step "lints"
cargo clippy --quiet --workspace --all-targets -- -D warnings

step "documentation of the code"
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --no-deps --workspace

step "dependencies"
tools/deny.sh

step "the connector that tests run in pods"
(cd tests/connector && GOWORK=off GOFLAGS='' go vet . && GOWORK=off GOFLAGS='' go test .)

step "the operator's image, with the release build"
tools/image.sh >/dev/null

step "tests"
# Build everything first: the test binaries start the operator's binary.
cargo build --quiet --workspace --bins
cargo test --quiet --workspace --no-run --lib --bins
others=()
for test in tests/*.rs tests/*/main.rs; do
  name="$(basename "${test%/main.rs}" .rs)"
  case "$name" in e2e | installed | simulation | simulator | testbed) ;; *) others+=(--test "$name") ;; esac
done
cargo test --quiet --no-run "${others[@]}" --test e2e --test installed
# The end-to-end tests wait most of the time (the operator waits a minute for an attempt of unknown outcome), so many of them
# run at once; the other tests use the cores as usual.
failed=0
cargo test --workspace --exclude technical-user-operator || failed=1
cargo test --no-fail-fast --lib --bins "${others[@]}" || failed=1
# Optimized, the simulation takes less than half of the time, which is more than the second build of the operator costs.
cargo test --config profile.dev.package.technical-user-operator.opt-level=1 --test simulation || failed=1
cargo test --doc || failed=1
cargo test --test e2e -- --test-threads 12 || failed=1

step "the operator as users install it, on a node"
if lack=$("${CARGO_TARGET_DIR:-target}/debug/testbed" node check 2>&1); then
  tools/e2e.sh || failed=1
elif [ -n "${REQUIRE_NODE:-}" ]; then
  echo "REQUIRE_NODE is set, but no node can run here: $lack" >&2
  failed=1
else
  not_run="NOT RUN: the tests on a node (make e2e), as none can run here: $lack"
fi
[ "$failed" = 0 ] || { echo "some tests failed" >&2; exit 1; }

if [ -n "${not_run:-}" ]; then
  step "$not_run"
else
  step "all passed"
fi
