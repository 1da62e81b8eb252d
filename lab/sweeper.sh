#!/bin/sh
# sweeper.sh FOLDER ALIVE_FILE
# Removes FOLDER when standard input closes (its owner ended, whichever way) and everything that lived in it has ended.
# Does nothing when it is told "keep".
read -r word
[ "$word" = keep ] && exit 0
flock -x -w 30 "$2" true
rm -rf "$1"
