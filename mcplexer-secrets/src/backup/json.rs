//! The JSON of a backup, as `docs/backup.md` describes it.

use std::fmt;
use std::io::{self, Write};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

use super::{BACKUP_VERSION, BackupValue};
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
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    pub(crate) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Writes the JSON of a backup piece by piece, so that only one value is in memory at a time.
pub(crate) struct JsonWriter<W: Write> {
    to: W,
    scopes: u64,
    secrets: u64,
}

#[derive(Serialize)]
struct SecretRow<'a> {
    name: &'a SecretName,
    version: u64,
    #[serde(with = "time_text")]
    created: Timestamp,
    #[serde(with = "time_text")]
    updated: Timestamp,
    value: ValueRow<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ValueRow<'a> {
    Text(&'a str),
    Base64(&'a str),
}

/// A secret without its value.
pub(crate) struct SecretHead<'a> {
    pub(crate) name: &'a SecretName,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

/// A scope without its secrets.
pub(crate) struct ScopeHead<'a> {
    pub(crate) id: &'a ScopeId,
    pub(crate) kind: ScopeKind,
    pub(crate) display_name: Option<&'a str>,
    pub(crate) redaction_hints: &'a [SecretName],
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
        })
    }

    pub(crate) fn scope(&mut self, scope: &ScopeHead<'_>) -> io::Result<()> {
        let end = if self.scopes > 0 { "\n]}," } else { "" };
        let name = serde_json::to_string(&scope.display_name)?;
        let hints = serde_json::to_string(&scope.redaction_hints)?;
        write!(
            self.to,
            "{end}\n{{\"id\":\"{}\",\"kind\":\"{}\",\"display_name\":{name},\"redaction_hints\":{hints},\"created\":\"{}\",\"secrets\":[",
            scope.id, scope.kind, scope.created
        )?;
        self.scopes += 1;
        self.secrets = 0;
        Ok(())
    }

    pub(crate) fn secret(&mut self, head: &SecretHead<'_>, value: &[u8]) -> io::Result<()> {
        let encoded;
        let value = match str::from_utf8(value) {
            Ok(text) => ValueRow::Text(text),
            Err(_) => {
                encoded = Zeroizing::new(BASE64_STANDARD.encode(value));
                ValueRow::Base64(&encoded)
            }
        };
        let comma = if self.secrets > 0 { ",\n" } else { "\n" };
        self.to.write_all(comma.as_bytes())?;
        self.secrets += 1;
        let row = SecretRow {
            name: head.name,
            version: head.version,
            created: head.created,
            updated: head.updated,
            value,
        };
        Ok(serde_json::to_writer(&mut self.to, &row)?)
    }

    pub(crate) fn end(mut self) -> io::Result<W> {
        let end = if self.scopes > 0 { "\n]}" } else { "" };
        writeln!(self.to, "{end}\n]}}")?;
        Ok(self.to)
    }
}
