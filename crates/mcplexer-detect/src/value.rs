//! Recognises values that are not credentials, whatever their names.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

mod words;

use words::{
    ASKING, ASKS, BLANKS, EXAMPLES, EXTENSIONS, HERE, IN_SENTENCES, NOT_NEEDED, ROOTS, STATES,
};

use crate::entropy;
use crate::name::Says;
use crate::reference::{is_name_of_credential, stands_for_another, unquoted};
use crate::scheme::without_scheme;

/// Length of an MD5 digest in hexadecimal, which is also that of many API keys.
const MD5_LEN: usize = 32;

/// How many digits a PIN has. A pin of a board has a smaller number.
const PIN_DIGITS: RangeInclusive<usize> = 4..=12;

/// Returns whether a value whose name says this is a credential.
pub(crate) fn fits(says: Says, value: &str) -> bool {
    let value = without_scheme(unquoted(value));
    if says == Says::Password {
        let state =
            STATES.contains(&lower(value).as_str()) && !["test", "demo", "dev"].contains(&value);
        return !state && !is_placeholder(value) && !is_path(value);
    }
    if says == Says::Pin {
        let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
        return is_number && PIN_DIGITS.contains(&value.len()) || fits(Says::Perhaps, value);
    }
    let word = lower(value);
    let stands_in = STATES.contains(&word.as_str()) || NOT_NEEDED.contains(&word.as_str());
    let plain = stands_in || is_small_number(value) || is_address(value);
    if plain || is_placeholder(value) || is_path(value) || value.contains("://") {
        return false;
    }
    match says {
        // No token has letters that are not ASCII.
        Says::Secret => {
            !is_prose(value)
                && !is_name_of_credential(value)
                && !value.contains(|c: char| c.is_alphabetic() && !c.is_ascii())
        }
        Says::Several => value.split(is_between).any(could_be_one_of_several),
        Says::Of => could_be_one_of_several(value),
        Says::Perhaps => could_be_a_token(value),
        Says::Key => could_be_a_token(value) || is_short_key(value),
        Says::Hash => value.len() == MD5_LEN && value.bytes().all(|it| it.is_ascii_hexdigit()),
        Says::Phrase => is_phrase(value) || could_be_a_token(value),
        Says::Seed => is_words(value) || could_be_a_token(value),
        Says::Session => {
            entropy::looks_random(&Zeroizing::new(value.replace('%', ""))) && !is_hex(value)
        }
        Says::SessionToken => could_be_a_token(value) && !is_uuid(value),
        Says::Login => is_login(value) || could_be_a_token(value),
        Says::Password | Says::Pin | Says::Nothing | Says::Public => false,
    }
}

/// Returns whether a value is, or contains, something for a person or a program to fill in.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let filled_in = |open: &str, close: &str| {
        value
            .split_once(open)
            .is_some_and(|(_, rest)| rest.contains(close))
    };
    let first = value
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("");
    let asks = ASKS.contains(&first.to_lowercase().as_str()) && first.len() < value.len();
    let last = value
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or("");
    let here = last.len() < value.len() && HERE.contains(&last.to_lowercase().as_str());
    let digits = value.contains(|c: char| c.is_ascii_digit());
    value.is_empty()
        || stands_for_another(value)
        || filled_in("${", "}")
        || filled_in("{{", "}}")
        || value.contains("mcplexer://")
        || value.contains('…')
        || entropy::different(value) == 1
        || lower(first).starts_with("your")
        || ((asks || here) && !digits)
        || BLANKS.iter().any(|it| lower(value).contains(it))
        || ASKING.iter().any(|it| value.contains(it))
        || is_example(value)
}

/// Returns whether a value, even a random one, contains what only examples contain.
pub(crate) fn is_example(value: &str) -> bool {
    let value = lower(value);
    let yours = ["your-", "your_", "my-api-key", "my_api_key"];
    EXAMPLES.iter().chain(&yours).any(|it| value.contains(it))
}

/// Returns whether a value could be a path.
fn is_path(value: &str) -> bool {
    let begins = ["/", "~/", "./", "../", "\\\\", "~\\"]
        .iter()
        .any(|it| value.starts_with(it));
    let mut characters = value.chars();
    let drive = characters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && characters.next() == Some(':')
        && characters.next().is_some_and(|c| c == '\\' || c == '/');
    let file = EXTENSIONS.iter().any(|end| value.ends_with(end));
    (begins && !entropy::looks_random(value)) || drive || file
}

/// Returns whether a value is a path from a directory that every system has. Parts of it may look random.
pub(crate) fn is_in_file_system(value: &str) -> bool {
    let first = value.strip_prefix('/').and_then(|it| it.split_once('/'));
    first.is_some_and(|(first, _)| ROOTS.contains(&first))
}

/// Returns whether a value is a number that is not a password.
fn is_small_number(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    digits.len() < 8
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
        || digits.split('.').count() == 2 && digits.parse::<f64>().is_ok()
}

/// Returns whether a value is three or more words without digits and symbols.
fn is_prose(value: &str) -> bool {
    let mut words = value.split_whitespace();
    words.clone().count() > 2
        && words.all(|it| it.chars().all(|c| c.is_alphabetic() || ".,'!?".contains(c)))
}

