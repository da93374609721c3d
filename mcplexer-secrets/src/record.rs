//! The records in the tables, byte for byte. `docs/format.md` describes them for other programs.
//!
//! A record is one byte of format version, followed by its postcard encoding
//! (<https://postcard.jamesmunns.com/wire-format>).

use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::{Finding, RecordName};
use crate::random::fill_random;
use crate::{Error, ScopeId, ScopeKind, SecretInfo, SecretName, Timestamp};

/// The format that this library reads and writes.
pub const FORMAT_VERSION: u8 = 1;

/// Key of the header in [`Table::Meta`](crate::backend::Table::Meta).
pub(crate) const HEADER_KEY: &[u8] = b"header";
/// Prefix of the keys of the pages of the list of scopes. One byte follows, the page number.
pub(crate) const PAGE_PREFIX: &[u8] = b"scopes/";
/// The maximum number of pages in the list of scopes.
const PAGES: u8 = 64;
/// Prefix of the keys of audit seals; the log's id follows.
pub(crate) const AUDIT_SEAL_PREFIX: &[u8] = b"audit/";

/// 16 random bytes that identify a store. Displayed as hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreId(pub(crate) [u8; 16]);

impl StoreId {
    pub(crate) fn generate() -> Result<Self, Error> {
        let mut id = [0; 16];
        fill_random(&mut id)?;
        Ok(Self(id))
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

/// The store as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) store: StoreId,
    /// The number of full re-keys, counted from 1.
    pub(crate) generation: u64,
    pub(crate) created: Timestamp,
    pub(crate) slots: Vec<Slot>,
    /// The number of scopes.
    pub(crate) scopes: u64,
    /// The pages of the list of scopes, in order. None of them is empty.
    pub(crate) pages: Vec<PageRef>,
    /// An empty text, sealed with the root key over all of the above.
    #[serde(with = "serde_bytes")]
    pub(crate) proof: Vec<u8>,
}

/// Authenticates a page of the list of scopes. The list is kept in pages so that a read or a change
/// touches only a small part of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct PageRef {
    pub(crate) number: u8,
    /// SHA-256 of the page's record.
    pub(crate) digest: [u8; 32],
}

/// The ids of the scopes on one page, sorted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Page(pub(crate) Vec<ScopeId>);

/// One way to open the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Slot {
    /// The owner, for people.
    pub(crate) label: String,
    /// The recipient whose identity opens it, `age1…`.
    pub(crate) recipient: String,
    pub(crate) created: Timestamp,
    pub(crate) holder: Holder,
    /// The root key, as an ordinary age file to that recipient.
    #[serde(with = "serde_bytes")]
    pub(crate) wrapped: Vec<u8>,
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

/// A scope and the list of its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(crate) generation: u64,
    pub(crate) kind: ScopeKind,
    pub(crate) display_name: Option<String>,
    pub(crate) redaction_hints: Vec<SecretName>,
    pub(crate) created: Timestamp,
    /// All of its secrets, sorted by name.
    pub(crate) secrets: Vec<Entry>,
    /// The scope key, sealed with the root key over all of the above and the scope's id.
    #[serde(with = "serde_bytes")]
    pub(crate) key: Vec<u8>,
}

/// A secret, as listed in its scope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: SecretName,
    pub(crate) version: u64,
    pub(crate) created: Timestamp,
    pub(crate) updated: Timestamp,
}

impl Entry {
    pub(crate) fn info(&self) -> SecretInfo {
        let mut info = SecretInfo::new(self.name.clone(), self.created);
        info.version = self.version;
        info.updated = self.updated;
        info
    }
}

/// A sealed value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Secret {
    pub(crate) generation: u64,
    pub(crate) version: u64,
    /// The value, sealed with the scope key over its place, version and times.
    #[serde(with = "serde_bytes")]
    pub(crate) sealed: Vec<u8>,
}

