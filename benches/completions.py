#!/usr/bin/env python3
"""Times what a shell waits for at Tab, with 10,000 secrets in one scope and in 100, and `secret get` beside it.

The commands take turns, 200 times each. With OTHER=BINARY, `secret get` of a second build takes turns with them.
"""

import os
import statistics
import subprocess
import tempfile
import time

ROUNDS = 200
TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.path.join(os.environ.get("CARGO_TARGET_DIR", f"{TREE}/target"), "release/mcplexer")


def environment(home, **more):
    return {"MCPLEXER_HOME": home, "HOME": home, "PATH": "/usr/bin:/bin", **more}


def fill(home, scopes, secrets):
    os.mkdir(home, 0o700)
    text = "".join(f"KEY_{number}=value\n" for number in range(secrets // scopes))
    for scope in range(scopes):
        command = [BINARY, "--quiet", "import", f"s{scope}", "--format", "dotenv"]
        subprocess.run(command, input=text, text=True, env=environment(home), check=True)


def milliseconds(command, variables):
    start = time.perf_counter()
    child = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE)
    printed = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    took = time.perf_counter() - start
    child.returncode = status
    assert printed and status == 0, command
    return took * 1000, (used.ru_utime + used.ru_stime) * 1000


def main():
    subprocess.run(["cargo", "build", "--release", "--quiet", "-p", "mcplexer-cli"], cwd=TREE, check=True)
    with tempfile.TemporaryDirectory() as place:
        one, many = f"{place}/one", f"{place}/many"
        fill(one, 1, 10_000)
        fill(many, 100, 10_000)
        jobs = {"true": (["/bin/echo", "true"], environment(one))}
        for name, home, words in [
            ("Tab at a command", one, ["sec"]),
            ("Tab at a scope, of 100", many, ["secret", "get", ""]),
            ("Tab at a key, of 100", many, ["secret", "get", "s7", ""]),
            ("Tab at a key, of 10,000", one, ["secret", "get", "s0", ""]),
            ("Tab at SCOPE/KEY, of 10,000", one, ["secret", "get", "s0/KEY_77"]),
        ]:
            command = [BINARY, "--", "mcplexer", *words]
            jobs[name] = (command, environment(home, MCPLEXER_COMPLETE="fish"))
        builds = {"secret get": BINARY}
        if "OTHER" in os.environ:
            builds["secret get, other build"] = os.environ["OTHER"]
        for name, binary in builds.items():
            jobs[name] = ([binary, "secret", "get", "s0", "KEY_7"], environment(one, MCPLEXER_AUDIT="off"))
        times = {name: [] for name in jobs}
        for _ in range(ROUNDS):
            for name, job in jobs.items():
                times[name].append(milliseconds(*job))
        for name, taken in times.items():
            took, used = (statistics.median(it) for it in zip(*taken))
            print(f"{name}: {took:.2f} ms, least {min(taken)[0]:.2f}; of the processor {used:.2f}")


if __name__ == "__main__":
    main()
