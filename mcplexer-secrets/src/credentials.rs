//! The opened secrets of a scope, on their way to a tool server.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::process::Command;

use crate::{Error, ScopeId, ScopeKind, SecretInfo, SecretName, SecretValue};

/// Longest `NAME=value` that Linux hands to a program, in bytes: 32 pages of 4 KiB, less the NUL at
/// its end (execve(2), `MAX_ARG_STRLEN`).
const MAX_ENV_ENTRY_LEN: usize = 32 * 4096 - 1;

/// The secret of an `oauth2` scope that is passed to a server: RFC 6749, section 1.4.
const ACCESS_TOKEN: &str = "ACCESS_TOKEN";

/// Selects secrets of a scope.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Select<'a> {
    /// All of them.
    All,
    /// These. It is an error if one does not exist.
    Only(&'a [SecretName]),
    /// Those of these that exist.
    AnyOf(&'a [SecretName]),
}

/// What secrets are opened for. The audit log says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose<'a> {
    /// To give them to a program, or to write them into a text.
    Inject {
        /// The program, if there is one.
        program: Option<&'a str>,
    },
    /// To write them to a file.
    Export,
    /// To search for them. They go nowhere.
    Scan,
}

/// The opened secrets of one scope, by name.
///
/// They are opened together, from one state of the store, and wiped on drop.
///
/// ```
/// use std::process::Command;
/// use mcplexer_secrets::keys::FixedKeys;
/// use mcplexer_secrets::{NewScope, Purpose, PutMode, SecretStore, SecretValue, Select, Store};
///
/// # fn main() -> Result<(), mcplexer_secrets::Error> {
/// # let store = Store::in_memory(FixedKeys::generate())?;
/// # let value = SecretValue::new(b"ghp_abc123".to_vec())?;
/// let scope = "github-token".parse()?;
/// # store.put(&NewScope::env("github-token".parse()?), &"TOKEN".parse()?, &value, PutMode::Overwrite)?;
/// let purpose = Purpose::Inject { program: Some("github-mcp-server") };
/// let mut server = Command::new("github-mcp-server");
/// store.credentials(&scope, Select::All, purpose)?.apply_env(&mut server)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Credentials {
    scope: ScopeId,
    kind: ScopeKind,
    secrets: Vec<(SecretName, SecretValue)>,
    due: Vec<SecretInfo>,
}

/// One opened secret of a scope.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Credential<'a> {
    /// The scope it belongs to.
    pub scope: &'a ScopeId,
    /// Its name.
    pub name: &'a SecretName,
    /// Its value.
    pub value: &'a SecretValue,
}

/// Why a value cannot be passed on in this form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotCarried {
    /// It has a NUL byte, where an environment variable would end.
    Nul,
    /// With its name it is longer than an environment variable can be: 128 KiB on Linux.
    TooLong,
    /// It is an HTTP header field: its scope is of kind [`Header`](ScopeKind::Header).
    HeaderField,
    /// It is an environment variable: its scope is of kind [`Env`](ScopeKind::Env).
    Variable,
    /// It is an OAuth 2.0 credential: its scope is of kind [`OAuth2`](ScopeKind::OAuth2).
    OAuth2,
    /// It is not the value of a header field: visible ASCII, bytes above 127, and spaces and tabs
    /// between them (RFC 9110, section 5.5).
    NotAFieldValue,
}

impl fmt::Display for NotCarried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nul => "cannot be an environment variable: it has a NUL byte",
            Self::TooLong => "cannot be an environment variable: it is longer than 128 KiB",
            Self::HeaderField => "is an HTTP header field, not an environment variable",
            Self::Variable => "is an environment variable, not an HTTP header field",
            Self::OAuth2 => "is an OAuth 2.0 credential, not an environment variable",
            Self::NotAFieldValue => {
                "cannot be an HTTP header field: it has a line end or another control character, or a space at an end"
            }
        })
    }
}

impl Credentials {
    /// Wraps the secrets that an implementation of
    /// [`SecretStore::credentials`](crate::SecretStore::credentials) has opened.
    #[must_use]
    pub fn new(scope: ScopeId, kind: ScopeKind, secrets: Vec<(SecretName, SecretValue)>) -> Self {
        Self {
            scope,
            kind,
            secrets,
            due: Vec::new(),
        }
    }

    /// Adds what is known of those secrets that are to be replaced by now.
    #[must_use]
    pub fn with_due(mut self, due: Vec<SecretInfo>) -> Self {
        self.due = due;
        self
    }

    /// Returns those of the secrets that had expired, or were to be rotated, when they were opened.
    #[must_use]
    pub fn due(&self) -> &[SecretInfo] {
        &self.due
    }

