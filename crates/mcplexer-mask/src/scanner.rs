//! Finds values in files.
//!
//! The scanner is made for many and large files, most of which contain no value. It looks closely, as
//! the masker does, only at what comes before a *gram*: a short run of bytes that is rare and belongs to
//! a value. And it looks for grams at few positions only. So it takes little more time than reading the
//! files.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use fearless_simd::Level;
use zeroize::Zeroizing;

mod breaks;
mod dumps;
mod grams;
mod kinds;
mod marks;
mod pieces;
mod progress;
mod sampler;
mod table;
mod triples;
mod utf16;

pub use progress::Occurrence;

use breaks::LOOK_AHEAD;
use grams::GRAM;
use kinds::{SHORTEST, STRIDE};
use marks::Marks;
use pieces::Pieces;
use progress::Progress;
use utf16::Utf16;

use crate::filter::Filter;
use crate::known::Known;
use crate::needles::Found;
use crate::patterns::Patterns;

/// How many bytes are read and searched at once; a second-level cache holds them.
const CHUNK: usize = 256 * 1024;

/// Finds known values in streams of bytes.
///
/// * Values shorter than [`MIN_MASKED_LEN`](crate::MIN_MASKED_LEN) are not looked for.
/// * Line ends at the end of a value need not follow it in the stream.
/// * If two labels have the same value, the first label is reported.
///
/// ```
/// use mcplexer_mask::{Known, Scanner};
/// # fn main() -> std::io::Result<()> {
/// let token = Known { label: "github/TOKEN".to_owned(), value: b"ghp_abc123" };
/// let mut scanner = Scanner::new([token]);
/// let found = scanner.scan(&b"# a comment\ntoken = 'ghp_abc123'\n"[..])?;
/// assert_eq!(found.len(), 1);
/// assert_eq!((found[0].line, found[0].column), (2, 10));
/// assert_eq!(&*found[0].label, "github/TOKEN");
/// # Ok(())
/// # }
/// ```
pub struct Scanner {
    wanted: Arc<Wanted>,
    /// Bytes of the stream that may still be needed, and room for a stride after them.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the bytes of the stream end in it.
    length: usize,
    marks: Marks,
    /// Parts of the buffer to look at closely: the first and the last position of each.
    parts: Vec<(usize, usize)>,
}

/// What is looked for.
struct Wanted {
    patterns: Patterns,
    pieces: Pieces,
    /// The beginnings of the values that are too short to have a piece.
    short: Option<Filter>,
    /// What the processor can do.
    level: Level,
}

