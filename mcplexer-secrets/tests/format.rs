//! `docs/format.md` is correct: its worked example is decoded here by the document's rules alone,
//! without the library, and compared with what the document shows. The library reads the same
//! files.
//!
//! `MCPLEXER_UPDATE_DOCS=1 cargo test -p mcplexer-secrets --test format` updates the example.

#![cfg(test)]

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use age::DecryptError;
use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_decrypt, hkdf};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{ScopeKind, SecretStore, Store};
use redb::{Builder, ConcurrencyMode, ReadableDatabase, TableDefinition};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Copies the fixture, because a checkout does not keep the key file's mode, and reading locks the
/// store.
fn fixture() -> TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1");
    let to = tempfile::tempdir().unwrap();
    for file in ["age.key", "secrets.redb", "audit.log"] {
        let copy = to.path().join(file);
        fs::write(&copy, fs::read(from.join(file)).unwrap()).unwrap();
        fs::set_permissions(copy, Permissions::from_mode(0o600)).unwrap();
    }
    to
}

#[test]
fn this_version_reads_what_format_1_wrote() {
    let home = fixture();
    let keys = FileKeys::new(home.path().join("age.key"));
    let store = Store::open(home.path().join("secrets.redb"), keys).unwrap();
    let get = |scope: &str, name: &str| {
        let value = store.get(&scope.parse().unwrap(), &name.parse().unwrap());
        value.unwrap().expose().to_vec()
    };
    assert_eq!(
        get("github-token", "GITHUB_PERSONAL_ACCESS_TOKEN"),
        b"ghp_abc123"
    );
    assert_eq!(get("api", "Authorization"), b"Bearer xyz");
    let scopes = store.scopes().unwrap();
    let [api, github] = &scopes[..] else {
        panic!("{scopes:?}")
    };
    assert_eq!(api.kind, ScopeKind::Header);
    assert_eq!(api.display_name.as_deref(), Some("The API"));
    assert_eq!(api.redaction_hints, ["X-Session".parse().unwrap()]);
    assert_eq!(github.kind, ScopeKind::Env);
    assert_eq!(
        (&github.display_name, github.redaction_hints.len()),
        (&None, 0)
    );
    let report = store
        .verify_audit(&home.path().join("audit.log"), None)
        .unwrap();
    assert_eq!(report.lines, report.sealed);
}

/// Reads a record from the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len);
        self.0 = rest;
        taken
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = self.take(1)[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = self.number();
        self.take(usize::try_from(len).unwrap())
    }

    /// Reads a list of one page, with the widest span, and returns its digest.
    fn page(&mut self) -> &'a [u8] {
        assert_eq!(self.number(), 1, "pages");
        assert_eq!(self.take(2), [0, 0], "number and bits");
        self.take(32)
    }

    fn text(&mut self) -> &'a str {
        str::from_utf8(self.bytes()).unwrap()
    }

    /// Returns what was read since `from`, of which this is the rest.
    fn since(&self, from: &'a [u8]) -> &'a [u8] {
        &from[..from.len() - self.0.len()]
    }
}

/// The identity that the document describes: a parent key and a context.
struct Seal<'a> {
    parent: &'a [u8],
    context: &'a [u8],
}

impl Seal<'_> {
    fn wrap_key(&self, salt: &str) -> [u8; 32] {
        let salt = BASE64_STANDARD_NO_PAD.decode(salt).unwrap();
        let info = [b"mcplexer-secrets/v1/", self.context].concat();
        hkdf(&salt, &info, self.parent)
    }

    fn open(&self, sealed: &[u8]) -> Vec<u8> {
        decrypt(sealed, self)
    }
}

impl age::Identity for Seal<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        (stanza.tag == "mcplexer-seal").then(|| {
            let file_key = aead_decrypt(&self.wrap_key(&stanza.args[0]), 16, &stanza.body);
            let file_key = file_key.map_err(|_| DecryptError::DecryptionFailed)?;
            Ok(FileKey::init_with_mut(|key| key.copy_from_slice(&file_key)))
        })
    }
}

fn decrypt(sealed: &[u8], identity: &dyn age::Identity) -> Vec<u8> {
    let decryptor = age::Decryptor::new(sealed).unwrap();
    let mut plaintext = Vec::new();
    let mut reader = decryptor.decrypt(std::iter::once(identity)).unwrap();
    reader.read_to_end(&mut plaintext).unwrap();
    plaintext
}

/// What the document calls `derive`.
fn derive(secret: &[u8], context: &[u8]) -> Vec<u8> {
    let info = [b"mcplexer-secrets/v1/", context].concat();
    hkdf(&[], &info, secret).to_vec()
}

/// Returns the 32 bytes of an age identity.
fn private_key(text: &str) -> Vec<u8> {
    let (_, bytes) = bech32::decode(text).unwrap();
    bytes
}

