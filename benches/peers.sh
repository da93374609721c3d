#!/usr/bin/env bash
# Compares whole commands with tools that a user would use instead, on equal work: printing one value of 40
# bytes, and storing one. Then measures the time by the size of the store; PLOT=1 draws that into
# docs/store-size.svg. The tools run in rounds, so that all meet the same conditions.
#
# Needs hyperfine, python3 and GNU time. Compares with age, rage, pass, gopass and dotenvx where they are
# installed (Debian: age pass gopass; cargo install rage; npm install -g @dotenvx/dotenvx).
#
#   [RUNS=40] [ROUNDS=5] [SIZES="1000 10000 100000 1000000"] [PLOT=1] benches/peers.sh
#
# The stores are in TMPDIR. A put waits for that disk, so it must not be a file system in memory.
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in hyperfine python3 /usr/bin/time; do
    command -v "$tool" >/dev/null || { echo "$tool is needed" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo build --quiet --release -p mcplexer-cli
cargo build --quiet --release -p mcplexer-benches --examples
bin=${CARGO_TARGET_DIR:-$PWD/target}/release
mcplexer=$bin/mcplexer
# The caller's variables must not direct the command to another store.
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT

sizes=(${SIZES:-1000 10000 100000 1000000})
for size in 1000 "${sizes[@]}"; do
    [ -d "$work/$size" ] && continue
    echo "filling a store of $size secrets, 100 a scope"
    "$bin/examples/fill" "$work/$size" $((size / 100)) 100
done

# Sets the home in the environment of each command; `env` would make it a third slower.
names=(); commands=(); homes=()
add() { names+=("$1"); commands+=("$2"); homes+=("${3:-}"); }
add_secret() { add "$1" "$mcplexer -q secret $3" "$work/$2"; }
has() { command -v "$1" >/dev/null; }

value=$(head -c 40 /dev/zero | tr '\0' x)
add "true" "true"
add_secret "mcplexer secret get" 1000 "get scope-0 KEY_0"
add_secret "mcplexer secret put" 1000 "put scope-0 KEY_0 $value"
add "bare redb: open, commit, close" "$bin/examples/bare_redb $work/bare.redb"
recipient=$(MCPLEXER_HOME=$work/1000 "$mcplexer" key show | awk '/^recipient/ {print $2}')
printf %s "$value" >"$work/plain"
for tool in rage age; do
    if has "$tool"; then
        "$tool" -r "$recipient" -o "$work/$tool.age" "$work/plain"
        add "$tool -d" "$tool -d -i $work/1000/age.key $work/$tool.age"
    fi
done
if has gpg && { has pass || has gopass; }; then
    export GNUPGHOME=$work/gnupg
    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --passphrase '' --quick-generate-key bench@example.org default default never 2>/dev/null
fi
if has gpg && has pass; then
    export PASSWORD_STORE_DIR=$work/pass
    pass init bench@example.org >/dev/null
    printf '%s\n' "$value" | pass insert -e scope/KEY >/dev/null
    add "pass show" "pass show scope/KEY"
fi
if has gpg && has gopass; then
    # gopass reads the store of pass, if there is one.
    export GOPASS_HOMEDIR=$work PASSWORD_STORE_DIR=$work/pass
    mkdir -p "$work/pass" && echo bench@example.org >"$work/pass/.gpg-id"
    has pass || printf '%s\n' "$value" | gopass insert -f scope/KEY >/dev/null 2>&1
    if gopass show scope/KEY >/dev/null 2>"$work/gopass.log"; then
        add "gopass show" "gopass show scope/KEY"
    else
        echo "gopass left out: $(head -1 "$work/gopass.log")"
    fi
fi
if has dotenvx; then
    (cd "$work" && printf 'KEY=%s\n' "$value" >.env && dotenvx encrypt >/dev/null)
    add "dotenvx get" "dotenvx get KEY -f $work/.env -fk $work/.env.keys"
fi
for size in "${sizes[@]}"; do
    add_secret "get of $size" "$size" "get scope-0 KEY_0"
    add_secret "put of $size" "$size" "put scope-0 KEY_0 $value"
done

# Slow commands run less often: more runs would not make the figures more accurate.
for round in $(seq "${ROUNDS:-5}"); do
    for index in "${!names[@]}"; do
        runs=${RUNS:-40}
        case ${names[index]} in pass*|gopass*|dotenvx*) runs=5 ;; esac
        MCPLEXER_HOME=${homes[index]} hyperfine -N --style none --warmup 2 --runs "$runs" \
            --command-name "${names[index]}" --export-json "$work/times-$round-$index.json" \
            "${commands[index]}" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    done
