#!/usr/bin/env bash
# Fetches what a test node consists of beside the programs of build.sh: containerd, runc, network plugins, nftables and
# what they need, from Debian, without installing any of it; and makes two images, one that holds pods' namespaces and
# one with busybox for tests.
#
#   node-parts.sh           fetch and make what is missing, then print one line "part=path" for each part on stdout
#   node-parts.sh --print   print those lines only, whether the files are there or not
#
# Everything is kept in the cache of build.sh, in a directory named after everything that went into it. Directories of
# former states are left alone, because another checkout may be using them.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
cache=${TESTBED_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME or TESTBED_CACHE must be set}/.cache}/technical-user-operator/testbed}
readonly cache

# Debian 12. Where Debian has replaced one by a later version of the same upstream release, that one is taken.
readonly packages=(
  containerd=1.6.20~ds1-1+deb12u3
  runc=1.1.5+ds1-1+deb12u1
  containernetworking-plugins=1.1.1+ds1-3+b5
  nftables=1.0.6-2+deb12u2
  iproute2=6.1.0-3
  busybox-static=1:1.35.0-4+deb12u1+b1
  # The libraries of the above, because a machine may lack any of them.
  libbpf1=1:1.1.2-0+deb12u1
  libbsd0=0.11.7-2
  libcap2=1:2.66-4+deb12u3+b1
  libedit2=3.1-20221030-2
  libelf1=0.188-2.1
  libgmp10=2:6.2.1+dfsg1-1.1
  libjansson4=2.14-2
  libmd0=1.0.4-2
  libmnl0=1.0.4-3
  libnftables1=1.0.6-2+deb12u2
  libnftnl11=1.2.4-2
  libseccomp2=2.5.4-1+deb12u1
  libtinfo6=6.4-4
  libxtables12=1.8.9-2
  zlib1g=1:1.2.13.dfsg-1
)

say() { printf 'testbed: %s\n' "$*" >&2; }

need() {
  local program
  for program in apt-get apt-cache dpkg dpkg-deb go python3; do
    command -v "$program" >/dev/null || {
      say "the parts of a node come from Debian packages, Go and Python, and there is no $program in PATH"
      exit 1
    }
  done
}

