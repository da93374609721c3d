//! The file that has the copy.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use mcplexer_durable::{
    create_file, directory_of, is_still_at, open_regular, read_at_most, replace_file, wait_for_lock,
};
use zeroize::Zeroizing;

use super::image::{Image, MAX_BYTES};
use crate::record::{Digest, digest};

/// What the file begins with. A digest of the rest follows, and the rest.
const MAGIC: &[u8; 16] = b"mcplexer copy 2\n";
const DIGEST_LEN: usize = size_of::<Digest>();
/// A longer file is not one that this program has written.
const MAX_FILE: usize = 2 * MAX_BYTES;
/// How long to wait for another process that writes it.
const PATIENCE: Duration = Duration::from_secs(2);
/// Its age is shown in minutes, so it need not be set more often.
const GRAIN: Duration = Duration::from_secs(60);

/// The file with the copy of a store. Its modification time says when the copy was last the state of the store.
#[derive(Debug)]
pub(super) struct CopyFile {
    path: PathBuf,
    /// The store, so that the copy of another one is not taken for one of this.
    of: String,
    last: Mutex<Option<(Digest, Arc<Image>)>>,
}

/// The copy, as it was in the file at one time.
#[derive(Debug, Clone)]
pub(super) struct Copy {
    pub(super) image: Arc<Image>,
    /// When it was last the state of the store.
    pub(super) at: SystemTime,
    /// Differs between any two contents of the file.
    pub(super) digest: Digest,
}

impl Copy {
    /// Whether its time has to be set to this one. One in the future was not set by this program.
    fn is_older(&self, at: SystemTime) -> bool {
        let now = SystemTime::now();
        at.duration_since(self.at).is_ok_and(|it| it > GRAIN)
            || self.at.duration_since(now).is_ok_and(|it| it > GRAIN)
    }
}

/// What happens to the file.
pub(super) enum Update {
    /// It stays.
    Keep,
    /// It is the state of the store still.
    Confirm,
    Replace(Box<Image>),
    Discard,
}

/// Returns the name of the store that the file at `path` has a copy of. `None` if that is missing or damaged.
pub(super) fn store_of(path: &Path) -> Option<String> {
    let file = open_regular(path, OpenOptions::new().read(true)).ok()??;
    let body = body(&file, &expected(&file)?)?;
    let end = body.iter().position(|it| *it == 0)?;
    String::from_utf8(body.get(..end)?.to_vec()).ok()
}

/// Reads what the digest of the rest is to be, from the beginning of the file.
fn expected(mut file: &File) -> Option<Digest> {
    let mut head = [0; MAGIC.len() + DIGEST_LEN];
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_exact(&mut head).ok()?;
    Digest::try_from(head.strip_prefix(MAGIC)?).ok()
}

/// Reads the rest, which has this digest.
fn body(file: &File, expected: &Digest) -> Option<Zeroizing<Vec<u8>>> {
    let body = read_at_most(MAX_FILE, file).ok()?;
    (digest(&body) == *expected).then_some(body)
}

impl CopyFile {
    pub(super) fn new(path: PathBuf, of: String) -> Self {
        Self {
            path,
            of,
            last: Mutex::default(),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the copy. `None` if the file is missing, damaged, or of another store.
    pub(super) fn load(&self) -> Option<Copy> {
        let file = open_regular(&self.path, OpenOptions::new().read(true));
        self.read(&file.ok()??)
    }

    fn read(&self, file: &File) -> Option<Copy> {
        let at = file.metadata().ok()?.modified().ok()?;
        let expected = expected(file)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, image)) = &*last
            && *known == expected
        {
            let image = Arc::clone(image);
            return Some(Copy {
                image,
                at,
                digest: expected,
            });
        }
        let body = body(file, &expected)?;
        let body = body.strip_prefix(self.prefix().as_slice())?;
        let image = Arc::new(Image::decode(body)?);
        *last = Some((expected, Arc::clone(&image)));
        Some(Copy {
            image,
            at,
            digest: expected,
        })
    }

    /// The name of the store, which the rest of the file begins with.
    fn prefix(&self) -> Vec<u8> {
        [self.of.as_bytes(), b"\0"].concat()
    }

    /// Notes that `copy` was the state with this header at a time, unless that was noted a moment before.
    pub(super) fn confirm(&self, at: SystemTime, copy: Option<&Copy>, header: &[u8]) {
        if copy.is_some_and(|it| it.is_older(at)) {
            self.update(at, |copy| match copy {
                Some(copy) if copy.image.header() == header => Update::Confirm,
                _ => Update::Keep,
            });
        }
    }

    /// Changes the file, as `change` says of the copy in it. No other process changes it meanwhile. `at` is when the
    /// result was the state of the store.
    ///
    /// What cannot be changed is discarded, so that the copy is not older than what this machine knows.
    pub(super) fn update(&self, at: SystemTime, change: impl FnOnce(Option<&Copy>) -> Update) {
        // Nothing is created but the file.
        if directory_of(&self.path).is_dir() && self.try_update(at, change).is_err() {
            self.discard();
        }
    }

    fn try_update(
        &self,
        at: SystemTime,
        change: impl FnOnce(Option<&Copy>) -> Update,
    ) -> io::Result<()> {
        let file = self.locked()?;
        let copy = self.read(&file);
        let is_new = copy.is_none();
        match change(copy.as_ref()) {
            Update::Keep if is_new => self.remove(),
            Update::Keep => Ok(()),
            Update::Confirm => match copy {
                Some(copy) if copy.is_older(at) => file.set_modified(at),
                _ => Ok(()),
            },
            Update::Replace(image) => self.write(at, *image),
            Update::Discard => self.remove(),
        }
    }

    /// Opens the file, and keeps others from changing it.
    fn locked(&self) -> io::Result<File> {
        loop {
            create_file(&self.path)?;
            let how = OpenOptions::new().read(true).write(true).clone();
            let Some(file) = open_regular(&self.path, &how)? else {
                continue;
            };
            wait_for_lock(&file, PATIENCE)?.ok_or(io::ErrorKind::TimedOut)?;
            // Another process may have put another one in its place before.
            if is_still_at(&file, &self.path) {
                return Ok(file);
            }
        }
    }

    fn write(&self, at: SystemTime, image: Image) -> io::Result<()> {
        let encoded = image.encode().ok_or(io::ErrorKind::InvalidData)?;
        let body = [self.prefix(), encoded].concat();
        let digest = digest(&body);
        let bytes = [MAGIC, digest.as_slice(), &body].concat();
        replace_file(&self.path, &bytes).map_err(io::Error::other)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((digest, Arc::new(image)));
        drop(last);
        File::options()
            .write(true)
            .open(&self.path)?
            .set_modified(at)
    }

    /// Removes the file.
    pub(super) fn discard(&self) {
        // It may not be there, and there is nothing else to do about one that cannot be removed.
        let _kept = self.remove();
    }

    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}
