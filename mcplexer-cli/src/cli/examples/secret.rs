//! The end of the help of `mcplexer secret`.

use super::sections::store;

pub(in crate::cli) const SECRET: &str = concat!(
    "\
Examples:
  mcplexer secret put github TOKEN
  mcplexer secret list github

Other names: set and add mean put; show and read mean get; ls means list; rm and remove mean delete.",
    store!()
);

pub(in crate::cli) const SECRET_PUT: &str = concat!(
    "\
Examples:
  mcplexer secret put github TOKEN                        # asks for the value
  gh auth token | mcplexer secret put github TOKEN
  mcplexer secret put tls PRIVATE_KEY --file server.pem --expires 365d

A new value keeps the note and the interval. It keeps an expiry as well, unless that has passed.",
    store!()
);

pub(in crate::cli) const SECRET_GET: &str = concat!(
    "\
Examples:
  mcplexer secret get tls/PRIVATE_KEY > server.pem
  mcplexer secret get shop DB_USER DB_PASSWORD --json
  mcplexer secret get github TOKEN --clip",
    store!()
);

pub(in crate::cli) const SECRET_EDIT: &str = concat!(
    "\
Without an option, the value opens in the editor that VISUAL or EDITOR names, or else in vi. The file is in memory, \
never on a disk, and is erased when the editor ends. Nothing is stored if the value is unchanged or empty, if the editor \
fails, or if the secret was replaced meanwhile. A secret that does not exist yet begins empty. A line feed that the editor \
adds at the end of a value without one is not stored.

Examples:
  mcplexer secret edit github TOKEN
  mcplexer secret edit github TOKEN --rotate-every 12w --note 'read-only, for CI'
  mcplexer secret edit github TOKEN --no-expires",
    store!()
);

pub(in crate::cli) const SECRET_HISTORY: &str = concat!(
    "\
A scope keeps 5 earlier versions of each secret; mcplexer scope update --keep-versions changes that.

Examples:
  mcplexer secret history github TOKEN
  mcplexer secret history github TOKEN --json",
    store!()
);

pub(in crate::cli) const SECRET_RESTORE: &str = concat!(
    "\
Examples:
  mcplexer secret restore github TOKEN --version 3
  mcplexer secret restore tls PRIVATE_KEY --version 1",
    store!()
);

pub(in crate::cli) const SECRET_LIST: &str = concat!(
    "\
Examples:
  mcplexer secret list
  mcplexer secret list --all --long
  mcplexer secret list --expiring 30d",
    store!()
);

pub(in crate::cli) const SECRET_DELETE: &str = concat!(
    "\
Examples:
  mcplexer secret delete github TOKEN
  mcplexer secret rm shop DB_USER DB_PASSWORD",
    store!()
);

pub(in crate::cli) const SECRET_GENERATE: &str = concat!(
    "\
As with put, a secret that exists gets the value as its next version. A character of alnum has 6.0 bits of \
entropy, of digits 3.3, of hex 4, of base64url 6 and of ascii 6.6. A word is one of the 7776 of the EFF's long list, \
and has 12.9.

Examples:
  mcplexer secret generate shop SESSION_KEY
  mcplexer secret generate home WIFI --words 6
  mcplexer secret generate shop HMAC_KEY --length 64 --alphabet hex --force",
    store!()
);

pub(in crate::cli) const SECRET_COPY: &str = concat!(
    "\
The value keeps its age, from which an interval counts, and its note, expiry and interval.

Examples:
  mcplexer secret copy github/TOKEN ci/GITHUB_TOKEN
  mcplexer secret copy github/TOKEN ci/GITHUB_TOKEN --force",
    store!()
);

pub(in crate::cli) const SECRET_MOVE: &str = concat!(
    "\
Versions, times, note, expiry and interval come along: of the earlier versions, as many as the new scope keeps.

Examples:
  mcplexer secret move shop/GITHUB_TOKEN github/TOKEN
  mcplexer secret move mcplexer://shop/TOKEN web/TOKEN --force",
    store!()
);

pub(in crate::cli) const SECRET_RENAME: &str = concat!(
    "\
Examples:
  mcplexer secret rename github TOKEN GITHUB_TOKEN
  mcplexer secret rename github/TOKEN GITHUB_TOKEN",
    store!()
);

pub(in crate::cli) const SECRET_FIND: &str = concat!(
    "\
Examples:
  mcplexer secret find token
  mcplexer secret find 'shop/*_key' --long",
    store!()
);
