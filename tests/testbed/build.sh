#!/usr/bin/env bash
# Builds the programs the tests run against: etcd, Kubernetes' control plane, kubectl, what a node runs (kubelet,
# kube-proxy, kube-scheduler), Helm 4 and Helm 3, and a program that asks the kstatus library about objects. Only where
# they are named: a Vault server (vault), External Secrets Operator with Vault as its only provider
# (external-secrets), a program that reads files as Docker Compose and Helm do (readers), and one that composes the values of a
# HelmRelease as Flux does (flux).
#
#   build.sh [MODULE …]           build what is missing, then print one line "tool=path" for each tool on stdout
#   build.sh --print [MODULE …]   print those lines only, whether the files are there or not
#
# Everything comes as source through the Go module proxy, pinned by go/*/go.mod and go.sum; only Go is needed.
# The results are kept under ${TESTBED_CACHE:-${XDG_CACHE_HOME:-~/.cache}/technical-user-operator/testbed}, in one
# directory for each module and state of its inputs, so a new helm does not rebuild Kubernetes. Directories of
# former states are left alone, because another checkout may be using them; the whole cache may be deleted at any time.
set -euo pipefail

readonly go_series=go1.26
# renovate: datasource=golang-version depName=go
readonly go_release=go1.26.8
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
readonly here
cache=${TESTBED_CACHE:-${XDG_CACHE_HOME:-${HOME:?HOME or TESTBED_CACHE must be set}/.cache}/technical-user-operator/testbed}
readonly cache
# Those that most tests need, built where none is named.
modules=(etcd kubernetes helm helm3 kstatus)

say() { printf 'testbed: %s\n' "$*" >&2; }

# packages MODULE: what to build of it.
packages() {
  case $1 in
    etcd) echo go.etcd.io/etcd/server/v3 ;;
    kubernetes)
      echo k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager \
        k8s.io/kubernetes/cmd/kubectl k8s.io/kubernetes/cmd/kube-scheduler k8s.io/kubernetes/cmd/kubelet \
        k8s.io/kubernetes/cmd/kube-proxy
      ;;
    helm) echo helm.sh/helm/v4/cmd/helm ;;
    helm3) echo helm.sh/helm/v3/cmd/helm ;;
    kstatus) echo testbed.invalid/kstatus ;;
    readers) echo testbed.invalid/readers ;;
    flux) echo testbed.invalid/flux ;;
    vault) echo testbed.invalid/vault ;;
    external-secrets) echo github.com/external-secrets/external-secrets/external-secrets ;;
    *) return 1 ;;
  esac
}

# tools MODULE: the names of the programs it gives.
tools() {
  case $1 in
    kubernetes) echo kube-apiserver kube-controller-manager kubectl kube-scheduler kubelet kube-proxy ;;
    *) echo "$1" ;;
  esac
}

# usually MODULE: how long a build with empty caches takes on two cores, for people who wait for it.
usually() {
  case $1 in
    etcd) echo "1 minute" ;;
    kubernetes) echo "10 minutes" ;;
    helm) echo "4 minutes" ;;
    helm3) echo "2 minutes" ;;
    kstatus) echo "1 minute" ;;
    readers) echo "1 minute" ;;
    flux) echo "2 minutes" ;;
    vault) echo "5 minutes" ;;
    external-secrets) echo "3 minutes" ;;
  esac
}

# ldflags MODULE: Kubernetes without a stamped version calls itself v0.0.0-master+$Format, and helm then refuses
# charts that state a kubeVersion.
ldflags() {
  local flags="-s -w" version package
  case $1 in
    kubernetes)
      version=$(awk '$1 == "k8s.io/kubernetes" { print $2 }' "$here/go/kubernetes/go.mod")
      for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
        flags+=" -X $package.gitVersion=$version -X $package.gitTreeState=clean"
        flags+=" -X $package.gitMajor=$(cut -d. -f1 <<<"${version#v}") -X $package.gitMinor=$(cut -d. -f2 <<<"$version")"
      done
      ;;
    helm)
      version=$(awk '$1 == "helm.sh/helm/v4" { print $2 }' "$here/go/helm/go.mod")
      flags+=" -X helm.sh/helm/v4/internal/version.version=$version"
      ;;
    helm3)
      version=$(awk '$1 == "helm.sh/helm/v3" { print $2 }' "$here/go/helm3/go.mod")
      flags+=" -X helm.sh/helm/v3/internal/version.version=$version"
      # The Kubernetes that `helm template` assumes: that of its client library. Without it Helm 3 assumes 1.20.
      version=$(awk '$1 == "k8s.io/client-go" { print $2 }' "$here/go/helm3/go.mod" | cut -d. -f2)
      for package in chartutil lint/rules; do
        flags+=" -X helm.sh/helm/v3/pkg/$package.k8sVersionMajor=1 -X helm.sh/helm/v3/pkg/$package.k8sVersionMinor=$version"
      done
      ;;
  esac
  echo "$flags"
}

