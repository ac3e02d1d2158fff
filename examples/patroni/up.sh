#!/bin/sh
# PostgreSQL under Patroni on this machine, to play with: sh examples/patroni/up.sh
#
# Three nodes on loopback, each with etcd, Patroni and PostgreSQL, in strict synchronous mode. It prints the settings with
# which the bazaar keeps its ledger there. Ctrl-C stops the nodes and deletes their files.
#
# `--check` starts nothing: it exits with 1 and says what is missing if the nodes can't run here.
# FIRST_PORT is the first of 12 ports. TTL, LOOP_WAIT and RETRY_TIMEOUT are Patroni's settings, in seconds.
set -eu

first_port=${FIRST_PORT:-15430}
ttl=${TTL:-20}
loop_wait=${LOOP_WAIT:-1}
retry_timeout=${RETRY_TIMEOUT:-3}
nodes="1 2 3"
ready_seconds_max=120

refuse() { # MESSAGE
  printf '%s\n' "$1" >&2
  exit 1
}

# Debian keeps the programs of each version in a folder of its own.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres || echo .)")
for program in "$bin/initdb" "$bin/pg_basebackup" "$bin/psql" patroni etcd setpriv ps; do
  command -v "$program" >/dev/null || refuse "the nodes need $program, from Debian's packages postgresql, patroni, python3-psycopg2, etcd-server, util-linux and procps"
done
# Neither PostgreSQL nor Patroni runs as root.
as=
if [ "$(id -u)" = 0 ]; then
  id postgres >/dev/null 2>&1 || refuse "the nodes need a user postgres, because PostgreSQL refuses to run as root"
  as="setpriv --reuid=postgres --regid=postgres --init-groups"
fi
$as patroni --version >/dev/null 2>&1 || refuse "patroni --version must exit with 0: is its Python complete?"
[ "${1:-}" != --check ] || exit 0

# Through API 3 of etcd, Patroni before 3.0.3 takes the lead back from its successor when it wakes, and what was acknowledged
# meanwhile is lost (https://github.com/patroni/patroni/pull/2689). Through API 2 it compares first.
api=etcd3
v2=
oldest=$(printf '3.0.3\n%s\n' "$($as patroni --version | cut -d ' ' -f 2)" | sort -V | head -n 1)
[ "$oldest" = 3.0.3 ] || { api=etcd; v2=--enable-v2; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/stock-bazaar-patroni-XXXXXX")
secret=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

port() { # NODE 0|1|2|3: of PostgreSQL, Patroni, etcd for clients, etcd for its peers
  echo $((first_port + 4 * ($1 - 1) + $2))
}

list() { # PREFIX KIND: PREFIX-and-address of every node, separated by commas
  for node in $nodes; do printf '%s127.0.0.1:%s\n' "$(printf "$1" "$node")" "$(port "$node" "$2")"; done | paste -sd ,
}

url() { # USER DATABASE
  echo "postgres://$1:$secret@$(list "" 0)/$2"
}

configure() { # NODE
  cat <<END
scope: bazaar
name: node-$1
restapi:
  listen: 127.0.0.1:$(port "$1" 1)
  connect_address: 127.0.0.1:$(port "$1" 1)
$api:
  hosts: $(list "" 2)
bootstrap:
  dcs:
    # How long a primary that says nothing keeps the lead. Patroni advises at least loop_wait + 2 * retry_timeout.
    ttl: $ttl
    loop_wait: $loop_wait
    retry_timeout: $retry_timeout
    # A primary that is dead is replaced at once instead of being started again.
    primary_start_timeout: 0
    # Only a standby that has every acknowledged order is promoted; without one, no order is acknowledged.
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
  initdb:
    - encoding: UTF8
    - locale: C
    - data-checksums
postgresql:
  listen: 127.0.0.1:$(port "$1" 0)
  connect_address: 127.0.0.1:$(port "$1" 0)
  data_dir: $folder/node-$1/data
  bin_dir: $bin
  pgpass: $folder/node-$1/pgpass
  authentication:
    superuser: { username: postgres, password: "$secret" }
    replication: { username: replication, password: "$secret" }
  parameters:
    unix_socket_directories: $folder/node-$1
    # How soon a standby that found nothing at the new primary asks again: until one follows, no order is acknowledged.
    wal_retrieve_retry_interval: 500ms
  pg_hba:
    - host all all 127.0.0.1/32 scram-sha-256
    - host replication replication 127.0.0.1/32 scram-sha-256
END
}

start() { # NODE PROGRAM ARGUMENT…
  own=$folder/node-$1
  program=$2
  shift 2
  $as "$program" "$@" >"$own/$program.log" 2>&1 </dev/null &
  echo $! >"$own/$program.pid"
}

postmaster() { # NODE: the process id of its PostgreSQL, if it runs
  file=$folder/node-$1/data/postmaster.pid
  [ -e "$file" ] || return 0
  pid=$(head -n 1 "$file")
  # After a kill -9, the file names a process that is gone, or another one.
  case $(ps -o args= -p "$pid") in *"$folder/node-$1/data"*) echo "$pid" ;; esac
}

