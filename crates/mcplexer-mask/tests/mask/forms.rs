//! Generates values, and the forms in which programs print them.

use mcplexer_mask::Known;
use proptest::collection::vec;
use proptest::prelude::*;

/// The number of forms that [`piece`] can produce.
pub(crate) const FORMS: usize = 26;
/// The number of forms that occur in files. The rest is what shells print, and programs at a terminal.
pub(crate) const FILE_FORMS: usize = FORMS - 6;

/// Labels the values `s/K0`, `s/K1` and so on.
pub(crate) fn known(values: &[Vec<u8>]) -> impl Iterator<Item = Known<'_>> {
    values.iter().enumerate().map(|(at, value)| Known {
        label: format!("s/K{at}"),
        value,
    })
}

/// The choices of an encoder, from a seed: xorshift (Marsaglia, 2003).
struct Choices(u64);

impl Choices {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap() % below
    }

    fn hex(&mut self, byte: u8) -> String {
        match self.next(2) {
            0 => format!("{byte:02x}"),
            _ => format!("{byte:02X}"),
        }
    }
}

fn percent(value: &[u8], choices: &mut Choices, spaces: &str) -> Vec<u8> {
    let mut text = Vec::new();
    for &byte in value {
        // Some bytes have to be encoded, any other may be.
        let must = !byte.is_ascii_graphic() || byte == b'%' || byte == b'+';
        if byte == b' ' && choices.next(2) == 0 {
            text.extend(spaces.bytes());
        } else if must || choices.next(4) == 0 {
            text.extend(format!("%{}", choices.hex(byte)).bytes());
        } else {
            text.push(byte);
        }
    }
    text
}

fn json(value: &str, choices: &mut Choices) -> String {
    let mut text = String::new();
    for character in value.chars() {
        let short = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '/' => Some("\\/"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            _ => None,
        };
        let must = character.is_control() || "\"\\".contains(character);
        match (short, choices.next(4)) {
            (Some(short), 0..3) => text.push_str(short),
            (_, 3) => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let [high, low] = unit.to_be_bytes();
                    text.push_str(&format!("\\u{}{}", choices.hex(high), choices.hex(low)));
                }
            }
            _ if must => text.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => text.push(character),
        }
    }
    text
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Encodes in base64 without padding. Also returns the range of characters that hold bits of the value.
fn base64(
    text: &[u8],
    value: std::ops::Range<usize>,
    alphabet: &[u8; 64],
) -> (Vec<u8>, std::ops::Range<usize>) {
    let bit = |at: usize| text.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let characters = (0..(text.len() * 8).div_ceil(6)).map(|at| {
        let sextet = (0..6).fold(0, |sextet, offset| sextet << 1 | bit(at * 6 + offset));
        alphabet[usize::from(sextet)]
    });
    let holds = value.start * 8 / 6..(value.end * 8).div_ceil(6);
    (characters.collect(), holds)
}

/// Breaks a text into lines.
fn wrap(text: &[u8], width: usize, end: &str) -> Vec<u8> {
    let lines: Vec<_> = text.chunks(width).collect();
    lines.join(end.as_bytes())
}

/// Escapes base64 for JSON, JSON in JSON, or a URL.
fn escape_base64(text: &[u8], choices: &mut Choices) -> Vec<u8> {
    let escapes: [&[&str]; 3] = [
        &["+", "\\u002B", "\\\\u002b", "%2B", "%252b"],
        &["/", "\\/", "\\\\/", "%2F", "%252f"],
        &["=", "\\u003d", "\\\\u003D", "%3D", "%253D"],
    ];
    let way = choices.next(5);
    let escaped = text.iter().flat_map(|&byte| {
        let found = escapes.iter().find(|it| it[0].as_bytes() == [byte]);
        found.map_or_else(|| vec![byte], |it| it[way].as_bytes().to_vec())
    });
    escaped.collect()
}

/// Control sequences that programs write within a text.
const CONTROLS: [&str; 7] = [
    "\x1b[31m",
    "\x1b[m\x1b[K",
    "\x1b[12;1H",
    " \x08",
    "\x1b(B\x0f",
    "\x1b]8;;https://host/\x1b\\",
    "\x1b]0;title\x07\x1b[0;1;38;5;160m",
];

/// Writes a value to a terminal with control sequences in it. Returns the text, and the control sequences
/// that should be left of it. If `redraws`, some bytes are written twice before the cursor moves.
fn on_terminal(value: &[u8], choices: &mut Choices, redraws: bool) -> (Vec<u8>, Vec<u8>) {
    let (mut text, mut controls) = (Vec::new(), Vec::new());
    for (at, &byte) in value.iter().enumerate() {
        text.push(byte);
        if at + 1 == value.len() || choices.next(3) > 0 {
            continue;
        }
        let control = CONTROLS[choices.next(CONTROLS.len())];
        match redraws {
            true => text.extend([&[byte], "\x1b[12;1H".as_bytes()].concat()),
            false => text.extend(control.bytes()),
        }
        match redraws {
            true => controls.extend("\x1b[12;1H".bytes()),
            false => controls.extend(control.trim_start_matches(" \x08").bytes()),
        }
    }
    (text, controls)
}

