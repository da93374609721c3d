//! Random values.

use axum::http::StatusCode;
use mcplexer_secrets::SecretValue;

use crate::problem::Problem;

/// What values are made of: nothing that a shell, a URL or a header field reads as something else.
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Makes a value of so many letters and digits, each as likely as the others.
///
/// # Errors
/// If the length is not from 8 to 512, or the system has no random numbers.
pub(crate) fn value(length: usize) -> Result<SecretValue, Problem> {
    if !(8..=512).contains(&length) {
        return Err(Problem::invalid("generate has to be from 8 to 512"));
    }
    let mut value = Vec::with_capacity(length);
    let mut bytes = [0; 64];
    while value.len() < length {
        getrandom::fill(&mut bytes).map_err(|_| {
            let title = "the system has no random numbers";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, title)
        })?;
        // A byte of 248 or more would make the first letters likelier.
        let fair = bytes.iter().filter(|&&it| it < 248);
        let letters = fair.filter_map(|&it| ALPHABET.get(usize::from(it) % ALPHABET.len()));
        value.extend(letters.take(length - value.len()));
    }
    zeroize::Zeroize::zeroize(&mut bytes);
    SecretValue::new(value).map_err(|it| Problem::invalid(it.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_letter_is_as_likely_as_the_others() {
        let mut seen = [0_u32; 256];
        for _ in 0..200 {
            let value = value(512).unwrap();
            assert_eq!(value.expose().len(), 512);
            value
                .expose()
                .iter()
                .for_each(|it| seen[usize::from(*it)] += 1);
        }
        let used: HashSet<u8> = (0..=255).filter(|it| seen[usize::from(*it)] > 0).collect();
        assert_eq!(used, ALPHABET.iter().copied().collect());
        // 102,400 letters: 1,652 of each, with a deviation of 40.
        assert!(
            ALPHABET
                .iter()
                .all(|it| (1400..1900).contains(&seen[usize::from(*it)]))
        );
    }

    #[test]
    fn lengths_have_limits() {
        for length in [0, 7, 513, usize::MAX] {
            assert!(value(length).is_err(), "{length}");
        }
        assert_eq!(value(8).unwrap().expose().len(), 8);
    }
}
