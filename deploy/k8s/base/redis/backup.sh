#!/bin/sh
# Copies of the log of events in Redis, and back. They hold the keys of users, sealed, also of those that are erased
# later: docs/privacy.md says why they are to be few.
#
#   backup.sh backup FOLDER HOST PORT KEEP   a copy of all that Redis holds, into FOLDER; the newest KEEP stay
#   backup.sh restore FOLDER DATA            the newest copy into DATA, the folder of a Redis that does not run
#
# The password is read from the file that AUTH_FILE names ("requirepass ...").
set -eu

password() { sed -n 's/^requirepass //p' "${AUTH_FILE:?names the file of the password}"; }

backup() {
  folder=$1 host=$2 port=$3 keep=$4
  name=$(date -u +%Y%m%dT%H%M%SZ).rdb
  REDISCLI_AUTH=$(password) redis-cli -h "$host" -p "$port" --rdb "$folder/.$name"
  redis-check-rdb "$folder/.$name" >/dev/null
  mv "$folder/.$name" "$folder/$name"
  find "$folder" -name '[!.]*.rdb' | sort -r | tail -n "+$((keep + 1))" | while read -r old; do rm "$old"; done
  echo "$folder/$name"
}

restore() {
  folder=$1 data=$2
  newest=$(find "$folder" -name '[!.]*.rdb' | sort | tail -n 1)
  [ -n "$newest" ] || { echo "no copy in $folder" >&2; return 1; }
  redis-check-rdb "$newest" >/dev/null
  if [ -e "$data/appendonlydir" ]; then
    mv "$data/appendonlydir" "$data/appendonlydir.$(date -u +%Y%m%dT%H%M%SZ)"
  fi
  cp "$newest" "$data/restored.rdb"
  # A server with an append-only file reads no such copy, so one without it does, and then begins to write that file.
  redis-server --dir "$data" --dbfilename restored.rdb --appendonly no --save '' --port 0 \
    --unixsocket "$data/restore.sock" --daemonize yes --logfile "$data/restore.log" >/dev/null
  ask() { redis-cli -s "$data/restore.sock" "$@"; }
  until [ "$(ask ping 2>&1)" = PONG ]; do sleep 0.1; done
  ask config set appendonly yes >/dev/null
  until ask info persistence | grep -q '^aof_rewrite_in_progress:0' &&
    ask info persistence | grep -q '^aof_rewrite_scheduled:0'; do sleep 0.1; done
  ask info persistence | grep -q '^aof_last_bgrewrite_status:ok' || { cat "$data/restore.log" >&2; return 1; }
  echo "$(ask dbsize) keys of $newest"
  ask shutdown nosave || true
  while [ -e "$data/restore.sock" ]; do sleep 0.1; done
  rm -f "$data/restored.rdb" "$data/restore.log"
}

command=$1
shift
case $command in
  backup | restore) "$command" "$@" ;;
  *) echo "backup.sh backup | restore" >&2; exit 2 ;;
esac
