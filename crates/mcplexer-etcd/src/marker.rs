//! What is written about a replacement that is not committed.

const LEN: usize = 17;

const KEPT: u8 = 1;
const HAS_LONG: u8 = 2;

/// How far a replacement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    /// Grows with each write, so that a request that a node carries out late is not carried out again.
    writes: u64,
    /// The revision at which the head was written that is replaced.
    base: i64,
    /// What was written was kept, and nothing was written since.
    pub(crate) is_kept: bool,
    /// Some record may be in pieces.
    pub(crate) has_long: bool,
}

impl Marker {
    /// Nothing was written yet.
    pub(crate) fn new(base: i64) -> Self {
        Self {
            writes: 0,
            base,
            is_kept: false,
            has_long: false,
        }
    }

    /// After one more write.
    pub(crate) fn after_write(self, is_kept: bool, has_long: bool) -> Self {
        Self {
            writes: self.writes.wrapping_add(1),
            is_kept,
            has_long,
            ..self
        }
    }

    /// With another writer. No request of the one before has a number like those that follow.
    pub(crate) fn taken_over(self) -> Self {
        Self {
            writes: self.writes.wrapping_add(1 << 32),
            ..self
        }
    }

    /// Whether it is the beginning of what follows a head that was written at this revision.
    pub(crate) fn follows(self, head_revision: i64) -> bool {
        self.is_kept && self.base == head_revision
    }

    pub(crate) fn encode(self) -> Vec<u8> {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags = flag(self.is_kept, KEPT) | flag(self.has_long, HAS_LONG);
        let numbers = [self.writes.to_be_bytes(), self.base.to_be_bytes()];
        [numbers.as_flattened(), &[flags]].concat()
    }

    /// `None` if it is of another form.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; LEN] = bytes.try_into().ok()?;
        let (writes, rest) = bytes.split_first_chunk()?;
        let (base, flags) = rest.split_first_chunk()?;
        let [flags] = flags else { return None };
        (flags & !(KEPT | HAS_LONG) == 0).then_some(Self {
            writes: u64::from_be_bytes(*writes),
            base: i64::from_be_bytes(*base),
            is_kept: flags & KEPT != 0,
            has_long: flags & HAS_LONG != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_decoded_as_it_was_encoded() {
        let marker = Marker::new(7).after_write(true, true).taken_over();
        assert_eq!(Marker::decode(&marker.encode()), Some(marker));
        assert!(marker.follows(7) && !marker.follows(8));
        assert!(!marker.after_write(false, false).follows(7));
        for wrong in [&[][..], &[0; 8], &[4; LEN]] {
            assert_eq!(Marker::decode(wrong), None);
        }
    }
}
