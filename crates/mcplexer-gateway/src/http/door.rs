//! How many connections there are at once. Another user of the machine can open as many as he likes, without a token; the
//! descriptors that they take are not to be missing for servers.

use std::io;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The most connections, where descriptors are many.
const MOST: u64 = 512;

/// Lets connections in.
#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Door {
    pub(super) fn new(listener: TcpListener, most: usize) -> Self {
        let places = Arc::new(Semaphore::new(most));
        Self { listener, places }
    }

    /// Waits for the next connection, and before for a place. The system lets the others wait, which takes no descriptor.
    pub(super) async fn next(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, place))
    }
}

/// Returns how many connections there may be: half of the descriptors that this process may have stay free.
pub(super) fn most_connections() -> usize {
    most_of(getrlimit(Resource::Nofile).current)
}

fn most_of(descriptors: Option<u64>) -> usize {
    let most = descriptors.map_or(MOST, |it| (it / 2).clamp(1, MOST));
    usize::try_from(most).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::task::yield_now;

    use super::*;

    #[test]
    fn half_of_the_descriptors_stay_free() {
        for (descriptors, expected) in [
            (Some(1), 1),
            (Some(256), 128),
            (Some(1024), 512),
            (Some(1 << 20), 512),
            (None, 512),
        ] {
            assert_eq!(most_of(descriptors), expected);
        }
    }

    #[tokio::test]
    async fn a_connection_waits_until_another_one_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let door = Door::new(listener, 2);
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(address).await.unwrap());
        }
        let first = door.next().await.unwrap();
        let _second = door.next().await.unwrap();
        let mut third = pin!(door.next());
        // As often as the runtime looks for what has come.
        for _ in 0..1000 {
            tokio::select! {
                biased;
                _ = &mut third => panic!("there is no place"),
                () = yield_now() => {}
            }
        }
        drop(first);
        let _third = third.await.unwrap();
    }
}
