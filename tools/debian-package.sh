#!/usr/bin/env bash
# Unpacks one of Debian's packages into a directory; nothing is installed.
#
#   debian-package.sh PACKAGE=VERSION DIRECTORY [ARCHITECTURE=SHA256...]
#
# apt checks the archive's signature. The sums are for the architectures that were tried. DIRECTORY must not exist.
set -euo pipefail

[[ $# -ge 2 ]] || { echo "usage: debian-package.sh PACKAGE=VERSION DIRECTORY [ARCHITECTURE=SHA256...]" >&2; exit 2; }
readonly wanted=$1 directory=$2
shift 2

say() { printf 'debian-package: %s\n' "$*" >&2; }

for program in apt-get dpkg dpkg-deb sha256sum; do
  command -v "$program" >/dev/null || { say "$wanted is a package of Debian, and there is no $program in PATH"; exit 1; }
done
[[ ! -e $directory ]] || { say "$directory exists already"; exit 1; }

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT
mkdir "$work/deb"

# download APT_OPTION...: apt's own user may not enter a directory of ours.
download() {
  (cd "$work/deb" && apt-get "$@" -q -o APT::Sandbox::User= -o Acquire::Retries=3 download "$wanted") >>"$work/log" 2>&1
}

if ! download; then
  say "the machine's package lists are missing or too old, reading Debian's into a temporary directory"
  mkdir -p "$work/lists/partial"
  apt-get -q -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User= update >>"$work/log" 2>&1 || true
  # The caches would mix the machine's lists with these.
  download -o Dir::State::Lists="$work/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= || {
    say "$wanted cannot be fetched; the end of what apt-get wrote:"
    tail -n 20 "$work/log" >&2
    exit 1
  }
fi

package=$(find "$work/deb" -name '*.deb')
architecture=$(dpkg --print-architecture)
for sum in "$@"; do
  if [[ ${sum%%=*} == "$architecture" ]]; then
    sha256sum --check --quiet --strict <<<"${sum#*=}  $package" >&2
  fi
done
dpkg-deb --extract "$package" "$work/root"
mkdir -p "$(dirname -- "$directory")"
# In one step on the file system of the target, so that an interrupted run leaves no half of a directory.
cp -R "$work/root" "$directory.$$"
mv -T "$directory.$$" "$directory"
