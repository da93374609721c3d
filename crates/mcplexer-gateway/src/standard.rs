//! Standard input and output, without a thread for each read and write where they need none.

use std::io::{stderr, stdin, stdout};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;

use rustix::fs::{FileType, Stat, fstat};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio::net::unix::pipe::{Receiver, Sender};

/// Returns standard input. A pipe or a socket, as clients of the protocol use, is read as soon as there is something.
#[must_use]
pub fn standard_input() -> Box<dyn AsyncRead + Send + Unpin> {
    let own = stdin().as_fd().try_clone_to_owned().ok();
    own.filter(|_| is_apart(&stdin()))
        .and_then(reader)
        .unwrap_or_else(|| Box::new(tokio::io::stdin()))
}

/// Returns standard output, as [`standard_input`] does.
#[must_use]
pub fn standard_output() -> Box<dyn AsyncWrite + Send + Unpin> {
    let own = stdout().as_fd().try_clone_to_owned().ok();
    own.filter(|_| is_apart(&stdout()))
        .and_then(writer)
        .unwrap_or_else(|| Box::new(tokio::io::stdout()))
}

/// Whether it is another file than standard error, which has to go on as it is: whether a write waits is a property of
/// both.
fn is_apart(of: &impl AsFd) -> bool {
    let identity = |it: Stat| (it.st_dev, it.st_ino);
    match (fstat(of), fstat(stderr())) {
        (Ok(one), Ok(other)) => identity(one) != identity(other),
        _ => false,
    }
}

fn reader(from: OwnedFd) -> Option<Box<dyn AsyncRead + Send + Unpin>> {
    Some(match file_type(&from)? {
        FileType::Fifo => Box::new(Receiver::from_owned_fd(from).ok()?),
        FileType::Socket => Box::new(socket(from)?),
        _ => return None,
    })
}

fn writer(to: OwnedFd) -> Option<Box<dyn AsyncWrite + Send + Unpin>> {
    Some(match file_type(&to)? {
        FileType::Fifo => Box::new(Sender::from_owned_fd(to).ok()?),
        FileType::Socket => Box::new(socket(to)?),
        _ => return None,
    })
}

fn file_type(of: &OwnedFd) -> Option<FileType> {
    Some(FileType::from_raw_mode(fstat(of).ok()?.st_mode))
}

/// Node.js gives its children sockets.
fn socket(from: OwnedFd) -> Option<UnixStream> {
    let stream = StdUnixStream::from(from);
    // One of another family is not read here.
    stream.local_addr().ok()?;
    stream.set_nonblocking(true).ok()?;
    UnixStream::from_std(stream).ok()
}

#[cfg(test)]
mod tests {
    use std::io::pipe;
    use std::net::{TcpListener, TcpStream};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    async fn passes(read: OwnedFd, write: OwnedFd) {
        let (mut read, mut write) = (reader(read).unwrap(), writer(write).unwrap());
        let text = "x".repeat(1 << 20);
        let writing = async {
            write.write_all(text.as_bytes()).await.unwrap();
            write.shutdown().await.unwrap();
            drop(write);
        };
        let mut got = String::new();
        let (_, result) = tokio::join!(writing, read.read_to_string(&mut got));
        assert_eq!((result.unwrap(), got == text), (1 << 20, true));
    }

    #[tokio::test]
    async fn pipes_and_sockets_need_no_thread() {
        let (read, write) = pipe().unwrap();
        passes(read.into(), write.into()).await;
        let (one, other) = StdUnixStream::pair().unwrap();
        passes(one.into(), other.into()).await;
    }

    #[tokio::test]
    async fn whatever_else_does() {
        let file = || OwnedFd::from(tempfile::tempfile().unwrap());
        assert!(reader(file()).is_none() && writer(file()).is_none());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tcp = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!(reader(tcp.into()).is_none());
    }
}
