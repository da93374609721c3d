#!/usr/bin/env bash
# Measures starting a command through mcplexer: compares `mcplexer run` with `env`, which sets a variable and
# does nothing else. The two alternate, so that both meet the same conditions. Needs python3.
#
#   [PAIRS=500] benches/run.sh
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p mcplexer-cli
mcplexer=${CARGO_TARGET_DIR:-$PWD/target}/release/mcplexer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MCPLEXER_HOME=$work/home
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT
for key in A B C D E; do
    head -c 20 /dev/urandom | base64 | "$mcplexer" -q secret put scope "KEY_$key"
done

python3 - "$mcplexer" "${PAIRS:-500}" <<'PYTHON'
import os, statistics, sys, time

mcplexer, pairs = sys.argv[1], int(sys.argv[2])
ways = {
    "env": ["/usr/bin/env", "KEY_A=value", "/bin/true"],
    "mcplexer run": [mcplexer, "run", "--scope", "scope", "--", "/bin/true"],
    "mcplexer run --mask": [mcplexer, "run", "--mask", "--scope", "scope", "--", "/bin/true"],
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
for way in list(ways)[1:]:
    more = [a - b for a, b in zip(times[way], times["env"])]
    print(f"{way} - env = {statistics.median(more):.2f} ms, ratio {median[way] / median['env']:.2f}")
PYTHON
