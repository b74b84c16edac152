#!/usr/bin/env bash
# Checks all shell scripts of the repository, and the shell blocks of its pages, with shellcheck.
#
# SHELLCHECK names another shellcheck. Without it, the script takes Debian's package of the version below and unpacks it
# into the cache; nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly version=0.9.0-1
cache=${XDG_CACHE_HOME:-${HOME:?HOME or XDG_CACHE_HOME must be set}/.cache}/technical-user-operator/tools
readonly home=$cache/shellcheck-$version

say() { printf 'shellcheck: %s\n' "$*" >&2; }

# fetch: puts the program into the cache. Another process may do the same at this moment.
fetch() {
  mkdir -p "$cache"
  exec 9>"$cache/shellcheck.lock"
  flock 9
  [[ -d $home ]] || tools/debian-package.sh "shellcheck=$version" "$home" \
    amd64=8c40f8a4ecccf3d746b933853972f1cd1be6df84fc5977d0137269d4debefa4f || {
    say "set SHELLCHECK to the path of another shellcheck"
    exit 1
  }
  exec 9>&-
}

# blocks PAGE: the shell blocks of a page. Every other line is empty, so that the numbers of the lines are those of the page.
blocks() {
  awk '/^ *```(ba)?sh(ell)?( |$)/ { shell = 1; print ""; next }
       /^ *```/ { shell = 0; print ""; next }
       { print shell ? $0 : "" }' "$1"
}

shellcheck=${SHELLCHECK:-$home/usr/bin/shellcheck}
[[ -n ${SHELLCHECK-} ]] || fetch

mapfile -t scripts < <(
  { git ls-files -- '*.sh'; git grep -lE '^#!.*\b(ba|da)?sh\b' -- ':!*.sh' ':!*.rs' ':!*.md'; } | sort -u
)
mapfile -t pages < <(git ls-files -- '*.md')
if ((${#scripts[@]} < 10 || ${#pages[@]} < 10)); then
  say "only ${#scripts[@]} scripts and ${#pages[@]} pages found"
  exit 1
fi

failed=0
"$shellcheck" --external-sources --severity=style --format=gcc -- "${scripts[@]}" || failed=1
for page in "${pages[@]}"; do
  found=$(blocks "$page" | "$shellcheck" --shell=bash --severity=style --format=gcc -) || failed=1
  [[ -z $found ]] || printf '%s\n' "${found//-:/$page:}"
done
exit "$failed"
