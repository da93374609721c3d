//! The records in the tables, byte for byte. `docs/format.md` describes them for other programs.
//!
//! A record is one byte of format version, followed by its postcard encoding
//! (<https://postcard.jamesmunns.com/wire-format>).

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Finding, RecordName};
use crate::random::fill_random;
use crate::{Error, ScopeId, ScopeKind, SecretName, Timestamp};

mod beginning;
mod moving;
mod secret;

pub(crate) use beginning::{BEGINNING_KEY, Beginning, Heir};
pub(crate) use moving::{MoveId, MovedTo, Moving};
pub(crate) use secret::{
    Earlier, EarlierValue, Entry, Secret, secret_key, secret_prefix, split_place, version_key,
    version_prefix,
};

/// The format that this library reads and writes.
pub const FORMAT_VERSION: u8 = 1;

/// Key of the header in [`Table::Meta`](crate::backend::Table::Meta).
pub(crate) const HEADER_KEY: &[u8] = b"header";
/// Key of the list of owners in [`Table::Meta`](crate::backend::Table::Meta).
pub(crate) const OWNERS_KEY: &[u8] = b"owners";
/// Key of the record of a [move](Moving) in [`Table::Meta`](crate::backend::Table::Meta).
pub(crate) const MOVING_KEY: &[u8] = b"moving";
/// Prefix of the keys of the pages of the list of scopes. One byte follows, the number of the span.
const SCOPES_PREFIX: &[u8] = b"scopes/";
/// Prefix of the keys of the pages of the lists of secrets. The scope's id follows, NUL and one byte, the
/// number of the span.
const SECRETS_PREFIX: &[u8] = b"secrets/";

/// A SHA-256 digest of a record.
pub(crate) type Digest = [u8; 32];

/// 16 random bytes that identify a store. Displayed as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut id = [0; 16];
        fill_random(&mut id)?;
        Ok(Self(id))
    }

    /// Parses what `Display` writes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = u128::from_str_radix(text, 16).ok()?;
        let id = Self(digits.to_be_bytes());
        (id.to_string() == text).then_some(id)
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreId({self})")
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The root of the store: it vouches for every other record, directly or through the records that it
/// vouches for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) store: StoreId,
    /// The number of full re-keys, counted from 1.
    pub(crate) generation: u64,
    /// The number of commits, counted from 1.
    pub(crate) revision: u64,
    pub(crate) created: Timestamp,
    /// Of the list of owners.
    pub(crate) owners: Digest,
    /// The generation in which an owner was last removed, 1 if none was: that owner knows the claim keys of before.
    pub(crate) left: u64,
    /// The number of scopes.
    pub(crate) scopes: u64,
    /// The pages of the list of scopes.
    pub(crate) pages: Pages,
    /// How far each audit log is sealed, in the order in which the logs were begun.
    pub(crate) logs: Vec<AuditSeal>,
    /// Sealed with the root key over all of the above: [where](MovedTo) the store was moved to, mostly an empty text.
    #[serde(with = "serde_bytes")]
    pub(crate) proof: Vec<u8>,
}

/// The pages of a list, sorted by their numbers. None of them is empty. A list is kept in pages so that a
/// read or a change touches only a small part of it.
pub(crate) type Pages = Vec<PageRef>;

/// Authenticates a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PageRef {
    pub(crate) span: Span,
    pub(crate) digest: Digest,
}

/// What belongs on a page: names whose digest begins with the first `bits` bits of `number`. The spans of a list's
/// pages do not overlap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Span {
    /// The other bits are 0, so that no two spans of a list have the same number.
    pub(crate) number: u8,
    /// 0 to 8.
    pub(crate) bits: u8,
}

/// Something in a list that is kept in pages.
pub(crate) trait Listed: Serialize + DeserializeOwned {
    /// What it is sorted by, and found by.
    fn name(&self) -> &str;
}

/// The elements of a list on one page, sorted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page<T>(pub(crate) Vec<T>);

