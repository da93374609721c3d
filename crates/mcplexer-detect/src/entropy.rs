//! Finds words that look random.
//!
//! Shannon's measure alone does not tell `ThisIsTheNameOfAnInterface` from a token: nearly all letters of
//! any short word are different. So pairs of letters count as well: about three in four pairs of English
//! words are usual ones, and one in five by chance.

use std::ops::Range;

/// Length of the shortest word that can look random by itself, in bytes.
const MIN_WORD: usize = 24;
/// Length of the shortest part of a word, between `-`, `/` and the like, that makes the word random.
const MIN_SEGMENT: usize = 20;
/// Length of the shortest hexadecimal word: 128 bits. Shorter ones are identifiers.
const MIN_HEX: usize = 32;
/// The least number of characters that each is chosen from. A short word of random hexadecimal digits reaches
/// it.
const MIN_CHOICE: u64 = 7;

/// For each letter from `a`, the letters that often follow it.
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

/// Beginnings of digests and of public keys.
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
    // Keys of wallets that only watch (BIP 32, SLIP 132), and keys that are part of every shop's page.
    "xpub",
    "ypub",
    "zpub",
    "tpub",
    "pk_live_",
    "pk_test_",
    // What services call their objects.
    "acct_",
    "agent_",
    "asst_",
    "batch_",
    "cus_",
    "evt_",
    "file-",
    "ftjob-",
    "msg_",
    "org_",
    "pi_",
    "pm_",
    "price_",
    "prj_",
    "prod_",
    "project_",
    "resp_",
    "run_",
    "seti_",
    "sub_",
    "team_",
    "thread_",
    "toolu_",
    "user_",
    "vs_",
    "we_",
    "srv-",
    "dpl_",
    "ocid1.",
    "oac_",
    "plink_",
    // `ciscospark://` in base64.
    "Y2lzY29zcGFyazovL",
    "wrkspc_",
    "bafy",
    "bafk",
    // Base64 of pictures, documents and archives: PNG, JPEG, GIF, WebP, SVG, XML, icons, PDF, ZIP, fonts, sound.
    "iVBORw0KGgo",
    "/9j/",
    "R0lGOD",
    "UklGR",
    "PHN2Zy",
    "PD94bWwg",
    "AAABAA",
    "JVBERi0",
    "UEsDB",
    "d09GR",
    "d09GMg",
    "T2dnUw",
    "SUQzB",
];
/// What comes before a digest.
const DIGEST_OF: &[&str] = &[
    "sha1:", "sha224:", "sha256:", "sha384:", "sha512:", "md5:", "blake3:",
];

