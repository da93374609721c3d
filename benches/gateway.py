"""The measurements of benches/gateway.sh, which sets the variables."""

import json, os, secrets, shlex, socket, statistics, subprocess, sys, time, urllib.request

env = os.environ
rounds, calls, burst = (int(env.get(name, default)) for name, default in
                        [("ROUNDS", 10), ("CALLS", 1000), ("BURST", 20000)])
client, fixture, passing = (f"{env['BIN']}/{name}" for name in ("bench-client", "fixture-server", "pass-through"))
gateway, work, peers = shlex.split(env["GATEWAY"]), env["WORK"], env["PEERS"]
TOKEN = {"X-Token": "mcplexer://bench/KEY_0"}
processes = []


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def start(command, port=None, home=None, host="127.0.0.1"):
    """Starts a server that goes on; returns it when it takes connections."""
    log = open(f"{work}/log-{len(processes)}", "wb")
    own = dict(env, MCPLEXER_HOME=home) if home else env
    process = subprocess.Popen(command, env=own, stdin=subprocess.PIPE, stdout=log, stderr=log)
    processes.append(process)
    for _ in range(3000):
        if process.poll() is not None:
            sys.exit(f"{command} ended:\n{open(log.name).read()}")
        try:
            socket.create_connection((host, port)).close()
            return process
        except OSError:
            time.sleep(0.01)
    sys.exit(f"{command} does not listen")


def make_home(name, servers):
    """Makes a home with secrets, and with these servers; returns its directory and the token of a client."""
    home = f"{work}/{name}"
    own = dict(env, MCPLEXER_HOME=home)
    for number in range(100):
        value = "v" + secrets.token_hex(20)
        subprocess.run([env["MCPLEXER"], "-q", "secret", "put", "bench", f"KEY_{number}"], input=value.encode(),
                       env=own, check=True)
    with open(f"{home}/config.yaml", "w") as file:
        file.write("servers: " + json.dumps(servers) + "\n")
    os.chmod(f"{home}/config.yaml", 0o600)
    added = subprocess.run(gateway[:1] + ["client", "add", "bench"], env=own, capture_output=True, text=True)
    return home, added.stdout.strip().split()[-1] if added.returncode == 0 and added.stdout.strip() else "none"


