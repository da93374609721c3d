#!/usr/bin/env bash
# Measures a full re-key of 100,000 secrets of 40 bytes in 1,000 scopes: CPU seconds, peak memory, and the
# time compared with that of copying the store with a sync. Needs age and GNU time.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p mcplexer-cli
mcplexer=${CARGO_TARGET_DIR:-$PWD/target}/release/mcplexer
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export MCPLEXER_HOME=$place/home HOME=$place
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT

age-keygen -o "$place/key" 2>/dev/null
at='"2026-11-24T11:51:26Z"'
value=$(printf 'x%.0s' {1..40})
{
    printf '{"format":"mcplexer-backup","version":1,"created":%s,"store":"","scopes":[' "$at"
    for scope in $(seq -w 0 999); do
        [ "$scope" = 000 ] || printf ,
        printf '{"id":"scope-%s","kind":"env","keep_versions":5,"created":%s,"secrets":[' "$scope" "$at"
        for secret in $(seq -w 0 99); do
            [ "$secret" = 00 ] || printf ,
            printf '{"name":"KEY_%s","version":1,"revision":1,"created":%s,"updated":%s,"value":{"text":"%s"}}' \
                "$secret" "$at" "$at" "$value"
        done
        printf ']}'
    done
    printf ']}'
} | age -r "$(age-keygen -y "$place/key")" -o "$place/backup.age"

measure() {
    local what=$1
    shift
    /usr/bin/time -f "$what: %U s user, %S s system, %e s, %M KiB" "$@"
}
# Nobody vouches for a backup made by hand.
measure "restore" "$mcplexer" --quiet backup restore "$place/backup.age" --identity "$place/key" --unknown-maker
for _ in 1 2 3; do
    measure "key rotate" "$mcplexer" --quiet key rotate
done
measure "backup create" "$mcplexer" --quiet backup create "$place/new.age"
measure "compact" "$mcplexer" --quiet compact
measure "doctor" "$mcplexer" --quiet doctor >/dev/null || true
measure "cp and sync of the store" sh -c 'cp "$1" "$1.copy" && sync "$1.copy"' sh "$MCPLEXER_HOME/secrets.redb"
