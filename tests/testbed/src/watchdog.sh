# shellcheck shell=bash
# Becomes the program "$@" itself, and leaves a small process behind that kills it when its owner is gone.
#
# The owner holds the other end of stdin. When that closes without the word "done", even by SIGKILL of the owner, the
# program is killed. "done" is sent once the owner has seen the program end, so that no other process is ever hit.
exec 3<&0
# Started from a subshell that ends at once: the program does not get a child that it does not know.
(
  {
    trap '' INT HUP TERM
    exec >/dev/null 2>&1
    while IFS= read -r line <&3; do
      [ "$line" = "done" ] && exit 0
    done
    # The process id of the outer shell, which the program below keeps.
    kill -KILL "$$"
  } &
)
exec 3<&- </dev/null
exec "$@"
