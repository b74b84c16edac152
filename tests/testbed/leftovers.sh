#!/usr/bin/env bash
# Prints everything of this machine's that a test node could leave behind, in a stable order: run it before and after,
# and compare. No process ids or times occur in it.
#
#   leftovers.sh         all interfaces, mounts, tables of rules and settings, and what carries the name of any node
#   leftovers.sh NAME    only what carries the name of that node; nothing if it left nothing
set -euo pipefail
here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
name=${1-}
if [[ -n $name ]]; then mark="testbed-node-$name([./]|$)"; else mark=testbed-node-; fi

# section TITLE: prints what comes, sorted, below a title, and no title without anything.
section() {
  local lines
  lines=$(sort)
  [[ -z $lines ]] || printf '%s:\n%s\n' "$1" "$lines" | sed '2,$s/^/  /'
}

interfaces() {
  local interface alias
  for interface in /sys/class/net/*; do
    alias=$(cat "$interface/ifalias" 2>/dev/null || true)
    if [[ -z $name || $alias == "testbed-node-$name" ]]; then
      echo "${interface##*/} $alias"
    fi
  done
}

mounts() {
  # Without the ids: mount point, root, type, source.
  awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break; print $5, $4, $(i + 1), $(i + 2) }' /proc/self/mountinfo |
    { if [[ -n $name ]]; then grep -E "$mark" || true; else cat; fi; }
}

# All of ours, and this process's own cgroups with their children, among which ours are made.
cgroups() {
  local controllers path mount
  find /sys/fs/cgroup -type d -path '*/testbed-node-*' | { grep -E "$mark" || true; }
  [[ -z $name ]] || return 0
  while IFS=: read -r _ controllers path; do
    mount=$(awk -v wanted=",$controllers," '{
      for (i = 7; i <= NF; i++) if ($i == "-") break
      if ($(i + 1) == "cgroup" && index("," $(i + 3) ",", wanted)) { print $5; exit }
    }' /proc/self/mountinfo)
    [[ -n $controllers && -n $mount && -d $mount$path ]] || continue
    find "$mount$path" -mindepth 1 -maxdepth 1 -type d ! -name 'testbed-node-*'
  done </proc/self/cgroup
}

rules() {
  local nft
  nft=$(bash "$here/node-parts.sh" --print | sed -n 's/^bin=//p')/nft
  if [[ -z $name && -x $nft ]] && ((EUID == 0)); then
    "$nft" list tables
  fi
}

files() {
  find "${TMPDIR:-/tmp}" /tmp -mindepth 1 -maxdepth 1 -name 'testbed-node-*' | sort -u | { grep -E "$mark" || true; }
  # The locks of indexes stay, empty: there are only so many.
  find /run/technical-user-operator-testbed -name "${name:-*}.directory" -o -name "${name:-*}.lock" \
    ! -name 'index-*' 2>/dev/null || true
}

# By what they run, and by their cgroups, which no process of a node can leave.
processes() {
  local process text
  for process in /proc/[0-9]*; do
    text=$({ cat "$process/cgroup"; tr '\0' '\n' <"$process/cmdline"; } 2>/dev/null) || continue
    if grep -qE "/$mark" <<<"$text"; then
      cat "$process/comm" 2>/dev/null || true
    fi
  done
}

settings() {
  local setting
  [[ -z $name ]] || return 0
  for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys \
    kernel/keys/root_maxbytes net/ipv4/ip_forward net/netfilter/nf_conntrack_max; do
    echo "$setting $(cat "/proc/sys/$setting" 2>/dev/null || true)"
  done
}

for part in interfaces mounts cgroups rules files processes settings; do
  "$part" | section "$part"
done
