#!/usr/bin/env bash
# Times whole commands against tools a user would pick instead, in one run on one machine.
# Needs hyperfine and GNU time; rage, age and pass are compared with where they are installed.
#
#   [RUNS=200] benches/whole-process.sh [SCOPES [SECRETS_PER_SCOPE]]
#
# The store lies in TMPDIR. A put waits for that disk, so it must not be a file system in memory.
set -euo pipefail
cd "$(dirname "$0")/.."

scopes=${1:-10}
secrets=${2:-100}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cargo build --quiet --release -p mcplexer-cli
cargo build --quiet --release -p mcplexer-benches --examples
bin=${CARGO_TARGET_DIR:-target}/release
mcplexer=$bin/mcplexer
export MCPLEXER_HOME=$work/home
# What the caller has set must not lead the command away from the store that is measured.
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY MCPLEXER_AUDIT

echo "filling $scopes scopes of $secrets secrets"
"$bin/examples/fill" "$MCPLEXER_HOME" "$scopes" "$secrets"

names=(); commands=()
add() { names+=("$1"); commands+=("$2"); }

add "true" "true"
add "mcplexer secret get" "$mcplexer secret get scope-0 KEY_0"
"$mcplexer" key show | awk '/^recipient/ {print $2}' >"$work/recipient"
head -c 40 /dev/zero >"$work/plain"
for tool in rage age; do
    if command -v "$tool" >/dev/null; then
        "$tool" -r "$(cat "$work/recipient")" -o "$work/$tool.age" "$work/plain"
        add "$tool -d" "$tool -d -i $MCPLEXER_HOME/age.key $work/$tool.age"
    fi
done
if command -v pass >/dev/null && command -v gpg >/dev/null; then
    export GNUPGHOME=$work/gnupg PASSWORD_STORE_DIR=$work/pass
    mkdir -m 700 "$GNUPGHOME"
    gpg --batch --quiet --passphrase '' --quick-generate-key bench@example.org default default never 2>/dev/null
    pass init bench@example.org >/dev/null
    printf 'value\n' | pass insert -e scope/KEY >/dev/null
    add "pass show" "pass show scope/KEY"
fi
add "bare redb: open, commit, close" "$bin/examples/bare_redb $work/bare.redb"
add "mcplexer secret put" "$mcplexer -q secret put scope-0 KEY_0 value"

arguments=()
for index in "${!names[@]}"; do
    arguments+=(--command-name "${names[index]}" "${commands[index]}")
done
hyperfine -N --style none --warmup 20 --runs "${RUNS:-200}" --export-json "$work/times.json" "${arguments[@]}"

python3 - "$work/times.json" <<'PYTHON'
import json, sys
median = {r["command"]: r["median"] * 1000 for r in json.load(open(sys.argv[1]))["results"]}
for name, time in median.items():
    print(f"{time:8.2f} ms  {name}")
get, put = median["mcplexer secret get"], median["mcplexer secret put"]
for name in ("rage -d", "age -d", "pass show"):
    if name in median:
        print(f"secret get / {name} = {get / median[name]:.2f}")
bare = median["bare redb: open, commit, close"]
print(f"secret put / bare redb = {put / bare:.2f}")
PYTHON

printf 'peak memory of secret get: '
/usr/bin/time -f '%M KiB' "$mcplexer" secret get scope-0 KEY_0 2>&1 >/dev/null
printf 'release binary: %s bytes\n' "$(stat -c %s "$mcplexer")"
