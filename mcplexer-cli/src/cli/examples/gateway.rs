//! The end of the help of the gateway and its clients.

use super::sections::{clients, gateway};

#[cfg(feature = "serve")]
pub(in crate::cli) const CLIENT_INSTALL: &str = concat!(
    "\
Without --write, it shows the server and the file. The rest of the file does not change, and --undo gives it back to \
the byte. It leaves the client's other servers alone: mcplexer adopt --gateway moves those.

Examples:
  mcplexer client install claude-code
  mcplexer client install claude-code --write
  mcplexer client install claude-code --undo",
    clients!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const SERVE: &str = concat!(
    "\
Without --http, it serves one client on standard input and output, and ends with it. With --http, clients need a token: \
mcplexer client add makes one. config.yaml is read again when it changes.

Examples:
  mcplexer serve --http                   # for all clients; asks for the passphrase of the key, if it has one
  mcplexer serve --server github          # for the client that runs it
  mcplexer serve --stop",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const UI: &str = concat!(
    "\
The gateway serves the page, and is started if needed. The address has a ticket in it that is good for one minute and for one \
browser. A session ends after 15 minutes without use.

Examples:
  mcplexer ui
  mcplexer ui --no-browser                # prints the address
  mcplexer ui --stop",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const CONNECT: &str = concat!(
    "\
It is the command of an entry in an AI client's configuration. If the gateway is restarted, the client's session goes on.

Examples:
  mcplexer connect --client claude-code
  mcplexer connect --server github",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const STATUS: &str = concat!(
    "\
Examples:
  mcplexer status
  mcplexer status --json",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const CLIENT: &str = concat!(
    "\
Examples:
  mcplexer client install claude-code --write
  mcplexer client add cursor",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const CLIENT_ADD: &str = concat!(
    "\
The client sends the token in the header field Authorization: Bearer TOKEN. It is shown only now.

Examples:
  mcplexer client add cursor
  mcplexer client add claude-code | pbcopy
  mcplexer client add nightly-report --api read",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const CLIENT_LIST: &str = concat!(
    "\
Examples:
  mcplexer client list
  mcplexer client list --json",
    gateway!()
);

#[cfg(feature = "serve")]
pub(in crate::cli) const CLIENT_REMOVE: &str = concat!(
    "\
Examples:
  mcplexer client remove cursor
  mcplexer client rm claude-code",
    gateway!()
);
