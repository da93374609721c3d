//! Generates values, and the forms in which programs print them.

use mcplexer_mask::Known;
use proptest::collection::vec;
use proptest::prelude::*;

/// The number of forms that [`piece`] can produce.
pub(crate) const FORMS: usize = 34;
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

/// Encodes in hex with something between the bytes.
fn separated(value: &[u8], choices: &mut Choices) -> String {
    let separators = [" ", ":", "-", ",", ", "];
    let separator = separators[choices.next(separators.len())];
    let end = ["\n", "\n    "][choices.next(2)];
    let bytes: Vec<_> = value.iter().map(|byte| choices.hex(*byte)).collect();
    let lines: Vec<_> = bytes.chunks(15).map(|line| line.join(separator)).collect();
    lines.join(&format!("{}{end}", separator.trim_end()))
}

/// Encodes as `od`, `xxd` and `hexdump` print it. Returns what comes before the first byte, and the rest.
fn dump(value: &[u8], choices: &mut Choices) -> (String, String) {
    let style = choices.next(6);
    let mut lines = Vec::new();
    for (number, line) in value.chunks(16).enumerate() {
        let offset = number * 16;
        let group = if style == 0 { 2 } else { 1 };
        let groups: Vec<String> = line
            .chunks(group)
            .map(|bytes| bytes.iter().map(|byte| format!("{byte:02x}")).collect())
            .collect();
        let mut hex = groups.join(" ");
        if style == 2 && groups.len() > 8 {
            hex = format!("{}  {}", groups[..8].join(" "), groups[8..].join(" "));
        }
        let width = [39, 47, 48, 0, 0, 47][style];
        let text: String = line
            .iter()
            .map(|&byte| {
                if (b' '..=b'~').contains(&byte) {
                    char::from(byte)
                } else {
                    '.'
                }
            })
            .collect();
        let (begin, end) = match style {
            0 | 1 => (format!("{offset:08x}: "), format!("  {text}")),
            2 => (format!("{offset:08x}  "), format!("  |{text}|")),
            3 => (format!("{offset:07o} "), String::new()),
            4 => (" ".to_owned(), String::new()),
            _ => (format!("{offset:06x} "), format!("  >{text}<")),
        };
        lines.push((begin, format!("{hex:width$}{end}")));
    }
    let begin = lines[0].0.clone();
    let lines: Vec<_> = lines
        .iter()
        .map(|(begin, line)| format!("{begin}{line}"))
        .collect();
    (begin.clone(), lines.join("\n")[begin.len()..].to_owned())
}

/// Writes character references: for what has to be one, and for some other characters.
fn entities(value: &str, choices: &mut Choices) -> String {
    let mut text = String::new();
    for character in value.chars() {
        let named = match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => Some("&quot;"),
            '\'' => Some("&apos;"),
            _ => None,
        };
        let code = u32::from(character);
        match (named, choices.next(6)) {
            (Some(named), 0..4) => text.push_str(named),
            (_, 4) => text.push_str(&format!("&#x{code:X};")),
            (_, 5) => text.push_str(&format!("&#{code:03};")),
            _ if character.is_control() => text.push_str(&format!("&#{code};")),
            _ => text.push(character),
        }
    }
    text
}

/// Writes bytes as C, PHP, bash and zsh do.
fn in_code(value: &[u8], choices: &mut Choices) -> Vec<u8> {
    let way = choices.next(3);
    let mut text = Vec::new();
    for &byte in value {
        let is_plain = (byte.is_ascii_graphic() && !b"\\'\"".contains(&byte)) || byte == b' ';
        match (way, byte) {
            (_, b'\\' | b'\'' | b'"') => text.extend([b'\\', byte]),
            (_, b'\n') => text.extend(b"\\n"),
            _ if is_plain && choices.next(4) > 0 => text.push(byte),
            (0, _) => text.extend(format!("\\x{}", choices.hex(byte)).bytes()),
            (1, _) => text.extend(format!("\\{byte:03o}").bytes()),
            _ if is_plain => text.push(byte),
            (_, 0x7F) => text.extend(b"\\C-?"),
            (_, 0..0x20) => text.extend([b'\\', b'C', b'-', byte | 0x40]),
            (_, 0xFF) => text.extend(b"\\M-\\C-?"),
            (_, 0x80..0xA0) => {
                text.extend([b'\\', b'M', b'-', b'\\', b'C', b'-', (byte & 0x7F) | 0x40]);
            }
            _ => text.extend([b'\\', b'M', b'-', byte & 0x7F]),
        }
    }
    text
}

/// Writes characters as JavaScript, Python and Rust do.
fn in_unicode_code(value: &str, choices: &mut Choices) -> String {
    let way = choices.next(3);
    let mut text = String::new();
    for character in value.chars() {
        let code = u32::from(character);
        let must = character.is_control() || "\\'\"".contains(character);
        match (way, choices.next(4)) {
            (_, 1..) if !must => text.push(character),
            (_, 1..) if !character.is_control() => text.extend(['\\', character]),
            (0, _) => text.push_str(&format!("\\u{{{code:x}}}")),
            (1, _) if code > 0xFFFF => text.push_str(&format!("\\U{code:08X}")),
            (_, _) if code < 0x100 => text.push_str(&format!("\\x{code:02x}")),
            (1, _) => text.push_str(&format!("\\u{code:04x}")),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04X}"));
                }
            }
        }
    }
    text
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
        20 => separated(value, choices).into_bytes(),
        21 => {
            let (begin, lines) = dump(value, choices);
            let encoded = format!("{begin}{lines}\n").into_bytes();
            return (encoded, [begin.as_bytes(), &label, b"\n"].concat());
        }
        22 if is_text => entities(&text, choices).into_bytes(),
        23 => {
            let spaces = ["%20", "+"][choices.next(2)];
            percent(&percent(value, choices, spaces), choices, "%20")
        }
        24 if is_text => text.replace('\'', "''").into_bytes(),
        25 if is_text => text.replace('"', "\"\"").into_bytes(),
        26 => in_code(value, choices),
        27 if is_text => in_unicode_code(&text, choices).into_bytes(),
        28 | 29
            if !value
                .iter()
                .any(|byte| b"\r\x08\x0e\x0f\x1b".contains(byte)) =>
        {
            let length = value.len() - line_ends.len();
            let (encoded, controls) = on_terminal(&value[..length], choices, form == 29);
            let line_ends = line_ends.into_bytes();
            return (
                [encoded, line_ends.clone()].concat(),
                [label, controls, line_ends].concat(),
            );
        }
        30 => escape(value, |byte| b"$`\"\\".contains(&byte)),
        31 => escape(value, |byte| byte.is_ascii_punctuation() || byte == b' '),
        32 if is_text => text.replace('\'', "'\\''").into_bytes(),
        33 if is_text => text.replace('\'', "'\"'\"'").into_bytes(),
        _ => value.to_vec(),
    };
    if matches!(form, 0 | 7 | 24 | 25 | 28..) || (matches!(form, 3 | 4 | 22 | 27) && !is_text) {
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
