//! Masking: what a program prints, without the values it was given.
//!
//! A [`Masker`] finds values in a stream of bytes as they are and in the forms that programs print
//! them in: base64 (RFC 4648, sections 4 and 5; at every alignment within a longer text, wrapped or
//! not, its characters escaped for JSON or a URL or not), hex (section 8), percent-encoding (RFC 3986,
//! section 2.1, and `+` for a space as HTML forms have it), JSON strings (RFC 8259, section 7; also JSON within a JSON string), quoted for a shell
//! (POSIX.1-2024, XCU 2.2), and as a terminal is told to show them: with CR LF for LF, and with control
//! sequences (ECMA-48) in them, which pass. Of a value of several lines it also finds those by
//! themselves that are base64 or look like a credential.
//!
//! How: a position in the stream is looked at closely only if its next four bytes may begin some
//! form of some value, which a table of bits tells. Then each form is decoded from
//! there, byte by byte, for as long as what comes out is the beginning of a value, by bisection in
//! the sorted values. So nothing is enumerated that a form leaves open, such as which characters an
//! encoder escapes.

use std::fmt;
use std::sync::Arc;

use zeroize::Zeroizing;

use mcplexer_detect as detect;
use mcplexer_secrets::{Credential, ScopeId, SecretName, SecretValue};

mod control;
pub(crate) mod filter;
pub(crate) mod form;
mod json;
pub(crate) mod needles;

use filter::Filter;
use needles::{Found, Needles};

/// Shortest value that is masked, in bytes. Shorter ones would be found everywhere.
pub const MIN_MASKED_LEN: usize = 4;
/// Shortest line of base64 that is masked by itself, in bytes: shorter ones may be words.
const MIN_LINE_LEN: usize = 32;

/// Replaces values in a stream of bytes by `[scope/KEY]`.
///
/// Bytes that are no value pass unchanged and in order. The end of a chunk that may begin a value is
/// held back until it is clear; [`flush`](Self::flush) gives it out for when nothing follows.
///
/// A value's line ends at its end need not be there, and are masked with it only where they are
/// encoded, so that lines stay lines. If two keys have
/// the same value, it is masked as the first of them.
///
/// ```
/// use mcplexer_mask::Masker;
/// use mcplexer_secrets::{Credentials, ScopeKind, SecretValue};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = ("TOKEN".parse()?, SecretValue::new(b"ghp_abc123".to_vec())?);
/// let credentials = Credentials::new("github".parse()?, ScopeKind::Env, vec![secret]);
/// let mut masker = Masker::new(credentials.iter());
/// let mut shown = Vec::new();
/// masker.feed(b"the token is ghp_", &mut shown);
/// masker.feed(b"abc123!", &mut shown);
/// masker.flush(&mut shown);
/// assert_eq!(shown, b"the token is [github/TOKEN]!");
/// # Ok(())
/// # }
/// ```
pub struct Masker {
    patterns: Arc<Patterns>,
    /// What may still be needed: held bytes, and those given out that may begin a value.
    buffer: Zeroizing<Vec<u8>>,
    /// The position to look at next.
    next: usize,
    /// Up to where the buffer has been given out, as it is or masked.
    done: usize,
    /// What was masked last, and up to where.
    last: Option<Found>,
}

/// What is looked for.
pub(crate) struct Patterns {
    pub(crate) needles: Needles,
    pub(crate) filter: Filter,
    pub(crate) too_short: Vec<String>,
}

/// Whose value it is.
#[derive(Debug, Clone)]
pub(crate) struct Label {
    pub(crate) scope: ScopeId,
    pub(crate) name: SecretName,
}

