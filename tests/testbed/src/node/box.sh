# shellcheck shell=bash
# The box in which a node runs: namespaces and cgroups of its own, joined to the host by one pair of interfaces.
#
#   box.sh check                          say in one line on stdout what this machine lacks, if anything, and fail
#   box.sh up NAME DIR                    clean up after a crashed box of that name, make a new one, and become it
#   box.sh enter NAME PID COMMAND...      become a command in the box of which PID is the outer process
#   box.sh serve NAME COMMAND...          become a command on the host that goes down with the box
#   box.sh end NAME                       remove what a box leaves, unless another one of that name has begun
#   box.sh down NAME                      end the box of that name, and whatever belongs to it, and remove what it leaves
#
# PATH must begin with the parts of a node. A box holds two locks as long as it lives: that of its name, and that of its
# index, from which its interface and addresses are made. All its processes are in cgroups named testbed-node-NAME, so
# that none other is ever killed; its mounts, its interfaces and its rules go with its namespaces.
set -euo pipefail

readonly locks=/run/technical-user-operator-testbed
# How long a box of the same name may take to go away, and how many can live at once.
readonly patience=20 boxes=64
# Of all boxes alike, because they are seen inside only.
readonly services=10.0.0.0/24 pods=10.1.0.0/24

fail() {
  printf 'testbed: %s\n' "$*" >&2
  exit 1
}

# hierarchies: "CONTROLLERS DIRECTORY" for each version 1 hierarchy, the directory being this process's own.
hierarchies() {
  local controllers path mount root
  while IFS=: read -r _ controllers path; do
    [[ -n $controllers ]] || continue
    while read -r _ _ _ root mount _; do
      # In a container the hierarchy may be mounted from the container's own directory on.
      [[ $root == / ]] || path=${path#"$root"}
      path=${path%/}
      # A command that already runs in a box's cgroup belongs beside it.
      echo "$controllers $mount${path%%/testbed-node-*}"
      break
    done < <(awk -v wanted=",$controllers," '{
      for (i = 7; i <= NF; i++) if ($i == "-") break
      if ($(i + 1) == "cgroup" && index("," $(i + 3) ",", wanted)) print
    }' /proc/self/mountinfo)
  done </proc/self/cgroup
}

# ours NAME: the cgroups of that name in all hierarchies, wherever the process that made them was.
ours() {
  local mount
  awk '{ for (i = 7; i <= NF; i++) if ($i == "-") break; if ($(i + 1) == "cgroup") print $5 }' /proc/self/mountinfo |
    while read -r mount; do
      find "$mount" -type d -name "testbed-node-$1" -prune 2>/dev/null || true
    done
}

# join NAME PART: moves this shell into the part's cgroups, which must be there.
join() {
  local directories directory
  directories=$(ours "$1")
  [[ -n $directories ]] || fail "there is no node $1"
  while read -r directory; do
    echo $$ >"$directory/$2/cgroup.procs"
  done <<<"$directories"
}

make_cgroups() {
  local controllers directory part
  while read -r controllers directory; do
    for part in '' /box /host; do
      mkdir "$directory/testbed-node-$1$part"
      # A cpuset takes no process before it has processors and memory.
      if [[ ,$controllers, == *,cpuset,* ]]; then
        cat "$directory/cpuset.cpus" >"$directory/testbed-node-$1$part/cpuset.cpus"
        cat "$directory/cpuset.mems" >"$directory/testbed-node-$1$part/cpuset.mems"
      fi
    done
  done < <(hierarchies)
}

# interfaces NAME: the host's interfaces that belong to the box of that name.
interfaces() {
  local file
  for file in /sys/class/net/*/ifalias; do
    [[ $(cat "$file" 2>/dev/null) != "testbed-node-$1" ]] || basename "$(dirname "$file")"
  done
}

# kill_all NAME: SIGKILL to everything in the cgroups of that name.
kill_all() {
  local directory pid
  while read -r directory; do
    # What is frozen does not die.
    [[ ! -e $directory/freezer.state ]] || echo THAWED >"$directory/freezer.state" 2>/dev/null || true
    while read -r pid; do
      # 0 is a process outside this pid namespace.
      [[ $pid == 0 ]] || kill -KILL "$pid" 2>/dev/null || true
    done < <(find "$directory" -name cgroup.procs -exec cat {} + 2>/dev/null)
  done < <(ours "$1")
}

# clear NAME: ends what is left of a box and waits until nothing is. The lock must be held.
clear() {
  local directory interface left started=$SECONDS
  while :; do
    kill_all "$1"
    while read -r directory; do
      find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null || true
    done < <(ours "$1")
    left=$(ours "$1")
    # The kernel removes the interfaces some time after the last process of their namespace is gone.
    [[ -n $left ]] || left=$(interfaces "$1")
    [[ -n $left ]] || break
    if ((SECONDS - started > patience)); then
      fail "the node $1 cannot be removed: $left"
    fi
    sleep 0.05
  done
}

# lock NAME [SECONDS]: waits for a box of that name to be gone. The descriptor 8 is inherited by what this shell becomes.
lock() {
  mkdir -p "$locks"
  # Whoever removes what a box leaves removes its lock too: then the file that was locked is no longer the one of that
  # name.
  until [[ $locks/$1.lock -ef /proc/$$/fd/8 ]]; do
    exec 8>"$locks/$1.lock"
    flock -w "${2:-$patience}" 8 || return 1
  done
}

# forget NAME: removes the lock, which must be held, and with it the last of that name.
forget() {
  rm -f "$locks/$1.directory" "$locks/$1.lock"
}

# remove_directory NAME: what the crashed owner of a box left.
remove_directory() {
  local directory
  [[ -e $locks/$1.directory ]] || return 0
  directory=$(<"$locks/$1.directory")
  # Only what `testbed` itself has made.
  [[ ${directory##*/} != "testbed-node-$1".???????? ]] || rm -rf "$directory"
}

