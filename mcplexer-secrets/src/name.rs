//! The names of scopes and secrets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Longest scope id, in bytes.
pub const MAX_SCOPE_ID_LEN: usize = 64;
/// Longest secret name, in bytes.
pub const MAX_SECRET_NAME_LEN: usize = 128;

const SCOPE_RULE: &str = "1 to 64 of a-z 0-9 . _ -, beginning with a letter or digit";
const ENV_RULE: &str = "1 to 128 of A-Z a-z 0-9 _, not beginning with a digit";
const HEADER_RULE: &str =
    "1 to 128 of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~ (an RFC 9110 field name)";
/// What a name is before it is known in which scope.
const NAME_RULE: &str = "1 to 128 of A-Z a-z 0-9 _, not beginning with a digit; \
                         in a header scope, also of ! # $ % & ' * + - . ^ ` | ~, beginning with any";

/// Why a text is not a name.
///
/// Errors do not repeat the text: a value typed in the wrong place must not end up in a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// The text is empty.
    #[error("empty {what}; it is {rule}")]
    Empty {
        /// What was being named: `scope id` or `secret name`.
        what: &'static str,
        /// The rule, in words.
        rule: &'static str,
    },
    /// The name is too long.
    #[error("{what} of {len} bytes is too long; it is {rule}")]
    TooLong {
        /// What was being named.
        what: &'static str,
        /// Its length in bytes.
        len: usize,
        /// The rule, in words.
        rule: &'static str,
    },
    /// A character is not allowed there.
    #[error("{what} has {character:?} at character {position}; it is {rule}")]
    Character {
        /// What was being named.
        what: &'static str,
        /// The first character that is not allowed.
        character: char,
        /// Its position, counted from 1.
        position: usize,
        /// The rule, in words.
        rule: &'static str,
    },
}

impl InvalidName {
    /// Returns what the text should have named: `scope id` or `secret name`.
    #[must_use]
    pub fn what(&self) -> &'static str {
        match self {
            Self::Empty { what, .. }
            | Self::TooLong { what, .. }
            | Self::Character { what, .. } => what,
        }
    }

    /// Returns the rule that the text breaks, in words.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Empty { rule, .. }
            | Self::TooLong { rule, .. }
            | Self::Character { rule, .. } => rule,
        }
    }
}

/// Checks `text` against a maximum length and a rule for the character at each position.
fn check(
    text: &str,
    what: &'static str,
    rule: &'static str,
    max: usize,
    fits: fn(usize, char) -> bool,
) -> Result<(), InvalidName> {
    if text.is_empty() {
        return Err(InvalidName::Empty { what, rule });
    }
    if let Some((at, character)) = text.chars().enumerate().find(|&(at, c)| !fits(at, c)) {
        return Err(InvalidName::Character {
            what,
            character,
            position: at + 1,
            rule,
        });
    }
    if text.len() > max {
        return Err(InvalidName::TooLong {
            what,
            len: text.len(),
            rule,
        });
    }
    Ok(())
}

/// The id of an auth scope: `[a-z0-9][a-z0-9._-]{0,63}`.
///
/// ```
/// use mcplexer_secrets::ScopeId;
/// let scope: ScopeId = "github-token".parse()?;
/// assert_eq!(scope.as_str(), "github-token");
/// assert!("GitHub".parse::<ScopeId>().is_err());
/// # Ok::<(), mcplexer_secrets::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ScopeId(String);

/// The name of a secret within its scope; `<key>` on the command line.
///
/// It is an RFC 9110 field name (`token`) of at most 128 bytes. In a scope of kind
/// [`Env`](ScopeKind::Env), only names of the form `[A-Za-z_][A-Za-z0-9_]*` can be put.
///
/// ```
/// use mcplexer_secrets::SecretName;
/// let name: SecretName = "GITHUB_PERSONAL_ACCESS_TOKEN".parse()?;
/// assert!("a=b".parse::<SecretName>().is_err());
/// # Ok::<(), mcplexer_secrets::InvalidName>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SecretName(String);

