#!/usr/bin/env bash
# Measures the store on PostgreSQL beside bare statements, on a server of its own: a get and a SELECT, a put and an
# upsert, 16 writers at once, new keys. `benches/postgres.sh 1000 1000` does so with 1,000 secrets in each of 1,000
# scopes, and takes minutes. Needs Debian's package postgresql.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p mcplexer-postgres --example measure
measure=${CARGO_TARGET_DIR:-$PWD/target}/release/examples/measure
programs=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -1)
work=$(mktemp -d)
as_user=()
if [ "$(id -u)" = 0 ]; then
    chown postgres "$work"
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
fi
"${as_user[@]}" "$programs/initdb" --auth=trust --username=postgres --pgdata "$work/data" >"$work.log"
port=${PORT:-54329}
"${as_user[@]}" "$programs/pg_ctl" --wait --pgdata "$work/data" --log "$work/data/log" \
    --options "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$work" start >>"$work.log"
trap '"${as_user[@]}" "$programs/pg_ctl" --mode fast --pgdata "$work/data" stop >/dev/null; rm -rf "$work" "$work.log"' EXIT
"$measure" "postgres://postgres@127.0.0.1:$port/postgres" "$@"
