//! Random values.

use std::ops::RangeInclusive;

use mcplexer_secrets::SecretValue;
use zeroize::{Zeroize, Zeroizing};

/// The long list of the EFF for passphrases (CC BY 3.0 US), <https://www.eff.org/dice>: a word in each line. As an array of texts
/// it would take three times as much of the program, and each start some time.
const LIST: &str = include_str!("generate/words.txt");

/// How many characters a random value may have.
pub const LENGTHS: RangeInclusive<usize> = 8..=512;

/// How many words a passphrase may have. Each is one of 7776: 12.9 bits.
pub const WORDS: RangeInclusive<usize> = 4..=32;

/// Where no random value can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The length is not one of [`LENGTHS`].
    #[error("a random value has {} to {} characters", LENGTHS.start(), LENGTHS.end())]
    Length,
    /// The number of words is not one of [`WORDS`].
    #[error("a passphrase has {} to {} words", WORDS.start(), WORDS.end())]
    Words,
    /// The system has no random numbers.
    #[error("the system has no random numbers")]
    NoRandomness,
}

/// What a random value is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Alphabet {
    /// Letters and digits: nothing that a shell, a URL or a header field reads as something else.
    #[default]
    Alnum,
    /// Digits.
    Digits,
    /// Digits and the letters from a to f.
    Hex,
    /// Letters, digits, `-` and `_`.
    Base64Url,
    /// Every visible ASCII character.
    Ascii,
}

impl Alphabet {
    const VISIBLE: RangeInclusive<u8> = b'!'..=b'~';

    fn letters(self) -> Vec<u8> {
        Self::VISIBLE
            .filter(|it| match self {
                Self::Alnum => it.is_ascii_alphanumeric(),
                Self::Digits => it.is_ascii_digit(),
                Self::Hex => it.is_ascii_digit() || (b'a'..=b'f').contains(it),
                Self::Base64Url => it.is_ascii_alphanumeric() || b"-_".contains(it),
                Self::Ascii => true,
            })
            .collect()
    }
}

/// Makes a value of so many characters, each as likely as the others.
///
/// # Errors
/// [`Error::Length`] or [`Error::NoRandomness`].
pub fn value(length: usize, alphabet: Alphabet) -> Result<SecretValue, Error> {
    if !LENGTHS.contains(&length) {
        return Err(Error::Length);
    }
    let letters = alphabet.letters();
    // A byte beyond the last whole multiple would make the first letters likelier.
    let fair = 256 - 256 % letters.len();
    let mut value = Zeroizing::new(Vec::with_capacity(length));
    let mut bytes = [0; 64];
    while value.len() < length {
        getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
        let fair = bytes
            .iter()
            .map(|&it| usize::from(it))
            .filter(|it| *it < fair);
        let chosen = fair.filter_map(|it| letters.get(it % letters.len()));
        let missing = length - value.len();
        value.extend(chosen.take(missing));
    }
    bytes.zeroize();
    SecretValue::copy_of(&value).map_err(|_| Error::Length)
}

/// Makes a passphrase of so many words of the long list of the EFF, each as likely as the others.
///
/// # Errors
/// [`Error::Words`] or [`Error::NoRandomness`].
pub fn words(count: usize, separator: &str) -> Result<SecretValue, Error> {
    if !WORDS.contains(&count) {
        return Err(Error::Words);
    }
    let list: Vec<&str> = LIST.lines().collect();
    // A number beyond the last whole multiple would make the first words likelier.
    let fair = 65536 - 65536 % list.len();
    let longest = list.iter().map(|word| word.len()).max().unwrap_or(0);
    // It never grows, which would leave copies behind.
    let mut value = Zeroizing::new(Vec::with_capacity(count * (longest + separator.len())));
    let mut left = count;
    let mut bytes = [0; 2];
    while left > 0 {
        getrandom::fill(&mut bytes).map_err(|_| Error::NoRandomness)?;
        let number = usize::from(u16::from_le_bytes(bytes));
        let chosen = list.get(number % list.len()).filter(|_| number < fair);
        if let Some(word) = chosen {
            if left < count {
                value.extend_from_slice(separator.as_bytes());
            }
            value.extend_from_slice(word.as_bytes());
            left -= 1;
        }
    }
    bytes.zeroize();
    SecretValue::copy_of(&value).map_err(|_| Error::Words)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_letter_is_as_likely_as_the_others() {
        for (alphabet, count) in [
            (Alphabet::Alnum, 62),
            (Alphabet::Digits, 10),
            (Alphabet::Hex, 16),
            (Alphabet::Base64Url, 64),
            (Alphabet::Ascii, 94),
        ] {
            let mut seen = [0_usize; 256];
            for _ in 0..200 {
                let value = value(512, alphabet).unwrap();
                assert_eq!(value.expose().len(), 512);
                value
                    .expose()
                    .iter()
                    .for_each(|it| seen[usize::from(*it)] += 1);
            }
            let used: BTreeSet<u8> = (0..=255).filter(|it| seen[usize::from(*it)] > 0).collect();
            assert_eq!(used, alphabet.letters().into_iter().collect());
            assert_eq!(used.len(), count);
            // 102,400 letters. In the rarest case, 1,089 of each, with a deviation of 33.
            let expected = 102_400 / count;
            let likely = expected * 3 / 4..expected * 5 / 4;
            assert!(
                used.iter()
                    .all(|it| likely.contains(&seen[usize::from(*it)]))
            );
        }
    }

    #[test]
    fn every_word_is_as_likely_as_the_others() {
        let all: Vec<_> = LIST.lines().collect();
        let list: BTreeSet<_> = all.iter().copied().collect();
        assert_eq!((list.len(), all.len()), (7776, 7776));
        assert!(list.iter().all(|it| it.len() >= 3));
        assert!(list.contains("abacus") && list.contains("zoom"));
        let mut eighths = [0_usize; 8];
        for _ in 0..1000 {
            let value = words(32, " ").unwrap();
            let text = str::from_utf8(value.expose()).unwrap();
            let chosen: Vec<_> = text.split(' ').collect();
            assert_eq!(chosen.len(), 32);
            for word in chosen {
                let place = all.iter().position(|it| *it == word);
                eighths[place.unwrap() / 972] += 1;
            }
        }
        // 32,000 words: 4,000 in each eighth, with a deviation of 59.
        assert!(eighths.iter().all(|it| (3_500..4_500).contains(it)));
    }

    #[test]
    fn lengths_have_limits() {
        for count in [0, 3, 33, usize::MAX] {
            assert_eq!(words(count, "-").unwrap_err(), Error::Words);
        }
        for length in [0, 7, 513, usize::MAX] {
            assert_eq!(value(length, Alphabet::Hex).unwrap_err(), Error::Length);
        }
        let shortest = value(8, Alphabet::Hex).unwrap();
        assert_eq!(shortest.expose().len(), 8);
    }
}