/// A scope, as listed in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScopeRef {
    pub(crate) id: ScopeId,
    /// Of the scope's record.
    pub(crate) digest: Digest,
}

impl Listed for ScopeRef {
    fn name(&self) -> &str {
        self.id.as_str()
    }
}

/// The list of owners.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Owners(pub(crate) Vec<Slot>);

/// One way to open the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// The owner, for people.
    pub(crate) label: String,
    /// The recipient whose identity opens it, `age1…`.
    pub(crate) recipient: String,
    pub(crate) created: Timestamp,
    pub(crate) holder: Holder,
    /// The label of the owner who encrypted the root key to the recipient.
    pub(crate) wrapped_by: String,
    pub(crate) wrapped_at: Timestamp,
    /// The root key, as an ordinary age file to that recipient.
    #[serde(with = "serde_bytes")]
    pub(crate) wrapped: Vec<u8>,
    /// `None` until the owner accepts the store, and for identities that cannot claim one.
    pub(crate) claim: Option<Claim>,
}

/// Says that the private key of an owner accepted the store and its root key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claim {
    /// The generation in which the owner last derived the claim key. Re-keys that remove no owner only renew `mac`.
    pub(crate) since: u64,
    /// Over the store and its root key, under the claim key.
    pub(crate) mac: [u8; 32],
    /// The claim key, sealed with the root key, so that another owner's re-key can renew `mac`.
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
}

/// Where the identity that opens a slot is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Holder {
    /// With a person, in a key file, an SSH key or a plugin.
    Key,
    /// Here, encrypted with a passphrase: the identity in an ordinary age file, as `age -p` makes
    /// it.
    Passphrase(#[serde(with = "serde_bytes")] Vec<u8>),
    /// In the recovery code.
    Recovery,
}

/// A scope, and the pages of the list of its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) kind: ScopeKind,
    pub(crate) display_name: Option<String>,
    pub(crate) redaction_hints: Vec<SecretName>,
    pub(crate) created: Timestamp,
    /// How many earlier versions of each secret to keep.
    pub(crate) keep_versions: u8,
    /// The number of secrets.
    pub(crate) secrets: u64,
    pub(crate) pages: Pages,
    /// The scope key, sealed with the root key.
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
}

/// Authenticates an audit log up to one of its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditSeal {
    /// The id of the log.
    pub(crate) log: [u8; 32],
    /// The file name of the log, to distinguish a log that was replaced from one that is new.
    pub(crate) file: String,
    /// The label of the owner who wrote the line: other owners have logs of their own.
    pub(crate) owner: String,
    /// The line's number, counted from 1.
    pub(crate) line: u64,
    /// The byte offset at which the line begins.
    pub(crate) offset: u64,
    /// The line's hash.
    pub(crate) hash: [u8; 32],
}

/// What something sealed is bound to: its place, and what is said about it in the clear.
#[derive(Debug, Serialize)]
pub(crate) enum Context<'a> {
    Header {
        store: StoreId,
        generation: u64,
        revision: u64,
        created: Timestamp,
        owners: &'a Digest,
        left: u64,
        scopes: u64,
        pages: &'a [PageRef],
        logs: &'a [AuditSeal],
    },
    ScopeKey {
        store: StoreId,
        generation: u64,
        scope: &'a ScopeId,
    },
    Value {
        store: StoreId,
        generation: u64,
        scope: &'a ScopeId,
        name: &'a SecretName,
        version: u64,
        created: Timestamp,
        updated: Timestamp,
    },
    /// What a claim key is derived for, from an owner's private key.
    ClaimKey { store: StoreId, since: u64 },
    /// What the MAC of a claim is about.
    Claim { store: StoreId, root: &'a Digest },
    /// Where a claim key is sealed.
    SealedClaimKey {
        store: StoreId,
        generation: u64,
        recipient: &'a str,
        since: u64,
    },
    /// What identifies a root key, without revealing it.
    Root { store: StoreId },
    /// What the MAC of a checkpoint is about.
    Checkpoint {
        store: StoreId,
        generation: u64,
        revision: u64,
        log: &'a [u8; 32],
        line: u64,
        hash: &'a [u8; 32],
        since: u64,
    },
    /// What the MAC in a backup is about.
    Backup { store: StoreId, digest: &'a Digest },
    /// What a key is derived for that two owners know, from what they alone can compute.
    Pair {
        store: StoreId,
        by: &'a str,
        to: &'a str,
    },
    /// What one of them says to the other with it: from which header a re-key goes out, under which root key, and for
    /// whom.
    Heirs {
        of: &'a Digest,
        root: &'a Digest,
        heirs: &'a [&'a str],
    },
    /// What a re-key has done so far.
    Beginning {
        store: StoreId,
        generation: u64,
        of: &'a Digest,
        by: &'a str,
        heirs: &'a [Heir],
        scopes: u64,
        pages: &'a [PageRef],
    },
}

