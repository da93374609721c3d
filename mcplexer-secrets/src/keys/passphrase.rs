//! The forms of a passphrase. Keyboards and systems differ in how they write a letter with an accent: as one
//! character (NFC) or as two (NFD). To age these are different passphrases.

use age::secrecy::SecretString;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::{SecretValue, stack};

/// Returns a passphrase in the form in which new ones are used: NFC. `None` if it is not text.
pub(crate) fn for_new(passphrase: &SecretValue) -> Option<SecretString> {
    let text = str::from_utf8(passphrase.expose()).ok()?;
    Some(secret(&in_form(text, text.nfc())))
}

/// Returns the forms in which a passphrase may have been used: as it was typed, in NFC and in NFD, each once.
/// Trying one takes seconds. Empty if it is not text.
pub(crate) fn forms(passphrase: &SecretValue) -> Vec<SecretString> {
    let Ok(text) = str::from_utf8(passphrase.expose()) else {
        return Vec::new();
    };
    let mut forms = vec![secret(text)];
    if text.is_ascii() {
        return forms;
    }
    let (nfc, nfd) = (in_form(text, text.nfc()), in_form(text, text.nfd()));
    if *nfc != text {
        forms.push(secret(&nfc));
    }
    if *nfd != text && nfd != nfc {
        forms.push(secret(&nfd));
    }
    forms
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text.to_owned())
}

fn in_form(text: &str, form: impl Iterator<Item = char>) -> Zeroizing<String> {
    stack::wiped_after(|| {
        // UTF-8 grows threefold at most (Unicode Standard Annex #15, section 14), so the buffer never grows.
        let mut formed = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
        formed.extend(form);
        formed
    })
}

#[cfg(test)]
mod tests {
    use age::secrecy::ExposeSecret;

    use super::*;

    fn value(text: &str) -> SecretValue {
        SecretValue::new(text.into()).unwrap()
    }

    fn all(text: &str) -> Vec<String> {
        let forms = forms(&value(text)).into_iter();
        forms.map(|form| form.expose_secret().to_owned()).collect()
    }

    /// Public fault: borg#1048.
    #[test]
    fn a_passphrase_is_tried_in_each_of_its_forms_once() {
        assert_eq!(all("plain"), ["plain"]);
        assert_eq!(all("日本"), ["日本"]);
        assert_eq!(all("caf\u{e9}"), ["caf\u{e9}", "cafe\u{301}"]);
        assert_eq!(all("cafe\u{301}"), ["cafe\u{301}", "caf\u{e9}"]);
        // Some of one form and some of the other.
        let mixed = "\u{e9}e\u{301}";
        assert_eq!(all(mixed), [mixed, "\u{e9}\u{e9}", "e\u{301}e\u{301}"]);
        // A sign that neither form keeps.
        assert_eq!(all("\u{212b}"), ["\u{212b}", "\u{c5}", "A\u{30a}"]);
        assert!(forms(&SecretValue::new(vec![0xff]).unwrap()).is_empty());
    }

    #[test]
    fn a_new_passphrase_is_in_nfc() {
        for typed in ["caf\u{e9}", "cafe\u{301}"] {
            let new = for_new(&value(typed)).unwrap();
            assert_eq!(new.expose_secret(), "caf\u{e9}");
        }
        assert!(for_new(&SecretValue::new(vec![0xff]).unwrap()).is_none());
    }
}
