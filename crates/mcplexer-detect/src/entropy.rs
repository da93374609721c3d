//! Words that look random.
//!
//! Shannon's measure alone does not tell `ThisIsTheNameOfAnInterface` from a token: a short word of
//! any kind has nearly as many different letters as it can. So it is asked as well how many pairs of
//! letters are such as words have: about three in four in words of English, one in five by chance.

use std::ops::Range;

/// Shortest word that is judged by itself, in bytes.
const MIN_WORD: usize = 24;
/// Shortest part of a word, between `-`, `/` and the like, that makes the word random.
const MIN_SEGMENT: usize = 20;
/// Shortest hexadecimal word: 128 bits. Shorter ones are identifiers.
const MIN_HEX: usize = 32;
/// Of how many characters each is chosen, at least: what random hexadecimal digits have in a short word.
const MIN_CHOICE: u64 = 7;

/// For each letter from `a`, those that often follow it.
const FOLLOWERS: [&str; 26] = [
    "bcdilmnprst",
    "al",
    "aehkort",
    "aei",
    "acdeflmnprstx",
    "fio",
    "e",
    "aeo",
    "acdefglmnostvz",
    "",
    "e",
    "aeiloy",
    "aeiop",
    "acdegiost",
    "cdlmnprstuw",
    "aelort",
    "u",
    "aeimost",
    "cehiopstu",
    "aehiorsy",
    "lnrst",
    "e",
    "",
    "",
    "",
    "",
];

/// Beginnings of digests and of keys that are public.
const PUBLIC: &[&str] = &[
    "sha1-",
    "sha256-",
    "sha384-",
    "sha512-",
    "AAAAB3NzaC1",
    "AAAAC3NzaC1",
    "AAAAE2VjZHNh",
    "AAAAGnNr",
    "age1",
    "npub1",
];
/// What is before a digest.
const DIGEST_OF: &[&str] = &[
    "sha1:", "sha224:", "sha256:", "sha384:", "sha512:", "md5:", "blake3:",
];

/// The first word that looks random, outside of URLs.
pub(super) fn find(text: &str) -> Option<Range<usize>> {
    let is_edge = |c: char| c.is_whitespace() || "\"'`<>".contains(c);
    let mut from = 0;
    for chunk in text.split_inclusive(is_edge) {
        let start = from;
        from += chunk.len();
        if chunk.contains("://") {
            continue;
        }
        if let Some(found) = in_chunk(chunk) {
            return Some(start + found.start..start + found.end);
        }
    }
    None
}

fn in_chunk(chunk: &str) -> Option<Range<usize>> {
    let mut end = 0;
    while let Some(start) = chunk.get(end..)?.find(belongs).map(|at| end + at) {
        let rest = chunk.get(start..)?;
        end = start + rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        let is_digest = DIGEST_OF
            .iter()
            .any(|it| chunk.get(..start).is_some_and(|b| b.ends_with(it)));
        if !is_digest && word_is_random(chunk.get(start..end)?) {
            let padding = chunk
                .get(end..)?
                .bytes()
                .take(2)
                .take_while(|&byte| byte == b'=');
            return Some(start..end + padding.count());
        }
    }
    None
}

fn belongs(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/_.~-".contains(c)
}

/// Whether a text is one word and looks random.
pub(super) fn looks_random(text: &str) -> bool {
    let word = text.trim_end_matches('=');
    text.len() - word.len() <= 2 && word.chars().all(belongs) && word_is_random(word)
}

fn word_is_random(word: &str) -> bool {
    if word.len() < MIN_WORD || is_identifier(word) || PUBLIC.iter().any(|it| word.starts_with(it))
    {
        return false;
    }
    let segments = || word.split(|c: char| !c.is_ascii_alphanumeric());
    let long = |segment: &str| segment.len() >= MIN_SEGMENT && is_noise(segment);
    if segments().any(long) {
        return true;
    }
    // Base64 with a `/` or `-` here and there, unlike the many of a path or a name.
    let classes = Classes::of(word);
    let many = segments().count() > word.len() / 8;
    let base64 = classes.lower > 0 && classes.upper > 0 && classes.digit > 0;
    word.len() >= MIN_HEX && !word.contains('.') && base64 && !many && is_noise(word)
}

/// UUIDs (RFC 9562) and ULIDs of our time.
fn is_identifier(word: &str) -> bool {
    let groups = word.split('-').map(str::len);
    let hex = word
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let uuid = hex && groups.eq([8, 4, 4, 4, 12]);
    let upper = word
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    uuid || (upper && word.len() == 26 && word.starts_with("01"))
}

/// Whether the letters and digits of a text look random, however long it is.
pub(super) fn is_noise(text: &str) -> bool {
    let classes = Classes::of(text);
    let letters = classes.lower + classes.upper;
    let characters = letters + classes.digit;
    if !is_varied(text) || letters == 0 {
        return false;
    }
    let hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if hex && classes.digit > 0 && (classes.lower == 0 || classes.upper == 0) {
        return characters >= MIN_HEX;
    }
    // Digits stand between letters, or capitals between small letters.
    let mixed = classes.switches * 10 >= characters || (classes.lower > 0 && classes.upper > 1);
    // Under 9 in 20, half way between words and chance; more where digits stand between letters.
    mixed
        && classes.usual * 20 * characters
            < classes.pairs * (9 * characters + 20 * classes.switches) + 9 * characters
}

/// Whether few characters of a text are the same, as by chance: of two characters that are picked, at
/// most one pair in [`MIN_CHOICE`] (that is 2 to the power of Rényi's entropy of order 2).
fn is_varied(text: &str) -> bool {
    let mut counts = [0_u64; 256];
    let mut length = 0_u64;
    // A longer text has no other alphabet than its beginning.
    for byte in text.bytes().take(1024) {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
        length += 1;
    }
    let same: u64 = counts.iter().map(|count| count * count).sum();
    same * MIN_CHOICE <= length * length
}

/// What a text consists of.
#[derive(Default)]
struct Classes {
    lower: usize,
    upper: usize,
    digit: usize,
    /// Neighbours of which one is a digit and one a letter.
    switches: usize,
    /// Neighbours that are letters.
    pairs: usize,
    /// Those of them that words often have.
    usual: usize,
}

impl Classes {
    fn of(text: &str) -> Self {
        let mut classes = Self::default();
        let mut last = b'.';
        for byte in text.bytes() {
            classes.lower += usize::from(byte.is_ascii_lowercase());
            classes.upper += usize::from(byte.is_ascii_uppercase());
            classes.digit += usize::from(byte.is_ascii_digit());
            if last.is_ascii_alphabetic() && byte.is_ascii_alphabetic() {
                classes.pairs += 1;
                classes.usual += usize::from(is_usual(last, byte));
            } else if last.is_ascii_alphanumeric() && byte.is_ascii_alphanumeric() {
                classes.switches += usize::from(last.is_ascii_digit() != byte.is_ascii_digit());
            }
            last = byte;
        }
        classes
    }
}

fn is_usual(first: u8, second: u8) -> bool {
    let index = usize::from(first.to_ascii_lowercase().wrapping_sub(b'a'));
    let followers = FOLLOWERS.get(index).map(|it| it.as_bytes());
    followers.is_some_and(|it| it.contains(&second.to_ascii_lowercase()))
}