    /// Returns the scope.
    #[must_use]
    pub fn scope(&self) -> &ScopeId {
        &self.scope
    }

    /// Returns how the scope's secrets reach a tool server.
    #[must_use]
    pub fn kind(&self) -> ScopeKind {
        self.kind
    }

    /// Whether there are no secrets.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// Returns each secret, sorted by name if the store selected them all.
    pub fn iter(&self) -> impl Iterator<Item = Credential<'_>> {
        self.secrets.iter().map(|(name, value)| Credential {
            scope: &self.scope,
            name,
            value,
        })
    }

    /// Returns the value of one secret.
    #[must_use]
    pub fn get(&self, name: &SecretName) -> Option<&SecretValue> {
        let found = self.secrets.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value)
    }

    /// Adds each secret to the environment of `command`, its bytes unchanged.
    ///
    /// # Errors
    /// [`Error::NotCarried`] if the scope is not of kind `env`, or a value cannot be a variable. The
    /// command gets none of the secrets then.
    pub fn apply_env(&self, command: &mut Command) -> Result<(), Error> {
        if let (Err(reason), Some(first)) = (self.kind.gives_variables(), self.iter().next()) {
            return Err(first.not_carried(reason));
        }
        let variables = self.iter().map(|it| {
            let name = it.name.as_str();
            Ok((name, it.env_value(name)?))
        });
        command.envs(variables.collect::<Result<Vec<_>, Error>>()?);
        Ok(())
    }

    /// Returns the names and values of HTTP header fields.
    ///
    /// * A `header` scope: each secret.
    /// * An `oauth2` scope: `Authorization`, with `ACCESS_TOKEN` as the bearer token (RFC 6750,
    ///   section 2.1).
    ///
    /// # Errors
    /// * [`Error::NotCarried`] if this is an `env` scope, or a header field cannot have a value.
    /// * [`Error::SecretNotFound`] if there is no `ACCESS_TOKEN`.
    pub fn header_fields(&self) -> Result<Vec<(&str, SecretValue)>, Error> {
        if self.kind == ScopeKind::OAuth2 {
            let token = self.iter().find(|it| it.name.as_str() == ACCESS_TOKEN);
            let token = token.ok_or_else(|| self.lacks(ACCESS_TOKEN))?;
            return Ok(vec![("Authorization", token.field_value("Bearer ")?)]);
        }
        let fields = self.iter().map(|it| match self.kind {
            ScopeKind::Env => Err(it.not_carried(NotCarried::Variable)),
            _ => Ok((it.name.as_str(), it.field_value("")?)),
        });
        fields.collect()
    }

    fn lacks(&self, name: &str) -> Error {
        name.parse().map_or_else(Error::InvalidName, |name| {
            let scope = self.scope.clone();
            Error::SecretNotFound { scope, name }
        })
    }
}

impl ScopeKind {
    /// Fails unless the secrets of such a scope are environment variables.
    ///
    /// # Errors
    /// What they are instead.
    pub fn gives_variables(self) -> Result<(), NotCarried> {
        match self {
            Self::Env => Ok(()),
            Self::Header => Err(NotCarried::HeaderField),
            Self::OAuth2 => Err(NotCarried::OAuth2),
        }
    }
}

impl<'a> Credential<'a> {
    /// Names a secret that is stored, or is about to be.
    #[must_use]
    pub fn new(scope: &'a ScopeId, name: &'a SecretName, value: &'a SecretValue) -> Self {
        Self { scope, name, value }
    }

