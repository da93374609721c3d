//! Finds the keys of a store as `docs/format.md` describes, without the library.

use std::fs;
use std::io::Read;
use std::path::Path;

use age::DecryptError;
use age_core::format::{FileKey, Stanza};
use age_core::primitives::{aead_decrypt, hkdf};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use redb::{
    Builder, ConcurrencyMode, ReadOnlyDatabase, ReadableDatabase, ReadableTable, TableDefinition,
};

/// The secrets of a home, each with a name.
pub(crate) struct Secrets(Vec<(String, Vec<u8>)>);

impl Secrets {
    /// Returns the identity and the current keys.
    pub(crate) fn keys_of(home: &Path) -> Self {
        let text = fs::read_to_string(home.join("age.key")).unwrap();
        let line = text.lines().find(|line| !line.starts_with('#')).unwrap();
        let identity: age::x25519::Identity = line.parse().unwrap();
        let keys = StoreKeys::of(&home.join("secrets.redb"), &identity);
        let hrp_len = "AGE-SECRET-KEY-1".len();
        let mut secrets = vec![
            (
                "identity text".to_owned(),
                line.as_bytes()[hrp_len..].to_vec(),
            ),
            ("identity".to_owned(), private_key(line)),
            ("root key".to_owned(), keys.root),
        ];
        for (scope, key) in keys.scopes {
            secrets.push((format!("scope key of {scope}"), key));
        }
        Self(secrets)
    }

    pub(crate) fn and_values(mut self, values: &[String]) -> Self {
        for (number, value) in values.iter().enumerate() {
            let name = format!("value {number}");
            self.0.push((name, value.clone().into_bytes()));
        }
        self
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0
            .iter()
            .map(|(what, bytes)| (what.as_str(), &bytes[..]))
    }
}

/// Returns the 32 bytes of `AGE-SECRET-KEY-1…` (BIP 173, without the last 6 characters, the
/// checksum).
fn private_key(text: &str) -> Vec<u8> {
    let data = &text["AGE-SECRET-KEY-1".len()..];
    let (mut bytes, mut bits, mut have) = (Vec::new(), 0_u32, 0);
    for character in data[..data.len() - 6].to_lowercase().chars() {
        let five = "qpzry9x8gf2tvdw0s3jn54khce6mua7l".find(character).unwrap();
        bits = (bits << 5 | u32::try_from(five).unwrap()) & 0xfff;
        have += 5;
        if have >= 8 {
            have -= 8;
            bytes.push(u8::try_from(bits >> have & 0xff).unwrap());
        }
    }
    assert_eq!(bytes.len(), 32);
    bytes
}

/// The root key of a store, and the key and id of each of its scopes.
struct StoreKeys {
    root: Vec<u8>,
    scopes: Vec<(String, Vec<u8>)>,
}

impl StoreKeys {
    /// Returns the keys of the store at `path`, whose first slot `identity` opens.
    fn of(path: &Path, identity: &dyn age::Identity) -> Self {
        let database = Builder::new()
            .set_concurrency_mode(ConcurrencyMode::MultiWriter)
            .open_read_only(path)
            .unwrap();
        let meta = records(&database, "meta");
        let record = |name: &[u8]| {
            let found = meta.iter().find(|(key, _)| key == name);
            &found.unwrap().1
        };
        let mut reader = Reader(record(b"header"));
        reader.take(1);
        let place = reader.0;
        reader.take(16);
        let _generation = reader.number();
        let place = reader.since(place);
        let mut reader = Reader(record(b"owners"));
        reader.take(1);
        let slots = reader.number();
        assert!(slots > 0, "no slot");
        let (_label, _recipient, _created) = (reader.bytes(), reader.bytes(), reader.number());
        assert_eq!(reader.number(), 0, "the first slot is a key's");
        let (_wrapped_by, _wrapped_at) = (reader.bytes(), reader.number());
        let root = decrypt(reader.bytes(), identity);
        let scopes = records(&database, "scopes").into_iter();
        let scopes = scopes.map(|(id, record)| {
            let key = scope_key(&root, place, &id, &record);
            (String::from_utf8(id).unwrap(), key)
        });
        let scopes = scopes.collect();
        Self { root, scopes }
    }
}

fn records(database: &ReadOnlyDatabase, table: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let definition: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new(table);
    let table = database
        .begin_read()
        .unwrap()
        .open_table(definition)
        .unwrap();
    let records = table.iter().unwrap().map(|entry| {
        let (key, record) = entry.unwrap();
        (key.value().to_vec(), record.value().to_vec())
    });
    records.collect()
}

fn scope_key(root: &[u8], place: &[u8], id: &[u8], record: &[u8]) -> Vec<u8> {
    let mut reader = Reader(record);
    let _kind = (reader.take(1), reader.number());
    if reader.number() == 1 {
        reader.bytes();
    }
    for _ in 0..reader.number() {
        reader.bytes();
    }
    let _created_and_kept = (reader.number(), reader.take(1));
    let _secrets = reader.number();
    for _ in 0..reader.number() {
        reader.take(2 + 32);
    }
    let id_len = u8::try_from(id.len()).unwrap();
    let context = [&[1], place, &[id_len], id].concat();
    decrypt(reader.bytes(), &Seal(root, &context))
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

    /// Returns what was read since `from`, of which this is the rest.
    fn since(&self, from: &'a [u8]) -> &'a [u8] {
        &from[..from.len() - self.0.len()]
    }
}

/// A parent key and a context.
struct Seal<'a>(&'a [u8], &'a [u8]);

impl age::Identity for Seal<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        (stanza.tag == "mcplexer-seal").then(|| {
            let salt = BASE64_STANDARD_NO_PAD.decode(&stanza.args[0]).unwrap();
            let info = [b"mcplexer-secrets/v1/", self.1].concat();
            let file_key = aead_decrypt(&hkdf(&salt, &info, self.0), 16, &stanza.body);
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