done

PLOT=${PLOT:+docs/store-size.svg} python3 - "$work" "${sizes[@]}" <<'PYTHON'
import glob, json, math, os, statistics, sys

work, sizes = sys.argv[1], [int(size) for size in sys.argv[2:]]
rounds = {}
for path in sorted(glob.glob(f"{work}/times-*.json")):
    result = json.load(open(path))["results"][0]
    rounds.setdefault(result["command"], []).append(result["median"] * 1000)
median = {name: statistics.median(times) for name, times in rounds.items()}
print("\nmedian of the rounds' medians, and their range")
for name, times in rounds.items():
    print(f"{median[name]:8.2f} ms  {min(times):8.2f} to {max(times):8.2f}  {name}")

def ratio(a, b, budget=""):
    if a in rounds and b in rounds:
        each = [x / y for x, y in zip(rounds[a], rounds[b])]
        print(f"{statistics.median(each):8.2f}  {min(each):5.2f} to {max(each):5.2f}  {a} / {b}  {budget}")

print("\nratios, round by round")
get, put = "mcplexer secret get", "mcplexer secret put"
ratio(get, "rage -d", "at most 1")
ratio(get, "age -d")
ratio("pass show", get, "at least 5")
ratio("gopass show", get)
ratio("dotenvx get", get)
ratio(put, "bare redb: open, commit, close", "at most 1.5")
for size in sizes:
    ratio(f"get of {size}", get, "at most 1.3" if size == 1_000_000 else "")
    ratio(f"put of {size}", put)

def plot(path):
    """Time over size, both on a logarithmic scale of the size only."""
    width, height, left, bottom, top = 640, 320, 60, 40, 20
    lines = {"secret get": "get of ", "secret put": "put of "}
    highest = max(median[prefix + str(size)] for prefix in lines.values() for size in sizes)
    low, high = math.log10(min(sizes)), math.log10(max(sizes))
    x = lambda size: left + (math.log10(size) - low) / max(high - low, 1) * (width - left - 120)
    y = lambda time: height - bottom - time / highest * (height - bottom - top)
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    for size in sizes:
        svg.append(f'<text x="{x(size):.0f}" y="{height - 20}" text-anchor="middle">{size:,}</text>')
    for step in range(5):
        time = highest * step / 4
        svg.append(f'<path d="M{left} {y(time):.1f}H{width - 120}" stroke="#ddd"/>')
        svg.append(f'<text x="{left - 6}" y="{y(time) + 4:.1f}" text-anchor="end">{time:.1f} ms</text>')
    for (name, prefix), colour in zip(lines.items(), ("#0a6", "#06c")):
        points = [(x(size), y(median[prefix + str(size)])) for size in sizes]
        svg.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}"/>')
        svg += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{colour}"/>' for a, b in points]
        svg.append(f'<text x="{points[-1][0] + 8:.0f}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{name}</text>')
    svg.append(f'<text x="{(left + width - 120) / 2}" y="{height - 4}" text-anchor="middle">secrets in the store, 100 a scope</text></svg>')
    open(path, "w").write("\n".join(svg) + "\n")

if os.environ.get("PLOT"):
    plot(os.environ["PLOT"])
PYTHON

printf '\npeak memory of secret get: '
MCPLEXER_HOME=$work/1000 /usr/bin/time -f '%M KiB' "$mcplexer" secret get scope-0 KEY_0 2>&1 >/dev/null
largest=${sizes[-1]}
printf 'at %s secrets: ' "$largest"
MCPLEXER_HOME=$work/$largest /usr/bin/time -f '%M KiB' "$mcplexer" secret get scope-0 KEY_0 2>&1 >/dev/null
printf 'release binary: %s bytes\n' "$(stat -c %s "$mcplexer")"