impl Masker {
    /// A masker for these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = Credential<'a>>) -> Self {
        Self::of(Arc::new(Patterns::new(secrets)))
    }

    /// A masker for another stream, for the same secrets.
    #[must_use]
    pub fn for_another_stream(&self) -> Self {
        Self::of(Arc::clone(&self.patterns))
    }

    fn of(patterns: Arc<Patterns>) -> Self {
        Self {
            patterns,
            buffer: Zeroizing::default(),
            next: 0,
            done: 0,
            last: None,
        }
    }

    /// The secrets, as `scope/KEY`, that are not masked since they are shorter than
    /// [`MIN_MASKED_LEN`].
    #[must_use]
    pub fn too_short(&self) -> &[String] {
        &self.patterns.too_short
    }

    /// Takes the next bytes of the stream, and appends to `out` what is clear by now.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.keep_what_is_needed(bytes.len());
        self.buffer.extend_from_slice(bytes);
        loop {
            let candidate = self.patterns.filter.candidate(&self.buffer, self.next);
            self.next = candidate.unwrap_or(self.buffer.len());
            if candidate.is_none() {
                break;
            }
            let look = self.patterns.needles.look(&self.buffer, self.next);
            if look.may_go_on {
                break;
            }
            if let Some(found) = look.found {
                self.mask(self.next, found, out);
            }
            self.next += 1;
        }
        self.give_out(self.next, out);
    }

    /// Whether bytes are held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.done < self.buffer.len()
    }

    /// Gives out what is held back, for a stream that pauses or has ended. If a value has only
    /// begun and is completed later, the rest of it is masked.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let mut begun = None;
        while let Some(at) = self.patterns.filter.candidate(&self.buffer, self.next) {
            let look = self.patterns.needles.look(&self.buffer, at);
            if look.may_go_on && begun.is_none() {
                begun = Some(at);
            }
            if let Some(found) = look.found {
                self.mask(at, found, out);
            }
            self.next = at + 1;
        }
        self.give_out(self.buffer.len(), out);
        self.next = begun.unwrap_or(self.buffer.len());
    }

    /// Masks from a position on. What overlaps with something masked before extends it.
    fn mask(&mut self, at: usize, found: Found, out: &mut Vec<u8>) {
        if found.end <= self.done {
            return;
        }
        self.give_out(at, out);
        // Where the terminal was told something amid the value, it still is.
        let masked = self.buffer.get(at + 1..found.end).unwrap_or_default();
        let controls: Vec<_> = match found.form.has_controls() {
            true => control::sequences(masked).collect(),
            false => Vec::new(),
        };
        let controls = controls.iter().map(|it| at + 1 + it.start..at + 1 + it.end);
        // One that was given out in part is completed first.
        let mut controls = controls.filter(|it| it.end > self.done).peekable();
        if let Some(torn) = controls.next_if(|it| it.start < self.done) {
            let rest = self.buffer.get(self.done..torn.end);
            out.extend_from_slice(rest.unwrap_or_default());
        }
        let goes_on = self
            .last
            .is_some_and(|last| at < last.end && last.needle == found.needle);
        if !goes_on {
            let label = self.patterns.needles.label(found.needle);
            let label = label.map(ToString::to_string).unwrap_or_default();
            out.push(b'[');
            out.extend_from_slice(label.as_bytes());
            out.push(b']');
        }
        for control in controls {
            let told = self.buffer.get(control);
            out.extend_from_slice(told.unwrap_or_default());
        }
        self.done = found.end;
        self.last = Some(found);
    }

    fn give_out(&mut self, until: usize, out: &mut Vec<u8>) {
        if let Some(bytes) = self.buffer.get(self.done..until) {
            out.extend_from_slice(bytes);
            self.done = until;
        }
    }

    /// Drops what no later byte can make part of a value, and makes room for `more` bytes without
    /// leaving a copy behind.
    fn keep_what_is_needed(&mut self, more: usize) {
        let drop = self.next.min(self.done);
        let kept = self.buffer.get(drop..).unwrap_or_default();
        if kept.len() + more > self.buffer.capacity() {
            let mut larger = Vec::with_capacity((kept.len() + more).next_power_of_two());
            larger.extend_from_slice(kept);
            self.buffer = Zeroizing::new(larger);
        } else {
            let length = kept.len();
            self.buffer.copy_within(drop.., 0);
            self.buffer.truncate(length);
        }
        self.next -= drop;
        self.done -= drop;
        self.last = self.last.and_then(|last| {
            let end = last.end.checked_sub(drop)?;
            Some(Found { end, ..last })
        });
    }
}

impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker")
            .field("values", &self.patterns.needles.len())
            .field("held", &(self.buffer.len() - self.done))
            .finish_non_exhaustive()
    }
}

impl Patterns {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = Credential<'a>>) -> Self {
        let mut values = Vec::new();
        let mut too_short = Vec::new();
        for secret in secrets {
            let label = Label {
                scope: secret.scope.clone(),
                name: secret.name.clone(),
            };
            let Some((value, line_ends)) = maskable(secret.value) else {
                too_short.push(label.to_string());
                continue;
            };
            values.push((value, line_ends, label.clone()));
            let parts = telling_parts(value).into_iter();
            values.extend(parts.map(|part| (part, &b""[..], label.clone())));
        }
        let needles = Needles::new(values);
        let filter = Filter::new(needles.values());
        Self {
            needles,
            filter,
            too_short,
        }
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.scope, self.name)
    }
}

/// What gives a value of several lines away by itself, as programs indent lines, join them or print only
/// some: those of base64, as in PEM (RFC 7468), and what else looks like a credential.
fn telling_parts(value: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    if !value.contains(&b'\n') {
        return parts;
    }
    for line in value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.len() >= MIN_LINE_LEN && is_base64(line) {
            parts.push(line);
            continue;
        }
        let mut rest = str::from_utf8(line).unwrap_or_default();
        while let Some((place, _)) = detect::find_any(rest) {
            let (found, after) = (rest.get(place.clone()), rest.get(place.end..));
            // The boundaries of PEM are of no value in particular.
            let found = found.filter(|it| it.len() >= MIN_MASKED_LEN && !it.starts_with("-----"));
            parts.extend(found.map(str::as_bytes));
            rest = after.unwrap_or_default();
        }
    }
    parts
}

/// Whether a line is of base64 as in PEM, and neither a rule nor a path: those lack some kind of
/// characters.
fn is_base64(line: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| line.iter().any(kind);
    let belongs = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    line.iter().all(belongs)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// What of a value is looked for, and the line ends behind it. `None` if that is too short.
fn maskable(value: &SecretValue) -> Option<(&[u8], &[u8])> {
    let whole = value.expose();
    let is_line_end = |byte: &u8| b"\r\n".contains(byte);
    let end = whole.iter().rposition(|byte| !is_line_end(byte));
    let trimmed = whole.split_at_checked(end.map_or(0, |end| end + 1));
    let long_enough = |(bytes, _): &(&[u8], &[u8])| bytes.len() >= MIN_MASKED_LEN;
    trimmed
        .filter(long_enough)
        .or_else(|| Some((whole, &b""[..])).filter(long_enough))
}
