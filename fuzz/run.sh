#!/usr/bin/env bash
# Runs fuzz targets one after another: fuzz/run.sh SECONDS [TARGET…], all of them if none is named.
# Prints a line for each, and stops at the first that finds something. Needs cargo-fuzz.
set -euo pipefail
cd "$(dirname "$0")"

if [ $# -eq 0 ]; then
    echo "usage: fuzz/run.sh SECONDS [TARGET…]" >&2
    exit 2
fi
seconds=$1
shift
if [ $# -eq 0 ]; then
    mapfile -t targets < <(basename -s .rs -a fuzz_targets/*.rs)
    set -- "${targets[@]}"
fi

# The toolchain is the stable one.
export RUSTC_BOOTSTRAP=1
# Targets that need files write many small ones.
if [ -d /dev/shm ]; then
    export TMPDIR=${TMPDIR:-/dev/shm}
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

cargo fuzz build --features libfuzzer 2>"$log" || { cat "$log" >&2; exit 1; }
for target; do
    # What the fuzzer finds interesting goes beside the seeds, where git does not see it.
    if ! cargo fuzz run --features libfuzzer "$target" -- \
        -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 \
        >"$log" 2>&1; then
        cat "$log" >&2
        echo "$target: failed" >&2
        exit 1
    fi
    runs=$(awk '/stat::number_of_executed_units/ { print $2 }' "$log")
    covered=$(awk '/ cov: / { for (i = 1; i < NF; i++) if ($i == "cov:") edges = $(i + 1) } END { print edges }' "$log")
    printf '%-20s %10s runs %7s edges %6s s\n' "$target" "$runs" "$covered" "$seconds"
done
