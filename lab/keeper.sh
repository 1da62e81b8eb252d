#!/bin/sh
# keeper.sh SIGNAL GRACE_SECONDS ALIVE_FILE COMMAND...
# Runs COMMAND, says its pid on descriptor 3, and ends it as soon as standard input closes. The pipe behind standard
# input is held by the process that asked for COMMAND: when that one dies, even by kill -9, the kernel closes the pipe.
# ALIVE_FILE is locked as long as COMMAND or one of its children lives, so that sweeper.sh knows when all are gone; "-"
# where nobody asks.
signal=$1 grace=$2 alive=$3
shift 3

exec 4<&0 </dev/null
if [ "$alive" != - ]; then
  exec 5>>"$alive"
  flock -s 5
fi

"$@" 3>&- 4<&- &
child=$!
echo "$child" >&3
exec 3>&-

(
  read -r _ <&4
  kill -s "$signal" "$child"
  tenths=$((grace * 10))
  while kill -0 "$child" && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  kill -s KILL "$child"
) >/dev/null 2>&1 5>&- &
watcher=$!
exec 4<&-

wait "$child"
status=$?
kill "$watcher" 2>/dev/null
exit "$status"
