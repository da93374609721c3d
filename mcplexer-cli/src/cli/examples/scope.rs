//! The end of the help of `mcplexer scope`.

use super::sections::store;

pub(in crate::cli) const SCOPE_RENAME: &str = concat!(
    "\
If config.yaml refers to the scope, nothing is renamed: change it first. What else refers to it, such as the files of AI
clients, needs the new id as well.

Examples:
  mcplexer scope rename github-token github
  mcplexer scope rename github-token github --leave-references",
    store!()
);

pub(in crate::cli) const SCOPE: &str = concat!(
    "\
Examples:
  mcplexer scope list
  mcplexer scope show github",
    store!()
);

pub(in crate::cli) const SCOPE_CREATE: &str = concat!(
    "\
Examples:
  mcplexer scope create github
  mcplexer scope create linear --kind header --name 'Linear (remote)'",
    store!()
);

pub(in crate::cli) const SCOPE_UPDATE: &str = concat!(
    "\
Examples:
  mcplexer scope update github --keep-versions 20
  mcplexer scope update github --keep-versions 0",
    store!()
);

pub(in crate::cli) const SCOPE_LIST: &str = concat!(
    "\
Examples:
  mcplexer scope list
  mcplexer scope list --json",
    store!()
);

pub(in crate::cli) const SCOPE_SHOW: &str = concat!(
    "\
Examples:
  mcplexer scope show github
  mcplexer scope show github --json",
    store!()
);

pub(in crate::cli) const SCOPE_DELETE: &str = concat!(
    "\
Examples:
  mcplexer scope delete github
  mcplexer scope delete github --force",
    store!()
);
