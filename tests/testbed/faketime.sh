#!/usr/bin/env bash
# Prints the path of libfaketime, which gives a program another clock (LD_PRELOAD, FAKETIME=+10m), fetching it first
# where it is missing: Debian's package of the version below, unpacked into the cache of build.sh, installed nowhere.
set -euo pipefail

readonly version=0.9.10-2.1
cache=${TESTBED_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME or TESTBED_CACHE must be set}/.cache}/technical-user-operator/testbed}
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly cache here
readonly home=$cache/libfaketime-$version

library() { find "$home" -name libfaketime.so.1 -print -quit 2>/dev/null; }

mkdir -p "$cache"
exec 9>"$cache/libfaketime.lock"
flock 9
if [[ -z $(library) ]]; then
  # With the lock held no other process fetches it: this is what an interrupted run left.
  rm -rf "$home"
  "$here/../../tools/debian-package.sh" "libfaketime=$version" "$home" \
    amd64=b09481e7690680966005330c3f907bba4b5eefc35e1faaea4783cc55655d1150
fi
library
