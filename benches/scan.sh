#!/usr/bin/env bash
# Measures a search for 1,000 secrets in 1 GB of files: compares `mcplexer scan` with `grep -rF` for one
# string. They alternate, so that both meet the same conditions. Needs python3, age and GNU grep.
#
#   [MEGABYTES=1000] [ROUNDS=5] [COLD=1] benches/scan.sh
#
# COLD=1 also times each once after dropping the page cache, which needs root.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet --release -p mcplexer-cli
mcplexer=${CARGO_TARGET_DIR:-$PWD/target}/release/mcplexer
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MCPLEXER_HOME=$work/home MCPLEXER_AUDIT=off
unset MCPLEXER_AGE_KEY MCPLEXER_AGE_IDENTITY

python3 - "$mcplexer" "$work" "${MEGABYTES:-1000}" "${ROUNDS:-5}" "${COLD:-}" <<'PYTHON'
import base64, os, random, statistics, string, subprocess, sys, time

mcplexer, work, megabytes, rounds, cold = sys.argv[1:]
megabytes, rounds = int(megabytes), int(rounds)
chance = random.Random(20261125)
files = os.path.join(work, "files")

LETTERS = string.ascii_letters + string.digits
WORDS = ["".join(chance.choices(string.ascii_lowercase, k=chance.randint(2, 11))) for _ in range(4000)]
WORDS += "return if else for while const let function static public void int string value error result".split() * 40

def token(length, alphabet=LETTERS):
    return "".join(chance.choices(alphabet, k=length))

def source(size):
    lines, length = [], 0
    while length < size:
        words = [chance.choice(WORDS) for _ in range(chance.randint(1, 9))]
        line = "    " * chance.randint(0, 4)
        line += chance.choice([
            "{} = {}({});", "// {} {} {}", "if ({} == {}) {{ {}++; }}", "log(\"{} %s {}\\n\", {});", "{}.{}[{}] = 0x%08x;" % chance.getrandbits(32), "}}", "",
        ]).format(*(words * 3)[:3])
        lines.append(line)
        length += len(line) + 1
    return "\n".join(lines).encode()

def json(size):
    pieces, length = ["["], 0
    while length < size:
        piece = '{"id": %d, "name": "%s %s", "text": "%s\\n%s \\"%s\\"", "sha": "%s", "url": "https:\\/\\/example.org\\/%s?q=%s%%20%s"},\n' % (
            chance.randint(0, 10**9), chance.choice(WORDS), chance.choice(WORDS),
            " ".join(chance.choices(WORDS, k=12)), chance.choice(WORDS), chance.choice(WORDS), token(40, "0123456789abcdef"),
            chance.choice(WORDS), chance.choice(WORDS), chance.choice(WORDS))
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces).encode()

def minified(size):
    pieces, length = [], 0
    while length < size:
        a, b, c = token(1), token(2), chance.choice(WORDS)
        piece = chance.choice(["function %s(%s){return this.%s}", "var %s=%s.%s;", "%s&&(%s=%s(0,1)),", "%s.push({%s:\"%s\"});", "if(%s<%s)throw Error(\"%s\");"]) % (a, b, c)
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces).encode()

def blob(size):
    return base64.encodebytes(chance.randbytes(size * 3 // 4))

def binary(size):
    return chance.randbytes(size)

# Files of each kind and of 4 KiB to 2 MiB. Their content is generated once and written repeatedly, rotated by
# a different number of bytes each time.
kinds = [(source, 40), (json, 20), (minified, 15), (blob, 10), (binary, 15)]
sizes = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 2 << 20]
made = {make: [make(size) for size in sizes] for make, _ in kinds}
total, number = 0, 0
while total < megabytes * 1_000_000:
    make, = chance.choices([make for make, _ in kinds], [share for _, share in kinds])
    text = chance.choices(made[make], [20, 20, 20, 20, 20, 10, 12])[0]
    at = chance.randrange(len(text))
    directory = os.path.join(files, "d%03d" % (number // 100))
    os.makedirs(directory, exist_ok=True)
    with open(os.path.join(directory, "%s-%06d" % (make.__name__, number)), "wb") as file:
        file.write(text[at:] + text[:at])
    total += len(text)
    number += 1
print(f"{number} files of {total / 1e6:.0f} MB")

def value(at):
    if at < 600:
        return "ghp_" + token(36)
    if at < 800:
        return base64.b64encode(chance.randbytes(20)).decode()
    if at < 900:
        return token(chance.randint(12, 20), LETTERS + "!#$%&()*+,-./:;<=>?@[]^_{|}~\"\\ ")
    return "-".join(token(length, "0123456789abcdef") for length in (8, 4, 4, 4, 12))

# Through a backup, because a process for each secret would take minutes.
import json as js
at = "2026-11-24T11:51:26Z"
secrets = [{"name": "KEY_%04d" % i, "version": 1, "created": at, "updated": at, "revision": 1, "value": {"text": value(i)}} for i in range(1000)]
scopes = [{"id": "scope-%02d" % i, "kind": "env", "keep_versions": 5, "created": at, "secrets": secrets[i * 50:(i + 1) * 50]} for i in range(20)]
backup = {"format": "mcplexer-backup", "version": 1, "created": at, "store": "", "scopes": scopes}
key, sealed = os.path.join(work, "key"), os.path.join(work, "backup.age")
subprocess.run(["age-keygen", "-o", key], check=True, stderr=subprocess.DEVNULL)
recipient = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
subprocess.run(["age", "-r", recipient, "-o", sealed], check=True, input=js.dumps(backup).encode())
subprocess.run([mcplexer, "--quiet", "backup", "restore", sealed, "--identity", key, "--unknown-maker"], check=True)

sought = "ghp_" + token(36)
ways = {
    "grep -rF, C.UTF-8": (["grep", "-rF", sought, files], "C.UTF-8", 1),
    "grep -rF, C": (["grep", "-rF", sought, files], "C", 1),
    "mcplexer scan": ([mcplexer, "--quiet", "scan", "--no-ignore", files], "C.UTF-8", 0),
}

def timed(way):
    command, locale, code = ways[way]
    begin = time.perf_counter()
    done = subprocess.run(command, env={**os.environ, "LC_ALL": locale}, stdout=subprocess.DEVNULL)
    assert done.returncode == code, (way, done.returncode)
    return time.perf_counter() - begin

times = {way: [] for way in ways}
for turn in range(rounds + 1):
    for way in ways:
        took = timed(way)
        if turn > 0:
            times[way].append(took)
median = {way: statistics.median(took) for way, took in times.items()}
for way, took in median.items():
    print(f"{took:8.3f} s  {way} ({total / took / 1e6:.0f} MB/s)")
for way in list(ways)[:2]:
    print(f"mcplexer scan / {way}: ratio {median['mcplexer scan'] / median[way]:.2f}")
if cold:
    for way in ways:
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3")
        print(f"{timed(way):8.3f} s  {way}, nothing cached")
PYTHON
