#!/usr/bin/env bash
# Measures opening one scope of many: compares `mcplexer scope show` with `mcplexer secret get`, as whole
# processes, in a store of 16,000 scopes. Both open one scope, so their times must be within 20 % of each
# other. The two alternate, so that both meet the same conditions. Needs python3.
#
#   [SCOPES=16000] [PAIRS=500] benches/scopes.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p mcplexer-cli
cargo build --quiet --release -p mcplexer-benches --example fill
release=${CARGO_TARGET_DIR:-$PWD/target}/release
mcplexer=$release/mcplexer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MCPLEXER_HOME=$work/home
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT
# The first put creates the home directory and its key.
head -c 20 /dev/urandom | base64 | "$mcplexer" -q secret put scope-0 KEY_0
"$release/examples/fill" "$MCPLEXER_HOME" "${SCOPES:-16000}" 0

python3 - "$mcplexer" "${PAIRS:-500}" <<'PYTHON'
import os, statistics, sys, time

mcplexer, pairs = sys.argv[1], int(sys.argv[2])
ways = {
    "secret get": [mcplexer, "secret", "get", "scope-0", "KEY_0"],
    "scope show": [mcplexer, "scope", "show", "scope-0"],
}
nothing = os.open("/dev/null", os.O_RDWR)
streams = [(os.POSIX_SPAWN_DUP2, nothing, fd) for fd in (0, 1, 2)]

def timed(command):
    begin = time.perf_counter()
    child = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status = os.waitpid(child, 0)
    assert status == 0, command
    return (time.perf_counter() - begin) * 1000

times = {way: [] for way in ways}
for turn in range(pairs + 20):
    for way, command in ways.items():
        took = timed(command)
        if turn >= 20:
            times[way].append(took)
median = {way: statistics.median(took) for way, took in times.items()}
for way, took in median.items():
    print(f"{took:8.2f} ms  {way}")
print(f"scope show / secret get = {median['scope show'] / median['secret get']:.2f}")
PYTHON