signal() { # NAME PID…: those that still run
  name=$1
  shift
  for pid; do kill -s "$name" "$pid" 2>/dev/null || true; done
}

stop() {
  trap - EXIT
  trap '' INT TERM HUP
  for node in $nodes; do signal KILL $(cat "$folder/node-$node/patroni.pid" "$folder/node-$node/etcd.pid" 2>/dev/null); done
  for node in $nodes; do
    # Immediate shutdown, also of what somebody has frozen.
    for postmaster in $(postmaster "$node"); do
      signal CONT "$postmaster" $(ps -o pid= --ppid "$postmaster")
      signal QUIT "$postmaster"
    done
    while [ -n "$(postmaster "$node")" ]; do sleep 0.1; done
  done
  rm -rf "$folder"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "Starting three nodes. Their files and logs: $folder"
[ -z "$as" ] || chown postgres "$folder"
for node in $nodes; do
  own=$folder/node-$node
  $as mkdir -m 700 "$own"
  configure "$node" | $as sh -c 'umask 077 && cat >"$0"' "$own/patroni.yml"
  start "$node" etcd $v2 --name "node-$node" --data-dir "$own/etcd" \
    --listen-client-urls "http://127.0.0.1:$(port "$node" 2)" --advertise-client-urls "http://127.0.0.1:$(port "$node" 2)" \
    --listen-peer-urls "http://127.0.0.1:$(port "$node" 3)" --initial-advertise-peer-urls "http://127.0.0.1:$(port "$node" 3)" \
    --initial-cluster "$(list 'node-%s=http://' 3)" --initial-cluster-token "$(basename "$folder")"
  start "$node" patroni "$own/patroni.yml"
done

sql() { # DATABASE SQL
  "$bin/psql" --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --dbname "$(url postgres "$1")?target_session_attrs=read-write&connect_timeout=2" --command "$2"
}

# Two standbys follow, and Patroni has chosen the synchronous one.
ready="SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND application_name LIKE 'node-%'
  AND current_setting('synchronous_standby_names') LIKE '%node-%'"
waited=0
until [ "$(sql postgres "$ready" 2>/dev/null)" = 2 ]; do
  sleep 0.5
  waited=$((waited + 1))
  if [ "$waited" -ge $((2 * ready_seconds_max)) ]; then
    tail -n 20 "$folder"/node-*/*.log >&2
    refuse "the nodes must be ready within $ready_seconds_max s (got the logs above): are the ports $first_port to $(port 3 3) free?"
  fi
done
sql postgres "CREATE USER bazaar PASSWORD '$secret'"
sql postgres "CREATE DATABASE bazaar OWNER bazaar"

cat <<END
They are ready. For the bazaar:

  export LEDGER_URL=$(url bazaar bazaar)
  export LEDGER_FAILOVER=1 REQUEST_TIMEOUT_MS=40000
  npm start

Who is the primary:  patronictl -c $folder/node-1/patroni.yml list
Ctrl-C stops the nodes and deletes their files.
END
wait
