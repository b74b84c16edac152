# shellcheck shell=bash
# Keeps the servers of one control plane, and ends them when its owner is gone, whatever became of the owner.
#
# The owner holds the other end of stdin: when that closes, even by SIGKILL, the servers started here are killed and
# the directory is removed. The argument is the beginning of the directory's name. Commands, one a line:
#   start NAME        run the NUL-separated command line in NAME.argv with NAME.log as output; answers with its pid
#   stop PID          kill that server; answers "stopped"
#   finally NAME      run the command line in NAME.argv at the end, when all servers are dead; answers "noted"
set -u

dir=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXXXX") || exit 1
keep=${TESTBED_KEEP_LOGS-}
exec 3>&2 2>"$dir/supervisor.log"
[ -n "$keep" ] || exec 3>&-

last=

# Reads the NUL-separated command line in a file of that name into the array argv.
read_argv() {
  argv=()
  while IFS= read -r -d '' word; do
    argv+=("$word")
  done <"$dir/$1.argv"
}

finish() {
  trap '' INT HUP TERM
  # Only running children of this shell: no other process is ever signalled.
  for pid in $(jobs -pr); do
    kill -KILL "$pid"
  done
  wait
  if [ -n "$last" ]; then
    read_argv "$last"
    "${argv[@]}" </dev/null >>"$dir/$last.log" 2>&1
  fi
  if [ -n "$keep" ]; then
    find "$dir" -mindepth 1 -depth ! -name '*.log' -delete
    echo "testbed: the servers' logs are kept in $dir" >&3
  else
    # A kubectl or helm of the dead owner may still be writing there for a moment.
    for _ in 1 2 3 4 5 6 7 8 9 10; do
      rm -rf "$dir" && break
      sleep 0.2
    done
  fi
}
trap finish EXIT
trap 'exit 1' INT HUP TERM
# An owner that dies between a command and its answer must not take this shell along.
trap : PIPE

echo "$dir"
while read -r command argument; do
  case $command in
    start)
      read_argv "$argument"
      "${argv[@]}" </dev/null >>"$dir/$argument.log" 2>&1 3>&- &
      echo "$!"
      ;;
    stop)
      for pid in $(jobs -pr); do
        [ "$pid" != "$argument" ] || kill -KILL "$pid"
      done
      wait "$argument"
      echo stopped
      ;;
    finally)
      last=$argument
      echo noted
      ;;
  esac
done
