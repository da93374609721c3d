//! The JSON of a backup, as `docs/backup.md` describes it.

use std::fmt;
use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::{Zeroize, Zeroizing};

use super::{BACKUP_VERSION, BackupValue};
use crate::record::Entry;
use crate::{ScopeId, ScopeKind, SecretName, SecretValue, Timestamp};

const FORMAT: &str = "mcplexer-backup";

/// The word by which a backup differs from other JSON.
#[derive(Debug)]
pub(super) struct Format;

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text == FORMAT {
            true => Ok(Self),
            false => Err(serde::de::Error::custom("its format is another")),
        }
    }
}

/// A value: text unchanged, other bytes in base64.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum ValueText {
    Text(String),
    Base64(String),
}

impl<'de> Deserialize<'de> for BackupValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = match ValueText::deserialize(deserializer)? {
            ValueText::Text(text) => Ok(text.into_bytes()),
            ValueText::Base64(mut text) => {
                let bytes = BASE64_STANDARD.decode(&text);
                text.zeroize();
                bytes
            }
        };
        // The error must not repeat the value.
        let value = bytes.ok().and_then(|bytes| SecretValue::new(bytes).ok());
        let invalid =
            || serde::de::Error::custom("a value is not 1 byte to 1 MiB of text or base64");
        value.map(Self).ok_or_else(invalid)
    }
}

/// Times as RFC 3339.
pub(super) mod time_text {
    use super::{Deserialize, Deserializer, Timestamp};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Times as RFC 3339, or `null`.
pub(super) mod optional_time_text {
    use super::{Deserialize, Deserializer, Timestamp};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        let time = text.map(|text| text.parse().map_err(serde::de::Error::custom));
        time.transpose()
    }
}

/// Writes the JSON of a backup piece by piece, so that only one value is in memory at a time.
pub(crate) struct JsonWriter<W: Write> {
    to: W,
    scopes: u64,
    /// Secrets of the scope so far.
    secrets: u64,
    /// Earlier versions of the secret so far.
    earlier: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ValueRow<'a> {
    Text(&'a str),
    Base64(&'a str),
}

/// A version of a secret without its value.
pub(crate) struct VersionHead<'a> {
    /// Describes this version.
    pub(crate) entry: &'a Entry,
    /// Whether it is the current one, after which the earlier ones are written.
    pub(crate) is_current: bool,
    /// How many versions of this secret follow.
    pub(crate) left: usize,
}

impl VersionHead<'_> {
    /// Writes the members before the value, and what separates them from what was written before.
    fn begin(&self, to: &mut impl Write, is_first: bool) -> io::Result<()> {
        let comma = if is_first { "" } else { "," };
        let entry = self.entry;
        if self.is_current {
            write!(
                to,
                "{comma}\n{{\"name\":\"{}\",\"created\":\"{}\",",
                entry.name, entry.created
            )?;
            if let Some(note) = &entry.note {
                write!(to, "\"note\":{},", serde_json::to_string(note)?)?;
            }
            if let Some(expires) = entry.expires {
                write!(to, "\"expires\":\"{expires}\",")?;
            }
            if let Some(every) = entry.rotate_every {
                write!(to, "\"rotate_every_days\":{},", every.days())?;
            }
        } else {
            write!(to, "{comma}\n  {{")?;
        }
        write!(
            to,
            "\"version\":{},\"revision\":{},\"updated\":\"{}\",\"value\":",
            entry.version, entry.revision, entry.updated
        )
    }

    /// Writes what follows the value.
    fn end(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(match (self.is_current, self.left) {
            (true, 0) => b"}",
            (true, _) => b",\"earlier\":[",
            (false, 0) => b"}]}",
            (false, _) => b"}",
        })
    }
}

/// A scope without its secrets.
pub(crate) struct ScopeHead<'a> {
    pub(crate) id: &'a ScopeId,
    pub(crate) kind: ScopeKind,
    pub(crate) display_name: Option<&'a str>,
    pub(crate) redaction_hints: &'a [SecretName],
    pub(crate) keep_versions: u8,
    pub(crate) created: Timestamp,
}

impl<W: Write> JsonWriter<W> {
    pub(crate) fn begin(mut to: W, store: &dyn fmt::Display) -> io::Result<Self> {
        let created = Timestamp::now();
        write!(
            to,
            "{{\"format\":\"{FORMAT}\",\"version\":{BACKUP_VERSION},\"created\":\"{created}\",\"store\":\"{store}\",\"scopes\":["
        )?;
        Ok(Self {
            to,
            scopes: 0,
            secrets: 0,
            earlier: 0,
        })
    }

    pub(crate) fn scope(&mut self, scope: &ScopeHead<'_>) -> io::Result<()> {
        let end = if self.scopes > 0 { "\n]}," } else { "" };
        let name = serde_json::to_string(&scope.display_name)?;
        let hints = serde_json::to_string(&scope.redaction_hints)?;
        write!(
            self.to,
            "{end}\n{{\"id\":\"{}\",\"kind\":\"{}\",\"display_name\":{name},\"redaction_hints\":{hints},\"keep_versions\":{},\"created\":\"{}\",\"secrets\":[",
            scope.id, scope.kind, scope.keep_versions, scope.created
        )?;
        self.scopes += 1;
        self.secrets = 0;
        Ok(())
    }

    /// Writes a version of a secret: first the current one, and then the earlier ones.
    pub(crate) fn version(&mut self, head: &VersionHead<'_>, value: &[u8]) -> io::Result<()> {
        let encoded;
        let value = match str::from_utf8(value) {
            Ok(text) => ValueRow::Text(text),
            Err(_) => {
                encoded = Zeroizing::new(BASE64_STANDARD.encode(value));
                ValueRow::Base64(&encoded)
            }
        };
        let is_first = match head.is_current {
            true => self.secrets == 0,
            false => self.earlier == 0,
        };
        head.begin(&mut self.to, is_first)?;
        serde_json::to_writer(&mut self.to, &value)?;
        head.end(&mut self.to)?;
        if head.is_current {
            self.secrets += 1;
            self.earlier = 0;
        } else {
            self.earlier += 1;
        }
        Ok(())
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        let end = if self.scopes > 0 { "\n]}" } else { "" };
        write!(self.to, "{end}\n]}}")?;
        Ok(self.to)
    }
}