# choose_index: locks a free index and sets `index` and `interface`. The descriptor 9 is inherited likewise.
choose_index() {
  for ((index = 0; index < boxes; index++)); do
    interface=testbed$index
    exec 9>"$locks/index-$index.lock"
    flock -n 9 || continue
    if [[ -e /sys/class/net/$interface ]]; then
      ip link delete "$interface"
    fi
    # The machine itself may use these addresses.
    [[ -z $(ip -4 route show root "10.213.$index.0/24") ]] || continue
    [[ -z $(ip -4 route show table all match "10.213.$index.0/24" | sed '/^default/d') ]] || continue
    return
  done
  fail "all $boxes indexes of nodes are taken"
}

check() {
  local problem controllers directory seen=,
  for problem in awk find flock nsenter setpriv unshare; do
    command -v "$problem" >/dev/null || fail "a node needs the program $problem"
  done
  [[ $(id -u) == 0 ]] || fail "a node needs root"
  local capabilities=$((16#$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)))
  ((capabilities >> 21 & 1)) || fail "a node needs CAP_SYS_ADMIN"
  ((capabilities >> 12 & 1)) || fail "a node needs CAP_NET_ADMIN"
  while read -r controllers directory; do
    [[ -w $directory/cgroup.procs ]] || fail "a node needs to write to $directory"
    seen+=$controllers,
  done < <(hierarchies)
  for problem in cpu cpuacct cpuset memory devices freezer pids name=systemd; do
    [[ $seen == *,"$problem",* ]] ||
      fail "a node needs cgroups version 1, and there is no hierarchy with $problem (version 2 alone is not supported)"
  done
}

# try: what can only be found out by doing it, in namespaces that go away at once.
try() {
  local problem
  problem=$(unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --mount-proc bash -c '
    mount -t sysfs sysfs /sys || { echo "to mount sysfs"; exit; }
    mount -t tmpfs tmpfs /run || { echo "to mount tmpfs"; exit; }
    mkdir /run/lower /run/upper /run/work /run/merged
    mount -t overlay -o lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work overlay /run/merged ||
      { echo "overlayfs"; exit; }
    ip link add name one type veth peer name two || { echo "veth interfaces"; exit; }
    nft "add table ip a; add chain ip a b { type nat hook postrouting priority 100; }; add rule ip a b masquerade" ||
      { echo "nf_tables with nat"; exit; }
    [[ -w /proc/sys/net/ipv4/ip_forward ]] || { echo "to write to /proc/sys/net"; exit; }
    [[ -e /dev/kmsg ]] || { echo "/dev/kmsg"; exit; }
  ' 2>/dev/null) || problem="namespaces of its own"
  [[ -z $problem ]] || fail "a node needs $problem"
}

# become NAME DIR: with the locks held.
become() {
  make_cgroups "$1"
  join "$1" box
  # The host's network is still needed to make the interfaces. Both are in the box's hands from the beginning, so that
  # they go when it goes.
  exec 7</proc/self/ns/net
  exec unshare --mount --net --uts --ipc --cgroup bash "$0" network "$1" "$2" "$index"
}

network() {
  local name=$1 directory=$2 index=$3 host=10.213.$3.1 node=10.213.$3.2
  # shellcheck disable=SC2016 # The inner bash expands its own arguments.
  nsenter --net=/proc/self/fd/7 bash -euc '
    ip link add name "$1" type veth peer name eth0 netns "$2"
    ip link set "$1" alias "testbed-node-$3" addrgenmode none
    ip address add "$4/30" dev "$1"
    ip link set "$1" up
  ' network "testbed$index" $$ "$name" "$host"
  exec 7<&-
  ip link set lo up
  ip address add "$node/30" dev eth0
  ip link set eth0 up
  # No default route: nothing leaves the machine, and what is tried fails at once.
  ip route add "$services" via "$host"
  echo "$host $node" >"$directory/addresses.new"
  exec unshare --pid --fork --kill-child --mount-proc bash "$0" inside "$name" "$directory"
}

# inside NAME DIR: the first process, which prepares everything and then only collects the dead.
inside() {
  # The locks are for the outer process, which dies first.
  exec 8>&- 9>&-
  local controllers directory file

  mkdir "$2/box"
  hostname "$1"
  mount -t sysfs sysfs /sys
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  while IFS=: read -r _ controllers _; do
    [[ -n $controllers ]] || continue
    directory=/sys/fs/cgroup/${controllers#name=}
    mkdir "$directory"
    mount -t cgroup -o "${controllers/#name=/none,name=}" cgroup "$directory"
  done </proc/self/cgroup

  # A resolver that refuses at once. /etc/resolv.conf may be a link to somewhere in /run.
  echo 'nameserver 127.0.0.1' >"$2/box/resolv.conf"
  if [[ -e /etc/resolv.conf ]]; then
    mount --bind "$2/box/resolv.conf" "$(realpath /etc/resolv.conf)"
  fi
  # What the kubelet wants to set belongs to the whole machine: it is told that all is as it wants.
  while read -r file value; do
    [[ -e /proc/sys/$file ]] || continue
    mkdir -p "$2/box/sys"
    echo "$value" >"$2/box/sys/${file##*/}"
    mount --bind "$2/box/sys/${file##*/}" "/proc/sys/$file"
  done <<'END'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
END
  echo 1 >/proc/sys/net/ipv4/ip_forward
  nft -f - <<END
table ip testbed {
  set cut { type ipv4_addr; }
  chain from { type filter hook prerouting priority -300; ip saddr @cut drop; }
  chain to { type filter hook postrouting priority 300; ip daddr @cut drop; }
  chain leaving { type nat hook postrouting priority 100; ip saddr $pods oifname "eth0" masquerade; }
}
END
  mkdir -p "$2/box/lib/testbed"
  mv "$2/addresses.new" "$2/addresses"
  # Bound last: the directory itself may be in one of these.
  mount --bind "$2/box/lib" /var/lib
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=755 tmpfs /var/log
  touch /var/lib/testbed/ready
  sleep infinity &
  # A shell that waits collects every process that lost its parent.
  wait
}

command=${1-}
shift || true
case $command in
  check)
    (check) 2>&1
    ;;
  try)
    (try) 2>&1
    ;;
  up)
    # Whatever kills the supervisor kills the box.
    [[ -n ${TESTBED_LEASHED-} ]] || TESTBED_LEASHED=1 exec setpriv --pdeathsig KILL bash "$0" up "$@"
    lock "$1" || fail "there is a node $1 already"
    clear "$1"
    remove_directory "$1"
    choose_index
    echo "$2" >"$locks/$1.directory"
    become "$1" "$2"
    ;;
  network | inside) "$command" "$@" ;;
  enter)
    join "$1" box
    pid=$2
    shift 2
    exec nsenter --mount="/proc/$pid/ns/mnt" --net="/proc/$pid/ns/net" --uts="/proc/$pid/ns/uts" \
      --ipc="/proc/$pid/ns/ipc" --cgroup="/proc/$pid/ns/cgroup" --pid="/proc/$pid/ns/pid_for_children" -- "$@"
    ;;
  serve)
    join "$1" host
    shift
    exec setpriv --pdeathsig KILL "$@"
    ;;
  end)
    # A box that was just killed may hold the lock for a moment. Who else holds it has cleaned up, or is about to.
    lock "$1" 5 || exit 0
    clear "$1"
    forget "$1"
    ;;
  down)
    kill_all "$1"
    lock "$1" || fail "the node $1 does not end"
    clear "$1"
    remove_directory "$1"
    forget "$1"
    ;;
  *) fail "box.sh does not know ${command:-what to do}" ;;
esac
