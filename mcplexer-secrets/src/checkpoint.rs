//! A line that fixes a state of a store and its audit log, to be kept elsewhere.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use crate::StoreId;
use crate::audit::AuditPosition;
use crate::record::Context;

const PREFIX: &str = "mcplexer-checkpoint-1";

/// A state of a store and of its audit log. Kept where an attacker cannot write, it shows later that neither was put back
/// to an earlier state, nor both together.
///
/// `Display` writes it as one line; `FromStr` parses that. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    pub(crate) store: StoreId,
    pub(crate) generation: u64,
    pub(crate) revision: u64,
    pub(crate) position: AuditPosition,
    /// Tells the private key that made it from others; empty if it has no claim key.
    pub(crate) claimant: String,
    /// The generation of the claim key.
    pub(crate) since: u64,
    /// Over all of the above, under the claim key, or else under the root key.
    pub(crate) mac: [u8; 32],
}

impl Checkpoint {
    /// Returns the revision of the store.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns the number of the last line of the log.
    #[must_use]
    pub fn line(&self) -> u64 {
        self.position.line
    }

    pub(crate) fn context(&self) -> Context<'_> {
        Context::Checkpoint {
            store: self.store,
            generation: self.generation,
            revision: self.revision,
            log: &self.position.log,
            line: self.position.line,
            hash: &self.position.hash,
            since: self.since,
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        write!(
            f,
            "{PREFIX} store={} generation={} revision={} log={} line={} hash={} key={} since={} mac={}",
            self.store,
            self.generation,
            self.revision,
            encode(&self.position.log),
            self.position.line,
            encode(&self.position.hash),
            self.claimant,
            self.since,
            encode(&self.mac)
        )
    }
}

impl FromStr for Checkpoint {
    type Err = InvalidCheckpoint;

    fn from_str(text: &str) -> Result<Self, InvalidCheckpoint> {
        let mut words = text.split_whitespace();
        if words.next() != Some(PREFIX) {
            return Err(InvalidCheckpoint::Prefix);
        }
        let mut member = |name: &'static str| {
            let value = words.next().and_then(|word| word.strip_prefix(name));
            let value = value.and_then(|value| value.strip_prefix('='));
            value.ok_or(InvalidCheckpoint::Member(name))
        };
        let number = |name, text: &str| text.parse().map_err(|_| InvalidCheckpoint::Member(name));
        let bytes = |name, text: &str| {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok();
            let bytes = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
            bytes.ok_or(InvalidCheckpoint::Member(name))
        };
        let store = StoreId::parse(member("store")?).ok_or(InvalidCheckpoint::Member("store"))?;
        let generation = number("generation", member("generation")?)?;
        let revision = number("revision", member("revision")?)?;
        let position = AuditPosition {
            log: bytes("log", member("log")?)?,
            line: number("line", member("line")?)?,
            offset: 0,
            hash: bytes("hash", member("hash")?)?,
        };
        let claimant = member("key")?.to_owned();
        let since = number("since", member("since")?)?;
        let mac = bytes("mac", member("mac")?)?;
        match words.next() {
            None => Ok(Self {
                store,
                generation,
                revision,
                position,
                claimant,
                since,
                mac,
            }),
            Some(_) => Err(InvalidCheckpoint::Long),
        }
    }
}

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCheckpoint {
    /// It does not begin as one.
    #[error("a checkpoint begins with {PREFIX}")]
    Prefix,
    /// A member is missing or invalid.
    #[error("the checkpoint has no valid {0}")]
    Member(&'static str),
    /// Something follows its last member.
    #[error("something follows the checkpoint's last member")]
    Long,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_one_line_that_parses_back() {
        let checkpoint = Checkpoint {
            store: StoreId([7; 16]),
            generation: 2,
            revision: 12,
            position: AuditPosition {
                log: [1; 32],
                line: 40,
                offset: 0,
                hash: [2; 32],
            },
            claimant: "0123456789abcdef".to_owned(),
            since: 1,
            mac: [3; 32],
        };
        let text = checkpoint.to_string();
        insta::assert_snapshot!(text, @r#"mcplexer-checkpoint-1 store=07070707070707070707070707070707 generation=2 revision=12 log=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE line=40 hash=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI key=0123456789abcdef since=1 mac=AwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwM"#);
        assert_eq!(format!(" {text}\n").parse(), Ok(checkpoint));
        for (broken, reason) in [
            ("", InvalidCheckpoint::Prefix),
            (
                &text.replace("line=40", "line=x"),
                InvalidCheckpoint::Member("line"),
            ),
            (
                &text.replace("hash=A", "hash="),
                InvalidCheckpoint::Member("hash"),
            ),
            (&format!("{text} more"), InvalidCheckpoint::Long),
        ] {
            assert_eq!(broken.parse::<Checkpoint>(), Err(reason));
        }
    }
}
