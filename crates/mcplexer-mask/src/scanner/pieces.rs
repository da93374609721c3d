//! Chooses which piece of each form of a value to look for, and collects its grams.

use std::cmp::Reverse;

use zeroize::Zeroizing;

use super::dumps::BACK;
use super::grams::{GRAM, Grams, mask, word};
use super::kinds::KINDS;
use super::sampler::Sampler;
use super::table::Words;
use super::triples::{TRIPLE, Triples};
use crate::alphabet::base64_characters;

/// No piece begins after this many units of a form, so that the beginning of the value is near.
const LAST_BEGIN: usize = 64;
/// How many bytes of a value can be part of a piece.
const FAR: usize = 2 * LAST_BEGIN;
/// The beginnings of a value that are charged for: tokens of one kind begin alike.
const ALIKE: usize = 8;

/// Most bytes that a text needs for one unit. A byte of the value takes 36 if each character of its
/// `\u0061` is escaped like that again; a digit or base64 character takes 7 as `%2F` after an escaped
/// CR LF.
const LONGEST_BYTE: usize = 36;
const LONGEST_CHARACTER: usize = 7;

/// The two characters that may stand for each unit; mostly they are equal.
type Choices = Zeroizing<Vec<[u8; 2]>>;

/// The grams of all pieces.
#[derive(Default)]
struct Collected {
    of_kinds: [Words; KINDS.len()],
    triples: Words,
}

/// The pieces of the values that are looked for.
pub(super) struct Pieces {
    pub(super) samplers: Vec<Sampler>,
    pub(super) grams: Grams,
    pub(super) triples: Triples,
    /// Most bytes of a text from the beginning of a value to the end of its piece.
    pub(super) back: usize,
}

impl Pieces {
    /// Chooses the pieces of these values, which are at least [`SHORTEST`](super::kinds::SHORTEST)
    /// bytes long.
    pub(super) fn new<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut grams = Collected::default();
        let mut pieces = Self {
            samplers: Vec::new(),
            grams: Grams::new(&grams.of_kinds),
            triples: Triples::new(&grams.triples),
            back: BACK,
        };
        for value in values {
            pieces.add(&as_it_is(value), LONGEST_BYTE, &mut grams);
            for quote in b"'\"" {
                if value.contains(quote) {
                    pieces.add(&doubled(value, *quote), LONGEST_BYTE, &mut grams);
                }
            }
            pieces.add(&hex(value), LONGEST_CHARACTER, &mut grams);
            for lost in [0, 4, 2] {
                pieces.add(&base64(value, lost), LONGEST_CHARACTER, &mut grams);
            }
        }
        pieces.samplers = Sampler::all(&grams.of_kinds);
        pieces.grams = Grams::new(&grams.of_kinds);
        pieces.triples = Triples::new(&grams.triples);
        pieces
    }

    /// Adds the rarest piece of a form.
    fn add(&mut self, form: &Choices, longest: usize, grams: &mut Collected) {
        let Collected { of_kinds, triples } = grams;
        for ((length, stride), grams) in KINDS.into_iter().zip(of_kinds) {
            let units = length + stride - 1;
            let windows = form.windows(units).enumerate().take(LAST_BEGIN);
            let Some(((at, piece), _)) = windows
                .zip(costs(form, units))
                .min_by_key(|&((at, _), cost)| (cost, Reverse(at)))
            else {
                continue;
            };
            for choices in piece.windows(length) {
                add_grams(choices, grams);
            }
            self.back = self.back.max((at + units) * longest);
            for choices in piece.windows(TRIPLE) {
                add_grams(choices, triples);
            }
            return;
        }
    }
}

/// Rates how often each run of this many units occurs where there is no value. Words and repetitions are
/// common. Of two equal runs the later one is rarer, because other tokens of the kind begin alike.
fn costs(form: &Choices, units: usize) -> impl Iterator<Item = usize> {
    let pairs = || form.iter().zip(form.iter().skip(1)).map(cost);
    let mut cost = pairs().take(units.saturating_sub(1)).sum::<usize>();
    let leaving = pairs();
    let entering = pairs().skip(units.saturating_sub(1)).chain([0]);
    leaving
        .zip(entering)
        .enumerate()
        .map(move |(at, (leaves, enters))| {
            let whole = cost + ALIKE.saturating_sub(at);
            cost = cost + enters - leaves;
            whole
        })
}

fn cost((a, b): (&[u8; 2], &[u8; 2])) -> usize {
    let may_be_escaped = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"-._~".contains(byte);
    let common = match (a, b) {
        (a, b) if a == b => 8,
        ([a, _], [b, _]) if a.is_ascii_lowercase() && b.is_ascii_lowercase() => 2,
        ([a, _], [b, _]) if a.is_ascii_digit() && b.is_ascii_digit() => 1,
        _ => 0,
    };
    match b.iter().any(may_be_escaped) {
        true => common + 8,
        false => common,
    }
}

/// Adds each gram that takes one of two bytes at each place.
fn add_grams(choices: &[[u8; 2]], grams: &mut Vec<u64>) {
    let several = choices.iter().filter(|[a, b]| a != b).count();
    let mut bytes = Zeroizing::new([0; GRAM]);
    for which in 0..1_u32 << several {
        let mut which = which;
        for (byte, &[a, b]) in bytes.iter_mut().zip(choices) {
            *byte = if which & 1 == 0 { a } else { b };
            which >>= u32::from(a != b);
        }
        grams.push(word(&*bytes) & mask(choices.len()));
    }
}

/// Returns the value as it is, also with `+` for spaces as HTML forms write them.
fn as_it_is(value: &[u8]) -> Choices {
    let choices = value.iter().take(FAR).map(|&byte| match byte {
        b' ' => *b" +",
        byte => [byte; 2],
    });
    Zeroizing::new(choices.collect())
}

/// Returns the value with a quote written twice.
fn doubled(value: &[u8], quote: u8) -> Choices {
    let bytes = value.iter().take(FAR);
    let written =
        bytes.flat_map(|byte| std::iter::repeat_n(*byte, 1 + usize::from(*byte == quote)));
    Zeroizing::new(written.map(|byte| [byte; 2]).collect())
}

/// Returns the value in hex. Lower case is enough: upper case is looked up as lower case as well.
fn hex(value: &[u8]) -> Choices {
    let digits = value.iter().take(FAR);
    let digits = digits.flat_map(|byte| [byte >> 4, byte & 15]);
    let character = |digit| match digit {
        0..10 => b'0' + digit,
        _ => b'a' - 10 + digit,
    };
    Zeroizing::new(digits.map(|digit| [character(digit); 2]).collect())
}

/// Returns the base64 characters that encode nothing but the value. Its first `lost` bits are in a
/// character that also encodes what comes before it.
fn base64(value: &[u8], lost: usize) -> Choices {
    let value = value.get(..FAR).unwrap_or(value);
    let characters = (lost..value.len() * 8).step_by(6);
    let whole = characters.take_while(|begin| begin + 6 <= value.len() * 8);
    let sextet = |begin: usize| {
        let byte = |at: usize| value.get(at).copied().unwrap_or_default();
        let two = u16::from_be_bytes([byte(begin / 8), byte(begin / 8 + 1)]);
        let [_, sextet] = (two >> (10 - begin % 8)).to_be_bytes();
        match *base64_characters(sextet & 63) {
            [a, b] => [a, b],
            [a, ..] => [a; 2],
            [] => [0; 2],
        }
    };
    Zeroizing::new(whole.map(sextet).collect())
}
