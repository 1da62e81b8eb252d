#!/bin/sh
# sweeper.sh FOLDER ALIVE_FILE
# Removes FOLDER when standard input closes (its owner ended, whichever way) and everything that lived in it has ended.
# Does nothing when it is told "keep".
read -r word
[ "$word" = keep ] && exit 0
flock -x -w 30 "$2" true
# A copy that was under way when its owner ended may still be writing: what it adds meanwhile goes in the next round.
rounds=0
while rm -rf "$1"; [ -e "$1" ] && [ "$rounds" -lt 50 ]; do
  rounds=$((rounds + 1))
  sleep 0.2
done
