#!/usr/bin/env bash
# Checks licences, bans and sources of all dependencies, and advisories if their database can be fetched.
#
# The exit code of the fetch decides whether the database is there, and the exit code of the check whether it has findings. The
# script searches no output, so a finding always fails. CARGO_DENY names another cargo-deny. With REQUIRE_ADVISORIES=1 the
# script also fails if the database cannot be fetched.
set -euo pipefail
cd "$(dirname "$0")/.."
# renovate: datasource=crate depName=cargo-deny
version="0.20.2"
deny="${CARGO_DENY:-$(tools/cargo-program.sh cargo-deny "$version")}"
"$deny" --workspace check licenses bans sources
if timeout 60 "$deny" --workspace fetch db; then
  "$deny" --workspace check --disable-fetch advisories
  echo "advisories checked"
  exit 0
fi
cat >&2 <<'WARNING'
********************************************************************************
ADVISORIES NOT CHECKED: the database github.com/rustsec/advisory-db cannot be
fetched from here. Known vulnerabilities of dependencies were not checked.
REQUIRE_ADVISORIES=1 makes this an error.
********************************************************************************
WARNING
[ "${REQUIRE_ADVISORIES:-}" != 1 ]