impl Scanner {
    /// Creates a scanner for these values.
    pub fn new<'a>(known: impl IntoIterator<Item = Known<'a>>) -> Self {
        let patterns = Patterns::new(known);
        let is_short = |value: &&[u8]| value.len() < SHORTEST;
        let short = patterns.needles.values().filter(is_short);
        let short = short.clone().next().map(|_| Filter::new(short));
        let long = patterns.needles.values().filter(|value| !is_short(value));
        let pieces = Pieces::new(long);
        Self::of(Arc::new(Wanted {
            patterns,
            pieces,
            short,
            level: Level::new(),
        }))
    }

    /// Creates a scanner of the same values for another thread.
    #[must_use]
    pub fn for_another_thread(&self) -> Self {
        Self::of(Arc::clone(&self.wanted))
    }

    fn of(wanted: Arc<Wanted>) -> Self {
        Self {
            wanted,
            buffer: Zeroizing::default(),
            length: 0,
            marks: Marks::default(),
            parts: Vec::new(),
        }
    }

    /// Returns the labels of values that are not looked for because they are shorter than
    /// [`MIN_MASKED_LEN`](crate::MIN_MASKED_LEN).
    #[must_use]
    pub fn too_short(&self) -> &[String] {
        &self.wanted.patterns.too_short
    }

    /// Reads a stream to its end. Returns the values in it, in the order in which they begin. UTF-16 in it is read
    /// as UTF-8, also for the columns.
    ///
    /// # Errors
    ///
    /// Fails if the stream cannot be read. What was found before is lost.
    pub fn scan(&mut self, mut stream: impl Read) -> io::Result<Vec<Occurrence>> {
        let mut progress = Progress::default();
        self.length = 0;
        self.scan_rest(&mut progress, &mut stream, false)?;
        Ok(progress.found)
    }

    /// Reads the rest of a stream. If UTF-16 is in it, that is read as UTF-8 from there on.
    fn scan_rest(
        &mut self,
        progress: &mut Progress,
        stream: &mut dyn Read,
        is_decoded: bool,
    ) -> io::Result<()> {
        loop {
            let before = self.length;
            let is_end = self.fill(stream)?;
            let read = self.buffer.get(before..self.length).unwrap_or_default();
            if !is_decoded && utf16::is_within(read, before == 0 && progress.searched == 0) {
                let read = Zeroizing::new(read.to_vec());
                self.length = before;
                let mut decoded = Utf16::new((&**read).chain(stream));
                return self.scan_rest(progress, &mut decoded, true);
            }
            self.search(progress, is_end);
            self.look(progress, is_end);
            if is_end {
                return Ok(());
            }
            self.drop_what_is_not_needed(progress);
        }
    }

    /// Fills the buffer. Returns whether the stream has ended.
    fn fill(&mut self, stream: &mut dyn Read) -> io::Result<bool> {
        let room = self.buffer.len().saturating_sub(STRIDE);
        if room < self.length + CHUNK / 2 {
            // A value may have begun that is larger than the buffer, or there is no buffer yet.
            let mut larger = Vec::with_capacity((2 * room).max(CHUNK) + STRIDE);
            larger.extend_from_slice(self.buffer.get(..self.length).unwrap_or_default());
            larger.resize(larger.capacity(), 0);
            self.buffer = Zeroizing::new(larger);
        }
        let room = self.buffer.len() - STRIDE;
        while let Some(free) = self
            .buffer
            .get_mut(self.length..room)
            .filter(|free| !free.is_empty())
        {
            match stream.read(free) {
                Ok(0) => return Ok(true),
                Ok(read) => self.length += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Looks for pieces of values.
    fn search(&mut self, progress: &mut Progress, is_end: bool) {
        let Wanted {
            pieces,
            short,
            level,
            ..
        } = &*self.wanted;
        let from = progress.searched;
        let ahead = if is_end { 0 } else { LOOK_AHEAD };
        let until = self.length.saturating_sub(ahead).max(from);
        let parts = &mut self.parts;
        let mut piece_at = |at: usize| parts.push((at.saturating_sub(pieces.back), at));
        for sampler in &pieces.samplers {
            let part = (from, until);
            sampler.sample(*level, &pieces.grams, &self.buffer, part, &mut piece_at);
        }
        let text = self.buffer.get(..self.length).unwrap_or_default();
        if !pieces.samplers.is_empty() {
            self.marks.find(*level, text, from, until);
            pieces.breaks(text, &self.marks, &mut piece_at);
            dumps::each(text, &self.marks.groups, |first, last| {
                parts.push((first, last));
            });
        }
        if let Some(short) = short {
            let part = text.get(..until).unwrap_or_default();
            let mut next = from;
            while let Some(at) = short.candidate(part, next) {
                parts.push((at, at));
                next = at + 1;
            }
        }
        parts.sort_unstable();
        progress.searched = until;
    }

    /// Looks closely at the parts of the buffer in which a value may begin. A part stays if it needs bytes
    /// that are still to come, or if pieces still to come may have parts that begin before it.
    fn look(&mut self, progress: &mut Progress, is_end: bool) {
        if self.parts.is_empty() {
            return;
        }
        let (needles, filter) = (&self.wanted.patterns.needles, self.wanted.patterns.filter());
        let text = self.buffer.get(..self.length).unwrap_or_default();
        let settled = progress.searched.saturating_sub(self.wanted.pieces.back);
        let mut parts = self.parts.iter_mut().enumerate();
        let waiting = parts.find_map(|(which, (from, to))| {
            if *from > settled && !is_end {
                return Some(which);
            }
            progress.next = progress.next.max(*from);
            while let Some(at) = filter.candidate(text.get(..=*to).unwrap_or(text), progress.next) {
                progress.next = at;
                let look = needles.look(text, at);
                if look.may_go_on && !is_end {
                    *from = at;
                    return Some(which);
                }
                if let Some(found) = look.found {
                    self.wanted.note(progress, text, at, found);
                }
                progress.next += 1;
            }
            progress.next = progress.next.max(*to + 1);
            None
        });
        self.parts.drain(..waiting.unwrap_or(self.parts.len()));
    }

    /// Drops bytes that can no longer be part of a value.
    fn drop_what_is_not_needed(&mut self, progress: &mut Progress) {
        let before = progress
            .searched
            .saturating_sub(self.wanted.pieces.back.max(GRAM));
        let needed = match self.parts.first() {
            Some((from, _)) => before.min(progress.next.max(*from)),
            None => before,
        };
        let drop = needed;
        let dropped = self.buffer.get(..drop).unwrap_or_default();
        progress.advance(dropped);
        self.buffer.copy_within(drop..self.length, 0);
        self.length -= drop;
        for (from, to) in &mut self.parts {
            *from = from.saturating_sub(drop);
            *to = to.saturating_sub(drop);
        }
    }
}

impl Wanted {
    /// Records what was found at a position, unless it lies within something that was found before, or
    /// overlaps with the same value.
    fn note(&self, progress: &mut Progress, text: &[u8], at: usize, found: Found) {
        if found.end <= progress.done {
            return;
        }
        let last = progress.last;
        let goes_on = last.is_some_and(|last| at < last.end && last.needle == found.needle);
        let label = self.patterns.needles.label(found.needle);
        if let Some(label) = label.filter(|_| !goes_on) {
            let (line, column) = progress.place(text, at);
            progress.found.push(Occurrence {
                line,
                column,
                label: Arc::clone(label),
            });
        }
        progress.done = found.end;
        progress.last = Some(found);
    }
}

/// Shows the number of values.
impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("values", &self.wanted.patterns.needles.len())
            .finish_non_exhaustive()
    }
}
