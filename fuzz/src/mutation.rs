//! Deterministic mutations of inputs: a fuzzer without coverage feedback.

use std::iter;

/// Bytes that have a meaning in many formats.
const MEANING: &[u8] = b"\0\n\r \"'`\\#$:=[]{}-/%\x7f\x80\xff09AZaz";

/// The maximum length of an input.
const MAX_LEN: usize = 4096;

/// Derives inputs from others. The same seed gives the same inputs on every machine.
#[derive(Debug)]
pub struct Mutation(u64);

impl Mutation {
    /// Creates the mutation for a name.
    #[must_use]
    pub fn seeded(name: &str) -> Self {
        let seed = name.bytes().fold(0, |seed: u64, byte| {
            seed.wrapping_mul(31).wrapping_add(u64::from(byte))
        });
        Self(seed)
    }

    /// Returns a number below `end`, which is not 0: SplitMix64
    /// (<https://prng.di.unimi.it/splitmix64.c>).
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        usize::try_from(z % end as u64).expect("is below a usize")
    }

    fn byte(&mut self) -> u8 {
        match self.below(2) {
            0 => MEANING[self.below(MEANING.len())],
            _ => self.below(256).to_le_bytes()[0],
        }
    }

    /// Returns the next input: one of these with one to four changes.
    pub fn of(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let mut input = inputs[self.below(inputs.len())].clone();
        for _ in 0..=self.below(4) {
            let begin = self.below(input.len() + 1);
            let end = begin + self.below((input.len() - begin).min(32) + 1);
            match self.below(6) {
                0 => input.splice(begin..end, iter::empty()).for_each(drop),
                1 => {
                    let bit = 1 << self.below(8);
                    input[begin..]
                        .iter_mut()
                        .take(1)
                        .for_each(|byte| *byte ^= bit);
                }
                2 => {
                    let byte = self.byte();
                    input[begin..].iter_mut().take(1).for_each(|it| *it = byte);
                }
                3 => {
                    let bytes: Vec<_> = (0..=self.below(8)).map(|_| self.byte()).collect();
                    input.splice(begin..begin, bytes).for_each(drop);
                }
                4 => {
                    let again = input[begin..end].to_vec();
                    let at = self.below(input.len() + 1);
                    input.splice(at..at, again).for_each(drop);
                }
                _ => {
                    let other = &inputs[self.below(inputs.len())];
                    let from = self.below(other.len() + 1);
                    input.truncate(begin);
                    input.extend_from_slice(&other[from..]);
                }
            }
            input.truncate(MAX_LEN);
        }
        input
    }
}
