//! The shapes of tokens, and how a text is compared with one.

mod encoded;
mod set;

pub(crate) use set::Set;

use crate::reason::Reason;
use crate::{entropy, value};

/// One kind of token: what it begins with, and what must follow.
pub(crate) struct Shape {
    /// Such as `GitHub token`.
    pub(crate) kind: &'static str,
    /// Each token begins with one of them; `""` if they have nothing in common.
    pub(crate) prefixes: &'static [&'static str],
    /// What follows, in this order.
    pub(crate) body: &'static [Part],
}

/// Creates a shape, in one line of a table.
pub(crate) const fn shape(
    kind: &'static str,
    prefixes: &'static [&'static str],
    body: &'static [Part],
) -> Shape {
    Shape {
        kind,
        prefixes,
        body,
    }
}

/// A piece of what follows a prefix.
pub(crate) enum Part {
    /// Exactly this text.
    Lit(&'static str),
    /// As many characters of a set as there are, at least and at most this many.
    Run(Set, usize, usize),
    /// The same, and they must look random: for prefixes with which words begin as well.
    Random(Set, usize, usize),
    /// The padding of base64: up to two `=`.
    Pad,
    /// The rest of a private key that began with `-----BEGIN … KEY-----`.
    Pem,
    /// A user and password in base64 (RFC 7617).
    Basic,
}

/// Fewest different characters after a prefix: `xxxx` and the like have fewer.
const MIN_DIFFERENT: usize = 6;

/// What ends a sentence or a part of it, but not a token.
const SENTENCE: &[u8] = b".,";

impl Shape {
    /// Returns the length of the token at the beginning of a text, and why it is one. `None` if there is no such
    /// token.
    pub(crate) fn matches(&self, text: &[u8]) -> Option<(Reason, usize)> {
        let mut prefixes = self.prefixes.iter();
        prefixes.find_map(|&prefix| {
            let body = after(text, prefix.as_bytes())?;
            let length = prefix.len() + self.body_length(body)?;
            let kind = self.kind;
            Some((Reason::Shape { kind, prefix }, length))
        })
    }

    fn body_length(&self, body: &[u8]) -> Option<usize> {
        let mut rest = body;
        for part in self.body {
            rest = rest.get(part.matches(rest)?..)?;
        }
        let set = self.body.last().and_then(Part::set).unwrap_or(Set::Word);
        let belongs =
            |&byte: &u8| Set::Word.has(byte) || (set.has(byte) && !SENTENCE.contains(&byte));
        let goes_on = rest.first().is_some_and(belongs);
        let length = body.len() - rest.len();
        let body = std::str::from_utf8(body.get(..length)?).ok()?;
        let made_up = entropy::different(body) < MIN_DIFFERENT || value::is_example(body);
        (!goes_on && !made_up).then_some(length)
    }
}

impl Part {
    fn set(&self) -> Option<Set> {
        match *self {
            Self::Run(set, ..) | Self::Random(set, ..) => Some(set),
            _ => None,
        }
    }

    /// Returns how many bytes at the beginning of a text are this part.
    fn matches(&self, text: &[u8]) -> Option<usize> {
        match *self {
            Self::Lit(literal) => text
                .starts_with(literal.as_bytes())
                .then_some(literal.len()),
            Self::Run(set, least, most) => run(text, set, least, most),
            Self::Random(set, least, most) => {
                let length = run(text, set, least, most)?;
                entropy::is_noise_in(text.get(..length)?).then_some(length)
            }
            Self::Pad => Some(encoded::padding(text)),
            Self::Pem => encoded::pem(text),
            Self::Basic => encoded::basic(text),
        }
    }
}

/// Returns what follows a prefix. Most texts differ from a prefix in its second byte, sooner than a function that compares
/// memory is called.
fn after<'t>(text: &'t [u8], prefix: &[u8]) -> Option<&'t [u8]> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.iter().eq(prefix).then_some(rest)
}

/// Returns how many characters of a set a text begins with.
fn run(text: &[u8], set: Set, least: usize, most: usize) -> Option<usize> {
    let length = text
        .iter()
        .take(most)
        .take_while(|&&byte| set.has(byte))
        .count();
    let token = text.get(..length)?;
    let end = token.iter().rposition(|byte| !SENTENCE.contains(byte));
    let length = end.map_or(0, |at| at + 1);
    (length >= least).then_some(length)
}