/// Writes a backslash before the bytes that need one.
fn escape(text: &[u8], escaped: impl Fn(u8) -> bool) -> Vec<u8> {
    let bytes = text.iter().flat_map(|&byte| match escaped(byte) {
        true => vec![b'\\', byte],
        false => vec![byte],
    });
    bytes.collect()
}

/// Writes a value in one of the forms. Returns it as a piece of a stream, and what the masker should show
/// in its place.
pub(crate) fn piece(form: usize, value: &[u8], label: &str, seed: u64) -> (Vec<u8>, Vec<u8>) {
    let choices = &mut Choices(seed | 1);
    let text = String::from_utf8_lossy(value).into_owned();
    let is_text = text.as_bytes() == value;
    // Line ends that are not encoded are not masked.
    let mut line_ends = text[text.trim_end_matches(['\r', '\n']).len()..].to_owned();
    let label = label.as_bytes().to_vec();
    let encoded = match form {
        1 => percent(value, choices, "%20"),
        2 => percent(value, choices, "+"),
        3 if is_text => json(&text, choices).into_bytes(),
        4 if is_text => json(&json(&text, choices), choices).into_bytes(),
        5 => value
            .iter()
            .flat_map(|byte| choices.hex(*byte).into_bytes())
            .collect(),
        6 => wrap(&piece(5, value, "", seed).0, 30, "\n"),
        7 => {
            let text = text.replace('\n', "\r\n");
            if is_text {
                line_ends = line_ends.replace('\n', "\r\n");
                text.into_bytes()
            } else {
                value.to_vec()
            }
        }
        8..20 => {
            let alphabet = if form.is_multiple_of(2) {
                STANDARD
            } else {
                URL_SAFE
            };
            let (before, after) = (form % 3, choices.next(4));
            let around = |length: usize| vec![b'?'; length];
            let text = [around(before), value.to_vec(), around(after)].concat();
            let (encoded, holds) = base64(&text, before..before + value.len(), alphabet);
            // The padding is masked with a value that it follows.
            let padding =
                "=".repeat(choices.next(2) * (text.len().next_multiple_of(3) - text.len()));
            let rest = match after {
                0 => Vec::new(),
                _ => [&encoded[holds.end..], padding.as_bytes()].concat(),
            };
            let shown = [&encoded[..holds.start], &label, &rest].concat();
            let mut lines = encoded[holds.clone()].to_vec();
            if form >= 14 {
                // The lines begin with the value, since what is around it has to stay as it is.
                let end = ["\n", "\r\n", "\\n", "\\\\n", "%0A"][choices.next(5)];
                lines = wrap(&lines, 19, end);
            } else {
                lines = escape_base64(&lines, choices);
            }
            let padding = match after {
                0 => String::from_utf8(escape_base64(padding.as_bytes(), choices)).unwrap(),
                _ => padding,
            };
            let behind = [&encoded[holds.end..], padding.as_bytes()].concat();
            return ([&encoded[..holds.start], &lines, &behind].concat(), shown);
        }
        20 | 21
            if !value
                .iter()
                .any(|byte| b"\r\x08\x0e\x0f\x1b".contains(byte)) =>
        {
            let length = value.len() - line_ends.len();
            let (encoded, controls) = on_terminal(&value[..length], choices, form == 21);
            let line_ends = line_ends.into_bytes();
            return (
                [encoded, line_ends.clone()].concat(),
                [label, controls, line_ends].concat(),
            );
        }
        22 => escape(value, |byte| b"$`\"\\".contains(&byte)),
        23 => escape(value, |byte| byte.is_ascii_punctuation() || byte == b' '),
        24 if is_text => text.replace('\'', "'\\''").into_bytes(),
        25 if is_text => text.replace('\'', "'\"'\"'").into_bytes(),
        _ => value.to_vec(),
    };
    if matches!(form, 0 | 7 | 20..) || (matches!(form, 3 | 4) && !is_text) {
        return (encoded, [label, line_ends.into_bytes()].concat());
    }
    (encoded, label)
}

/// Generates values of any bytes, some with line ends at their end. Each begins differently, so that none
/// is the beginning of another.
pub(crate) fn values() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let text = "[ -~äß€🔑\n\r\t]{3,40}".prop_map(String::into_bytes);
    let value = prop_oneof![
        text,
        vec(any::<u8>(), 3..40),
        "[A-Za-z0-9+/ %\\\\\"]{3,60}".prop_map(String::into_bytes)
    ];
    let line_ends = prop::sample::select(vec!["", "", "\n", "\r\n", "\n\n"]);
    vec((value, line_ends), 1..8).prop_map(|mut values| {
        for (at, (value, line_ends)) in values.iter_mut().enumerate() {
            value.insert(0, b'a' + u8::try_from(at).unwrap());
            value.push(b'z');
            value.extend(line_ends.bytes());
        }
        values.into_iter().map(|(value, _)| value).collect()
    })
}
