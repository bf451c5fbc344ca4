#!/usr/bin/env bash
# A PostgreSQL of its own for the tests, from Debian's package, on loopback, as a user that is not root, with nothing kept.
#   postgres.sh up      installs what is missing, starts it, prints the connection string
#   postgres.sh down    stops it and deletes its folder
set -euo pipefail
folder=${LEANPIPE_POSTGRES_FOLDER:-/var/tmp/leanpipe-postgres} port=${LEANPIPE_POSTGRES_PORT:-54329}

programs() { find /usr/lib/postgresql -maxdepth 3 -name initdb -printf '%h\n' 2>/dev/null | sort -V | tail -1; }
# initdb and postgres refuse to run as root.
unprivileged() { if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi; }

case ${1:-} in
up)
    if [ -z "$(programs)" ]; then
        { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } >&2
    fi
    bin=$(programs)
    [ -n "$bin" ] || { echo "postgres.sh: no initdb below /usr/lib/postgresql" >&2; exit 1; }
    if [ ! -d "$folder/data" ] || ! unprivileged "$bin/pg_ctl" -D "$folder/data" status >/dev/null; then
        rm -rf "$folder"
        mkdir -p "$folder"
        [ "$(id -u)" != 0 ] || chown postgres "$folder"
        unprivileged "$bin/initdb" -D "$folder/data" -U leanpipe --auth=trust -E UTF8 --locale=C >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
        unprivileged "$bin/pg_ctl" -D "$folder/data" -w -l "$folder/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=" start >&2
    fi
    echo "Host=127.0.0.1;Port=$port;Username=leanpipe;Database=postgres"
    ;;
down)
    [ ! -d "$folder/data" ] || unprivileged "$(programs)/pg_ctl" -D "$folder/data" -m immediate stop >&2 || true
    rm -rf "$folder" "$folder.log"
    ;;
*)
    echo "postgres.sh up|down" >&2
    exit 2
    ;;
esac