# home: the directory of the parts, named after everything that goes into them.
home() {
  local sum
  sum=$(cat "$here/node-parts.sh" "$here/../../tools/image.py" "$here"/go/pause/* | sha256sum | cut -c1-16)
  echo "$cache/node-$sum"
}

complete() { [[ -e $1/complete ]]; }

# upstream VERSION: without Debian's own revision.
upstream() { echo "${1%-*}"; }

# wanted PACKAGE=VERSION APT_OPTION...: the same, or the newest one of the same upstream release.
wanted() {
  local name=${1%%=*} pinned=${1#*=} newest='' version
  shift
  while read -r version; do
    if [[ $version == "$pinned" ]]; then
      echo "$name=$pinned"
      return
    fi
    if [[ $(upstream "$version") == "$(upstream "$pinned")" ]] &&
      { [[ -z $newest ]] || dpkg --compare-versions "$version" gt "$newest"; }; then
      newest=$version
    fi
  done < <(apt-cache "$@" madison "$name" 2>/dev/null | awk -F ' *[|] *' '{ print $2 }')
  [[ -n $newest ]] || return 1
  say "Debian has $name $newest in place of $pinned"
  echo "$name=$newest"
}

# download DIRECTORY APT_OPTION...: fetches all packages into it.
download() {
  local directory=$1 package found chosen=()
  shift
  for package in "${packages[@]}"; do
    found=$(wanted "$package" "$@") || { say "the package lists have no $package"; return 1; }
    chosen+=("$found")
  done
  printf '%s\n' "${chosen[@]}" >"$directory/versions"
  # apt's own user may not enter the cache of ours.
  (cd "$directory" && apt-get "$@" -q -o APT::Sandbox::User= -o Acquire::Retries=3 download "${chosen[@]}") \
    >>"$directory/log" 2>&1
}

# wrapper PROGRAM FILE LIBRARIES: a script that runs the file with our libraries, which no other program shall see.
wrapper() {
  printf '#!/bin/sh\nLD_LIBRARY_PATH=%q exec %q "$@"\n' "$3" "$2" >"$1"
  chmod +x "$1"
}

# assemble TMP FINAL: unpacks and makes everything in TMP, which will be renamed to FINAL.
assemble() {
  local tmp=$1 final=$2 package file library_path=
  mkdir "$tmp/debs" "$tmp/root" "$tmp/bin"
  say "fetching containerd, runc, network plugins and nftables from Debian, 40 MB"
  if ! download "$tmp/debs"; then
    say "the machine's package lists are missing or too old, reading Debian's into a place of our own"
    mkdir -p "$tmp/lists/partial"
    apt-get -q -o Dir::State::Lists="$tmp/lists" -o APT::Sandbox::User= update >>"$tmp/debs/log" 2>&1 || true
    # The caches would mix the machine's lists with ours.
    download "$tmp/debs" -o Dir::State::Lists="$tmp/lists" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= || {
      say "the packages of a node cannot be fetched; the end of what apt-get wrote:"
      tail -n 20 "$tmp/debs/log" >&2
      return 1
    }
  fi
  for package in "$tmp"/debs/*.deb; do
    dpkg-deb --extract "$package" "$tmp/root"
  done
  mv "$tmp/debs/versions" "$tmp/versions"
  rm -rf "$tmp/debs" "$tmp/lists" "$tmp/root/usr/share"

  library_path=$final/root$(dirname -- "$(cd "$tmp/root" && find . -name libnftables.so.1 | cut -c2-)")
  library_path+=:$final/root/${library_path#"$final"/root/usr/}
  wrapper "$tmp/bin/nft" "$final/root/usr/sbin/nft" "$library_path"
  wrapper "$tmp/bin/runc" "$final/root/usr/sbin/runc" "$library_path"
  wrapper "$tmp/bin/ip" "$final/root/bin/ip" "$library_path"
  for file in containerd containerd-shim-runc-v2 ctr; do
    ln -s "../root/usr/bin/$file" "$tmp/bin/$file"
  done
  ln -s root/usr/lib/cni "$tmp/cni"

  mkdir "$tmp/pause" "$tmp/busybox" "$tmp/busybox/bin" "$tmp/busybox/tmp"
  say "building the image that holds a pod's namespaces"
  (cd "$here/go/pause" && CGO_ENABLED=0 GOWORK=off GOFLAGS='' go build -trimpath -buildvcs=false -ldflags '-s -w' \
    -o "$tmp/pause/pause" .)
  "$here/../../tools/image.py" "$tmp/pause" "$tmp/pause.tar" testbed/pause:1 --entrypoint '["/pause"]' --user 65535:65535
  cp "$tmp/root/bin/busybox" "$tmp/busybox/bin/"
  for file in $("$tmp/busybox/bin/busybox" --list); do
    [[ $file == busybox ]] || ln -s busybox "$tmp/busybox/bin/$file"
  done
  chmod 1777 "$tmp/busybox/tmp"
  "$here/../../tools/image.py" "$tmp/busybox" "$tmp/busybox.tar" testbed/busybox:1 --env PATH=/bin --cmd '["/bin/sh"]'
  rm -rf "$tmp/pause" "$tmp/busybox"
  touch "$tmp/complete"
}

# fetch DIRECTORY: works beside the final place and renames, so that half a set is never found there.
fetch() {
  local final=$1 tmp started=$SECONDS
  mkdir -p "$cache"
  exec 9>"$cache/node.lock"
  if ! flock -n 9; then
    say "the parts of a node are being fetched already, waiting for that"
    flock 9
  fi
  if complete "$final"; then
    exec 9>&-
    return
  fi
  # With the lock held nobody else can be at it: these are remains of a run that was killed.
  rm -rf "$final" "$cache"/node.fetching.*
  tmp=$cache/node.fetching.$$
  mkdir "$tmp"
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 1' INT TERM HUP
  assemble "$tmp" "$final" 9>&-
  mv "$tmp" "$final"
  trap - EXIT INT TERM HUP
  exec 9>&-
  say "the parts of a node are there after $((SECONDS - started)) s"
}

case ${1-} in
  '' | --print) ;;
  *)
    echo "usage: node-parts.sh [--print]" >&2
    exit 2
    ;;
esac

directory=$(home)
if [[ ${1-} != --print ]] && ! complete "$directory"; then
  need
  fetch "$directory"
fi
printf '%s\n' "bin=$directory/bin" "cni=$directory/cni" "pause=$directory/pause.tar" "busybox=$directory/busybox.tar"
