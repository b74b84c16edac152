#!/usr/bin/env bash
# Prints the path of libfaketime, which gives a program another clock (LD_PRELOAD, FAKETIME=+10m), fetching it first
# where it is missing: Debian's package of the version below, unpacked into the cache of build.sh, installed nowhere.
set -euo pipefail

readonly version=0.9.10-2.1
# Of the architectures that were tried; apt checks the archive's signature of all.
declare -rA sums=([amd64]=b09481e7690680966005330c3f907bba4b5eefc35e1faaea4783cc55655d1150)
cache=${TESTBED_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME or TESTBED_CACHE must be set}/.cache}/technical-user-operator/testbed}
readonly cache
readonly home=$cache/libfaketime-$version tmp=$cache/libfaketime.fetching

say() { printf 'testbed: %s\n' "$*" >&2; }

library() { find "$home" -name libfaketime.so.1 -print -quit 2>/dev/null; }

fetch() {
  local architecture package
  architecture=$(dpkg --print-architecture)
  # With the lock held nobody else is fetching: these are remains of one that was killed.
  rm -rf "$tmp"
  mkdir -p "$tmp/deb"
  trap 'rm -rf "$tmp"' EXIT
  (cd "$tmp/deb" && apt-get download "libfaketime=$version") >"$tmp/log" 2>&1 || {
    say "libfaketime=$version cannot be fetched (apt-get update may help):"
    cat "$tmp/log" >&2
    exit 1
  }
  package=$(find "$tmp/deb" -name '*.deb')
  if [[ -n ${sums[$architecture]-} ]]; then
    sha256sum --check --quiet --strict <<<"${sums[$architecture]}  $package" >&2
  fi
  dpkg -x "$package" "$tmp/root"
  rm -rf "$home"
  mv "$tmp/root" "$home"
}

mkdir -p "$cache"
exec 9>"$cache/libfaketime.lock"
flock 9
[[ -n $(library) ]] || fetch
library
