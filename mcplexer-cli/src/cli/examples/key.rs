//! The end of the help of `mcplexer key` and `mcplexer backup`.

use super::sections::store;

pub(in crate::cli) const KEY: &str = concat!(
    "\
Examples:
  mcplexer key show
  mcplexer key recovery",
    store!()
);

pub(in crate::cli) const KEY_INIT: &str = concat!(
    "\
Examples:
  mcplexer key init
  MCPLEXER_AGE_KEY=/media/usb/age.key mcplexer key init",
    store!()
);

pub(in crate::cli) const KEY_SHOW: &str = concat!(
    "\
Examples:
  mcplexer key show
  mcplexer key show --json",
    store!()
);

pub(in crate::cli) const KEY_LIST: &str = concat!(
    "\
Examples:
  mcplexer key list
  mcplexer key list --json",
    store!()
);

pub(in crate::cli) const KEY_ADD: &str = concat!(
    "\
Examples:
  mcplexer key add --file ~/.ssh/id_ed25519.pub --label laptop
  mcplexer key add --passphrase
  mcplexer key add --label bob age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    store!()
);

pub(in crate::cli) const KEY_REMOVE: &str = concat!(
    "\
Examples:
  mcplexer key remove bob
  mcplexer key remove age1ql3z7hjy",
    store!()
);

pub(in crate::cli) const KEY_ROTATE: &str = concat!(
    "\
Examples:
  mcplexer key rotate
  mcplexer key rotate --keep-identity",
    store!()
);

pub(in crate::cli) const KEY_RECOVERY: &str = concat!(
    "\
Examples:
  mcplexer key recovery
  mcplexer key recovery | lp",
    store!()
);

pub(in crate::cli) const KEY_ACCEPT: &str = concat!(
    "\
Run it once after a colleague has added your key and given you the store, and after you have moved the \
audit log away. If you expect neither, somebody may have replaced your store.

Examples:
  mcplexer key accept
  mcplexer key accept --older             # go on with an older copy of the store",
    store!()
);

pub(in crate::cli) const KEY_RECOVER: &str = concat!(
    "\
Examples:
  mcplexer key recover
  mcplexer key recover --lost laptop",
    store!()
);

pub(in crate::cli) const BACKUP: &str = concat!(
    "\
Examples:
  mcplexer backup create secrets.age
  mcplexer backup verify secrets.age",
    store!()
);

pub(in crate::cli) const BACKUP_CREATE: &str = concat!(
    "\
Examples:
  mcplexer backup create secrets.age
  mcplexer backup create secrets.age --passphrase",
    store!()
);

pub(in crate::cli) const BACKUP_VERIFY: &str = concat!(
    "\
Examples:
  mcplexer backup verify secrets.age
  mcplexer backup verify secrets.age --identity old.key",
    store!()
);

pub(in crate::cli) const BACKUP_RESTORE: &str = concat!(
    "\
Examples:
  mcplexer backup restore secrets.age
  mcplexer backup restore secrets.age --merge --dry-run
  mcplexer backup restore secrets.age --replace",
    store!()
);
