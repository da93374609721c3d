//! The exit codes. They are documented and never change.

use mcplexer_secrets::ErrorKind;

pub(crate) const DONE: u8 = 0;
pub(crate) const FAILURE: u8 = 1;
pub(crate) const USAGE: u8 = 2;
pub(crate) const DECLINED: u8 = 3;
pub(crate) const NOT_FOUND: u8 = 4;
pub(crate) const KEY: u8 = 5;
pub(crate) const TAMPERED: u8 = 6;
pub(crate) const FOUND: u8 = 6;
pub(crate) const BUSY: u8 = 7;
pub(crate) const CONFLICT: u8 = 8;
pub(crate) const OUTCOME_UNKNOWN: u8 = 9;
pub(crate) const COMMAND_NOT_STARTED: u8 = 126;
pub(crate) const COMMAND_NOT_FOUND: u8 = 127;

/// The text of `mcplexer help exit-codes`.
pub(crate) const HELP: &str = "\
Exit codes of mcplexer:

  0  done
  1  any other failure, such as a full disk, or a server that refuses you; doctor: there are errors
  2  the command line or an input was wrong; nothing was changed
  3  you were asked and said no, or a coding agent asked to see a value; nothing was changed
  4  there is no such scope, secret or key, or no store yet
  5  the key is missing, wrong or open to others; or others could change the store or its log
  6  the store, the audit log or a backup was tampered with, is damaged, was put back, or was made by
     somebody else and not accepted; scan: a value was found
  7  another program holds the store, or its server does not answer; nothing was changed
  8  it exists already, is at another version, or the store was moved to another place
  9  the store's server did not answer whether the change was made: look before you make it again

126  run: the command was found and could not be started
127  run: there is no such command

Once the command has started, the exit code of run is the command's own.";

pub(crate) fn of(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::NotFound => NOT_FOUND,
        ErrorKind::Conflict => CONFLICT,
        ErrorKind::OutcomeUnknown => OUTCOME_UNKNOWN,
        ErrorKind::Invalid => USAGE,
        ErrorKind::Key => KEY,
        ErrorKind::Tampered => TAMPERED,
        ErrorKind::Busy => BUSY,
        _ => FAILURE,
    }
}
