#!/usr/bin/env bash
# cargo-program.sh NAME VERSION: prints the path of a program of crates.io in the cache, built first if it is not there.
set -euo pipefail

name=$1 version=$2
root=${XDG_CACHE_HOME:-${HOME:?HOME or XDG_CACHE_HOME must be set}/.cache}/technical-user-operator/tools/$name-$version
if [ ! -x "$root/bin/$name" ]; then
  echo "installing $name $version (a few minutes, once)" >&2
  cargo install --quiet --locked --root "$root" "$name@$version" >&2
fi
echo "$root/bin/$name"
