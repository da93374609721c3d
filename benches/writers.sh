#!/usr/bin/env bash
# Measures several writers of one store at the same time, as processes and as threads, and a reader beside them: how
# long each put and each get takes.
#
#   [WRITERS=8] [PUTS=400] benches/writers.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p mcplexer-benches --example writers
"${CARGO_TARGET_DIR:-$PWD/target}/release/examples/writers" "${WRITERS:-8}" "${PUTS:-400}"