/// Finds the first word that looks random, outside of URLs.
pub(crate) fn find(text: &str) -> Option<Range<usize>> {
    let is_edge = |c: char| c.is_whitespace() || "\"'`<>".contains(c);
    let mut from = 0;
    for chunk in text.split_inclusive(is_edge) {
        let start = from;
        from += chunk.len();
        if chunk.contains("://") || chunk.starts_with("data:") {
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

/// Returns whether a text is one word and looks random.
pub(crate) fn looks_random(text: &str) -> bool {
    let word = text.trim_end_matches('=');
    text.len() - word.len() <= 2 && word.chars().all(belongs) && word_is_random(word)
}

/// Returns whether a part of a percent-encoded word looks random.
pub(crate) fn has_random_part(text: &str) -> bool {
    let mut parts = text.split('%');
    let _before = parts.next();
    // Two digits follow each `%`.
    let mut parts = parts.map(|part| part.get(2..).unwrap_or_default());
    parts.any(looks_random)
}

/// Recognises the name of a host on the internet. Its first part may be made up by a cloud.
fn is_host(word: &str) -> bool {
    const DOMAINS: [&str; 10] = [
        "com", "net", "org", "io", "aws", "app", "dev", "cloud", "cn", "run",
    ];
    let labels = word.rsplit('.');
    let is_label = |label: &str| {
        let belongs = |byte: u8| byte == b'-' || byte.is_ascii_digit() || byte.is_ascii_lowercase();
        !label.is_empty() && label.bytes().all(belongs)
    };
    labels.clone().count() > 2
        && labels.clone().all(is_label)
        && labels.take(1).any(|it| DOMAINS.contains(&it))
}

/// Returns whether a word begins like a digest, a public key, or what a service calls its objects.
pub(crate) fn is_public(word: &str) -> bool {
    PUBLIC.iter().any(|it| word.starts_with(it))
}

fn word_is_random(word: &str) -> bool {
    let is_number = word.strip_prefix("0x").is_some_and(|it| {
        // An address, or the hash of a transaction.
        it.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    if word.len() < MIN_WORD || is_number || is_identifier(word) || is_public(word) || is_host(word)
    {
        return false;
    }
    let segments = || word.split(|c: char| !c.is_ascii_alphanumeric());
    let long = |segment: &str| segment.len() >= MIN_SEGMENT && is_noise(segment);
    if segments().any(long) {
        return true;
    }
    // Base64 contains a `/` or `-` here and there; a path or a name contains many.
    let classes = Classes::of(word);
    let many = segments().count() > word.len() / 8;
    let base64 = classes.lower > 0 && classes.upper > 0 && classes.digit > 0;
    word.len() >= MIN_HEX && !word.contains('.') && base64 && !many && is_noise(word)
}

/// Recognises what numbers the objects of Twilio: two capitals and 128 bits.
pub(crate) fn is_sid(word: &str) -> bool {
    let is_small_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    word.split_at_checked(2).is_some_and(|(kind, digits)| {
        kind.bytes().all(|byte| byte.is_ascii_uppercase())
            && digits.len() == MIN_HEX
            && digits.bytes().all(is_small_hex)
    })
}

/// Recognises UUIDs (RFC 9562), ULIDs of our time, SIDs, the context of a trace (W3C), and digests of IPFS.
fn is_identifier(word: &str) -> bool {
    let groups = word.split('-').map(str::len);
    let hex = word
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let uuid = hex && groups.clone().eq([8, 4, 4, 4, 12]);
    let trace = hex && groups.eq([2, 32, 16, 2]);
    let cid = word.len() == 46 && word.starts_with("Qm");
    let upper = word
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    uuid || trace || cid || is_sid(word) || (upper && word.len() == 26 && word.starts_with("01"))
}

/// Returns whether the letters and digits of a text look random, however long it is.
pub(crate) fn is_noise(text: &str) -> bool {
    let text = text.strip_prefix("0x").unwrap_or(text);
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
    // There are digits between letters, or capitals between small letters.
    let mixed = classes.switches * 10 >= characters || (classes.lower > 0 && classes.upper > 1);
    // Less than 9 in 20 pairs are usual, half way between words and chance; more if digits are between
    // letters.
    mixed
        && classes.usual * 20 * characters
            < classes.pairs * (9 * characters + 20 * classes.switches) + 9 * characters
}

/// Returns whether bytes are text and look random.
pub(crate) fn is_noise_in(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(is_noise)
}

/// Returns whether the characters of a text vary as by chance: if two are picked, they are equal at most once
/// in [`MIN_CHOICE`] times (that is 2 to the power of Rényi's entropy of order 2).
fn is_varied(text: &str) -> bool {
    let mut counts = [0_u64; 256];
    let mut length = 0_u64;
    // The rest of a longer text uses the alphabet of its beginning.
    for byte in text.bytes().take(1024) {
        if let Some(count) = counts.get_mut(usize::from(byte)) {
            *count += 1;
        }
        length += 1;
    }
    let same: u64 = counts.iter().map(|count| count * count).sum();
    same * MIN_CHOICE <= length * length
}

/// Returns how many different characters a text contains; exact for ASCII.
pub(crate) fn different(text: &str) -> usize {
    let mut seen = 0_u128;
    for byte in text.bytes() {
        seen |= 1 << (byte & 0x7f);
    }
    seen.count_ones().try_into().unwrap_or(usize::MAX)
}

/// The number of characters and pairs of each kind in a text.
#[derive(Default)]
struct Classes {
    lower: usize,
    upper: usize,
    digit: usize,
    /// Pairs of a digit and a letter.
    switches: usize,
    /// Pairs of letters.
    pairs: usize,
    /// Pairs of letters that are usual in words.
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
