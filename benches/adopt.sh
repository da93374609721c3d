#!/usr/bin/env bash
# Adopts a client's file of 2,000 and of 20,000 servers, each with a token: planning, storing, and undoing; CPU
# seconds, elapsed time and peak memory. Needs GNU time. MCPLEXER names another binary to measure.
set -euo pipefail
cd "$(dirname "$0")/.."
mcplexer=${MCPLEXER:-}
if [ -z "$mcplexer" ]; then
    cargo build --release --quiet -p mcplexer-cli
    mcplexer=${CARGO_TARGET_DIR:-$PWD/target}/release/mcplexer
fi
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
export MCPLEXER_HOME=$place/home HOME=$place
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT

measure() {
    local what=$1
    shift
    /usr/bin/time -f "$what: %U s user, %S s system, %e s, %M KiB" "$@" >/dev/null
}
for servers in 2000 20000; do
    rm -rf "$MCPLEXER_HOME"
    {
        printf '{"mcpServers": {'
        for server in $(seq 1 "$servers"); do
            [ "$server" = 1 ] || printf ,
            printf '\n"server-%s": {"command": "npx", "args": ["-y", "server"],' "$server"
            printf ' "env": {"API_TOKEN": "acme-prod-%06d", "HOST": "example.org"}}' "$server"
        done
        printf '\n}}\n'
    } >"$place/mcp.json"
    measure "$servers servers, plan" "$mcplexer" --quiet adopt "$place/mcp.json"
    measure "$servers servers, --write" "$mcplexer" --quiet adopt "$place/mcp.json" --write
    measure "$servers servers, --undo" "$mcplexer" --quiet adopt "$place/mcp.json" --undo
done
