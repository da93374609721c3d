//! Where a password comes from.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::tls::expand;

/// A place that has the password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    /// The first line of a file.
    File(PathBuf),
    /// A file of passwords for several databases, as PostgreSQL's own programs read it:
    /// <https://www.postgresql.org/docs/current/libpq-pgpass.html>.
    List(PathBuf),
    /// The same file where nobody has named it. It is ignored if it cannot be read, or if
    /// other users can read it.
    OfHome(PathBuf),
}

/// What a password is for.
#[derive(Debug)]
pub(crate) struct Login<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: &'a str,
    pub(crate) database: &'a str,
    pub(crate) user: &'a str,
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("cannot read the password from {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} has passwords in it and can be read by other users; run: chmod 600 {path}")]
    Exposed { path: PathBuf },
}

impl Source {
    /// The list that the environment names, or else the one in the home directory.
    pub(crate) fn of_environment(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let variable = |name| variable(name).filter(|it| !it.is_empty());
        match variable("PGPASSFILE") {
            Some(path) => Some(Self::List(path.into())),
            None => variable("HOME").map(|home| Self::OfHome(PathBuf::from(home).join(".pgpass"))),
        }
    }

    /// Says what `~` stands for.
    pub(crate) fn expand(&mut self, home: &Path) {
        match self {
            Self::File(path) | Self::List(path) | Self::OfHome(path) => expand(path, home),
        }
    }

    /// Reads the password; `None` if nothing gives one for this login.
    pub(crate) fn read(
        &self,
        login: &Login<'_>,
    ) -> Result<Option<Zeroizing<Vec<u8>>>, PasswordError> {
        match self {
            Self::File(path) => {
                let content = content(path, false)?;
                let line = content.split(|byte| *byte == b'\n').next();
                Ok(line.map(|it| Zeroizing::new(it.strip_suffix(b"\r").unwrap_or(it).to_vec())))
            }
            Self::List(path) => Ok(password_of(&content(path, true)?, login)),
            Self::OfHome(path) => {
                let content = content(path, true).ok();
                Ok(content.and_then(|it| password_of(&it, login)))
            }
        }
    }
}

/// The password in the first line that is for this login.
fn password_of(list: &[u8], login: &Login<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let mut lines = list.split(|byte| *byte == b'\n');
    lines.find_map(|line| password_in(line, login))
}

fn content(path: &Path, is_private: bool) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let failed = |source| PasswordError::Read {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(failed)?;
    if is_private && is_exposed(&file).map_err(failed)? {
        let path = path.to_owned();
        return Err(PasswordError::Exposed { path });
    }
    let mut content = Zeroizing::new(Vec::with_capacity(4096));
    file.read_to_end(&mut content).map_err(failed)?;
    Ok(content)
}

/// Whether users besides the owner can read it.
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(file.metadata()?.mode() & 0o077 != 0)
}

/// The password in a line `host:port:database:user:password`, if the line is for this login. A `*` fits everything, and
/// a backslash takes its meaning from a colon or a backslash.
fn password_in(line: &[u8], login: &Login<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.starts_with(b"#") {
        return None;
    }
    let mut fields = vec![Zeroizing::new(Vec::with_capacity(line.len()))];
    let mut bytes = line.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            // A colon in the password needs no backslash.
            b':' if fields.len() < 5 => {
                fields.push(Zeroizing::new(Vec::with_capacity(line.len())));
            }
            b'\\' => fields.last_mut()?.extend(bytes.next()),
            byte => fields.last_mut()?.push(*byte),
        }
    }
    let password = fields.pop()?;
    let wanted = [login.host, login.port, login.database, login.user];
    let mut pairs = fields.iter().zip(wanted);
    let fits = fields.len() == wanted.len()
        && pairs.all(|(field, wanted)| ***field == *b"*" || ***field == *wanted.as_bytes());
    fits.then_some(password)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const LOGIN: Login<'static> = Login {
        host: "db",
        port: "5432",
        database: "team",
        user: "ann",
    };

    fn read(source: &Source) -> Option<Vec<u8>> {
        let password = source.read(&LOGIN).unwrap();
        password.map(|it| it.to_vec())
    }

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pgpass");
        let list = Source::List(path.clone());
        for (content, expected) in [
            ("db:5432:team:ann:one\ndb:*:*:*:two", Some("one")),
            ("#db:5432:team:ann:one\n*:*:*:ann:two\r\n", Some("two")),
            ("db:5432:team:bob:one\ndb:5432:other:ann:two", None),
            ("*:*:*:*:a\\:b\\\\c:d", Some("a:b\\c:d")),
            ("db:5432:team:one", None),
            ("", None),
        ] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let password = read(&list);
            assert_eq!(
                password.as_deref(),
                expected.map(str::as_bytes),
                "{content}"
            );
        }
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = list.read(&LOGIN);
        assert!(matches!(refused, Err(PasswordError::Exposed { .. })));
        fs::write(&path, "*:*:*:*:one").unwrap();
        let of_home = Source::OfHome(path.clone());
        assert_eq!(read(&of_home), None);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(read(&of_home).unwrap(), b"one");
        fs::write(&path, "one\r\ntwo\n").unwrap();
        assert_eq!(read(&Source::File(path)).unwrap(), b"one");
        let missing = Source::OfHome(directory.path().join("missing"));
        assert_eq!(read(&missing), None);
        let missing = Source::File(directory.path().join("missing")).read(&LOGIN);
        assert!(matches!(missing, Err(PasswordError::Read { .. })));
    }
}
