//! The masker.

use mcplexer_mask::{Known, MIN_MASKED_LEN, Masker};

/// The beginning of every label. No input stream contains it.
const LABEL: &[u8] = b"[s/K";

/// Masks a stream. The first byte says how to cut it into chunks. Then follow up to 8 values, each
/// ended by a NUL byte, and the stream.
///
/// The output does not depend on the chunks. It is the stream, with some pieces replaced by labels
/// and the control sequences within the piece. It contains no value unchanged.
pub fn mask(bytes: &[u8]) {
    let Some((&cut, rest)) = bytes.split_first() else {
        return;
    };
    let mut values: Vec<_> = rest.splitn(9, |&byte| byte == 0).collect();
    let Some(stream) = values.pop() else { return };
    if stream.windows(LABEL.len()).any(|it| it == LABEL) {
        return;
    }
    let masker = Masker::new(values.iter().enumerate().map(|(at, value)| Known {
        label: format!("s/K{at}"),
        value,
    }));

    let whole = shown(&masker, [stream]);
    let cut = usize::from(cut % 32) + 1;
    assert_eq!(shown(&masker, stream.chunks(cut)), whole, "cut every {cut}");

    let left = without_labels(&whole);
    let [first, .., last] = left.as_slice() else {
        assert_eq!(whole, stream, "changed, although nothing is masked");
        let shows = |value: &&[u8]| contains(stream, searched(value));
        assert!(!values.iter().any(shows), "not masked");
        return;
    };
    assert!(stream.starts_with(first));
    if has_controls(stream) {
        let mut rest = stream.iter();
        let passes = |byte: &u8| rest.any(|it| it == byte);
        assert!(left.concat().iter().all(passes), "something was added");
        for it in values.iter().map(|it| searched(it)) {
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
        for value in &values {
            assert!(!contains(piece, searched(value)), "not masked");
        }
    }
}

/// Returns whether a text may contain control sequences.
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

/// Returns the part of a value that must not be shown, unless it is too short.
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

/// Returns the pieces of a text around the labels in it.
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
