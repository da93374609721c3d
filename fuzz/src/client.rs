//! Configuration files of AI clients.

use std::collections::BTreeMap;

use mcplexer_clients::{Choice, ClientConfig, Start, Syntax, store};
use mcplexer_files::reference::SCHEME;
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{SecretStore, SecretValue, Store};

const PROGRAM: &str = "/usr/bin/mcplexer";

/// Parses a file in the syntax that the first byte selects. If it is valid, it can be adopted, and
/// undoing restores it from the store.
pub fn parse_client(bytes: &[u8]) {
    let Some((&first, file)) = bytes.split_first() else {
        return;
    };
    let syntax = match first & 3 {
        0 => Syntax::Json,
        1 => Syntax::Toml,
        _ => Syntax::Yaml,
    };
    let config = match ClientConfig::parse(file, syntax) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let secrets = Store::in_memory(FixedKeys::generate()).expect("there is memory");
    let Ok(adoption) = store::plan(&config, &secrets, PROGRAM, &Choice::default()) else {
        return;
    };
    if adoption.moved() == 0 {
        return assert_eq!(adoption.text(), file, "changed although nothing moves");
    }
    store::save(&adoption, &secrets).expect("is stored");
    let adopted = ClientConfig::parse(adoption.text(), syntax).expect("still parses");
    let again = store::plan(&adopted, &secrets, PROGRAM, &Choice::default()).expect("is adopted");
    assert_eq!((again.moved(), again.text()), (0, adoption.text()));

    // This store lacks the secrets that the file already refers to.
    if file.windows(SCHEME.len()).any(|it| it == SCHEME.as_bytes()) {
        return;
    }
    let references = adopted.references(&[]).expect("are references");
    let values: BTreeMap<_, SecretValue> = references
        .into_iter()
        .map(|(it, _)| {
            let value = secrets.get(&it.scope, &it.name).expect("was stored");
            (it, value)
        })
        .collect();
    let undone = adopted.undo(&[], &|it| Some(values.get(it)?.expose()));
    // Undoing also removes an `mcplexer run` that was in the file before.
    if config.servers().iter().all(|it| it.start != Start::Adopted) {
        assert_eq!(undone.expect("is undone").bytes(), file);
    }
}
