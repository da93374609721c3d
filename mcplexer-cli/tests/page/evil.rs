//! A server of another program.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What it answers at an address: header fields, and the body.
type Answers = fn(&str) -> (&'static str, &'static str);

/// A server. On drop it ends.
pub(crate) struct Evil {
    address: SocketAddr,
    heard: Arc<Mutex<String>>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Evil {
    /// Serves an empty page at every address.
    pub(crate) fn serve() -> Self {
        const PAGE: &str = "<!doctype html><title>evil</title><body>evil</body>";
        Self::at("127.0.0.1:0", |_| ("Content-Type: text/html", PAGE))
    }

    /// Serves at a host with a port.
    pub(crate) fn at(host: &str, answers: Answers) -> Self {
        let listener = TcpListener::bind(host).unwrap();
        let (ended, heard) = (Arc::new(AtomicBool::new(false)), Arc::default());
        let (ends, hears) = (Arc::clone(&ended), Arc::clone(&heard));
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if ends.load(Ordering::SeqCst) {
                    return;
                }
                // A browser opens connections that it does not use.
                let hears = Arc::clone(&hears);
                std::thread::spawn(move || answer(&stream.unwrap(), answers, &hears));
            }
        });
        Self {
            address,
            heard,
            ended,
            thread: Some(thread),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns all that it was sent.
    pub(crate) fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

/// Hears a request to its end, and answers it.
fn answer(stream: &TcpStream, answers: Answers, heard: &Mutex<String>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while reader.read_line(&mut head).is_ok_and(|it| it > 2) {
        let field = head.lines().last().unwrap_or_default().to_ascii_lowercase();
        if let Some(text) = field.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    let _gone = reader.read_exact(&mut body);
    *heard.lock().unwrap() += &format!("{head}{}\n", String::from_utf8_lossy(&body));
    let path = head.split(' ').nth(1).unwrap_or_default();
    let (fields, text) = answers(path);
    let _gone = write!(
        &*stream,
        "HTTP/1.1 200 OK\r\n{fields}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{text}",
        text.len()
    );
}

impl Drop for Evil {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // It looks when somebody comes.
        let _woken = TcpStream::connect(self.address);
        let _ended = self.thread.take().map(JoinHandle::join);
    }
}
