#!/usr/bin/env bash
# Licences, bans and sources of all dependencies, and advisories where their database can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
version="0.20.2"
root="${XDG_CACHE_HOME:-$HOME/.cache}/technical-user-operator/tools/cargo-deny-$version"
if [ ! -x "$root/bin/cargo-deny" ]; then
  echo "installing cargo-deny $version (a few minutes, once)"
  cargo install --quiet --locked --root "$root" "cargo-deny@$version"
fi
"$root/bin/cargo-deny" --workspace check licenses bans sources
if timeout 60 "$root/bin/cargo-deny" --workspace check advisories 2>"$root/advisories.log"; then
  echo "advisories checked"
elif grep -qE 'failed to (fetch|clone|acquire|open)|advisory database' "$root/advisories.log"; then
  echo "SKIPPED: the advisory database (github.com/rustsec/advisory-db) cannot be reached from here"
else
  cat "$root/advisories.log" >&2
  exit 1
fi
