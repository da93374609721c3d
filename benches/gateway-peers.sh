#!/usr/bin/env bash
# Installs the other gateways that benches/gateway.sh measures, into the directory that is given:
#
#   benches/gateway-peers.sh target/gateway-peers
#
# Their commands are then in its directory bin: supergateway (npm), mcp-proxy-python (PyPI) and mcp-proxy (the crate,
# which takes minutes to compile). Needs npm, python3 with venv, and cargo.
set -euo pipefail
place=$(realpath -m "${1:?the directory}")
mkdir -p "$place/bin"
npm install --silent --no-audit --no-fund --prefix "$place" supergateway@4.0.0
ln -sf ../node_modules/.bin/supergateway "$place/bin/supergateway"
# The one of PyPI has the name of the crate's.
[ -x "$place/python/bin/pip" ] || python3 -m venv "$place/python"
"$place/python/bin/pip" install --quiet --disable-pip-version-check mcp-proxy==0.13.0
ln -sf ../python/bin/mcp-proxy "$place/bin/mcp-proxy-python"
# Without what exports figures and translates other protocols: less for it to do.
cargo install --quiet --locked --root "$place" --no-default-features --features yaml mcp-proxy@0.6.0