/// Returns the salt in the header of a sealed record.
fn salt(sealed: &[u8]) -> &str {
    let header = sealed.split(|&byte| byte == b'\n').nth(1).unwrap();
    str::from_utf8(header.strip_prefix(b"-> mcplexer-seal ").unwrap()).unwrap()
}

/// The worked example, step by step.
fn example() -> Vec<(&'static str, Vec<u8>)> {
    let home = fixture();
    let database = Builder::new()
        .set_concurrency_mode(ConcurrencyMode::MultiWriter)
        .open_read_only(home.path().join("secrets.redb"))
        .unwrap();
    let record = |table: &str, key: &[u8]| {
        let table: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table);
        let table = database.begin_read().unwrap().open_table(table).unwrap();
        table.get(key).unwrap().unwrap().value().to_vec()
    };
    let mut steps = Vec::new();

    let header = record("meta", b"header");
    steps.push(("header", header.clone()));
    let mut reader = Reader(&header);
    assert_eq!(reader.take(1), [1], "format");
    let body = reader.0;
    let store = reader.take(16);
    assert_eq!(reader.number(), 1, "generation");
    let (revision, _created) = (reader.number(), reader.number());
    let owners_digest = reader.take(32);
    assert_eq!(reader.number(), 1, "no owner was removed");
    assert_eq!(reader.number(), 2, "scopes");
    let scope_page = reader.page();
    assert_eq!(reader.number(), 1, "logs");
    let audit_seal = reader.0;
    let sealed_log = reader.take(32);
    assert_eq!(reader.text(), "audit.log");
    let _owner = reader.text();
    let (sealed_line, sealed_offset) = (reader.number(), reader.number());
    let sealed_hash = reader.take(32);
    let audit_seal = reader.since(audit_seal);
    let header_context = [&[0], reader.since(body)].concat();
    let proof = reader.bytes();
    assert!(reader.0.is_empty());

    let owners = record("meta", b"owners");
    steps.push(("owners", owners.clone()));
    assert_eq!(owners_digest, Sha256::digest(&owners).as_slice());
    let mut reader = Reader(&owners);
    assert_eq!((reader.take(1), reader.number()), ([1].as_slice(), 1));
    let (_label, recipient, _created) = (reader.text(), reader.text(), reader.number());
    assert_eq!(reader.number(), 0, "holder");
    let (_wrapped_by, _wrapped_at) = (reader.text(), reader.number());
    let slot = reader.bytes();
    assert_eq!(reader.number(), 1, "there is a claim");
    let since = reader.number();
    let (claim, sealed_claim_key) = (reader.take(32), reader.bytes());
    assert!(reader.0.is_empty());

    let key_file = fs::read_to_string(home.path().join("age.key")).unwrap();
    let identity = key_file
        .lines()
        .find(|line| !line.starts_with('#'))
        .unwrap();
    let private = private_key(identity);
    let identity: age::x25519::Identity = identity.parse().unwrap();
    let root_key = decrypt(slot, &identity);
    steps.push(("root key", root_key.clone()));
    steps.push(("header context", header_context.clone()));
    let seal = Seal {
        parent: &root_key,
        context: &header_context,
    };
    assert_eq!(seal.open(proof), b"");

    let since_byte = [u8::try_from(since).unwrap()];
    let claim_key = derive(&private, &[&[3], store, &since_byte].concat());
    steps.push(("claim key", claim_key.clone()));
    let root_id = derive(&root_key, &[&[6], store].concat());
    steps.push(("root id", root_id.clone()));
    steps.push(("claim", claim.to_vec()));
    assert_eq!(claim, derive(&claim_key, &[&[4], store, &root_id].concat()));
    let length = [u8::try_from(recipient.len()).unwrap()];
    let place = [
        &[5],
        store,
        &[1],
        &length,
        recipient.as_bytes(),
        &since_byte,
    ]
    .concat();
    let seal_of_claim_key = Seal {
        parent: &root_key,
        context: &place,
    };
    assert_eq!(seal_of_claim_key.open(sealed_claim_key), claim_key);

    let page = record("meta", b"scopes/\0");
    steps.push(("page of scopes", page.clone()));
    assert_eq!(scope_page, Sha256::digest(&page).as_slice());
    let mut reader = Reader(&page);
    assert_eq!((reader.take(1), reader.number()), ([1].as_slice(), 2));
    assert_eq!((reader.text(), reader.take(32).len()), ("api", 32));
    assert_eq!(reader.text(), "github-token");
    let scope_digest = reader.take(32);
    assert!(reader.0.is_empty());

    let scope = record("scopes", b"github-token");
    steps.push(("scope", scope.clone()));
    assert_eq!(scope_digest, Sha256::digest(&scope).as_slice());
    let mut reader = Reader(&scope);
    assert_eq!(reader.take(1), [1], "format");
    assert_eq!(
        (reader.number(), reader.number(), reader.number()),
        (0, 0, 0),
        "kind, no display name, no hints"
    );
    let _created = reader.number();
    assert_eq!(reader.take(1), [5], "versions to keep");
    assert_eq!(reader.number(), 1, "secrets");
    let secret_page = reader.page();
    let wrapped = reader.bytes();
    assert!(reader.0.is_empty());
    let place = [store, &[1, 12], b"github-token"].concat();
    let scope_context = [&[1], place.as_slice()].concat();
    steps.push(("scope context", scope_context.clone()));
    let seal_of_key = Seal {
        parent: &root_key,
        context: &scope_context,
    };
    steps.push((
        "scope wrap key",
        seal_of_key.wrap_key(salt(wrapped)).to_vec(),
    ));
    let scope_key = seal_of_key.open(wrapped);
    steps.push(("scope key", scope_key.clone()));

    let page = record("meta", b"secrets/github-token\0\0");
    steps.push(("page of secrets", page.clone()));
    assert_eq!(secret_page, Sha256::digest(&page).as_slice());
    let mut reader = Reader(&page);
    assert_eq!((reader.take(1), reader.number()), ([1].as_slice(), 1));
    let entry = reader.0;
    assert_eq!(reader.text(), "GITHUB_PERSONAL_ACCESS_TOKEN");
    assert_eq!(reader.number(), 1, "version");
    let (_created, _updated) = (reader.number(), reader.number());
    let entry = reader.since(entry);
    let _revision = reader.number();
    assert_eq!(
        (reader.number(), reader.number(), reader.number()),
        (0, 0, 0),
        "no note, no expiry, no interval"
    );
    let secret_digest = reader.take(32);
    assert!(reader.0.is_empty());

    let secret = record("secrets", b"github-token\0GITHUB_PERSONAL_ACCESS_TOKEN");
    steps.push(("secret", secret.clone()));
    assert_eq!(secret_digest, Sha256::digest(&secret).as_slice());
    let mut reader = Reader(&secret);
    assert_eq!(reader.take(1), [1], "format");
    let sealed = reader.bytes();
    assert_eq!(reader.number(), 0, "earlier versions");
    assert!(reader.0.is_empty());
    let value_context = [&[2], place.as_slice(), entry].concat();
    steps.push(("value context", value_context.clone()));
    let seal_of_value = Seal {
        parent: &scope_key,
        context: &value_context,
    };
    let value = seal_of_value.open(sealed);
    assert_eq!(value, b"ghp_abc123");
    steps.push(("value", value));

    let log = fs::read_to_string(home.path().join("audit.log")).unwrap();
    let last = log.lines().last().unwrap();
    let (content, rest) = last.split_once(",\"hash\":\"").unwrap();
    let hash = Sha256::digest(content).to_vec();
    assert_eq!(rest.strip_suffix("\"}").unwrap(), hex(&hash));
    let first = log.lines().next().unwrap();
    let log_id = first.split_once("\"prev\":\"").unwrap().1[..64].to_owned();
    assert_eq!(sealed_log, unhex(&log_id));
    assert_eq!(sealed_line, log.lines().count() as u64);
    assert_eq!(sealed_offset, log.find(last).unwrap() as u64);
    assert_eq!(sealed_hash, hash);
    steps.push(("audit seal", audit_seal.to_vec()));
    let changes = log.matches("\"pending\":true").count() as u64;
    assert_eq!(revision, changes, "one for each change");
    steps
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

