#!/usr/bin/env bash
# Prepares a release: writes the version into every file that states it, and moves the changelog's "Unreleased" to it.
#
#   release.sh VERSION [DATE]
#
# VERSION is MAJOR.MINOR.PATCH, or MAJOR.MINOR.PATCH-rc.1 for a release candidate; DATE is today by default. The
# script changes files only. It ends with the commands that commit and tag the release.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { printf 'release: %s\n' "$*" >&2; exit 1; }

[[ $# -eq 1 || $# -eq 2 ]] || fail "usage: release.sh VERSION [DATE]"
readonly new=$1 date=${2:-$(date --utc +%F)} chart=charts/technical-user-operator
# The files that state the version, beside Cargo.lock and CHANGELOG.md.
readonly places=(
  Cargo.toml Dockerfile README.md docs/argo-cd.md docs/connector.md "$chart/Chart.yaml" "$chart/README.md"
)

# check: refuses what cannot become a release.
check() {
  [[ $new =~ ^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$ ]] ||
    fail "\"$new\" is not a version such as 1.2.3 or 1.2.3-rc.1"
  [[ $date =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}$ ]] || fail "\"$date\" is not a date such as 2026-01-31"
  [[ -z $(git status --porcelain) ]] || fail "the working tree has changes. Commit or stash them"
  [[ -z $(git tag --list "v$new") ]] || fail "the tag v$new exists"
  ! grep -qF "## [$new]" CHANGELOG.md || fail "CHANGELOG.md has a section for $new"
  # A tilde sorts before the end, as a release candidate comes before its release.
  [[ $(printf '%s\n' "${old/-/\~}" "${new/-/\~}" | sort --version-sort | tail -n 1) == "${new/-/\~}" ]] ||
    fail "$new is lower than the current version $old"
  [[ -n $(unreleased) ]] || fail "CHANGELOG.md has nothing under \"Unreleased\""
}

# unreleased: the changelog's entries since the last release.
unreleased() { awk '/^## / { reading = $2 == "[Unreleased]"; next } reading && /^- /' CHANGELOG.md; }

# own: matches the version where it is this project's own. Dependencies and other programs may have the same.
own() {
  local before='(^(?:version|appVersion): |^version = "|image\.version="|targetRevision: v|technical-user-operator:)'
  echo "$before${old//./\\.}(?![0-9A-Za-z.-])"
}

# lock: the workspace's own packages in Cargo.lock, which have no source.
lock() {
  OLD=$old NEW=$new perl -0pi -e \
    's/(\nname = "[^"]+"\nversion = ")\Q$ENV{OLD}\E("\n(?!source))/$1$ENV{NEW}$2/g' Cargo.lock
}

old=$(sed -nE '/^\[workspace\.package\]/,/^\[/s/^version = "(.*)"$/\1/p' Cargo.toml)
readonly old
check
for place in "${places[@]}"; do
  grep -qP "$(own)" "$place" || fail "$place does not state the current version $old"
done
OWN=$(own) NEW=$new perl -pi -e 's/$ENV{OWN}/$1$ENV{NEW}/g' "${places[@]}"
lock
sed -i "s/^## \[Unreleased\]\$/&\n\n## [$new] - $date/" CHANGELOG.md

cat <<EOF
The files state version $new now. Review the changes with "git diff", run "make test", then:

  git commit --all --message "Release $new"
  git tag --annotate "v$new" --message "Release $new"
EOF
