//! A way to a server on which connections break after some bytes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes bytes on between clients and a server.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// Who notices that a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notice {
    Both,
    /// The server goes on to wait for the client, until the proxy is dropped.
    OnlyTheClient,
}

struct Shared {
    server: u16,
    notice: Notice,
    /// Connections to the server that stay open.
    open: Mutex<Vec<TcpStream>>,
    has_ended: AtomicBool,
    cuts: AtomicU32,
}

impl Proxy {
    /// Cuts each connection after so many bytes both ways, which `bytes` says for each.
    pub(crate) fn to(server: u16, bytes: impl FnMut() -> i64 + Send + 'static) -> Self {
        Self::noticed_by(Notice::Both, server, bytes)
    }

    /// As [`to`](Self::to).
    pub(crate) fn noticed_by(
        notice: Notice,
        server: u16,
        mut bytes: impl FnMut() -> i64 + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            server,
            notice,
            open: Mutex::default(),
            has_ended: AtomicBool::new(false),
            cuts: AtomicU32::new(0),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if accepting.has_ended.load(Ordering::Relaxed) {
                    return;
                }
                let server = TcpStream::connect((Ipv4Addr::LOCALHOST, accepting.server));
                if let (Ok(client), Ok(server)) = (client, server) {
                    accepting.pass(&client, &server, bytes());
                }
            }
        });
        Self { address, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections were cut so far.
    pub(crate) fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn pass(self: &Arc<Self>, client: &TcpStream, server: &TcpStream, bytes: i64) {
        let left = Arc::new(AtomicI64::new(bytes));
        let ends = match self.notice {
            Notice::Both => vec![client, server],
            Notice::OnlyTheClient => {
                self.open.lock().unwrap().push(server.try_clone().unwrap());
                vec![client]
            }
        };
        for (from, to) in [(client, server), (server, client)] {
            let ends: Vec<_> = ends.iter().map(|it| it.try_clone().unwrap()).collect();
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            let (shared, left) = (Arc::clone(self), Arc::clone(&left));
            from.set_nodelay(true).unwrap();
            thread::spawn(move || shared.pass_one_way(from, to, &left, &ends));
        }
    }

    fn pass_one_way(
        &self,
        mut from: TcpStream,
        mut to: TcpStream,
        left: &AtomicI64,
        ends: &[TcpStream],
    ) {
        let mut buffer = [0; 4096];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let had = left.fetch_sub(i64::try_from(length).unwrap(), Ordering::Relaxed);
            // As much as is left goes through: a message may be cut anywhere.
            let passed = usize::try_from(had).unwrap_or(0).min(length);
            let is_cut = passed < length;
            if to.write_all(&buffer[..passed]).is_err() || is_cut {
                self.cuts
                    .fetch_add(u32::from(is_cut && had > 0), Ordering::Relaxed);
                break;
            }
        }
        for end in ends {
            // The other direction may have closed it.
            let _closed = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.has_ended.store(true, Ordering::Relaxed);
        // It waits for a connection.
        let _woken = TcpStream::connect(self.address);
    }
}