/// Returns whether a value looks like a token or a user and a password, if its name does not say much.
fn could_be_a_token(value: &str) -> bool {
    /// Length of the shortest token, in bytes.
    const LEAST: usize = 16;
    let user_and_password = value
        .split_once('@')
        .is_some_and(|(user, _)| user.contains(':') && !user.ends_with(':'));
    // What is a password in an address of JDBC was looked for already.
    let is_public = entropy::is_sid(value)
        || entropy::is_public(value)
        || begins_with_port(value)
        || value.starts_with("jdbc:");
    let noise = value.len() >= LEAST && entropy::is_noise(value) && !is_public;
    !value.contains(char::is_whitespace) && (user_and_password || noise || is_varied_uuid(value))
}

/// Returns whether a value begins with a host and a port: `db.example.com:1521/ORCL`.
fn begins_with_port(value: &str) -> bool {
    let Some((host, rest)) = value.split_once(':') else {
        return false;
    };
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let port = rest.split('/').next().unwrap_or(rest);
    let is_port = (2..=5).contains(&port.len()) && port.bytes().all(|it| it.is_ascii_digit());
    is_port && host.contains('.') && host.chars().all(is_of_host)
}

/// Returns whether a value is a public key as OpenSSH writes it: `ssh-ed25519 AAAA…`.
pub(crate) fn is_public_key_of_ssh(value: &str) -> bool {
    let mut words = value.split_whitespace();
    let kind = words.next().unwrap_or_default();
    let is_kind = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"]
        .iter()
        .any(|it| kind.starts_with(it));
    is_kind && words.next().is_some_and(|it| it.starts_with("AAAA"))
}

/// Returns whether a value is one word with digits between its letters: `5d61d39c`, but not `shop2024`.
fn is_short_key(value: &str) -> bool {
    const LEAST: usize = 8;
    let digit = |byte: &u8| byte.is_ascii_digit();
    let mut runs = value.as_bytes().chunk_by(|a, b| digit(a) == digit(b));
    let is_mixed = runs.nth(2).is_some();
    value.len() >= LEAST && is_mixed && value.bytes().all(|it| it.is_ascii_alphanumeric())
}

/// Returns whether a value is a UUID other than `00000000-…`.
fn is_varied_uuid(value: &str) -> bool {
    /// Fewest different characters.
    const LEAST: usize = 6;
    is_uuid(value) && entropy::different(value) >= LEAST
}

fn is_between(c: char) -> bool {
    c.is_whitespace() || ",;|".contains(c)
}

/// Returns whether a part of a list looks like a token, if the list's name says that it has some.
fn could_be_one_of_several(part: &str) -> bool {
    const LEAST: usize = 8;
    let part = part.trim_matches(['"', '\'', '[', ']']);
    part.len() >= LEAST
        && part.contains(|c: char| c.is_ascii_digit())
        && part.contains(|c: char| c.is_ascii_alphabetic())
        && !is_placeholder(part)
        && !is_path(part)
        && !is_address(part)
}

/// Returns whether a value is the address of an account on a blockchain, which is public.
pub(crate) fn is_address(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or_default();
    digits.len() == 40 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether a value is 256 bits as programs for blockchains write a private key, and the hash of a
/// transaction.
pub(crate) fn is_key_in_hex(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or_default();
    digits.len() == 64 && is_hex(digits) && entropy::is_noise(digits)
}

/// Returns whether a value is the id or the fingerprint of a key of PGP: RFC 9580, section 5.5.4.
pub(crate) fn is_id_of_pgp(value: &str) -> bool {
    let digits = value.strip_prefix("0x").unwrap_or(value);
    matches!(digits.len(), 8 | 16 | 40 | 64) && is_hex(digits)
}

/// Returns whether a value is a digest of 160 bits or more in hexadecimal.
pub(crate) fn is_digest(value: &str) -> bool {
    matches!(value.len(), 40 | 56 | 64 | 96 | 128) && is_hex(value)
}

/// Returns whether a text is a UUID.
pub(crate) fn is_uuid(text: &str) -> bool {
    let is_digit = |byte: u8| byte == b'-' || byte.is_ascii_hexdigit();
    text.bytes().all(is_digit) && text.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

fn is_hex(value: &str) -> bool {
    value.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Returns whether a value is the words of a wallet's seed (BIP 39).
pub(crate) fn is_phrase(value: &str) -> bool {
    let words = || value.split_whitespace();
    let is_word = |word: &str| {
        (3..=8).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase())
    };
    matches!(words().count(), 12 | 15 | 18 | 21 | 24)
        && words().all(|word| is_word(word) && !IN_SENTENCES.contains(&word))
}

/// Returns whether a value is four or more words of small letters that are no sentence.
fn is_words(value: &str) -> bool {
    let words = || value.split_whitespace();
    let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_lowercase());
    words().count() > 3 && words().all(|word| is_word(word) && !IN_SENTENCES.contains(&word))
}

/// Returns whether a value is a user and a password: `me:hunter2`.
pub(crate) fn is_login(value: &str) -> bool {
    const LEAST: usize = 4;
    let Some((user, password)) = value.split_once(':') else {
        return false;
    };
    let is_user = |c: char| c.is_ascii_alphanumeric() || "._@+-".contains(c);
    !user.is_empty()
        && user.chars().all(is_user)
        && password.len() >= LEAST
        && password != user
        && !password.contains(char::is_whitespace)
        && !password.starts_with('/')
        && !password.bytes().all(|byte| byte.is_ascii_digit())
        && fits(Says::Password, password)
}

/// Returns the value in lower case, to be wiped when dropped.
pub(crate) fn lower(value: &str) -> Zeroizing<String> {
    Zeroizing::new(value.to_ascii_lowercase())
}
