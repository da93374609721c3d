//! The end of the help of `mcplexer config` and `mcplexer server`.

#[cfg(feature = "serve")]
use super::sections::gateway;
use super::sections::{config, config_and_store};

pub(in crate::cli) const SERVER: &str = concat!(
    "\
Examples:
  mcplexer server add memory -- npx -y @modelcontextprotocol/server-memory
  mcplexer server list",
    config!()
);

pub(in crate::cli) const SERVER_ADD: &str = concat!(
    "\
The values of --env and --header may refer to secrets, as mcplexer://SCOPE/KEY. They never hold one.

Examples:
  mcplexer server add github --env TOKEN=mcplexer://github/TOKEN -- github-mcp-server stdio
  mcplexer server add notes --directory . -- python server.py
  mcplexer server add figma --url https://example.com/mcp --header 'X-Token: mcplexer://figma/TOKEN'
  mcplexer server add --from ~/.cursor/mcp.json",
    config!()
);

pub(in crate::cli) const SERVER_LIST: &str = concat!(
    "\
Examples:
  mcplexer server list
  mcplexer server list --json",
    config!()
);

pub(in crate::cli) const SERVER_SHOW: &str = concat!(
    "\
Examples:
  mcplexer server show github
  mcplexer server show github --json",
    config!()
);

pub(in crate::cli) const SERVER_REMOVE: &str = concat!(
    "\
Secrets stay in the store.

Examples:
  mcplexer server remove github
  mcplexer server rm github",
    config!()
);

pub(in crate::cli) const CONFIG: &str = concat!(
    "\
Examples:
  mcplexer config show > scopes.yaml
  mcplexer config apply --dry-run",
    config_and_store!()
);

pub(in crate::cli) const CONFIG_CHECK: &str = concat!(
    "\
Examples:
  mcplexer config check
  mcplexer config check team.yaml --json",
    config!()
);

pub(in crate::cli) const CONFIG_APPLY: &str = concat!(
    "\
Examples:
  mcplexer config apply --dry-run
  mcplexer config apply team.yaml
  mcplexer config apply team.yaml --prune",
    config_and_store!()
);

pub(in crate::cli) const CONFIG_SHOW: &str = concat!(
    "\
It prints the scopes of the store, and the servers and clients of config.yaml. Write it to another
file than config.yaml: the shell empties the file behind > before mcplexer reads it.

Examples:
  mcplexer config show
  mcplexer config show > scopes.yaml",
    config_and_store!()
);

pub(in crate::cli) const CONFIG_SCHEMA: &str = concat!(
    "\
Examples:
  mcplexer config schema
  mcplexer config schema > config.schema.json
  mcplexer config schema --project",
    config!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const SERVER_TEST: &str = concat!(
    "\
Examples:
  mcplexer server test github
  mcplexer server test github --json",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const SERVER_LOGS: &str = concat!(
    "\
Examples:
  mcplexer server logs github
  mcplexer server logs github | tail",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const SERVER_RESTART: &str = concat!(
    "\
Examples:
  mcplexer server restart github
  mcplexer server restart figma",
    gateway!()
);
