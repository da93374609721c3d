//! Scanning: which values stand in a file, and where.
//!
//! A [`Scanner`] finds what a [`Masker`](crate::Masker) masks, in every form that that knows but for
//! what only shells print, and programs at a terminal; and is made for many and large files that mostly have none. It looks closely, as the masker does,
//! only at what stands before a short run of bytes that is rare and belongs to a value; and it
//! looks for these runs at few positions only. So it takes little more time than reading the files.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};
use zeroize::Zeroizing;

mod breaks;
mod grams;
mod pieces;
mod sampler;
mod table;

use breaks::LOOK_AHEAD;
use grams::GRAM;
use pieces::Pieces;
use sampler::{SHORTEST, STRIDE};

use crate::mask::Patterns;
use crate::mask::filter::Filter;
use crate::mask::needles::Found;
use mcplexer_secrets::{Credential, ScopeId, SecretName};

/// Bytes that are read and looked through at once; a second-level cache holds them.
const CHUNK: usize = 256 * 1024;

/// Finds values in streams of bytes.
///
/// Values shorter than [`MIN_MASKED_LEN`](crate::mask::MIN_MASKED_LEN) are not looked for. A value's
/// line ends at its end need not be there. If two keys have the same value, the first of them is
/// named.
///
/// ```
/// use mcplexer_mask::Scanner;
/// use mcplexer_secrets::{Credentials, ScopeKind, SecretValue};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = ("TOKEN".parse()?, SecretValue::new(b"ghp_abc123".to_vec())?);
/// let credentials = Credentials::new("github".parse()?, ScopeKind::Env, vec![secret]);
/// let mut scanner = Scanner::new(credentials.iter());
/// let found = scanner.scan(&b"# a comment\ntoken = 'ghp_abc123'\n"[..])?;
/// assert_eq!(found.len(), 1);
/// assert_eq!((found[0].line, found[0].column), (2, 10));
/// assert_eq!(found[0].name.as_str(), "TOKEN");
/// # Ok(())
/// # }
/// ```
pub struct Scanner {
    wanted: Arc<Wanted>,
    /// What may still be needed of the stream, and room for a stride behind it.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the bytes of the stream end in it.
    length: usize,
    /// Parts of the buffer to look at closely: from where, and up to which position.
    parts: Vec<(usize, usize)>,
}

/// What is looked for.
struct Wanted {
    patterns: Patterns,
    pieces: Pieces,
    /// The beginnings of the values that are too short to have a piece.
    short: Option<Filter>,
}

/// A value that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Occurrence {
    /// The line in which it begins, from 1.
    pub line: u64,
    /// The byte of the line at which it begins, from 1.
    pub column: u64,
    /// The scope of the secret.
    pub scope: ScopeId,
    /// The secret's name.
    pub name: SecretName,
}

/// How far a stream has been looked through.
#[derive(Default)]
struct Progress {
    /// The position in the buffer from which pieces are to be looked for next.
    searched: usize,
    /// The position that may be looked at closely next.
    next: usize,
    /// Up to where it was found to be a value.
    done: usize,
    last: Option<Found>,
    /// The line ends before the buffer, and the bytes since the last of them.
    lines: u64,
    columns: u64,
    found: Vec<Occurrence>,
}

impl Scanner {
    /// A scanner for these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = Credential<'a>>) -> Self {
        let patterns = Patterns::new(secrets);
        let is_short = |value: &&[u8]| value.len() < SHORTEST;
        let short = patterns.needles.values().filter(is_short);
        let short = short.clone().next().map(|_| Filter::new(short));
        let long = patterns.needles.values().filter(|value| !is_short(value));
        let pieces = Pieces::new(long);
        Self::of(Arc::new(Wanted {
            patterns,
            pieces,
            short,
        }))
    }

    /// A scanner for another thread, for the same secrets.
    #[must_use]
    pub fn for_another_thread(&self) -> Self {
        Self::of(Arc::clone(&self.wanted))
    }

    fn of(wanted: Arc<Wanted>) -> Self {
        Self {
            wanted,
            buffer: Zeroizing::default(),
            length: 0,
            parts: Vec::new(),
        }
    }

    /// The secrets, as `scope/KEY`, that are not looked for since they are shorter than
    /// [`MIN_MASKED_LEN`](crate::mask::MIN_MASKED_LEN).
    #[must_use]
    pub fn too_short(&self) -> &[String] {
        &self.wanted.patterns.too_short
    }

    /// Reads to the end of a stream, and tells which values are in it, in the order in which they begin.
    ///
    /// # Errors
    /// If it cannot be read; what was found before is lost then.
    pub fn scan(&mut self, mut stream: impl Read) -> io::Result<Vec<Occurrence>> {
        let mut progress = Progress::default();
        self.length = 0;
        loop {
            let is_end = self.fill(&mut stream)?;
            self.search(&mut progress, is_end);
            self.look(&mut progress, is_end);
            if is_end {
                return Ok(progress.found);
            }
            self.drop_what_is_not_needed(&mut progress);
        }
    }

    /// Fills the buffer; tells whether that was the end of the stream.
    fn fill(&mut self, stream: &mut impl Read) -> io::Result<bool> {
        let room = self.buffer.len().saturating_sub(STRIDE);
        if room < self.length + CHUNK / 2 {
            // A value that is larger than the buffer has begun, or there is none yet.
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
        let Wanted { pieces, short, .. } = &*self.wanted;
        let from = progress.searched;
        let ahead = if is_end { 0 } else { LOOK_AHEAD };
        let until = self.length.saturating_sub(ahead).max(from);
        let parts = &mut self.parts;
        let mut piece_at = |at: usize| parts.push((at.saturating_sub(pieces.back), at));
        for sampler in &pieces.samplers {
            sampler.sample(&pieces.grams, &self.buffer, (from, until), &mut piece_at);
        }
        let text = self.buffer.get(..self.length).unwrap_or_default();
        pieces.breaks(text, from, until, &mut piece_at);
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

    /// Looks closely at the parts of the buffer in which a value may begin. A part stays if bytes to
    /// come are needed for it, or if pieces to come may have parts that begin before.
    fn look(&mut self, progress: &mut Progress, is_end: bool) {
        let Patterns {
            needles, filter, ..
        } = &self.wanted.patterns;
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

    /// Drops what no later byte can make part of a value.
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
    /// Takes down what was found at a position, unless it is within something that was found before,
    /// or overlaps with the same value.
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
                scope: label.scope.clone(),
                name: label.name.clone(),
            });
        }
        progress.done = found.end;
        progress.last = Some(found);
    }
}

impl Progress {
    /// The line and the column of a position in the buffer.
    fn place(&self, text: &[u8], at: usize) -> (u64, u64) {
        let before = text.get(..at).unwrap_or_default();
        let lines = memchr_iter(b'\n', before).count() as u64;
        let column = match memrchr(b'\n', before) {
            Some(end) => (at - end) as u64,
            None => self.columns + at as u64 + 1,
        };
        (self.lines + lines + 1, column)
    }

    /// Moves on behind the first bytes of the buffer.
    fn advance(&mut self, dropped: &[u8]) {
        let (line, column) = self.place(dropped, dropped.len());
        (self.lines, self.columns) = (line - 1, column - 1);
        let drop = dropped.len();
        self.searched -= drop;
        self.next = self.next.saturating_sub(drop);
        self.done = self.done.saturating_sub(drop);
        self.last = self.last.and_then(|last| {
            let end = last.end.checked_sub(drop)?;
            Some(Found { end, ..last })
        });
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("values", &self.wanted.patterns.needles.len())
            .finish_non_exhaustive()
    }
}
