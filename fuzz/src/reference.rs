//! References to secrets.

use mcplexer_files::reference::Reference;
use mcplexer_files::template::{Syntax, Template};

/// Replaces each reference in a text with itself, which gives the same text but for braces and marks, or fails
/// because a reference is not valid.
pub fn parse_references(bytes: &[u8]) {
    let lines = 1 + bytes.iter().filter(|&&byte| byte == b'\n').count();
    match Template::parse(bytes) {
        Ok(template) => {
            let texts: Vec<_> = template
                .references()
                .map(|(it, _)| it.to_string())
                .collect();
            let lookup = |reference: &Reference| {
                let text = texts.iter().find(|it| **it == reference.to_string());
                text.map(String::as_bytes)
            };
            for syntax in Syntax::ALL {
                let filled = template.fill(syntax, lookup);
                if syntax == Syntax::Text {
                    let filled = filled.expect("has all");
                    let has =
                        |part: &str| bytes.windows(part.len()).any(|it| it == part.as_bytes());
                    let is_same = !["{mcplexer://", "?adopted", "?moved"].into_iter().any(has);
                    assert!(filled.expose().len() <= bytes.len());
                    assert!(!is_same || filled.expose() == bytes);
                }
            }
            for text in &texts {
                let again = text.parse::<Reference>().expect("is a reference");
                assert_eq!(again.to_string(), *text);
            }
        }
        Err((at, _)) => assert!((1..=lines).contains(&at.line) && at.column > 0),
    }
}
