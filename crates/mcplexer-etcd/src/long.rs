//! Records that are too long for a commit, which etcd takes up to 1.5 MiB of: they are stored in pieces before it.
//!
//! The pieces are under a lease. The commit puts them once more, without a value and without a lease, so that they stay;
//! what is not committed goes with the lease.

use etcd_client::{Compare, CompareOp, PutOptions, Txn, TxnOp};

use crate::failure::Failure;
use crate::link::Until;
use crate::shared::Shared;

const SHORT: u8 = 0;
const LONG: u8 = 1;

/// The length of a piece.
pub(crate) const PIECE: usize = 512 << 10;
/// The bytes that are sent at once.
const BATCH: usize = 1 << 20;
/// For how long pieces wait for their commit, in seconds.
pub(crate) const PIECES_TTL: i64 = 30;
/// etcd takes no more operations at once.
const MOST_PUTS: usize = 100;

/// What is under the key of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stored<'a> {
    Short(&'a [u8]),
    Long(Long),
}

/// A record in pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Long {
    /// Which writing of the record this is.
    pub(crate) id: u64,
    /// The length of the record.
    pub(crate) len: u64,
}

impl<'a> Stored<'a> {
    pub(crate) fn encode(self) -> Vec<u8> {
        match self {
            Self::Short(record) => [&[SHORT], record].concat(),
            Self::Long(Long { id, len }) => {
                [&[LONG][..], &id.to_be_bytes(), &len.to_be_bytes()].concat()
            }
        }
    }

    pub(crate) fn decode(bytes: &'a [u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&SHORT, record) => Some(Self::Short(record)),
            (&LONG, rest) => {
                let (id, len) = rest.split_first_chunk()?;
                Some(Self::Long(Long {
                    id: u64::from_be_bytes(*id),
                    len: u64::from_be_bytes(len.try_into().ok()?),
                }))
            }
            _ => None,
        }
    }
}

/// A piece of a record.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) key: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// Cuts a record into pieces, whose keys begin with `prefix`.
pub(crate) fn pieces(prefix: &[u8], record: &[u8]) -> Vec<Piece> {
    let pieces = (0u32..).zip(record.chunks(PIECE));
    let piece = |(number, bytes): (u32, &[u8])| Piece {
        key: [prefix, format!("-{number:08x}").as_bytes()].concat(),
        bytes: bytes.to_vec(),
    };
    pieces.map(piece).collect()
}

/// Stores pieces under a lease.
pub(crate) async fn store(
    shared: &Shared,
    until: Until,
    lease: i64,
    pieces: Vec<Piece>,
) -> Result<(), Failure> {
    let mut batch = Vec::new();
    let mut bytes = 0;
    for piece in pieces {
        let len = piece.key.len() + piece.bytes.len();
        if bytes + len > BATCH || batch.len() == MOST_PUTS {
            send(shared, until, std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
        bytes += len;
        let options = PutOptions::new().with_lease(lease);
        let put = TxnOp::put(&*piece.key, piece.bytes, Some(options));
        batch.push((piece.key, put));
    }
    send(shared, until, batch).await
}

/// Stores pieces that are not there yet. A request that a node carries out late, when they are, would put them under the
/// lease again.
async fn send(shared: &Shared, until: Until, batch: Vec<(Vec<u8>, TxnOp)>) -> Result<(), Failure> {
    let (keys, puts): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    let is_new = |key: Vec<u8>| Compare::create_revision(key, CompareOp::Equal, 0);
    let are_new: Vec<_> = keys.into_iter().map(is_new).collect();
    let txn = Txn::new().when(are_new).and_then(puts);
    shared.link.txn(until, &txn).await.map(drop)
}

/// Keeps a piece when its lease ends.
pub(crate) fn keep(key: Vec<u8>) -> TxnOp {
    TxnOp::put(key, "", Some(PutOptions::new().with_ignore_value()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_decoded_as_it_was_encoded() {
        let long = Stored::Long(Long { id: 7, len: 9 });
        assert_eq!(Stored::decode(&long.encode()), Some(long));
        for record in [b"".as_slice(), b"record"] {
            let short = Stored::Short(record);
            assert_eq!(Stored::decode(&short.encode()), Some(short));
        }
        for wrong in [b"".as_slice(), b"\x02", b"\x01", &[1; 16], &[1; 18]] {
            assert_eq!(Stored::decode(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn the_pieces_of_a_record_are_in_order() {
        let record = vec![1; PIECE + 1];
        let pieces = pieces(b"p", &record);
        assert_eq!(pieces.len(), 2);
        assert!(pieces[0].key < pieces[1].key);
        assert_eq!([&*pieces[0].bytes, &pieces[1].bytes].concat(), record);
    }
}
