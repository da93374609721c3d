#!/usr/bin/env bash
# Times `secret get` and `secret put` as whole processes in scopes of 10 and of 10,000 secrets, 200 times each, twice.
# With OTHER=BINARY, a second build takes turns with this one. Needs hyperfine.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p mcplexer-cli
mcplexer=${CARGO_TARGET_DIR:-$PWD/target}/release/mcplexer
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT

builds=("$mcplexer" ${OTHER:+"$OTHER"})
gets=() puts=()
for at in "${!builds[@]}"; do
    for count in 10 10000; do
        home=$place/$at-$count
        seq -f 'KEY_%g=value' "$count" >"$place/secrets.env"
        MCPLEXER_HOME=$home "${builds[$at]}" --quiet import s "$place/secrets.env" >"$place/imported" 2>&1
        gets+=("env MCPLEXER_HOME=$home ${builds[$at]} secret get s KEY_5")
        puts+=("env MCPLEXER_HOME=$home ${builds[$at]} --quiet secret put s KEY_5 v")
    done
done
for round in 1 2; do
    echo "round $round"
    for commands in gets puts; do
        declare -n these=$commands
        hyperfine -N --warmup 10 --runs 200 --export-csv "$place/times.csv" "${these[@]}" >"$place/said" 2>&1
        awk -F, -v what="$commands" 'NR > 1 { printf "%s %.2f ms  %s\n", what, $4 * 1000, $1 }' "$place/times.csv"
    done
done
