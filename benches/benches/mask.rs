//! The masker, by the number of secrets it searches for.
//!
//! `cargo bench -p mcplexer-benches --bench mask`; to run each benchmark only once: `-- --test`.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use mcplexer_mask::{Known, Masker};

const SECRETS: [usize; 3] = [1, 10, 1000];
/// The most that a pipe returns at once.
const CHUNK: usize = 64 * 1024;
const STREAM: usize = 4 << 20;

fn main() {
    divan::main();
}

/// Masks lines of a log, some of them JSON.
#[divan::bench(args = SECRETS)]
fn log(bencher: Bencher<'_, '_>, secrets: usize) {
    let line = "2026-11-24T15:09:09.123Z INFO  server::http: GET /repos/rust-lang/rust/issues?state=open 200 in 12.4 ms\n\
        {\"jsonrpc\":\"2.0\",\"id\":42,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"On branch main\\nnothing to commit\"}]}}\n";
    run(bencher, secrets, line.as_bytes());
}

/// Masks lines with colours.
#[divan::bench(args = SECRETS)]
fn coloured_log(bencher: Bencher<'_, '_>, secrets: usize) {
    let line = "\x1b[2m2026-11-24T15:09:09.123Z\x1b[0m \x1b[32m INFO\x1b[0m \x1b[1mserver::http\x1b[0m: \x1b[3mmethod\x1b[0m=GET \x1b[3mstatus\x1b[0m=200\n";
    run(bencher, secrets, line.as_bytes());
}

/// Masks the first log with a secret in every tenth line.
#[divan::bench(args = SECRETS)]
fn log_with_secrets(bencher: Bencher<'_, '_>, secrets: usize) {
    let line = "2026-11-24T15:09:09.123Z INFO  server::http: GET /repos/rust-lang/rust/issues?state=open 200 in 12.4 ms\n";
    let mut text = Vec::new();
    for at in 0..1000 {
        text.extend(line.repeat(9).bytes());
        text.extend(b"Authorization: Bearer ");
        text.extend(value(at % secrets));
        text.push(b'\n');
    }
    run(bencher, secrets, &text);
}

/// Masks random letters and digits in lines, similar to base64.
#[divan::bench(args = SECRETS)]
fn random_letters(bencher: Bencher<'_, '_>, secrets: usize) {
    let lines = (0..1000).flat_map(|at| value(5000 + at).into_iter().skip(4).chain([b'\n']));
    run(bencher, secrets, &lines.collect::<Vec<_>>());
}

/// Masks nothing but tokens of the same kind as the secrets.
#[divan::bench(args = SECRETS)]
fn other_tokens(bencher: Bencher<'_, '_>, secrets: usize) {
    let lines = (0..1000).flat_map(|at| value(5000 + at).into_iter().chain([b'\n']));
    run(bencher, secrets, &lines.collect::<Vec<_>>());
}

/// Looks for parts of values in lines of a log.
#[divan::bench(args = SECRETS)]
fn halves(bencher: Bencher<'_, '_>, secrets: usize) {
    let line = "2026-11-24T15:09:09.123Z INFO  server::http: GET /repos/rust-lang/rust/issues?state=open 200 in 12.4 ms\n";
    let text = line.repeat(STREAM / line.len());
    let values = values(secrets);
    let masker = Masker::new(known(&values));
    let halves = masker.halves();
    let counter = BytesCount::new(text.len());
    bencher
        .counter(counter)
        .bench(|| halves.find(black_box(&text)).len());
}

fn run(bencher: Bencher<'_, '_>, secrets: usize, text: &[u8]) {
    let values = values(secrets);
    let mut masker = Masker::new(known(&values));
    let stream: Vec<u8> = text.iter().copied().cycle().take(STREAM).collect();
    let mut shown = Vec::with_capacity(2 * CHUNK);
    bencher.counter(BytesCount::new(STREAM)).bench_local(|| {
        for chunk in stream.chunks(CHUNK) {
            shown.clear();
            masker.feed(black_box(chunk), &mut shown);
        }
        masker.flush(&mut shown);
    });
}

fn values(secrets: usize) -> Vec<Vec<u8>> {
    (0..secrets).map(value).collect()
}

fn known(values: &[Vec<u8>]) -> impl Iterator<Item = Known<'_>> {
    values.iter().enumerate().map(|(at, value)| Known {
        label: format!("scope/KEY_{at}"),
        value,
    })
}

/// A token like GitHub's: `ghp_` and 36 letters and digits.
fn value(seed: usize) -> Vec<u8> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed as u64 + 1;
    let letters = (0..36).map(|_| {
        // Knuth's MMIX generator.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        *LETTERS.get((state >> 33) as usize % LETTERS.len()).unwrap()
    });
    b"ghp_".iter().copied().chain(letters).collect()
}

/// Creates a masker.
#[divan::bench(args = SECRETS)]
fn new(bencher: Bencher<'_, '_>, secrets: usize) {
    let values = values(secrets);
    bencher.bench(|| Masker::new(known(black_box(&values))));
}
