//! Who else could change or read the files of a home.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use mcplexer_durable::{Exposure, exposed_above, exposure_at};
use rustix::process::geteuid;

use crate::home::{AUDIT_VARIABLE, AuditTarget, HOME_VARIABLE, Home, KEY_VARIABLE, KeySource};

/// The permission bits that let others change a file.
const WRITE: u32 = 0o022;

/// A file or directory that others can change or read, and that a home depends on.
///
/// `Display` says what is wrong with it, and [`fix`](Self::fix) what to do.
#[derive(Debug)]
pub struct Exposed {
    path: PathBuf,
    part: Part,
    /// Whether it is a directory above that part.
    is_above: bool,
    how: How,
}

/// The part of a home that is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Home,
    Store,
    Log,
    Key,
    Pins,
    Cache,
    Config,
    Trusted,
}

#[derive(Debug)]
enum How {
    Mode(u32),
    Owner(u32),
    /// Nobody knows, because it cannot be looked at.
    Unknown(io::Error),
}

impl Exposed {
    /// Finds everything that is exposed: the directory of a home, the store, the audit log, the key file, and
    /// the directories above each of them up to the user's home directory or a sticky one.
    pub(crate) fn in_home(home: &Home) -> Vec<Self> {
        let mut found = Vec::new();
        // The home's own directory is above the others, and has a stricter rule.
        let mut seen: BTreeSet<_> = home.directory().canonicalize().into_iter().collect();
        let home_is_link = home.directory().is_symlink();
        for (part, path) in parts(home) {
            // What is above a file of the home is above the home, unless the file is a link.
            let is_in_home = path.parent() == Some(home.directory());
            let above = match is_in_home && !home_is_link && !path.is_symlink() {
                true => Ok(Vec::new()),
                false => exposed_above(&path, home.user_home()),
            };
            let is_kind = match part {
                Part::Home => Metadata::is_dir,
                _ => Metadata::is_file,
            };
            let how = match exposure_at(&path, is_kind) {
                // They have no values, and the first may be copied to colleagues.
                Ok(Exposure::Mode(mode))
                    if matches!(part, Part::Config | Part::Trusted) && mode & WRITE == 0 =>
                {
                    None
                }
                Ok(exposure) => How::of(exposure),
                Err(error) => Some(How::Unknown(error)),
            };
            found.extend(how.map(|how| Self {
                path,
                part,
                is_above: false,
                how,
            }));
            // A directory that cannot be looked at hides the file, too, and that has been noticed.
            for (path, exposure) in above.unwrap_or_default() {
                if !seen.insert(path.clone()) {
                    continue;
                }
                found.extend(How::of(exposure).map(|how| Self {
                    path,
                    part,
                    is_above: true,
                    how,
                }));
            }
        }
        found
    }

    /// Finds what others could change, for which a home is not opened.
    #[must_use]
    pub fn refused_in(home: &Home) -> Vec<Self> {
        let mut exposed = Self::in_home(home);
        exposed.retain(Self::is_refused);
        exposed
    }

    /// Returns the path of the file or directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns whether a home is not opened because of it: somebody else could change it. What others can only
    /// read is refused where it holds a key, when the key is used. What cannot be looked at cannot be opened,
    /// either. The list of trusted projects is refused where it is used.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        match self.how {
            _ if self.part == Part::Trusted => false,
            How::Mode(mode) => mode & WRITE != 0,
            How::Owner(_) => true,
            How::Unknown(_) => false,
        }
    }

    /// Returns whether it belongs to another user, who may put links there at any time.
    pub(crate) fn is_foreign(&self) -> bool {
        matches!(self.how, How::Owner(_))
    }

    /// Returns whether it is the list of trusted projects.
    pub(crate) fn is_of_trust(&self) -> bool {
        self.part == Part::Trusted
    }

    /// Returns what kind of problem it is, in a word that does not change.
    pub(crate) fn code(&self) -> &'static str {
        match self.part {
            _ if self.is_above => "directory-open",
            Part::Home => "home-open",
            Part::Store => "store-open",
            Part::Log => "audit-open",
            Part::Key => "key-open",
            Part::Pins => "pins-open",
            Part::Cache => "cache-open",
            Part::Config => "config-open",
            Part::Trusted => "trusted-open",
        }
    }

    /// Returns the mode that closes it to others, if that is all it needs and nothing else depends on its mode.
    pub(crate) fn private_mode(&self) -> Option<u32> {
        match (&self.how, self.part) {
            (How::Mode(_), _) if self.is_above => None,
            (How::Mode(_), Part::Home) => Some(0o700),
            (How::Mode(_), _) => Some(0o600),
            _ => None,
        }
    }

    /// Returns commands that fix it, or advice.
    #[must_use]
    pub fn fix(&self) -> Vec<String> {
        let path = word(&self.path);
        let user = geteuid();
        match self.how {
            How::Mode(_) => match self.private_mode() {
                Some(mode) => vec![format!("chmod {mode:o} {path}")],
                None => vec![format!("chmod go-w {path}"), self.another_place()],
            },
            // Root would leave files behind that the owner of the home cannot read.
            How::Owner(owner) if user.is_root() && (self.is_above || self.part == Part::Home) => {
                vec![format!("sudo -u '#{owner}' mcplexer …")]
            }
            How::Owner(_) if self.is_above => vec![self.another_place()],
            // The other user may have put a key of their own there.
            How::Owner(_) if self.part == Part::Key => {
                vec![format!("make a copy of {path} that you own")]
            }
            How::Owner(_) if user.is_root() => vec![format!("chown 0 {path}")],
            How::Owner(_) => vec![format!("sudo chown {} {path}", user.as_raw())],
            How::Unknown(_) => vec![format!("make {path} readable for you")],
        }
    }

    fn another_place(&self) -> String {
        let (variable, what) = match self.part {
            Part::Key => (KEY_VARIABLE, "key"),
            Part::Log => (AUDIT_VARIABLE, "audit log"),
            Part::Home | Part::Store | Part::Pins | Part::Cache | Part::Config | Part::Trusted => {
                (HOME_VARIABLE, "store")
            }
        };
        format!("{variable} names another place for the {what}")
    }
}

