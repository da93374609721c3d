//! Reads the strings of JSON with the names before them, also of a text that is cut off or has comments.

use zeroize::Zeroizing;

/// Fewest numbers of a key that is a list of bytes: 256 bits.
const MIN_KEY: usize = 32;
/// Most of them.
const MAX_KEY: usize = 128;

/// Passes each string that is not a member's name to `judge`, with the name before it, until it returns something.
///
/// The strings of a list have the name of the list, and those before any name have `outer`.
pub(crate) fn find_string<T>(
    text: &str,
    outer: &str,
    mut judge: impl FnMut(&str, &str) -> Option<T>,
) -> Option<T> {
    let mut name = Zeroizing::new(outer.to_owned());
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('"') {
        let length = length_of_string(after);
        let string = unescaped(after.get(..length)?);
        rest = after.get(length..)?.strip_prefix('"').unwrap_or_default();
        if rest.trim_start().starts_with(':') {
            name = string;
        } else if let Some(found) = judge(&name, &string) {
            return Some(found);
        }
    }
    None
}

/// Returns the length of a string up to the quote that ends it.
fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let mut bytes = text.bytes();
    let ends = |byte: u8| {
        let ends = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        ends
    };
    bytes.position(ends).unwrap_or(text.len())
}

/// Returns a string without its escapes (RFC 8259, section 7). Halves of surrogates are left out: no credential
/// has such a character.
fn unescaped(text: &str) -> Zeroizing<String> {
    let mut made = Zeroizing::new(String::with_capacity(text.len()));
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let escaped = match c {
            '\\' => characters.next(),
            _ => {
                made.push(c);
                continue;
            }
        };
        match escaped {
            Some('n') => made.push('\n'),
            Some('r') => made.push('\r'),
            Some('t') => made.push('\t'),
            Some('b' | 'f') | None => {}
            Some('u') => {
                let rest = characters.as_str();
                let digits = rest.get(..4).unwrap_or_default();
                let code = u32::from_str_radix(digits, 16).ok();
                made.extend(code.and_then(char::from_u32));
                characters = rest.get(4..).unwrap_or_default().chars();
            }
            Some(other) => made.push(other),
        }
    }
    made
}

/// Returns whether a text is a public key alone, as JSON (RFC 7517): the members of a private one are `d` and `k`.
pub(crate) fn is_public_key(text: &str) -> bool {
    let mut names = text.split('"').skip(1).step_by(2);
    text.contains("\"kty\"") && !names.any(|it| matches!(it, "d" | "k" | "keys"))
}

/// Returns whether a text is a list of as many bytes as a key has: `[174, 47, …]`, as wallets write them.
pub(crate) fn is_key_of_bytes(text: &str) -> bool {
    let within = |text: &'_ str| -> Option<usize> {
        let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
        let mut seen = [false; 256];
        let mut count = 0;
        for number in inner.split(',') {
            let byte: u8 = number.trim().parse().ok()?;
            *seen.get_mut(usize::from(byte))? = true;
            count += 1;
        }
        let varies = seen.iter().filter(|it| **it).count() * 2 >= count;
        varies.then_some(count)
    };
    within(text).is_some_and(|count| (MIN_KEY..=MAX_KEY).contains(&count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Vec<(String, String)> {
        let mut found = Vec::new();
        find_string(text, "", |name, value| {
            found.push((name.to_owned(), value.to_owned()));
            None::<()>
        });
        found
    }

    #[test]
    fn strings_have_the_name_before_them() {
        let text = r#"{"a": "b c", "d": {"e": ["f", "g\n\"\u00e9"]}, "h": 1, "i": "cut"#;
        let expected = [("a", "b c"), ("e", "f"), ("e", "g\n\"é"), ("i", "cut")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(strings(text), expected);
        assert_eq!(strings(r#"["\"#), [(String::new(), String::new())]);
        assert_eq!(strings(r#"{"a": "\u12é"}"#).len(), 1);
    }

    #[test]
    fn a_key_of_bytes_is_a_list_of_as_many_different_bytes() {
        let list = |numbers: &mut dyn Iterator<Item = u32>| {
            let numbers: Vec<_> = numbers.map(|it| it.to_string()).collect();
            format!("[{}]", numbers.join(", "))
        };
        assert!(is_key_of_bytes(&list(&mut (0..64).map(|it| it * 37 % 251))));
        assert!(is_key_of_bytes(&list(&mut (0..32).map(|it| it * 37 % 251))));
        assert!(!is_key_of_bytes(&list(&mut (0..16))));
        assert!(!is_key_of_bytes(&list(&mut (0..64).map(|_| 0))));
        assert!(!is_key_of_bytes(&list(&mut (240..280))));
        assert!(!is_key_of_bytes("[]"));
    }
}
