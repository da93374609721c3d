#!/usr/bin/env bash
# Measures what the gateway adds to a call, beside the direct connection, a process that only passes bytes on, and other
# gateways; and the memory that it takes. Everything alternates, so that all meet the same conditions. PLOT=1 draws what
# is added into docs/gateway-added.svg. Needs Linux and python3.
#
#   [ROUNDS=10] [CALLS=1000] [BURST=20000] [PEERS=target/gateway-peers] [PLOT=1] [CORE=0] benches/gateway.sh
#
# With CORE, everything runs on that one processor. The added time is then the work itself, without the time to wake another
# processor, which on a virtual machine is as long as the gateway's own work.
#
# PEERS is the directory that benches/gateway-peers.sh has filled; without it there are no others. GATEWAY is the
# command that serves, MCPLEXER the one that stores secrets.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-$PWD/target}/release
cargo build --quiet --release -p gateway-peers
[ -n "${MCPLEXER:-}" ] || cargo build --quiet --release -p mcplexer-cli
export MCPLEXER=${MCPLEXER:-$bin/mcplexer} BIN=$bin PEERS=${PEERS:-}
export GATEWAY=${GATEWAY:-$MCPLEXER}
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT MCPLEXER_HOME
WORK=$(mktemp -d)
export WORK
trap 'rm -rf "$WORK"' EXIT
PLOT=${PLOT:+docs/gateway-added.svg} ${CORE:+taskset -c "$CORE"} python3 benches/gateway.py
