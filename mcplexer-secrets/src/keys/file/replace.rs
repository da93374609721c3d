//! Replaces the text of a key file.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use mcplexer_durable::{PATIENCE, Temporary, wait_for_lock};
use zeroize::Zeroizing;

use super::content::{Content, Encoding, secret_string};
use super::{FileKeys, KeyFileError};
use crate::keys::{Ask, KeyError};
use crate::stack;

/// The next texts of a key file.
pub(super) struct Edit {
    /// The text to write now.
    pub(super) new: Zeroizing<String>,
    /// The text to write at the next edit, unless the file changes meanwhile.
    pub(super) next: Option<Zeroizing<String>>,
}

/// A text that is already written, and gets its final name at the next edit.
pub(super) struct Prepared {
    file: Temporary,
    text: Zeroizing<String>,
    /// The text that it replaces.
    before: Zeroizing<String>,
}

impl Prepared {
    /// Returns whether it still exists: another process may have removed it as a leftover of a
    /// crash.
    fn is_there(&self) -> bool {
        self.file.exists()
    }
}

impl FileKeys {
    /// Replaces the text of the file with what `change` returns for it, encrypted as before. A file
    /// whose text is then empty is removed. The next text is written as well, so that a full disk
    /// cannot prevent the next edit.
    pub(super) fn edit(
        &self,
        failed: impl Fn(io::Error) -> KeyFileError,
        change: impl FnOnce(&str) -> Edit,
    ) -> Result<(), KeyError> {
        // Keeps a symbolic link to the key intact.
        let path = self.path.canonicalize().map_err(&failed)?;
        let directory = File::open(mcplexer_durable::directory_of(&path)).map_err(&failed)?;
        wait_for_lock(&directory, PATIENCE)
            .and_then(|locked| locked.ok_or_else(|| ErrorKind::WouldBlock.into()))
            .map_err(&failed)?;
        let (text, encoding) = match self.content(Ask::Allowed)? {
            Content::Plain(text) => (text, None),
            Content::Decrypted(text, encoding) => (text, Some(encoding)),
            Content::Ssh(identity) => {
                return Err(KeyError::NotReplaceable {
                    identity: identity.name(),
                });
            }
        };
        let text = self.text(&text)?;
        let Edit { new, next } = change(text);
        let write = || -> io::Result<()> {
            let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
            let ready = prepared
                .take()
                .filter(|ready| *ready.before == text && *ready.text == *new && ready.is_there());
            if ready.is_none() {
                mcplexer_durable::remove_temporaries_beside(&path)?;
            }
            if let Some(next) = next {
                *prepared = Some(Prepared {
                    file: self.write_beside(&path, &next, encoding)?,
                    before: Zeroizing::new(new.to_string()),
                    text: next,
                });
            }
            if *new == text {
                return Ok(());
            }
            if new.is_empty() {
                fs::remove_file(&path)?;
                self.created.store(false, Ordering::Relaxed);
                return mcplexer_durable::sync_parent(&path);
            }
            let file = match ready {
                Some(ready) => ready.file,
                None => self.write_beside(&path, &new, encoding)?,
            };
            file.persist(&path)?;
            mcplexer_durable::sync_parent(&path)
        };
        Ok(write().map_err(failed)?)
    }

    /// Writes a text beside the file, encrypted with the passphrase that opened the file, if there
    /// was one.
    fn write_beside(
        &self,
        path: &Path,
        text: &str,
        encoding: Option<Encoding>,
    ) -> io::Result<Temporary> {
        let mut file = Temporary::beside(path)?;
        match encoding {
            None => file.write_all(text.as_bytes())?,
            Some(encoding) => {
                let passphrase = self.known_passphrase().as_ref().and_then(secret_string);
                let passphrase = passphrase.ok_or(ErrorKind::InvalidInput)?;
                let encryptor = age::Encryptor::with_user_passphrase(passphrase);
                let format = match encoding {
                    Encoding::Binary => age::armor::Format::Binary,
                    Encoding::Armored => age::armor::Format::AsciiArmor,
                };
                let armored = age::armor::ArmoredWriter::wrap_output(&mut file, format)?;
                stack::wiped_after(|| {
                    let mut writer = encryptor.wrap_output(armored)?;
                    writer.write_all(text.as_bytes())?;
                    writer.finish()?.finish()
                })?;
            }
        }
        file.sync()?;
        Ok(file)
    }
}
