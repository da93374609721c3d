//! The end of the help of `mcplexer audit` and `mcplexer calls`.

use super::sections::log;

pub(in crate::cli) const AUDIT: &str = concat!(
    "\
Examples:
  mcplexer audit show --last 20
  mcplexer audit verify",
    log!()
);

pub(in crate::cli) const AUDIT_SHOW: &str = concat!(
    "\
Examples:
  mcplexer audit show --last 20
  mcplexer audit show --op get --key TOKEN --since 7d
  mcplexer audit show --failed --json",
    log!()
);

pub(in crate::cli) const AUDIT_CHECKPOINT: &str = concat!(
    "\
Examples:
  mcplexer audit checkpoint > /media/usb/checkpoint
  mcplexer audit checkpoint | mail -s checkpoint me@example.org",
    log!()
);

pub(in crate::cli) const AUDIT_VERIFY: &str = concat!(
    "\
Examples:
  mcplexer audit verify
  mcplexer audit verify --checkpoint /media/usb/checkpoint
  mcplexer audit verify --json",
    log!()
);

pub(in crate::cli) const CALLS: &str = concat!(
    "\
An outcome is ok, or the word of the audit log for what went wrong, such as tool-error or timed-out. A call that is open is still
going on, or the gateway was killed meanwhile. Arguments and results are not kept.

Examples:
  mcplexer calls -n 50
  mcplexer calls --follow --server github
  mcplexer calls --failed --since 12h
  mcplexer calls --json | jq '.calls[] | select(.ms > 1000)'",
    log!()
);