/// Formats a step as the document shows it: 32 bytes a line.
fn block(bytes: &[u8]) -> String {
    let lines: Vec<_> = bytes.chunks(32).map(hex).collect();
    lines.join("\n")
}

/// Returns the position of the hex in each labelled block of the document.
fn blocks(document: &str) -> BTreeMap<String, std::ops::Range<usize>> {
    let mut blocks = BTreeMap::new();
    for (at, opening) in document.match_indices("<!-- hex: ") {
        let label = &document[at + opening.len()..];
        let label = &label[..label.find(" -->").unwrap()];
        let start = at + document[at..].find("```text\n").unwrap() + 8;
        let end = start + document[start..].find("\n```").unwrap();
        blocks.insert(label.to_owned(), start..end);
    }
    blocks
}

#[test]
fn the_worked_example_is_what_the_rules_give() {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    let mut document = fs::read_to_string(&path).unwrap();
    let steps = example();
    if std::env::var_os("MCPLEXER_UPDATE_DOCS").is_some() {
        for (label, bytes) in &steps {
            let place = blocks(&document)[*label].clone();
            document.replace_range(place, &block(bytes));
        }
        fs::write(&path, &document).unwrap();
    }
    let blocks = blocks(&document);
    assert_eq!(
        blocks.len(),
        steps.len(),
        "a block without a step, or the reverse"
    );
    for (label, bytes) in steps {
        assert_eq!(document[blocks[label].clone()], block(&bytes), "{label}");
    }
}