impl fmt::Display for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.how {
            How::Mode(mode) if mode & WRITE != 0 => {
                write!(f, "{path} is writable by others (mode {mode:04o})")?;
            }
            How::Mode(mode) => write!(f, "{path} is open to others (mode {mode:04o})")?,
            How::Owner(owner) => write!(f, "{path} belongs to another user (uid {owner})")?,
            How::Unknown(error) => write!(f, "cannot look at {path}: {error}")?,
        }
        match self.part {
            _ if !self.is_above => Ok(()),
            Part::Key => f.write_str(", and the key is in it"),
            Part::Log => f.write_str(", and the audit log is in it"),
            Part::Home | Part::Store | Part::Pins | Part::Cache | Part::Config | Part::Trusted => {
                f.write_str(", and the store is in it")
            }
        }
    }
}

impl How {
    fn of(exposure: Exposure) -> Option<Self> {
        match exposure {
            Exposure::None => None,
            Exposure::Mode(mode) => Some(Self::Mode(mode)),
            Exposure::Owner(owner) => Some(Self::Owner(owner)),
        }
    }
}

fn parts(home: &Home) -> Vec<(Part, PathBuf)> {
    let log = match home.audit() {
        AuditTarget::File(path) => path.clone(),
        _ => home.audit_log(),
    };
    let mut parts = vec![
        (Part::Home, home.directory().to_owned()),
        (Part::Log, log),
        (Part::Pins, home.pins()),
        (Part::Cache, home.store_cache()),
        (Part::Config, home.config()),
        (Part::Trusted, home.trusted()),
    ];
    if let Some(store) = home.store().file() {
        parts.push((Part::Store, store.to_owned()));
    }
    if let KeySource::File(key) = home.key() {
        parts.push((Part::Key, key.clone()));
    }
    parts
}

/// Formats a path as one word of a shell command, in which `~` may still take the place of its beginning.
pub(crate) fn word(path: &Path) -> String {
    let mut word = String::new();
    for character in path.display().to_string().chars() {
        if character.is_ascii()
            && !character.is_ascii_alphanumeric()
            && !"/._-+,:@%".contains(character)
        {
            word.push('\\');
        }
        word.push(character);
    }
    word
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::open::tests::home;

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn each_exposed_part_is_found_once() {
        let directory = tempfile::tempdir().unwrap();
        let home = home(&directory, "");
        assert!(Exposed::in_home(&home).is_empty());
        fs::create_dir(home.directory()).unwrap();
        let store = home.store().file().unwrap();
        fs::write(store, "").unwrap();
        fs::write(home.config(), "").unwrap();
        set_mode(&home.config(), 0o644);
        set_mode(home.directory(), 0o777);
        set_mode(store, 0o640);
        set_mode(directory.path(), 0o770);
        let found = Exposed::in_home(&home);
        let found: Vec<_> = found
            .iter()
            .map(|it| (it.code(), it.is_refused()))
            .collect();
        let expected = [
            ("home-open", true),
            ("directory-open", true),
            ("store-open", false),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_fix_is_a_command_of_words() {
        assert_eq!(word(Path::new("/a b/it's/é")), r"/a\ b/it\'s/é");
        let exposed = Exposed {
            path: PathBuf::from("/srv/a b"),
            part: Part::Key,
            is_above: true,
            how: How::Mode(0o2775),
        };
        assert_eq!(
            exposed.to_string(),
            "/srv/a b is writable by others (mode 2775), and the key is in it"
        );
        assert_eq!(exposed.fix()[0], r"chmod go-w /srv/a\ b");
    }
}
