//! Planning and undoing an adoption, by the number of servers in the configuration. The cost of
//! each server must not depend on that number.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot go on has nothing to say"
)]

use std::collections::HashMap;

use divan::Bencher;
use divan::counter::ItemsCount;
use mcplexer_clients::{Adoption, Choice, ClientConfig, Destination, Syntax};
use mcplexer_files::reference::Reference;

const SIZES: [usize; 3] = [1_250, 5_000, 20_000];

fn main() {
    divan::main();
}

/// Returns a configuration on one line in which every server has a credential and a comment that
/// repeats it.
fn config(servers: usize) -> String {
    let entry = |at: usize| {
        format!(
            r#""s{at}":{{"command":"x","env":{{"A_TOKEN":"acme-prod-{at:06}"}}}}/* acme-prod-{at:06} */"#
        )
    };
    let entries: Vec<_> = (0..servers).map(entry).collect();
    format!("{{\"mcpServers\":{{{}}}}}", entries.join(","))
}

/// Plans the adoption into an empty store.
fn plan(text: &[u8]) -> Adoption {
    let config = ClientConfig::parse(text, Syntax::Json).unwrap();
    let destination = Destination {
        scopes: &[],
        holds_other: &|_, _| Ok(false),
    };
    let choice = Choice::default();
    config.plan(&destination, "mcplexer", &choice).unwrap()
}

/// Parses a file and plans: detection, scopes, the rewritten file, and the check that it can be
/// undone.
#[divan::bench(args = SIZES)]
fn plan_servers(bencher: Bencher<'_, '_>, servers: usize) {
    let text = config(servers);
    let bencher = bencher.counter(ItemsCount::new(servers));
    bencher.bench(|| plan(text.as_bytes()));
}

/// Parses an adopted file and restores it.
#[divan::bench(args = SIZES)]
fn undo_servers(bencher: Bencher<'_, '_>, servers: usize) {
    let adoption = plan(config(servers).as_bytes());
    let secrets = adoption.secrets().flat_map(|(scope, secrets)| {
        let secrets = secrets.iter();
        secrets.map(move |(name, value)| ((scope, name), value.expose()))
    });
    let values: HashMap<_, _> = secrets.collect();
    let bencher = bencher.counter(ItemsCount::new(servers));
    bencher.bench(|| {
        let adopted = ClientConfig::parse(adoption.text(), Syntax::Json).unwrap();
        let lookup = |it: &Reference| values.get(&(&it.scope, &it.name)).copied();
        adopted.undo(&[], &lookup).unwrap()
    });
}