impl Context<'_> {
    /// Returns `prefix`, followed by the encoding of the context.
    pub(crate) fn encode_after(&self, prefix: &[u8]) -> Result<Vec<u8>, Error> {
        append(prefix.to_vec(), self)
    }
}

impl Header {
    pub(crate) fn context(&self) -> Context<'_> {
        Context::Header {
            store: self.store,
            generation: self.generation,
            revision: self.revision,
            created: self.created,
            owners: &self.owners,
            left: self.left,
            scopes: self.scopes,
            pages: &self.pages,
            logs: &self.logs,
        }
    }

    /// What the key of a scope is bound to.
    pub(crate) fn scope_key<'a>(&self, scope: &'a ScopeId) -> Context<'a> {
        Context::ScopeKey {
            store: self.store,
            generation: self.generation,
            scope,
        }
    }

    /// What a value is bound to.
    pub(crate) fn value<'a>(&self, scope: &'a ScopeId, entry: &'a Entry) -> Context<'a> {
        Context::Value {
            store: self.store,
            generation: self.generation,
            scope,
            name: &entry.name,
            version: entry.version,
            created: entry.created,
            updated: entry.updated,
        }
    }
}

/// Returns the prefix of the keys of the pages of the list of scopes.
pub(crate) fn scope_pages() -> Vec<u8> {
    SCOPES_PREFIX.to_vec()
}

/// Returns the prefix of the keys of the pages of the list of a scope's secrets.
pub(crate) fn secret_pages(scope: &ScopeId) -> Vec<u8> {
    [SECRETS_PREFIX, scope.as_str().as_bytes(), b"\0"].concat()
}

pub(crate) fn digest(bytes: &[u8]) -> Digest {
    Sha256::digest(bytes).into()
}

/// Appends the postcard encoding of a value. Fails only if memory runs out.
fn append<T: Serialize>(bytes: Vec<u8>, value: &T) -> Result<Vec<u8>, Error> {
    postcard::to_extend(value, bytes).map_err(|error| Error::Seal(error.into()))
}

pub(crate) fn encode<T: Serialize>(record: &T) -> Result<Vec<u8>, Error> {
    append(vec![FORMAT_VERSION], record)
}

/// Decodes a record. Fails if bytes are left over.
pub(crate) fn decode<T: DeserializeOwned>(
    bytes: &[u8],
    name: impl FnOnce() -> RecordName,
) -> Result<T, Error> {
    match bytes.split_first() {
        Some((&FORMAT_VERSION, body)) => match postcard::take_from_bytes(body) {
            Ok((record, [])) => Ok(record),
            _ => Err(Error::tampered(name(), Finding::Malformed)),
        },
        Some((&found, _)) if found > FORMAT_VERSION => Err(Error::UnsupportedFormat {
            record: name(),
            found,
            supported: FORMAT_VERSION,
        }),
        _ => Err(Error::tampered(name(), Finding::Malformed)),
    }
}
