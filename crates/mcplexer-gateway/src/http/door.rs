//! The connections of HTTP clients. Another user of the machine can open as many as he likes, without a token; the
//! descriptors that they take are not to be missing for servers, nor the places for the gateway's own user.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::Front;
use crate::site::{Entrance, Remote};

/// The most connections, where descriptors are many.
const MOST: u64 = 512;

/// The most connections of other users that are kept once this many are open.
const MOST_FOREIGN: usize = 16;

/// How long a connection may take to send the head of a request.
const HEAD_WAIT: Duration = Duration::from_secs(30);

impl Front {
    /// Serves every client that connects, until `stop`.
    ///
    /// # Errors
    /// If no more connections can be accepted.
    pub(crate) async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        places: Places,
        stop: CancellationToken,
    ) -> io::Result<()> {
        let listener = Arc::new(listener);
        let door = Door { listener, places };
        let sweep = tokio::spawn(Arc::clone(&self).sweep());
        let result = loop {
            let accepted = tokio::select! {
                accepted = door.next() => accepted,
                () = stop.cancelled() => break Ok(()),
            };
            match accepted {
                Ok((stream, place)) => {
                    let _slower_then = stream.set_nodelay(true);
                    let (front, stop, places) =
                        (Arc::clone(&self), stop.clone(), door.places.clone());
                    let listener = Arc::clone(&door.listener);
                    tokio::spawn(async move {
                        // No other program can have the address while somebody talks to this one there.
                        let _bound = listener;
                        let remote = front.remote(&stream);
                        if let Some(admitted) = places.admit(remote, &stream).await {
                            front.connection(stream, remote, stop).await;
                            drop(admitted);
                        }
                        drop(place);
                    });
                }
                // Too many descriptors are open: it may be better soon.
                Err(error) if error.raw_os_error().is_some() => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => break Err(error),
            }
        };
        sweep.abort();
        result
    }

    async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(Duration::from_secs(60)).await;
            self.sessions.sweep(&self.hub);
        }
    }

    /// Returns where a connection comes in, and from where; `None` if it has ended.
    fn remote(&self, stream: &TcpStream) -> Option<Remote> {
        Some(Remote {
            entrance: self.entrance,
            remote: stream.peer_addr().ok()?,
            own: stream.local_addr().ok()?,
        })
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        remote: Option<Remote>,
        stop: CancellationToken,
    ) {
        // A browser sends a request again, on a new connection, if one that was used before ends without an answer. By then another
        // program can have the address of the page.
        let is_kept = self.entrance == Entrance::Clients;
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(remote) = remote {
                request.extensions_mut().insert(remote);
            }
            let front = Arc::clone(&self);
            async move { Ok::<_, Infallible>(front.answer(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WAIT)
            .keep_alive(is_kept)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        tokio::select! {
            _ = &mut connection => return,
            () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        // What was asked is answered still.
        let _ended = connection.await;
    }
}

/// The places of connections, for all addresses of a gateway together.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    all: Arc<Semaphore>,
    most: usize,
    /// Those of other users among them, once they are looked at.
    foreign: Arc<Semaphore>,
    most_foreign: usize,
}

impl Default for Places {
    fn default() -> Self {
        Self::of(most_connections())
    }
}

impl Places {
    fn of(most: usize) -> Self {
        let most_foreign = MOST_FOREIGN.min(most / 4);
        Self {
            all: Arc::new(Semaphore::new(most)),
            most,
            foreign: Arc::new(Semaphore::new(most_foreign)),
            most_foreign,
        }
    }

    /// Finds out whether a connection may stay; `None` if it may not. Whose it is takes milliseconds to find out, and matters
    /// only while there are many. One that has ended by then makes room at once.
    async fn admit(
        &self,
        remote: Option<Remote>,
        stream: &TcpStream,
    ) -> Option<Option<OwnedSemaphorePermit>> {
        let remote = remote?;
        if !self.are_many() {
            return Some(None);
        }
        let is_own = tokio::select! {
            biased;
            () = ended(stream) => return None,
            is_own = remote.is_own() => is_own,
        };
        match is_own {
            true => Some(None),
            false => self.admit_foreign().map(Some),
        }
    }

    fn are_many(&self) -> bool {
        self.most - self.all.available_permits() > self.most_foreign
    }

    fn admit_foreign(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.foreign).try_acquire_owned().ok()
    }
}

/// Waits until nothing more comes, and nothing has come. Who has sent something waits for an answer.
async fn ended(stream: &TcpStream) {
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        Ok(_) => pending().await,
    }
}

/// Lets connections in.
#[derive(Debug)]
struct Door {
    listener: Arc<TcpListener>,
    places: Places,
}

impl Door {
    /// Waits for the next connection, and before for a place. The system lets the others wait, which takes no descriptor.
    async fn next(&self) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places.all).acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (stream, _) = self.listener.accept().await?;
        Ok((stream, place))
    }
}

/// Returns how many connections there may be: half of the descriptors that this process may have stay free. Each address
/// that waits for the next one has a place.
fn most_connections() -> usize {
    most_of(getrlimit(Resource::Nofile).current)
}

fn most_of(descriptors: Option<u64>) -> usize {
    let most = descriptors.map_or(MOST, |it| (it / 2).clamp(2, MOST));
    usize::try_from(most).unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::task::yield_now;

    use super::*;

    #[test]
    fn half_of_the_descriptors_stay_free() {
        for (descriptors, expected) in [
            (Some(1), 2),
            (Some(256), 128),
            (Some(1024), 512),
            (Some(1 << 20), 512),
            (None, 512),
        ] {
            assert_eq!(most_of(descriptors), expected);
        }
    }

    /// Connections of other users that came while there were few stay; of those that come later, few.
    #[tokio::test]
    async fn other_users_leave_places_for_our_own() {
        let places = Places::of(8);
        let mut taken: Vec<_> = (0..2)
            .map(|_| Arc::clone(&places.all).try_acquire_owned().unwrap())
            .collect();
        assert!(!places.are_many());
        taken.push(Arc::clone(&places.all).try_acquire_owned().unwrap());
        assert!(places.are_many());
        let first = places.admit_foreign().unwrap();
        let second = places.admit_foreign().unwrap();
        assert!(places.admit_foreign().is_none());
        drop(first);
        assert!(places.admit_foreign().is_some());
        drop(second);
    }

    #[tokio::test]
    async fn a_connection_waits_until_another_one_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let places = Places::of(2);
        let listener = Arc::new(listener);
        let door = Door { listener, places };
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
