//! Files that only their owner can read, and changes to them that survive a crash.
//!
//! * A new file has mode 0600 and a new directory 0700, whatever the umask says.
//! * A file is replaced in one step: the new one is written and synced under another name, renamed over
//!   the old one, and then its directory is synced ([`Temporary`], [`FileReplacement`]).
//! * Who else can change or read a path is found by the rules of OpenSSH ([`exposed_above`]).
//! * A file is read whole only up to a limit ([`read_at_most`]).
//! * A lock that another process holds is waited for, but not forever ([`wait_for_lock`]).
//!
//! Nothing here reads the environment. The feature `observe` adds a function, also named `observe`, with
//! which a test sees every operation; it changes nothing else.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod bounded;
mod directory;
mod exposure;
mod file;
mod observe;
mod patience;
mod replacement;
mod temporary;

pub use bounded::{read_at_most, too_large};
pub use directory::{close_directory, create_parent, directory_of, sync_parent};
pub use exposure::{Exposure, exposed_above, exposure, exposure_at};
pub use file::{create_file, is_still_at, len_if_at, open_no_link, open_regular, sync};
#[cfg(feature = "observe")]
pub use observe::observe;
pub use observe::{FileId, made_durable, operation_done};
pub use patience::{PATIENCE, wait_for, wait_for_lock};
pub use replacement::{FileReplacement, ReplaceError, replace_file};
pub use temporary::{Temporary, remove_temporaries_beside, temporaries_beside};
