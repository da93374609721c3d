//! The key that every commit writes.

use etcd_client::KeyValue;

use crate::failure::Failure;

const FORMAT: u8 = 1;
const LEN: usize = 10;

const VOID: u8 = 1;
const HAS_LONG: u8 = 2;
const OWES: u8 = 4;

/// Where the current state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The epoch that the records belong to. A replacement begins another one.
    pub(crate) epoch: u64,
    /// Nothing was committed yet.
    pub(crate) is_void: bool,
    /// Some record of this epoch may be in pieces.
    pub(crate) has_long: bool,
    /// Records were deleted, and may still be read in the history.
    pub(crate) owes: bool,
}

impl Head {
    pub(crate) fn encode(self) -> Vec<u8> {
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        let flags =
            flag(self.is_void, VOID) | flag(self.has_long, HAS_LONG) | flag(self.owes, OWES);
        [&[FORMAT, flags][..], &self.epoch.to_be_bytes()].concat()
    }

    /// Every form of a head with this epoch.
    pub(crate) fn all_of(epoch: u64) -> impl Iterator<Item = Vec<u8>> {
        (0..=VOID | HAS_LONG | OWES)
            .map(move |flags| [&[FORMAT, flags][..], &epoch.to_be_bytes()].concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes: [u8; LEN] = bytes.try_into().ok()?;
        let [format, flags, epoch @ ..] = bytes;
        let known = VOID | HAS_LONG | OWES;
        (format == FORMAT && flags & !known == 0).then_some(Self {
            epoch: u64::from_be_bytes(epoch),
            is_void: flags & VOID != 0,
            has_long: flags & HAS_LONG != 0,
            owes: flags & OWES != 0,
        })
    }
}

/// A state to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    /// The revision of etcd.
    pub(crate) revision: i64,
    /// The revision at which the head was written last; 0 before the first time.
    pub(crate) head_revision: i64,
    /// `None` if nothing was ever committed.
    pub(crate) head: Option<Head>,
}

impl At {
    /// The state at a revision of etcd, with the head that was read there.
    pub(crate) fn of(revision: i64, head: Option<&KeyValue>) -> Result<Self, Failure> {
        let mut at = Self {
            revision,
            head_revision: 0,
            head: None,
        };
        if let Some(head) = head {
            let decoded = Head::decode(head.value());
            let decoded =
                decoded.ok_or_else(|| Failure::Corrupt("the head is not of this format".into()))?;
            at.head_revision = head.mod_revision();
            at.head = Some(decoded).filter(|it| !it.is_void);
        }
        Ok(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_decoded_as_it_was_encoded() {
        let head = Head {
            epoch: 7,
            is_void: false,
            has_long: true,
            owes: true,
        };
        assert_eq!(Head::decode(&head.encode()), Some(head));
        assert!(Head::all_of(7).any(|it| it == head.encode()));
        assert!(Head::all_of(7).all(|it| Head::decode(&it).is_some()));
    }

    #[test]
    fn a_head_of_another_format_is_refused() {
        let mut bytes = vec![FORMAT; LEN];
        bytes[1] = 8;
        assert_eq!(Head::decode(&bytes), None);
        assert_eq!(Head::decode(&[2; LEN]), None);
        assert_eq!(Head::decode(b""), None);
    }
}