    /// Returns the value as that of the environment variable `variable`.
    ///
    /// # Errors
    /// [`Error::NotCarried`] if it has a NUL byte or is too long.
    pub fn env_value(&self, variable: &str) -> Result<&'a OsStr, Error> {
        let value = self.value.expose();
        if value.contains(&0) {
            return Err(self.not_carried(NotCarried::Nul));
        }
        if variable.len() + 1 + value.len() > MAX_ENV_ENTRY_LEN {
            return Err(self.not_carried(NotCarried::TooLong));
        }
        Ok(OsStr::from_bytes(value))
    }

    /// Returns the value after a prefix, as a header field's: RFC 9110, section 5.5, `field-value`.
    fn field_value(&self, prefix: &str) -> Result<SecretValue, Error> {
        let value = self.value.expose();
        let allowed = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
        let blank = |byte: Option<&u8>| matches!(byte, Some(b'\t' | b' '));
        let fits = value.iter().all(allowed) && !blank(value.first()) && !blank(value.last());
        let field = fits.then(|| [prefix.as_bytes(), value].concat());
        let field = field.and_then(|field| SecretValue::new(field).ok());
        field.ok_or_else(|| self.not_carried(NotCarried::NotAFieldValue))
    }

    pub(crate) fn not_carried(&self, reason: NotCarried) -> Error {
        Error::NotCarried {
            scope: self.scope.clone(),
            name: self.name.clone(),
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(kind: ScopeKind, name: &str, value: &[u8]) -> Credentials {
        let value = SecretValue::copy_of(value).unwrap();
        let secrets = vec![(name.parse().unwrap(), value)];
        Credentials::new("s".parse().unwrap(), kind, secrets)
    }

    fn reason<T: fmt::Debug>(result: Result<T, Error>) -> NotCarried {
        match result {
            Err(Error::NotCarried { reason, .. }) => reason,
            other => panic!("{other:?}"),
        }
    }

    /// F04, F05: bytes arrive unchanged.
    #[test]
    fn a_variable_has_the_bytes_of_the_value() {
        for value in [&b"pa$$w0rd ${HOME} `id`"[..], b"\xff\xfe\n", b"=", b" x "] {
            let mut command = Command::new("true");
            let env = credentials(ScopeKind::Env, "K", value);
            env.apply_env(&mut command).unwrap();
            let (name, given) = command.get_envs().next().unwrap();
            assert_eq!(name, "K");
            assert_eq!(given.unwrap().as_bytes(), value);
        }
    }

    /// F43: a value that cannot arrive whole does not arrive at all.
    #[test]
    fn what_an_environment_cannot_hold_is_refused() {
        let longest = vec![b'x'; MAX_ENV_ENTRY_LEN - 2];
        let mut command = Command::new("/bin/sh");
        command.args(["-c", ":"]);
        let mut apply = |kind, value: &[u8]| credentials(kind, "K", value).apply_env(&mut command);
        assert_eq!(reason(apply(ScopeKind::Env, b"a\0b")), NotCarried::Nul);
        let too_long = [&longest[..], b"x"].concat();
        assert_eq!(
            reason(apply(ScopeKind::Env, &too_long)),
            NotCarried::TooLong
        );
        let header = apply(ScopeKind::Header, b"x");
        assert_eq!(reason(header), NotCarried::HeaderField);
        assert_eq!(command.get_envs().count(), 0);
        let env = credentials(ScopeKind::Env, "K", &longest);
        env.apply_env(&mut command).unwrap();
        assert!(command.status().unwrap().success());
    }

    #[test]
    fn a_header_field_has_no_line_end_and_no_space_at_its_ends() {
        let field = |value: &[u8]| {
            let header = credentials(ScopeKind::Header, "X-Api-Key", value);
            let fields = header.header_fields();
            fields.map(|fields| {
                let (name, value) = &fields[0];
                ((*name).to_owned(), value.expose().to_vec())
            })
        };
        for good in [&b"Bearer a\tb"[..], "ü".as_bytes(), b"!~"] {
            let expected = ("X-Api-Key".to_owned(), good.to_vec());
            assert_eq!(field(good).unwrap(), expected);
        }
        for bad in [&b"a\r\nX: y"[..], b"a\n", b" a", b"a\t", b"a\0", b"\x7f"] {
            assert_eq!(reason(field(bad)), NotCarried::NotAFieldValue);
        }
        let env = credentials(ScopeKind::Env, "K", b"v");
        assert_eq!(reason(env.header_fields()), NotCarried::Variable);
    }

    /// RFC 6750, section 2.1.
    #[test]
    fn an_access_token_is_a_bearer_token_and_no_variable() {
        let oauth2 = credentials(ScopeKind::OAuth2, "ACCESS_TOKEN", b"abc.d-e");
        let fields = oauth2.header_fields().unwrap();
        let [(name, value)] = &fields[..] else {
            panic!("{fields:?}")
        };
        assert_eq!(
            (*name, value.expose()),
            ("Authorization", &b"Bearer abc.d-e"[..])
        );
        let mut command = Command::new("true");
        assert_eq!(reason(oauth2.apply_env(&mut command)), NotCarried::OAuth2);
        assert_eq!(command.get_envs().count(), 0);

        let broken = credentials(ScopeKind::OAuth2, "ACCESS_TOKEN", b"abc\n");
        assert_eq!(reason(broken.header_fields()), NotCarried::NotAFieldValue);
        let without = credentials(ScopeKind::OAuth2, "REFRESH_TOKEN", b"abc");
        let error = without.header_fields().unwrap_err().to_string();
        assert_eq!(error, "no secret ACCESS_TOKEN in scope s");
    }
}