impl ScopeId {
    /// Returns the id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl SecretName {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// RFC 9110, section 5.6.2: `tchar`.
fn is_tchar(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

impl TryFrom<String> for ScopeId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        check(&text, "scope id", SCOPE_RULE, MAX_SCOPE_ID_LEN, |at, c| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || (at > 0 && "._-".contains(c))
        })?;
        Ok(Self(text))
    }
}

impl TryFrom<String> for SecretName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        let max = MAX_SECRET_NAME_LEN;
        check(&text, "secret name", NAME_RULE, max, |_, c| is_tchar(c))?;
        Ok(Self(text))
    }
}

impl FromStr for ScopeId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::try_from(text.to_owned())
    }
}

impl FromStr for SecretName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Self::try_from(text.to_owned())
    }
}

impl From<ScopeId> for String {
    fn from(id: ScopeId) -> Self {
        id.0
    }
}

impl From<SecretName> for String {
    fn from(name: SecretName) -> Self {
        name.0
    }
}

impl fmt::Display for ScopeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How the secrets of a scope reach a tool server. This determines what their names look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ScopeKind {
    /// As environment variables: names are `[A-Za-z_][A-Za-z0-9_]*`.
    #[default]
    Env,
    /// As HTTP header fields: names are RFC 9110 field names.
    Header,
    /// As an OAuth 2.0 bearer token (RFC 6750). The scope holds tokens and client credentials (RFC
    /// 6749), of which a server gets only `ACCESS_TOKEN`. Names are as in an `env` scope.
    OAuth2,
}

impl ScopeKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Env, Self::Header, Self::OAuth2];

    /// Returns the kind as text: `env`, `header` or `oauth2`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Header => "header",
            Self::OAuth2 => "oauth2",
        }
    }

    /// Returns the rule for the names of secrets in a scope of this kind, in words.
    #[must_use]
    pub fn name_rule(self) -> &'static str {
        match self {
            Self::Header => HEADER_RULE,
            Self::Env | Self::OAuth2 => ENV_RULE,
        }
    }

    /// Checks whether a secret in a scope of this kind can have this name.
    ///
    /// # Errors
    /// [`InvalidName`] with the rule of this kind.
    pub fn check(self, name: &SecretName) -> Result<(), InvalidName> {
        let what = match self {
            Self::Env => "secret name in an env scope",
            Self::OAuth2 => "secret name in an oauth2 scope",
            Self::Header => return Ok(()),
        };
        check(&name.0, what, ENV_RULE, MAX_SECRET_NAME_LEN, |at, c| {
            c == '_' || c.is_ascii_alphabetic() || (at > 0 && c.is_ascii_digit())
        })
    }
}

impl fmt::Display for ScopeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_ids_are_lower_case_and_at_most_64_bytes() {
        for good in ["a", "0", "github-token", "a.b_c-9", &"x".repeat(64)] {
            assert!(good.parse::<ScopeId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".a",
            "A",
            "a b",
            "a/b",
            "a\n",
            "ä",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<ScopeId>().is_err(), "{bad:?}");
        }
    }

    /// F18: secret names are checked where they enter.
    #[test]
    fn secret_names_refuse_what_an_environment_or_a_header_cannot_carry() {
        for bad in ["", "a=b", "a\0b", "a\nb", "a b", "a:b", &"x".repeat(129)] {
            assert!(bad.parse::<SecretName>().is_err(), "{bad:?}");
        }
        let header: SecretName = "X-Api-Key".parse().unwrap();
        assert!(ScopeKind::Header.check(&header).is_ok());
        assert!(ScopeKind::Env.check(&header).is_err());
        assert!(ScopeKind::OAuth2.check(&header).is_err());
        let digit: SecretName = "9A".parse().unwrap();
        assert!(ScopeKind::Env.check(&digit).is_err());
        let longest: SecretName = "x".repeat(128).parse().unwrap();
        assert!(ScopeKind::Env.check(&longest).is_ok());
    }

    #[test]
    fn an_error_says_where_and_does_not_repeat_the_text() {
        let error = "ghp_abc=123".parse::<SecretName>().unwrap_err().to_string();
        assert!(error.contains("'=' at character 8"), "{error}");
        assert!(!error.contains("ghp_abc"), "{error}");
    }
}