def memory(process, kind="VmRSS"):
    with open(f"/proc/{process.pid}/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(kind))


def connections(port):
    """Counts the connections to a port, and those that have ended within the last minute."""
    with open("/proc/net/tcp") as file:
        return sum(line.split()[2].endswith(f":{port:04X}") for line in file)


def measure(way, **options):
    target, home, token, tool = way
    command = [client, "--echo", tool]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    command += ["--url", target, "--bearer-env", "BENCH_TOKEN"] if isinstance(target, str) else ["--", *target]
    own = dict(env, BENCH_TOKEN=token, **({"MCPLEXER_HOME": home} if home else {}))
    done = subprocess.run(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        print(f"{target}: {done.stderr[-300:]}", file=sys.stderr)
        return None
    return json.loads(done.stdout)


# The servers, and the ways to them.
back_port, front_port = free_port(), free_port()
back = f"http://127.0.0.1:{back_port}/mcp"
start([fixture, "--http", f"127.0.0.1:{back_port}"], back_port)
# At the same port, since the server refuses requests to another one.
start([passing, "--listen", f"[::1]:{back_port}", "--to", f"127.0.0.1:{back_port}"], back_port, host="::1")
stdio = {"command": [fixture], "env": {"TOKEN": "mcplexer://bench/KEY_0"}}
many = {"command": [fixture], "env": {f"KEY_{n}": f"mcplexer://bench/KEY_{n}" for n in range(100)}}
home, token = make_home("home", {"fixture": stdio, "many": many, "web": {"url": back, "headers": TOKEN}})
daemon = start(gateway + ["serve", "--http", f"127.0.0.1:{front_port}"], front_port, home)
front = f"http://127.0.0.1:{front_port}/mcp"
DIRECT, PASSED, OWN = "direct", "only passed on", "mcplexer"
own = lambda target: (target, home, token, "echo")
other = lambda target, tool="echo": (target, None, "", tool)
direct = {DIRECT: other(back), PASSED: other(f"http://[::1]:{back_port}/mcp")}
ways = {
    "stdio → stdio": {DIRECT: other([fixture]), PASSED: other([passing, "--", fixture]),
                      OWN: own(gateway + ["serve", "--server", "fixture"])},
    "stdio → HTTP": direct | {OWN: own(gateway + ["serve", "--server", "web"])},
    "HTTP → stdio": direct | {OWN: own(f"{front}/fixture")},
    "HTTP → HTTP": direct | {OWN: own(f"{front}/web")},
}
MEBIBYTES = ["letters", "source", "json"]
large = {DIRECT: other([fixture]), OWN: own(gateway + ["serve", "--server", "many"])}
if peers:
    at = lambda name: f"{peers}/bin/{name}"
    if os.path.exists(at("mcp-proxy-python")):
        port = free_port()
        start([at("mcp-proxy-python"), "--host", "127.0.0.1", "--port", str(port), "--log-level", "ERROR", fixture], port)
        ways["HTTP → stdio"]["mcp-proxy (PyPI)"] = other(f"http://127.0.0.1:{port}/mcp")
        ways["stdio → HTTP"]["mcp-proxy (PyPI)"] = other(
            [at("mcp-proxy-python"), "--transport", "streamablehttp", "--log-level", "ERROR", back])
    if os.path.exists(at("supergateway")):
        port = free_port()
        start([at("supergateway"), "--stdio", fixture, "--outputTransport", "streamableHttp", "--stateful", "--port",
               str(port), "--logLevel", "none"], port)
        ways["HTTP → stdio"]["supergateway"] = other(f"http://127.0.0.1:{port}/mcp")
        ways["stdio → HTTP"]["supergateway"] = other([at("supergateway"), "--streamableHttp", back, "--logLevel", "none"])
    if os.path.exists(at("mcp-proxy")):
        for way, backend in [("HTTP → stdio", f'transport = "stdio"\ncommand = "{fixture}"'),
                             ("HTTP → HTTP", f'transport = "http"\nurl = "{back}"')]:
            port = free_port()
            path = f"{work}/{port}.toml"
            with open(path, "w") as file:
                file.write(f'[proxy]\nname = "p"\nseparator = "/"\n[proxy.listen]\nhost = "127.0.0.1"\nport = {port}\n'
                           f'[[backends]]\nname = "f"\n{backend}\n')
            start([at("mcp-proxy"), "--config", path], port)
            ways[way]["mcp-proxy (crate)"] = other(f"http://127.0.0.1:{port}/", "f/echo")

# Rounds in turns. The first is not counted: servers start in it.
idle = memory(daemon)
results = {}
for turn in range(rounds + 1):
    for way, those in ways.items():
        for name, target in those.items():
            got = measure(target, calls=calls)
            if got and turn:
                results.setdefault((way, name), []).append(got["echo"])
    for of in MEBIBYTES:
        for name, target in large.items():
            got = measure(target, large=10, of=of)
            if got and turn:
                results.setdefault((f"1 MiB of {of}", name), []).append(got["large"])

median = lambda key, of="p50_us": statistics.median(each[of] for each in results[key])


def added(way, name, of):
    """The median of what each round's figure is over that of the direct connection in the same round."""
    return statistics.median(a[of] - b[of] for a, b in zip(results[way, name], results[way, DIRECT]))


print("| way | by | p50 | p99 | added p50 | added p99 |\n| --- | --- | --- | --- | --- | --- |")
for way, name in results:
    more = [f"{added(way, name, of):.0f} µs" if name != DIRECT else "" for of in ("p50_us", "p99_us")]
    print(f"| {way} | {name} | {median((way, name)):.0f} µs | {median((way, name), 'p99_us'):.0f} µs | {more[0]} | {more[1]} |")

print("\n| 32 clients, 1 KiB | calls a second |\n| --- | --- |")
for way, those in ways.items():
    for name, target in those.items():
        count = burst if name in (DIRECT, PASSED, OWN, "mcp-proxy (crate)") else burst // 10
        rates = [got["burst"]["calls_per_second"] for got in (measure(target, burst=count) for _ in range(3)) if got]
        if rates:
            print(f"| {way}, {name} | {statistics.median(rates):.0f} |")

before = connections(back_port)
measure(own(f"{front}/web"), calls=calls)
print(f"\nnew connections to the HTTP server in {calls} calls: {connections(back_port) - before}")

# The endpoint of all servers, from the start of a process on.
firsts = [measure(own(gateway + ["serve"]), lists=1) for _ in range(rounds + 1)][1:]
for title, figure in [("start to the answer to initialize", lambda it: it["first"]["us"]),
                      ("the first tools/list, from the cache", lambda it: it["list"]["p50_us"])]:
    took = sorted(figure(it) / 1000 for it in firsts if it)
    print(f"{title}: {statistics.median(took):.1f} ms ({took[0]:.1f} to {took[-1]:.1f})")

# Memory: of daemons of their own.
def memory_of(name, servers, uses):
    home, token = make_home(name, servers)
    port = free_port()
    process = start(gateway + ["serve", "--http", f"127.0.0.1:{port}"], port, home)
    time.sleep(0.5)
    sizes = [memory(process)]
    for use in uses:
        measure((f"http://127.0.0.1:{port}/mcp{use[0]}", home, token, "echo"), **use[1])
        sizes.append(memory(process))
    return sizes


print(f"\nidle: {idle / 1024:.1f} MiB")
none, = memory_of("one", {"fixture": stdio}, [])
thousand, = memory_of("thousand", {f"s{n}": stdio for n in range(1000)}, [])
print(f"each of 1,000 servers that do not run: {(thousand - none) / 1000:.1f} KiB")
sessions = memory_of("sessions", {"fixture": stdio}, [("/fixture", {"sessions": n}) for n in (1, 999, 9000, 10000)])
print(f"each of 1,000 idle sessions: {(sessions[2] - sessions[1]) / 999:.2f} KiB")
print("after 1, 1,000, 10,000 and 20,000 abandoned sessions: "
      + ", ".join(f"{size / 1024:.1f}" for size in sessions[1:]) + " MiB")


def plot(path):
    """Bars: what each adds to a call. The scale is logarithmic, since the others add hundreds of times as much."""
    import math
    rows = [(way, name, max(added(way, name, "p50_us"), 1)) for way, name in results if name != DIRECT and not way.startswith("1 MiB")]
    height, left, width = 30 + 22 * len(rows), 230, 640
    most = math.ceil(math.log10(max(value for _, _, value in rows)))
    x = lambda value: left + math.log10(value) / most * (width - left - 80)
    svg = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
           '<rect width="100%" height="100%" fill="white"/>']
    for power in range(most + 1):
        at = x(10 ** power)
        svg.append(f'<path d="M{at:.1f} 8V{height - 22}" stroke="#ddd"/>')
        svg.append(f'<text x="{at:.1f}" y="{height - 6}" text-anchor="middle">{10 ** power:,} µs</text>')
    for row, (way, name, value) in enumerate(rows):
        y = 10 + 22 * row
        colour = "#0a6" if name == OWN else "#999"
        svg.append(f'<text x="{left - 8}" y="{y + 12}" text-anchor="end">{way}, {name}</text>')
        svg.append(f'<rect x="{left}" y="{y}" width="{x(value) - left:.1f}" height="16" fill="{colour}"/>')
        svg.append(f'<text x="{x(value) + 6:.1f}" y="{y + 12}">{value:,.0f} µs</text>')
    with open(path, "w") as file:
        file.write("\n".join(svg + ["</svg>\n"]))


if env.get("PLOT"):
    plot(env["PLOT"])
for process in processes:
    process.kill()
