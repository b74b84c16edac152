#!/usr/bin/env bash
# Assembles the root directory of the operator's image: the program, the C library that it was linked against, the
# public root certificates, and the user. No shell, no package manager. The Dockerfile and tools/image.sh both use it.
#
#   image-root.sh BINARY DIR
#
# DIR must not exist. CA_CERTIFICATES=FILE reads the certificates from FILE, on machines without Debian's packages.
set -euo pipefail
# The modes of the files belong to the image. They do not depend on the umask of the caller.
umask 022

fail() { printf 'image-root: %s\n' "$*" >&2; exit 1; }
[[ $# -eq 2 ]] || fail "usage: image-root.sh BINARY DIR"
readonly binary=$1 root=$2 program=/usr/local/bin/technical-user-operator
[[ -f $binary && -x $binary ]] || fail "$binary is not a program"
[[ ! -e $root ]] || fail "$root exists already"
for tool in ldd strip; do
  command -v "$tool" >/dev/null || fail "$tool is needed (Debian: apt-get install libc-bin binutils)"
done

work=$(mktemp -d)
readonly work
trap 'rm -rf "$work"' EXIT

put() { install -D --mode="$1" "$2" "$root$3"; }
words() { mkdir -p "$root$(dirname "$1")" && cat >"$root$1" && chmod 644 "$root$1"; }

mkdir -p "$root"
strip --strip-all -o "$work/program" "$binary"
put 755 "$work/program" "$program"

# The libraries at the paths where the loader found them: it searches there again, so the image needs no ld.so.cache.
libraries=$(ldd "$binary" 2>&1) || [[ $libraries =~ "not a dynamic executable"|"statically linked" ]] ||
  fail "ldd cannot list the libraries of $binary: $libraries"
if [[ $libraries == *"not found"* ]]; then
  fail "$binary was linked on another system than this one; build it here, or with the Dockerfile:"$'\n'"$libraries"
fi
while read -r library; do
  put 755 "$library" "$library"
done < <(sed -nE 's|^\s*(.* => )?(/[^ ]+) \(0x[0-9a-f]+\)$|\2|p' <<<"$libraries" | sort -u)

# Since 2.34 glibc resolves names without plug-ins; ldd does not list the plug-ins of older versions.
if [[ $libraries == *"libc.so.6 => "* ]]; then
  glibc=$(getconf GNU_LIBC_VERSION)
  [[ $(printf '%s\n' "glibc 2.34" "$glibc" | sort -V | head -n 1) == "glibc 2.34" ]] ||
    fail "$glibc cannot resolve names without plug-ins; build on Debian 12 or later, or with the Dockerfile"
fi

# Only Mozilla's certificates: a bundle in /etc may contain authorities of the company that owns the machine.
mozilla=/usr/share/ca-certificates/mozilla
if [[ -z ${CA_CERTIFICATES-} && ! -d $mozilla ]] && command -v apt-get >/dev/null; then
  # _apt, which downloads for root, must be able to write here.
  chmod 755 "$work" && mkdir -m 777 "$work/package"
  if (cd "$work/package" && apt-get -qq download ca-certificates) >"$work/apt.log" 2>&1; then
    dpkg-deb --extract "$work"/package/ca-certificates_*.deb "$work/extracted"
    mozilla=$work/extracted/usr/share/ca-certificates/mozilla
  else
    cat "$work/apt.log" >&2
  fi
fi
if [[ -n ${CA_CERTIFICATES-} ]]; then
  cp "$CA_CERTIFICATES" "$work/certificates"
elif [[ -d $mozilla ]]; then
  # In an order that does not depend on the locale; not every file ends with a newline.
  (export LC_ALL=C && awk 1 "$mozilla"/*.crt) >"$work/certificates"
else
  fail "no root certificates: install ca-certificates (Debian, Ubuntu), or set CA_CERTIFICATES to a file with PEM"
fi
(($(grep -c '^-----BEGIN CERTIFICATE-----$' "$work/certificates") >= 50)) ||
  fail "these are not the public root certificates; is CA_CERTIFICATES right?"
put 644 "$work/certificates" /etc/ssl/certs/ca-certificates.crt

words /etc/passwd <<'PASSWD'
root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/:/sbin/nologin
PASSWD
words /etc/group <<'GROUP'
root:x:0:
nonroot:x:65532:
GROUP
words /etc/nsswitch.conf <<'NSSWITCH'
hosts: files dns
NSSWITCH

# Starts the program in the directory, if chroot is allowed: as root, or in a user namespace.
if [[ $(id -u) == 0 ]]; then change=(chroot); else change=(unshare --map-root-user chroot); fi
if "${change[@]}" / true 2>/dev/null; then
  said=$("${change[@]}" "$root" "$program" --version 2>&1) || fail "the program does not run in $root: $said"
else
  echo "image-root: not tried, because chroot is not allowed here" >&2
fi
