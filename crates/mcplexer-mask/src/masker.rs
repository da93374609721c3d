//! Replaces values in a stream.

use std::fmt;
use std::iter;
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::control;
use crate::form::Form;
use crate::halves::Halves;
use crate::known::Known;
use crate::needles::Found;
use crate::patterns::Patterns;
use crate::reader::Order;

/// Replaces known values in a stream of bytes with `[label]`.
///
/// All other bytes pass unchanged and in order. The end of a chunk that may be the beginning of a value
/// is held back until more bytes come; [`flush`](Self::flush) writes it if none do.
///
/// * Line ends at the end of a value need not follow it in the stream. They are replaced together with
///   the value only where they are encoded, so that lines stay lines.
/// * If two labels have the same value, the first label is shown.
/// * Control sequences within a value pass, so that the terminal's state stays right.
///
/// ```
/// use mcplexer_mask::{Known, Masker};
///
/// let token = Known { label: "github/TOKEN".to_owned(), value: b"ghp_abc123" };
/// let mut masker = Masker::new([token]);
/// let mut shown = Vec::new();
/// masker.feed(b"the token is ghp_", &mut shown);
/// masker.feed(b"abc123!", &mut shown);
/// masker.flush(&mut shown);
/// assert_eq!(shown, b"the token is [github/TOKEN]!");
/// ```
pub struct Masker {
    patterns: Arc<Patterns>,
    /// Bytes that may still be needed: those held back, and those written that may begin a value.
    buffer: Zeroizing<Vec<u8>>,
    /// The position to look at next.
    next: usize,
    /// The end of what has been written, as it is or masked.
    done: usize,
    /// The value that was masked last.
    last: Option<Found>,
    /// How many values were masked.
    replaced: u64,
}

impl Masker {
    /// Creates a masker for these values.
    pub fn new<'a>(known: impl IntoIterator<Item = Known<'a>>) -> Self {
        let patterns = Patterns::new(known);
        // The stream does not wait for it.
        patterns.filter();
        Self::of(Arc::new(patterns))
    }

    /// Creates a masker of the same values for another stream.
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
            replaced: 0,
        }
    }

    /// Returns the labels of values that are not masked because they are shorter than
    /// [`MIN_MASKED_LEN`](crate::MIN_MASKED_LEN).
    #[must_use]
    pub fn too_short(&self) -> &[String] {
        &self.patterns.too_short
    }

    /// Returns the labels of the values that are masked.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.patterns.needles.labelled().map(|(_, label)| &**label)
    }

    /// Returns what finds the larger part of a value in a text that does not go on, such as a message: a stream is masked as
    /// a whole, and needs no such thing.
    #[must_use]
    pub fn halves(&self) -> &Halves {
        self.patterns.halves()
    }

    /// Returns whether a text that does not go on, such as a message, has a value in it.
    #[must_use]
    pub fn finds(&self, text: &[u8]) -> bool {
        let filter = self.patterns.filter();
        let candidates = iter::successors(filter.candidate(text, 0), |at| {
            filter.candidate(text, at + 1)
        });
        let mut looks = candidates.map(|at| self.patterns.needles.look(text, at));
        looks.any(|look| look.found.is_some())
    }

    /// Returns how many values were replaced so far.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Takes the next bytes of the stream, and appends to `out` everything that is certain by now.
    pub fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.keep_what_is_needed(bytes.len());
        self.buffer.extend_from_slice(bytes);
        loop {
            let candidate = self.patterns.filter().candidate(&self.buffer, self.next);
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
        self.write(self.next, out);
    }

    /// Returns whether bytes are held back.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.done < self.buffer.len()
    }

    /// Appends to `out` what is held back, when the stream pauses or ends. If that was the beginning of
    /// a value and the rest comes later, the rest is masked.
    pub fn flush(&mut self, out: &mut Vec<u8>) {
        let mut begun = None;
        while let Some(at) = self.patterns.filter().candidate(&self.buffer, self.next) {
            let look = self.patterns.needles.look(&self.buffer, at);
            if look.may_go_on && begun.is_none() {
                begun = Some(at);
            }
            if let Some(found) = look.found {
                self.mask(at, found, out);
            }
            self.next = at + 1;
        }
        self.write(self.buffer.len(), out);
        self.next = begun.unwrap_or(self.buffer.len());
    }

    /// Masks the value that was found at a position. If it overlaps with what was masked before, it extends
    /// that.
    fn mask(&mut self, at: usize, found: Found, out: &mut Vec<u8>) {
        if found.end <= self.done {
            return;
        }
        self.write(at, out);
        // Control sequences within the value still have to reach the terminal.
        let masked = self.buffer.get(at + 1..found.end).unwrap_or_default();
        let controls: Vec<_> = match found.form.has_controls() {
            true => control::sequences(masked).collect(),
            false => Vec::new(),
        };
        let controls = controls.iter().map(|it| at + 1 + it.start..at + 1 + it.end);
        // The rest of one that was already written in part comes first.
        let mut controls = controls.filter(|it| it.end > self.done).peekable();
        if let Some(torn) = controls.next_if(|it| it.start < self.done) {
            let rest = self.buffer.get(self.done..torn.end);
            out.extend_from_slice(rest.unwrap_or_default());
        }
        let goes_on = self
            .last
            .is_some_and(|last| at < last.end && last.needle == found.needle);
        if !goes_on {
            self.replaced += 1;
            let label = self.patterns.needles.label(found.needle);
            show(label.map_or("", |it| it), found.form, out);
        }
        for control in controls {
            let sequence = self.buffer.get(control);
            out.extend_from_slice(sequence.unwrap_or_default());
        }
        self.done = found.end;
        self.last = Some(found);
    }

    /// Appends to `out` what comes before `until` and was not written yet.
    fn write(&mut self, until: usize, out: &mut Vec<u8>) {
        if let Some(bytes) = self.buffer.get(self.done..until) {
            out.extend_from_slice(bytes);
            self.done = until;
        }
    }

    /// Drops bytes that can no longer be part of a value, and makes room for `more` bytes without leaving
    /// a copy behind.
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

/// Appends a label in brackets, in UTF-16 in place of UTF-16.
fn show(label: &str, form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Utf16(order) => {
            let units = format!("[{label}]");
            let units = units.encode_utf16().flat_map(|unit| match order {
                Order::LittleEndian => unit.to_le_bytes(),
                Order::BigEndian => unit.to_be_bytes(),
            });
            // The higher byte of the first unit is before the value.
            out.extend(units.skip(usize::from(order == Order::BigEndian)));
        }
        _ => {
            out.push(b'[');
            out.extend_from_slice(label.as_bytes());
            out.push(b']');
        }
    }
}

/// Shows the number of values, and how many bytes are held back.
impl fmt::Debug for Masker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masker")
            .field("values", &self.patterns.needles.len())
            .field("held", &(self.buffer.len() - self.done))
            .finish_non_exhaustive()
    }
}
