//! Numbers in the place of positions in the log. From positions, a client that may see some servers only could tell how many calls
//! there are to the others, and how long their names are.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// How many bits of a number a round changes. With twice as many, every number is exact in JSON (RFC 8259, section 6).
const HALF: u32 = 26;

const MASK: u64 = (1 << HALF) - 1;

/// More than the four rounds that make a keyed permutation out of keyed functions (Luby and Rackoff, 1988).
const ROUNDS: u8 = 8;

/// Gives each position a number, with a key of this process.
pub(crate) struct Places(Zeroizing<[u8; 32]>);

impl Default for Places {
    /// # Panics
    /// If the system has no random numbers: with a known key, the numbers would hide nothing.
    fn default() -> Self {
        let mut key = Zeroizing::new([0; 32]);
        #[expect(clippy::expect_used, reason = "there is no safe way to go on")]
        getrandom::fill(&mut *key).expect("the system has random numbers");
        Self(key)
    }
}

impl Places {
    /// Returns the number of a position.
    pub(crate) fn hide(&self, at: u64) -> u64 {
        let mut halves = (at >> HALF & MASK, at & MASK);
        for round in 0..ROUNDS {
            halves = (halves.1, halves.0 ^ self.part(round, halves.1));
        }
        halves.0 << HALF | halves.1
    }

    /// Returns the position that has a number; `None` if none can have it.
    pub(crate) fn find(&self, number: u64) -> Option<u64> {
        if number >> (2 * HALF) != 0 {
            return None;
        }
        let mut halves = (number >> HALF, number & MASK);
        for round in (0..ROUNDS).rev() {
            halves = (halves.1 ^ self.part(round, halves.0), halves.0);
        }
        Some(halves.0 << HALF | halves.1)
    }

    /// Returns what stands for the number of something of which others have some, too: the same for the same one, in no order.
    pub(crate) fn stand_in(&self, number: &str) -> String {
        // No round begins so.
        let mac = self.mac().chain_update([ROUNDS]).chain_update(number);
        let bytes = mac.finalize().into_bytes();
        let digits = bytes.iter().take(8).map(|byte| format!("{byte:02x}"));
        digits.collect()
    }

    fn mac(&self) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
        Hmac::<Sha256>::new_from_slice(&*self.0).expect("a key of 32 bytes")
    }

    fn part(&self, round: u8, half: u64) -> u64 {
        let mac = self
            .mac()
            .chain_update([round])
            .chain_update(half.to_be_bytes());
        let bytes = mac.finalize().into_bytes();
        let part = bytes.iter().take(8);
        part.fold(0, |part, byte| part << 8 | u64::from(*byte)) & MASK
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_position_has_a_number_that_leads_back_to_it() {
        let places = Places::default();
        let positions = (0..1000).chain([1 << 30, (1 << 52) - 1]);
        let mut seen = HashSet::new();
        for at in positions {
            let number = places.hide(at);
            assert_eq!(places.find(number), Some(at));
            assert!(seen.insert(number), "{at}");
            assert!(number < 1 << 52);
        }
        assert_eq!(places.find(1 << 52), None);
    }

    #[test]
    fn a_stand_in_is_the_same_for_the_same_number_alone() {
        let (one, other) = (Places::default(), Places::default());
        assert_eq!(one.stand_in("7"), one.stand_in("7"));
        assert_ne!(one.stand_in("7"), other.stand_in("7"));
        let all: HashSet<_> = (0..1000).map(|it| one.stand_in(&it.to_string())).collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn numbers_of_two_processes_differ_and_tell_no_distance() {
        let (one, other) = (Places::default(), Places::default());
        let numbers = |it: &Places| (0..8).map(|at| it.hide(at)).collect::<Vec<_>>();
        assert_ne!(numbers(&one), numbers(&other));
        let steps = numbers(&one);
        let steps: HashSet<_> = steps
            .windows(2)
            .map(|it| it[1].wrapping_sub(it[0]))
            .collect();
        assert!(steps.len() > 1);
        assert_eq!(format!("{one:?}"), "Places { .. }");
    }
}
