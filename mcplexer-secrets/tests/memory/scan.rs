//! Searches the memory of a process for secrets, through `/proc/PID/mem`.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

/// The length of a piece. Any run of 15 bytes of a secret contains one of its pieces.
const PIECE: usize = 8;
const CHUNK: usize = 1 << 20;

/// The pieces of secrets to search for, raw, in hex and in base64, each with the name of its
/// secret.
pub(crate) struct Wanted {
    pieces: AhoCorasick,
    names: Vec<String>,
}

/// The mappings of a process to search.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mappings {
    Writable,
    /// All readable ones, including programs and files.
    All,
}

impl Wanted {
    pub(crate) fn new<'a>(secrets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Self {
        let (mut pieces, mut names) = (Vec::new(), Vec::new());
        let mut add = |what: &str, bytes: &[u8]| {
            for (index, piece) in bytes.chunks_exact(PIECE).enumerate() {
                pieces.push(piece.to_vec());
                names.push(format!("{what} (from byte {})", index * PIECE));
            }
        };
        for (what, secret) in secrets {
            assert!(secret.len() >= 2 * PIECE, "{what} is too short to be told");
            let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
            add(what, secret);
            add(&format!("{what} in hex"), hex.to_uppercase().as_bytes());
            add(&format!("{what} in hex"), hex.as_bytes());
            for before in 0..3 {
                let text = [&vec![0; before], secret].concat();
                let encoded = BASE64_STANDARD_NO_PAD.encode(&text);
                // The first and last characters depend on the surrounding bytes.
                let whole = &encoded[(before * 8).div_ceil(6)..text.len() * 8 / 6];
                add(&format!("{what} in base64"), whole.as_bytes());
            }
        }
        let pieces = AhoCorasick::new(pieces).unwrap();
        Self { pieces, names }
    }

    /// Returns whether each of these secrets was found.
    pub(crate) fn all_in(found: &BTreeSet<String>, secrets: &[&str]) -> bool {
        secrets
            .iter()
            .all(|secret| found.iter().any(|name| name.starts_with(secret)))
    }

    /// Searches the memory of a stopped or waiting process, and returns what was found where.
    pub(crate) fn scan(&self, pid: u32, mappings: Mappings) -> io::Result<Found> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
        let memory = File::open(format!("/proc/{pid}/mem"))?;
        let mut all = Found::default();
        let mut chunk = vec![0; CHUNK + PIECE];
        for line in maps.lines() {
            let mut fields = line.split_whitespace();
            let range = fields.next().unwrap();
            let access = fields.next().unwrap();
            let name = fields.nth(3).unwrap_or("anonymous");
            let writable = access.contains('w');
            // The kernel's own mappings for clocks cannot be read.
            if !access.starts_with('r') || name.starts_with("[vvar") {
                continue;
            }
            if mappings == Mappings::Writable && !writable {
                continue;
            }
            let (start, end) = range.split_once('-').unwrap();
            let start = u64::from_str_radix(start, 16).unwrap();
            let end = u64::from_str_radix(end, 16).unwrap();
            for from in (start..end).step_by(CHUNK) {
                // A piece may cross the border of two chunks.
                let len = usize::try_from(end - from).unwrap().min(chunk.len());
                // A mapped file may have become shorter than its mapping.
                let Ok(len) = memory.read_at(&mut chunk[..len], from) else {
                    continue;
                };
                all.bytes += len as u64;
                for piece in self.pieces.find_overlapping_iter(&chunk[..len]) {
                    let what = &self.names[piece.pattern().as_usize()];
                    let at = from + piece.start() as u64;
                    all.names.insert(what.clone());
                    all.places.push(format!("{what} at {at:#x} in {name}"));
                }
            }
        }
        Ok(all)
    }
}

/// The result of a search.
#[derive(Default)]
pub(crate) struct Found {
    /// The number of bytes searched.
    pub(crate) bytes: u64,
    pub(crate) names: BTreeSet<String>,
    pub(crate) places: Vec<String>,
}
