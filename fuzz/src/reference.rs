//! References to secrets.

use mcplexer_files::reference::{Reference, Template};

/// Replaces each reference in a text with itself, which gives the same text, or fails because a
/// reference is not valid.
pub fn parse_references(bytes: &[u8]) {
    let lines = 1 + bytes.iter().filter(|&&byte| byte == b'\n').count();
    match Template::parse(bytes) {
        Ok(template) => {
            let texts: Vec<_> = template
                .references()
                .map(|(it, _)| it.to_string())
                .collect();
            let same = template.fill(|reference| {
                let text = texts.iter().find(|it| **it == reference.to_string());
                text.map(String::as_bytes)
            });
            assert_eq!(same.expect("has all").expose(), bytes);
            for text in &texts {
                let again = text.parse::<Reference>().expect("is a reference");
                assert_eq!(again.to_string(), *text);
            }
        }
        Err((at, _)) => assert!((1..=lines).contains(&at.line) && at.column > 0),
    }
}
