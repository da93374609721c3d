//! Does a text look like a credential?

use std::fmt;
use std::ops::Range;

/// Why a text is taken for a credential. `Display` is for people; nothing of the value is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reason(&'static str);

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How tokens of known kinds begin.
const PREFIXES: [(&str, Reason); 4] = [
    ("ghp_", Reason("GitHub token (ghp_…)")),
    ("sk-", Reason("secret key (sk-…)")),
    ("xoxb-", Reason("Slack token (xoxb-…)")),
    ("AKIA", Reason("AWS access key (AKIA…)")),
];

/// The first word of a text that looks like a credential, and why.
#[must_use]
pub(crate) fn find_any(text: &str) -> Option<(Range<usize>, Reason)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let mut rest = text;
    while let Some(start) = rest.find(is_word) {
        let at = text.len() - rest.len() + start;
        let word = text.get(at..).unwrap_or_default();
        let word = word.split(|c| !is_word(c)).next().unwrap_or_default();
        let shape = PREFIXES.iter().find(|(prefix, _)| {
            word.strip_prefix(prefix)
                .is_some_and(|tail| tail.len() >= 6)
        });
        let hex = word.len() >= 32 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let reason = shape.map(|(_, reason)| *reason);
        if let Some(reason) = reason.or(hex.then_some(Reason("looks random"))) {
            return Some((at..at + word.len(), reason));
        }
        rest = text.get(at + word.len()..).unwrap_or_default();
    }
    None
}
