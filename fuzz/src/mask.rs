//! The masker.

use mcplexer_mask::MIN_MASKED_LEN;
use mcplexer_mask::Masker;
use mcplexer_secrets::{Credentials, ScopeKind, SecretValue};

/// What every label begins with, and no stream has.
const LABEL: &[u8] = b"[s/K";

/// The first byte says how a stream is cut into chunks; then come up to 8 values, each with a NUL byte
/// behind it, and the stream. What is shown of it is the same however it is cut: the stream itself,
/// but for pieces, each replaced by a label and what a terminal was told in it, and no value is left in
/// it as it is.
pub fn mask(bytes: &[u8]) {
    let Some((&cut, rest)) = bytes.split_first() else {
        return;
    };
    let mut pieces: Vec<_> = rest.splitn(9, |&byte| byte == 0).collect();
    let Some(stream) = pieces.pop() else { return };
    if stream.windows(LABEL.len()).any(|it| it == LABEL) {
        return;
    }
    let values = pieces.iter().filter_map(|it| SecretValue::copy_of(it).ok());
    let secrets = values.enumerate().map(|(at, value)| {
        let name = format!("K{at}").parse().expect("is a name");
        (name, value)
    });
    let scope = "s".parse().expect("is an id");
    let credentials = Credentials::new(scope, ScopeKind::Env, secrets.collect());
    let masker = Masker::new(credentials.iter());

    let whole = shown(&masker, [stream]);
    let cut = usize::from(cut % 32) + 1;
    assert_eq!(shown(&masker, stream.chunks(cut)), whole, "cut every {cut}");

    let left = without_labels(&whole);
    let [first, .., last] = left.as_slice() else {
        assert_eq!(whole, stream, "nothing is masked, and yet it changed");
        let values = credentials.iter().map(|it| searched(it.value.expose()));
        values.for_each(|value| assert!(!contains(stream, value), "not masked"));
        return;
    };
    assert!(stream.starts_with(first));
    if has_controls(stream) {
        let mut rest = stream.iter();
        let passes = |byte: &u8| rest.any(|it| it == byte);
        assert!(left.concat().iter().all(passes), "something was added");
        for it in credentials.iter().map(|it| searched(it.value.expose())) {
            let shows = |piece: &&[u8]| !has_controls(it) && contains(piece, it);
            assert!(!left.iter().any(shows), "not masked");
        }
        return;
    }
    assert!(stream.ends_with(last));
    let mut from = 0;
    for piece in &left {
        let rest = &stream[from..];
        let at = rest.windows(piece.len().max(1)).position(|it| it == *piece);
        from += match piece.len() {
            0 => 0,
            length => at.expect("is a piece of the stream") + length,
        };
        for it in credentials.iter() {
            assert!(!contains(piece, searched(it.value.expose())), "not masked");
        }
    }
}

/// Whether there is what may be told to a terminal, beside text.
fn has_controls(text: &[u8]) -> bool {
    text.iter().any(|byte| b"\x0e\x0f\x1b".contains(byte))
}

fn shown<'a>(masker: &Masker, chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut masker = masker.for_another_stream();
    let mut shown = Vec::new();
    for chunk in chunks {
        masker.feed(chunk, &mut shown);
    }
    masker.flush(&mut shown);
    assert!(!masker.holds());
    shown
}

/// What of a value must not be shown; too short is none of it.
fn searched(value: &[u8]) -> &[u8] {
    let is_line_end = |byte: &u8| b"\r\n".contains(byte);
    let end = value.iter().rposition(|byte| !is_line_end(byte));
    let trimmed = &value[..end.map_or(0, |end| end + 1)];
    match trimmed.len() >= MIN_MASKED_LEN {
        true => trimmed,
        false => value,
    }
}

fn contains(piece: &[u8], value: &[u8]) -> bool {
    value.len() >= MIN_MASKED_LEN && piece.windows(value.len()).any(|it| it == value)
}

/// The pieces of a text around the labels in it.
fn without_labels(text: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut begin, mut at) = (Vec::new(), 0, 0);
    while at < text.len() {
        if let Some(after) = text[at..].strip_prefix(LABEL)
            && let [b'0'..=b'9', b']', ..] = after
        {
            pieces.push(&text[begin..at]);
            at += LABEL.len() + 2;
            begin = at;
        } else {
            at += 1;
        }
    }
    pieces.push(&text[begin..]);
    pieces
}