# choose_go: kube-apiserver of this series fails on /openapi/v2 when another Go series built it.
choose_go() {
  command -v go >/dev/null || { say "Go ($go_series) is needed to build the test programs, and there is no go in PATH"; exit 1; }
  go_version=$(go env GOVERSION)
  if [[ $go_version != "$go_series" && $go_version != "$go_series".* ]]; then
    say "go is $go_version, but the programs must be built with $go_series: asking it to fetch $go_release"
    export GOTOOLCHAIN=$go_release
    go_version=$(go env GOVERSION)
  fi
  readonly go_version
}

# home MODULE: the directory of its programs, named after everything that went into them.
home() {
  local sum
  sum=$({
    cat "$here/go/$1/go.mod" "$here/go/$1/go.sum"
    # A program of our own has its source here.
    find "$here/go/$1" -name '*.go' -o -name source.sh | sort | xargs -r cat
    packages "$1"
    ldflags "$1"
    echo "$go_version $(go env GOOS GOARCH | tr '\n' ' ')"
  } | sha256sum | cut -c1-16)
  echo "$cache/$1-$sum/bin"
}

# complete DIRECTORY MODULE: whether every program of the module is in the directory.
complete() {
  local tool
  for tool in $(tools "$2"); do
    [[ -x $1/$tool ]] || return 1
  done
}

# build MODULE DIRECTORY: builds beside the final place and renames, so that a broken build is never found there.
build() {
  local module=$1 final tmp builder started=$SECONDS next=20 status=0
  final=$(dirname -- "$2")
  mkdir -p "$cache"
  exec 9>"$cache/$module.lock"
  if ! flock -n 9; then
    say "another build of $module is running, waiting for it"
    flock 9
  fi
  if complete "$2" "$module"; then
    exec 9>&-
    return
  fi
  # With the lock held nobody else can be building this: these are remains of a build that was killed.
  rm -rf "$final" "$cache/$module".building.*
  tmp=$cache/$module.building.$$
  mkdir -p "$tmp/bin"
  say "building $(tools "$module") from source, usually $(usually "$module") cold"
  local package_list source=$here/go/$module
  if [[ -e $source/source.sh ]]; then
    "$source/source.sh" "$tmp/source"
    source=$tmp/source
  fi
  read -ra package_list <<<"$(packages "$module")"
  (
    cd "$source"
    # GOFLAGS of the caller's environment would make other programs than the directory's name says.
    CGO_ENABLED=0 GOWORK=off GOFLAGS='' exec go build -mod=readonly -buildvcs=false -trimpath \
      -ldflags "$(ldflags "$module")" -o "$tmp/bin/" "${package_list[@]}" 9>&-
  ) >"$tmp/log" 2>&1 &
  builder=$!
  trap 'kill "$builder" 2>/dev/null || true; rm -rf "$tmp"; exit 1' INT TERM HUP
  while kill -0 "$builder" 2>/dev/null; do
    if ((SECONDS - started >= next)); then
      say "building $(tools "$module") … $((SECONDS - started)) s so far, usually $(usually "$module") cold"
      next=$((next + 20))
    fi
    sleep 0.2
  done
  wait "$builder" || status=$?
  trap - INT TERM HUP
  # Two packages give programs of other names: go.etcd.io/etcd/server/v3 one called "server", and Helm 3 "helm".
  if ((status == 0)) && [[ $module == etcd && -e $tmp/bin/server ]]; then
    mv "$tmp/bin/server" "$tmp/bin/etcd"
  elif ((status == 0)) && [[ $module == helm3 && -e $tmp/bin/helm ]]; then
    mv "$tmp/bin/helm" "$tmp/bin/helm3"
  fi
  if ((status != 0)) || ! complete "$tmp/bin" "$module"; then
    say "building $module failed (go build ended with $status); the end of its output:"
    tail -n 30 "$tmp/log" >&2
    rm -rf "$tmp"
    exit 1
  fi
  rm -rf "$tmp/source"
  mv "$tmp" "$final"
  exec 9>&-
  say "built $(tools "$module") in $((SECONDS - started)) s"
}

print_only=false
if [[ ${1-} == --print ]]; then
  print_only=true
  shift
fi
(($# == 0)) || modules=("$@")
for module in "${modules[@]}"; do
  packages "$module" >/dev/null || { echo "usage: build.sh [--print] [MODULE …]" >&2; exit 2; }
done
readonly modules print_only

choose_go
lines=()
for module in "${modules[@]}"; do
  directory=$(home "$module")
  if ! $print_only && ! complete "$directory" "$module"; then
    build "$module" "$directory"
  fi
  for tool in $(tools "$module"); do
    lines+=("$tool=$directory/$tool")
  done
done
printf '%s\n' "${lines[@]}"
