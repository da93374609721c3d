#!/usr/bin/env python3
"""Prints the terminal session at the top of the README as an SVG that moves. Each command runs in a terminal of its own, in a home
of its own; the times at which it appears are fixed, so the same program gives the same bytes.

    docs/session.py target/release/mcplexer >docs/session.svg

Needs nothing but Python and the program.
"""

import html
import os
import pathlib
import pty
import re
import select
import subprocess
import sys
import tempfile

COLUMNS, ROWS = 100, 27
# Width and height of a character, and the margin around them, in pixels.
WIDTH, HEIGHT, MARGIN = 7.8, 19, 16
# Seconds: before a command is typed, for each of its characters, before its output, for each line of it, and at the end.
BEFORE, TYPING, RUNNING, READING, END = 0.7, 0.035, 0.35, 0.22, 7.0

# The styles of a line.
COMMAND, HINT, OUTPUT = "c", "h", "o"

CONFIGURATION = """\
{
  "mcpServers": {
    "github": {
      "command": "npx",
      "args": ["-y", "server-github"],
      "env": { "GITHUB_TOKEN": "ghp-9wKx4mZt" }
    }
  }
}
"""
# A command, and what is typed at its prompt.
COMMANDS = [
    ("cat .mcp.json", None),
    ("mcplexer adopt .mcp.json --write", None),
    ("cat .mcp.json", None),
    ("mcplexer secret put linear API_KEY", "made-up-4711"),
    ("mcplexer secret list --all", None),
    ("mcplexer run --scope github --mask -- printenv GITHUB_TOKEN", None),
    ("mcplexer scan", None),
    ("mcplexer doctor", None),
]


def run(command, typed, directory, environment):
    """Runs a command in a terminal. Returns the lines that it leaves there."""
    parent, child = pty.openpty()
    os.system(f"stty cols {COLUMNS} rows {ROWS} <{os.ttyname(child)}")
    process = subprocess.Popen(
        command, shell=True, cwd=directory, env=environment, stdin=child, stdout=child, stderr=child, start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(0), os.O_RDWR)),
    )
    os.close(child)
    output = b""
    while True:
        if not select.select([parent], [], [], 30)[0]:
            process.kill()
            sys.exit(f"{command} does not end; so far: {output}")
        try:
            piece = os.read(parent, 65536)
        except OSError:
            break
        if not piece:
            break
        output += piece
        if typed and output.rstrip().endswith(b":"):
            os.write(parent, typed.encode() + b"\r")
            typed = None
    process.wait()
    return [shown(line) for line in output.decode().replace("\r\n", "\n").rstrip("\n").split("\n")]


def shown(line):
    """Returns what a terminal shows of a line in the end: carriage returns go back, and control sequences erase or colour."""
    result = ""
    for piece in line.split("\r"):
        erased = "\x1b[K" in piece or "\x1b[2K" in piece
        piece = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x00-\x08]", "", piece)
        result = piece if erased or len(piece) >= len(result) else piece + result[len(piece):]
    return result


def wrapped(line):
    return [line[at:at + COLUMNS] for at in range(0, len(line), COLUMNS)] or [""]


def record(program):
    """Returns lines, each with the second at which it appears, and its style."""
    lines, now = [], 0.5
    with tempfile.TemporaryDirectory() as place:
        place = pathlib.Path(place)
        for name in ["home", "home/bin", "home/shop"]:
            (place / name).mkdir(mode=0o700)
        (place / "home/bin/mcplexer").symlink_to(pathlib.Path(program).resolve())
        (place / "home/shop/.mcp.json").write_text(CONFIGURATION)
        path = f"{place}/home/bin:/usr/local/bin:/usr/bin:/bin"
        environment = {"HOME": f"{place}/home", "PATH": path, "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        for command, typed in COMMANDS:
            now += BEFORE
            lines.append((now, f"$ {command}", COMMAND))
            now += TYPING * len(command) + RUNNING
            for line in run(command, typed, place / "home/shop", environment):
                for part in wrapped(line.replace(str(place / "home"), "/home/ann")):
                    lines.append((now, part, style(line)))
                    now += READING
    return lines, now + END


def style(line):
    return HINT if line.startswith("mcplexer: hint:") else OUTPUT


def svg(lines, total):
    width = round(COLUMNS * WIDTH + 2 * MARGIN)
    height = ROWS * HEIGHT + 2 * MARGIN
    percent = lambda second: f"{100 * second / total:.3f}%"
    rules, texts, scrolls = [], [], []
    for row, (second, line, kind) in enumerate(lines):
        y = MARGIN + row * HEIGHT + 14
        length = f'textLength="{len(line) * WIDTH:.1f}"' if line else ""
        text = f'<text class="{kind}" x="{MARGIN}" y="{y}" {length}>{html.escape(line, quote=False)}</text>'
        rules.append(f"@keyframes l{row}{{0%,{percent(second)}{{opacity:0}}{percent(second + 0.001)},to{{opacity:1}}}}")
        if kind == COMMAND:
            # What is typed is uncovered from behind a box of the colour of the background.
            end = second + TYPING * (len(line) - 2)
            far = len(line) * WIDTH
            rules.append(
                f"@keyframes t{row}{{0%,{percent(second)}{{transform:translateX({2 * WIDTH}px);"
                f"animation-timing-function:steps({len(line) - 2})}}{percent(end)},to{{transform:translateX({far:.1f}px)}}}}"
            )
            text += f'<rect class="b" style="animation-name:t{row}" x="{MARGIN}" y="{y - 14}" width="{far + 2:.0f}" height="{HEIGHT}"/>'
        texts.append(f'<g style="animation-name:l{row}">{text}</g>')
        if row >= ROWS:
            scrolls.append(f"{percent(second)}{{transform:translateY({-(row - ROWS + 1) * HEIGHT}px)}}")
    first = lines[ROWS][0] if len(lines) > ROWS else total
    scroll = f"@keyframes s{{0%,{percent(first - 0.001)}{{transform:none}}{''.join(scrolls)}to{{transform:translateY({-max(0, len(lines) - ROWS) * HEIGHT}px)}}}}"
    said = " ".join(command for command, _ in COMMANDS)
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>A terminal session: {html.escape(said)}</title>
<style>
text{{font:13px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;white-space:pre;fill:#d6deeb}}
.c{{fill:#ffffff;font-weight:600}} .h{{fill:#8aa0b8}} .b{{fill:#10151c}}
g,.b{{animation-duration:{total:.2f}s;animation-iteration-count:infinite;animation-timing-function:step-end}}
#s{{animation-name:s}}
{chr(10).join([scroll, *rules])}
@media (prefers-reduced-motion:reduce){{g,.b{{animation:none}}.b{{display:none}}}}
</style>
<rect width="{width}" height="{height}" rx="8" fill="#10151c"/>
<svg x="0" y="{MARGIN}" width="{width}" height="{ROWS * HEIGHT}" viewBox="0 {MARGIN} {width} {ROWS * HEIGHT}"><g id="s">
{chr(10).join(texts)}
</g></svg>
</svg>"""


def main():
    [program] = sys.argv[1:]
    print(svg(*record(program)))


main()
