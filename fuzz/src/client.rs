//! Configurations of AI clients.

use std::collections::BTreeMap;

use mcplexer_clients::{Choice, ClientConfig, Syntax};
use mcplexer_files::reference::SCHEME;
use mcplexer_secrets::keys::FixedKeys;
use mcplexer_secrets::{SecretStore, SecretValue, Store};

/// A file, in the syntax that the first byte says, is refused, or can be adopted, and undoing that
/// with what the store has then gives the file as it was.
pub fn parse_client(bytes: &[u8]) {
    let Some((&first, file)) = bytes.split_first() else {
        return;
    };
    let syntax = match first & 1 {
        0 => Syntax::Json,
        _ => Syntax::Toml,
    };
    let config = match ClientConfig::parse(file, syntax) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let store = Store::in_memory(FixedKeys::generate()).expect("there is memory");
    let Ok(adoption) = config.plan(&store, &Choice::default()) else {
        return;
    };
    if adoption.moved() == 0 {
        return assert_eq!(adoption.text(), file, "nothing moves, and yet it changes");
    }
    adoption.store(&store).expect("is stored");
    let adopted = ClientConfig::parse(adoption.text(), syntax).expect("is one still");
    let again = adopted
        .plan(&store, &Choice::default())
        .expect("is adopted");
    assert_eq!((again.moved(), again.text()), (0, adoption.text()));

    // What refers to other secrets already cannot be undone with this store.
    if file.windows(SCHEME.len()).any(|it| it == SCHEME.as_bytes()) {
        return;
    }
    let references = adopted.references(&[]).expect("are references");
    let values: BTreeMap<_, SecretValue> = references
        .into_iter()
        .map(|(it, _)| {
            let value = store.get(&it.scope, &it.name).expect("was stored");
            (it, value)
        })
        .collect();
    let undone = adopted.undo(&[], &|it| Some(values.get(it)?.expose()));
    // A program that has been started through `mcplexer run` before now starts by itself.
    if config
        .servers()
        .iter()
        .all(|it| it.start != mcplexer_clients::Start::Adopted)
    {
        assert_eq!(undone.expect("is undone").bytes(), file);
    }
}