/// Authenticates an audit log up to one of its lines.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditSeal {
    pub(crate) generation: u64,
    /// The file name of the log, to distinguish a log that was replaced from one that is new.
    pub(crate) file: String,
    /// The line's number, counted from 1.
    pub(crate) line: u64,
    /// The byte offset at which the line begins.
    pub(crate) offset: u64,
    /// The line's hash.
    pub(crate) hash: [u8; 32],
    /// An empty text, sealed with the root key over all of the above and the log's id.
    #[serde(with = "serde_bytes")]
    pub(crate) proof: Vec<u8>,
}

/// What a sealed record is bound to: its place, and everything it says in the clear.
#[derive(Debug, Serialize)]
pub(crate) enum Context<'a> {
    Header {
        store: StoreId,
        generation: u64,
        created: Timestamp,
        slots: &'a [Slot],
        scopes: u64,
        pages: &'a [PageRef],
    },
    Scope {
        store: StoreId,
        generation: u64,
        scope: &'a ScopeId,
        kind: ScopeKind,
        display_name: Option<&'a str>,
        redaction_hints: &'a [SecretName],
        created: Timestamp,
        secrets: &'a [Entry],
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
    AuditSeal {
        store: StoreId,
        generation: u64,
        log: &'a [u8; 32],
        file: &'a str,
        line: u64,
        offset: u64,
        hash: &'a [u8; 32],
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
            created: self.created,
            slots: &self.slots,
            scopes: self.scopes,
            pages: &self.pages,
        }
    }
}

impl Scope {
    pub(crate) fn context<'a>(&'a self, header: &Header, scope: &'a ScopeId) -> Context<'a> {
        Context::Scope {
            store: header.store,
            generation: self.generation,
            scope,
            kind: self.kind,
            display_name: self.display_name.as_deref(),
            redaction_hints: &self.redaction_hints,
            created: self.created,
            secrets: &self.secrets,
        }
    }

    /// Returns the index of `name` in the list, or where it would be inserted.
    pub(crate) fn position(&self, name: &SecretName) -> Result<usize, usize> {
        self.secrets.binary_search_by(|entry| entry.name.cmp(name))
    }

    pub(crate) fn entry(&self, name: &SecretName) -> Option<&Entry> {
        self.secrets.get(self.position(name).ok()?)
    }
}

impl Entry {
    pub(crate) fn context<'a>(&'a self, header: &Header, scope: &'a ScopeId) -> Context<'a> {
        Context::Value {
            store: header.store,
            generation: header.generation,
            scope,
            name: &self.name,
            version: self.version,
            created: self.created,
            updated: self.updated,
        }
    }
}

impl AuditSeal {
    pub(crate) fn context<'a>(&'a self, header: &Header, log: &'a [u8; 32]) -> Context<'a> {
        Context::AuditSeal {
            store: header.store,
            generation: self.generation,
            log,
            file: &self.file,
            line: self.line,
            offset: self.offset,
            hash: &self.hash,
        }
    }
}

/// Returns the prefix of the keys of a scope's secrets in
/// [`Table::Secrets`](crate::backend::Table::Secrets): the scope's id and a NUL, which no id and no
/// name contains.
pub(crate) fn secret_prefix(scope: &ScopeId) -> Vec<u8> {
    [scope.as_str().as_bytes(), b"\0"].concat()
}

pub(crate) fn secret_key(scope: &ScopeId, name: &SecretName) -> Vec<u8> {
    [scope.as_str().as_bytes(), b"\0", name.as_str().as_bytes()].concat()
}

/// Returns the page on which a scope is listed, such that the pages fill evenly.
pub(crate) fn page_number(scope: &ScopeId) -> u8 {
    let [first, ..] = digest(scope.as_str().as_bytes());
    first % PAGES
}

pub(crate) fn page_key(number: u8) -> Vec<u8> {
    [PAGE_PREFIX, &[number]].concat()
}

pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub(crate) fn audit_seal_key(log: &[u8; 32]) -> Vec<u8> {
    [AUDIT_SEAL_PREFIX, log].concat()
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
