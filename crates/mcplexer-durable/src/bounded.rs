//! Reading a file whole, if it is not too large.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

use zeroize::Zeroizing;

/// How much is read at first from what does not tell its size, such as a pipe.
const FIRST_READ: usize = 64 << 10;
const MIB: usize = 1 << 20;

/// Reads an open file or pipe to its end, in buffers that are wiped when they are dropped.
///
/// A regular file that is too large is not read at all. Of a pipe, one byte more than `limit` is read.
///
/// # Errors
/// - [`too_large`] if there are more than `limit` bytes.
/// - Any other error of reading it.
pub fn read_at_most(limit: usize, mut file: &File) -> io::Result<Zeroizing<Vec<u8>>> {
    let metadata = file.metadata()?;
    let known = metadata.is_file().then(|| usize::try_from(metadata.len()));
    let size = match known {
        Some(Ok(len)) if len <= limit => len + 1,
        Some(_) => return Err(too_large(limit)),
        None => FIRST_READ.min(limit + 1),
    };
    let mut bytes = Zeroizing::new(vec![0; size]);
    let mut filled = 0;
    loop {
        let room = bytes.get_mut(filled..).unwrap_or_default();
        match file.read(room) {
            Ok(0) => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled > limit {
            return Err(too_large(limit));
        }
        if filled == bytes.len() {
            // A vector that grew by itself would leave a copy behind.
            let mut larger = vec![0; filled.saturating_mul(2).min(limit + 1)];
            larger
                .get_mut(..filled)
                .unwrap_or_default()
                .copy_from_slice(&bytes);
            bytes = Zeroizing::new(larger);
        }
    }
}

/// Returns the error that says that a file is larger than `limit` bytes.
#[must_use]
pub fn too_large(limit: usize) -> io::Error {
    let limit = match limit % MIB {
        0 => format!("{} MiB", limit / MIB),
        _ => format!("{limit} bytes"),
    };
    io::Error::new(
        ErrorKind::FileTooLarge,
        format!("it is larger than {limit}"),
    )
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    /// Reads these bytes from a pipe.
    fn read_piped(bytes: &[u8], limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let (reader, mut writer) = io::pipe().unwrap();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // The reader may stop early.
                let _closed = writer.write_all(bytes);
            });
            read_at_most(limit, &File::from(std::os::fd::OwnedFd::from(reader)))
        })
    }

    fn read_file(bytes: &[u8], limit: usize) -> io::Result<Zeroizing<Vec<u8>>> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, bytes).unwrap();
        read_at_most(limit, &File::open(path).unwrap())
    }

    #[test]
    fn as_many_bytes_as_the_limit_are_read() {
        for len in [
            0,
            1,
            FIRST_READ - 1,
            FIRST_READ,
            FIRST_READ + 1,
            3 * FIRST_READ + 7,
        ] {
            let bytes: Vec<u8> = (0..251).cycle().take(len).collect();
            for read in [read_piped, read_file] {
                for limit in [len, len + 1, 10 * len] {
                    assert!(*read(&bytes, limit).unwrap() == bytes, "{len} of {limit}");
                }
                if len > 0 {
                    let error = read(&bytes, len - 1).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::FileTooLarge, "{len}");
                }
            }
        }
    }

    #[test]
    fn the_limit_is_said() {
        assert_eq!(too_large(64 << 20).to_string(), "it is larger than 64 MiB");
        assert_eq!(too_large(100).to_string(), "it is larger than 100 bytes");
    }
}
