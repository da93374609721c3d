//! An age plugin (<https://c2sp.org/age-plugin>) for tests: it speaks the protocol as one for a
//! hardware key does, and protects nothing, since its recipient is its key.
//!
//! `age-plugin-mcplexertest --generate [--pin]` prints a key file; with `--pin` opening something
//! takes the PIN 1234.

use std::collections::{HashMap, HashSet};
use std::io;

use age_core::format::{FILE_KEY_BYTES, FileKey, Stanza};
use age_core::primitives::{aead_decrypt, aead_encrypt};
use age_core::secrecy::ExposeSecret;
use age_plugin::identity::{self, IdentityPluginV1};
use age_plugin::recipient::{self, RecipientPluginV1};
use age_plugin::{Callbacks, PluginHandler, print_new_identity, run_state_machine};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

const NAME: &str = "mcplexertest";
const PIN: &str = "1234";

type Key = [u8; 32];

fn main() -> io::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(state_machine) = arguments
        .first()
        .and_then(|it| it.strip_prefix("--age-plugin="))
    {
        return run_state_machine(state_machine, Handler);
    }
    if arguments.iter().any(|it| it == "--generate") {
        let mut key: Key = [0; 32];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let asks = u8::from(arguments.iter().any(|it| it == "--pin"));
        let identity = [&[asks], key.as_slice()].concat();
        print_new_identity(NAME, &identity, &key);
        return Ok(());
    }
    Err(io::Error::other(
        "usage: age-plugin-mcplexertest --generate [--pin]",
    ))
}

struct Handler;

impl PluginHandler for Handler {
    type RecipientV1 = Recipients;
    type IdentityV1 = Identities;

    fn recipient_v1(self) -> io::Result<Recipients> {
        Ok(Recipients(Vec::new()))
    }

    fn identity_v1(self) -> io::Result<Identities> {
        Ok(Identities(Vec::new()))
    }
}

struct Recipients(Vec<Key>);

impl RecipientPluginV1 for Recipients {
    fn add_recipient(
        &mut self,
        index: usize,
        plugin_name: &str,
        bytes: &[u8],
    ) -> Result<(), recipient::Error> {
        match (plugin_name, bytes.try_into()) {
            (NAME, Ok(key)) => {
                self.0.push(key);
                Ok(())
            }
            _ => Err(recipient::Error::Recipient {
                index,
                message: "not a recipient of this plugin".to_owned(),
            }),
        }
    }

    fn add_identity(
        &mut self,
        index: usize,
        _plugin_name: &str,
        _bytes: &[u8],
    ) -> Result<(), recipient::Error> {
        Err(recipient::Error::Identity {
            index,
            message: "only recipients are encrypted to".to_owned(),
        })
    }

    fn labels(&mut self) -> HashSet<String> {
        HashSet::new()
    }

    fn wrap_file_keys(
        &mut self,
        file_keys: Vec<FileKey>,
        _callbacks: impl Callbacks<recipient::Error>,
    ) -> io::Result<Result<Vec<Vec<Stanza>>, Vec<recipient::Error>>> {
        let wrap = |file_key: &FileKey, key: &Key| Stanza {
            tag: NAME.to_owned(),
            args: vec![tag(key)],
            body: aead_encrypt(key, file_key.expose_secret()),
        };
        let for_all = |file_key| self.0.iter().map(|key| wrap(&file_key, key)).collect();
        Ok(Ok(file_keys.into_iter().map(for_all).collect()))
    }
}

/// Tells which key a stanza is for.
fn tag(key: &Key) -> String {
    let start: Vec<_> = key.iter().copied().take(4).collect();
    BASE64_STANDARD_NO_PAD.encode(start)
}

/// Whether a PIN is asked for, and the key.
struct Identities(Vec<(bool, Key)>);

impl IdentityPluginV1 for Identities {
    fn add_identity(
        &mut self,
        index: usize,
        plugin_name: &str,
        bytes: &[u8],
    ) -> Result<(), identity::Error> {
        match (plugin_name, bytes.split_first()) {
            (NAME, Some((asks, key))) if key.len() == 32 => {
                let mut own: Key = [0; 32];
                own.copy_from_slice(key);
                self.0.push((*asks == 1, own));
                Ok(())
            }
            _ => Err(identity::Error::Identity {
                index,
                message: "not an identity of this plugin".to_owned(),
            }),
        }
    }

    fn unwrap_file_keys(
        &mut self,
        files: Vec<Vec<Stanza>>,
        mut callbacks: impl Callbacks<identity::Error>,
    ) -> io::Result<HashMap<usize, Result<FileKey, Vec<identity::Error>>>> {
        let mut opened = HashMap::new();
        for (file, stanzas) in files.into_iter().enumerate() {
            for stanza in stanzas.iter().filter(|stanza| stanza.tag == NAME) {
                for (asks, key) in &self.0 {
                    if stanza.args != [tag(key)] || opened.contains_key(&file) {
                        continue;
                    }
                    if *asks && !right_pin(&mut callbacks)? {
                        let error = identity::Error::Internal {
                            message: "no PIN, or a wrong one".to_owned(),
                        };
                        opened.insert(file, Err(vec![error]));
                        continue;
                    }
                    if let Ok(bytes) = aead_decrypt(key, FILE_KEY_BYTES, &stanza.body) {
                        let file_key = FileKey::init_with_mut(|key| key.copy_from_slice(&bytes));
                        opened.insert(file, Ok(file_key));
                    }
                }
            }
        }
        Ok(opened)
    }
}

fn right_pin(callbacks: &mut impl Callbacks<identity::Error>) -> io::Result<bool> {
    let answer = callbacks.request_secret("PIN of the test key")?;
    Ok(answer.is_ok_and(|pin| pin.expose_secret() == PIN))
}
