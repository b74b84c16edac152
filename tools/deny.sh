#!/usr/bin/env bash
# Licences, bans and sources of all dependencies, and advisories where their database can be had.
#
# Whether the database can be had is decided by fetching it, and what is in it by the check's own exit code: no text of the
# tool is searched, so a finding always fails. CARGO_DENY names another cargo-deny; REQUIRE_ADVISORIES=1 also fails where
# the database cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
# renovate: datasource=crate depName=cargo-deny
version="0.20.2"
deny="${CARGO_DENY:-}"
if [ -z "$deny" ]; then
  root="${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator/tools/cargo-deny-$version"
  deny="$root/bin/cargo-deny"
  if [ ! -x "$deny" ]; then
    echo "installing cargo-deny $version (a few minutes, once)"
    cargo install --quiet --locked --root "$root" "cargo-deny@$version"
  fi
fi
"$deny" --workspace check licenses bans sources
if timeout 60 "$deny" --workspace fetch db; then
  "$deny" --workspace check --disable-fetch advisories
  echo "advisories checked"
  exit 0
fi
cat >&2 <<'WARNING'
********************************************************************************
ADVISORIES NOT CHECKED: the database github.com/rustsec/advisory-db cannot be
fetched from here. Known weaknesses of dependencies were not looked for. Set
REQUIRE_ADVISORIES=1 where that must fail.
********************************************************************************
WARNING
[ "${REQUIRE_ADVISORIES:-}" != 1 ]
