#!/usr/bin/env bash
# Builds the operator's image without Docker, registry or root: a docker-archive, for `docker load`, `podman load` and
# `ctr -n k8s.io images import`. The same files and settings as the Dockerfile's; tests/image.rs compares them.
#
#   [IMAGE=name:tag] [OUT=file.tar] [BINARY=program] image.sh
#
# BINARY is used instead of the release build. The last line of the output is the name of the file.
set -euo pipefail
cd "$(dirname "$0")/.."
# All packages of the workspace have one version.
version=$(sed -nE '/^\[workspace\.package\]/,/^\[/s/^version = "(.*)"$/\1/p' Cargo.toml)
image=${IMAGE:-technical-user-operator:$version}
out=${OUT:-target/image/technical-user-operator-$version.tar}
binary=${BINARY:-}
# Nodes pull the image before they start the operator again, so it must be small.
readonly most=40000000

say() { printf 'image: %s\n' "$*" >&2; }

mkdir -p "$(dirname "$out")"
if [ -z "$binary" ]; then
  say "building the release (some minutes the first time)"
  # Without --quiet: it takes minutes, and a terminal shows the progress.
  cargo build --release --locked --package technical-user-operator --bin technical-user-operator >&2
  binary="${CARGO_TARGET_DIR:-target}/release/technical-user-operator"
fi

# Beside the result, so that parallel builds of other images use other directories.
work=$(mktemp -d "$out.XXXXXX")
trap 'rm -rf "$work"' EXIT
tools/image-root.sh "$binary" "$work/root"
size=$(find "$work/root" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
if [ -z "${BINARY:-}" ] && [ "$size" -gt "$most" ]; then
  say "$size bytes are more than the $most that an image of the release may have"
  exit 1
fi

python3 tools/image.py "$work/root" "$out" "$image" \
  --user 65532:65532 \
  --expose 8080/tcp \
  --entrypoint '["/usr/local/bin/technical-user-operator"]' \
  --cmd '["run"]' \
  --label org.opencontainers.image.title=technical-user-operator \
  --label 'org.opencontainers.image.description=Provisions data-space technical users and publishes their credentials' \
  --label org.opencontainers.image.licenses=Apache-2.0 \
  --label "org.opencontainers.image.version=$version"
say "$image, $(awk -v size="$size" 'BEGIN { printf "%.1f MB", size / 1e6 }') unpacked"
echo "$out"
