//! Whose process is at the other end of a connection.
//!
//! The ticket of a session stands in the command line of the browser for a moment, where other users can read it. On Linux,
//! `/proc/net/tcp` and `tcp6` say whose each socket of this machine is.
//!
//! Reading them takes as long as there are sockets, and another user can make many. So one thread reads, and each time for all who
//! wait. It is not one of those that work with the store.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::getuid;
use tokio::sync::oneshot;

/// The state of a socket that its process has closed: it has no user any more (`TCP_TIME_WAIT` in Linux's `tcp_states.h`).
const TIME_WAIT: &str = "06";

/// The states of sockets that end: they have a user as long as a process has them open (`TCP_FIN_WAIT1`, `TCP_FIN_WAIT2`,
/// `TCP_LAST_ACK` and `TCP_CLOSING`).
const ENDING: [&str; 4] = ["04", "05", "09", "0B"];

/// After reading, the thread rests so many times as long as that took: it uses a fifth of a core at most.
const RESTS: u32 = 4;

/// The longest rest.
const MOST_REST: Duration = Duration::from_millis(50);

/// Whether the socket at `remote`, which is connected to `own`, may be of this user.
///
/// Root may begin a session, too: it can read all of our memory, and where Windows shows the browser, a process of root
/// passes its connections on. A connection whose socket is not listed comes from outside of this network namespace, such
/// as through the system's address translation; other users cannot do that without a process here, which is listed. If
/// nothing can be read, as on other systems, the ticket alone decides.
pub(crate) async fn may_be_own(remote: SocketAddr, own: SocketAddr) -> bool {
    static OWNERS: LazyLock<Arc<Owners>> = LazyLock::new(|| Owners::of(getuid().as_raw(), sockets));
    OWNERS.may_be_own(remote, own).await
}

/// Passes each line about a socket on.
fn sockets(each: &mut dyn FnMut(&str)) {
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let Ok(file) = File::open(path) else {
            continue;
        };
        for line in BufReader::new(file).lines().map_while(Result::ok) {
            each(&line);
        }
    }
}

/// Passes each line of the tables on.
type Tables = dyn Fn(&mut dyn FnMut(&str)) + Send + Sync;

/// Finds out whose sockets are.
struct Owners {
    uid: u32,
    tables: Box<Tables>,
    asked: Mutex<Asked>,
}

/// What is asked, and whether a thread reads.
#[derive(Default)]
struct Asked {
    waiting: Vec<Question>,
    is_reading: bool,
}

/// Whose a connection is.
struct Question {
    remote: SocketAddr,
    own: SocketAddr,
    /// Whether the sockets that are listed are of the user.
    is_own: bool,
    answer: oneshot::Sender<bool>,
}

impl Owners {
    fn of(uid: u32, tables: impl Fn(&mut dyn FnMut(&str)) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            uid,
            tables: Box::new(tables),
            asked: Mutex::default(),
        })
    }

    async fn may_be_own(self: &Arc<Self>, remote: SocketAddr, own: SocketAddr) -> bool {
        let (answer, answered) = oneshot::channel();
        self.ask(Question {
            remote: plain(remote),
            own: plain(own),
            is_own: true,
            answer,
        });
        answered.await.unwrap_or_default()
    }

    /// Asks, and starts the thread if none reads. If it does not start, nobody gets an answer.
    fn ask(self: &Arc<Self>, question: Question) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        // Who has left is not answered.
        asked.waiting.retain(|it| !it.answer.is_closed());
        asked.waiting.push(question);
        if asked.is_reading {
            return;
        }
        let owners = Arc::clone(self);
        let thread = thread::Builder::new().name("owners".to_owned());
        match thread.spawn(move || owners.answer()) {
            Ok(_) => asked.is_reading = true,
            Err(_) => asked.waiting.clear(),
        }
    }

    /// Answers until nobody waits.
    fn answer(&self) {
        while let Some(mut waiting) = self.next() {
            let begun = Instant::now();
            self.look(&mut waiting);
            for it in waiting {
                let _left = it.answer.send(it.is_own);
            }
            thread::sleep((begun.elapsed() * RESTS).min(MOST_REST));
        }
    }

    /// Returns what to answer next; `None` at the end.
    fn next(&self) -> Option<Vec<Question>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.waiting.retain(|it| !it.answer.is_closed());
        asked.is_reading = !asked.waiting.is_empty();
        asked.is_reading.then(|| mem::take(&mut asked.waiting))
    }

    /// Reads the tables once.
    fn look(&self, waiting: &mut [Question]) {
        waiting.sort_unstable_by_key(|it| (it.remote, it.own));
        (self.tables)(&mut |line| {
            let Some(socket) = Socket::read(line) else {
                return;
            };
            let place = |it: &Question| (it.remote, it.own);
            let from = waiting.partition_point(|it| place(it) < (socket.local, socket.remote));
            for it in waiting.iter_mut().skip(from) {
                if place(it) != (socket.local, socket.remote) {
                    break;
                }
                it.is_own &= socket
                    .user
                    .is_some_and(|user| user == self.uid || user == 0);
            }
        });
    }
}

/// A socket, as the table has it.
#[derive(Debug, PartialEq, Eq)]
struct Socket {
    local: SocketAddr,
    remote: SocketAddr,
    /// Its user; `None` if no process has it open any more, and nobody gets what is answered.
    user: Option<u32>,
}

impl Socket {
    /// Reads a line; `None` if it is about no socket with a user, or one that had a user.
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = address(fields.next()?)?;
        let remote = address(fields.next()?)?;
        let state = fields.next()?;
        if state == TIME_WAIT {
            return None;
        }
        // Behind the state: two queues, two timers, and retransmissions.
        let user = fields.nth(3)?.parse().ok()?;
        let inode = fields.nth(1)?;
        let is_open = inode != "0" || !ENDING.contains(&state);
        Some(Self {
            local,
            remote,
            user: is_open.then_some(user),
        })
    }
}

/// The same address, as IPv4 if it stands for one, and without what only this machine knows of it.
fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

/// Reads an address: numbers of 32 bits as this machine keeps them in network order, and a port.
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = ip.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let bytes: [u8; 16] = words.as_flattened().try_into().ok()?;
            Ipv6Addr::from(bytes).to_canonical()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;

    const V4: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0D05 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51234 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0D05 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 51235 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C350 0100007F:0D05 01 00000000:00000000 02:000A7D8C 00000000  1001        0 51236 2 0000000000000000 20 4 30 10 -1
   3: 0100007F:C351 0100007F:0D05 06 00000000:00000000 03:00000A4B 00000000     0        0 0 3 0000000000000000
   4: 0100007F:C352 0100007F:0D05 05 00000000:00000000 02:000A7D8C 00000000     0        0 0 2 0000000000000000
   5: 0100007F:C353 0100007F:0D05 05 00000000:00000000 02:000A7D8C 00000000  1001        0 51237 2 0000000000000000 20 4 30 10 -1
";

    const V6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C352 00000000000000000000000001000000:0D05 01 00000000:00000000 00:00000000 00000000  1002        0 61234 1 0000000000000000 20 4 30 10 -1
   1: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:0D05 01 00000000:00000000 00:00000000 00000000  1003        0 61235 1 0000000000000000 20 4 30 10 -1
   2: 0000000000000000FFFF00000100007F:nonsense
";

    fn question(remote: &str, own: &str) -> (Question, oneshot::Receiver<bool>) {
        let (answer, answered) = oneshot::channel();
        let question = Question {
            remote: plain(remote.parse().unwrap()),
            own: plain(own.parse().unwrap()),
            is_own: true,
            answer,
        };
        (question, answered)
    }

    fn of_table(uid: u32, table: &'static str) -> Arc<Owners> {
        Owners::of(uid, move |each| table.lines().for_each(each))
    }

    /// Whether the other end of a connection is of this user, as the table has it.
    fn is_of(uid: u32, table: &'static str, remote: &str, own: &str) -> bool {
        let mut questions = [question(remote, own).0];
        of_table(uid, table).look(&mut questions);
        questions[0].is_own
    }

    #[test]
    fn the_other_end_has_a_user() {
        let own = "127.0.0.1:3333";
        assert!(is_of(1001, V4, "127.0.0.1:50000", own));
        assert!(!is_of(1000, V4, "127.0.0.1:50000", own));
        // Of these, no line says whose they are.
        assert!(is_of(1000, V4, "127.0.0.1:50001", own), "it is closed");
        assert!(is_of(1000, V4, "127.0.0.1:50009", own));
        assert!(is_of(1000, V4, "127.0.0.1:50000", "127.0.0.1:3334"));
        assert!(is_of(1000, "", "127.0.0.1:50000", own));
    }

    /// The table gives it to root, who has nothing to do with it.
    #[test]
    fn what_its_process_has_left_is_nobodys() {
        let own = "127.0.0.1:3333";
        assert!(!is_of(1000, V4, "127.0.0.1:50002", own));
        assert!(!is_of(0, V4, "127.0.0.1:50002", own));
        // Who has sent all still waits for the answer.
        assert!(is_of(1001, V4, "127.0.0.1:50003", own));
    }

    #[test]
    fn it_may_be_of_the_sixth_version_and_stand_for_the_fourth() {
        for (uid, remote, own) in [
            (1002, "[::1]:50002", "[::1]:3333"),
            (1003, "127.0.0.1:50003", "127.0.0.1:3333"),
        ] {
            assert!(is_of(uid, V6, remote, own));
            assert!(!is_of(1000, V6, remote, own));
        }
        let mapped = "[::ffff:127.0.0.1]:50000";
        assert!(is_of(1001, V4, mapped, "127.0.0.1:3333"));
        assert!(!is_of(1000, V4, mapped, "127.0.0.1:3333"));
    }

    /// Another user opens many connections: the table is read once for those that were there, and once for all that came meanwhile.
    #[tokio::test]
    async fn one_look_is_for_all_who_wait() {
        let looks = Arc::new(AtomicUsize::new(0));
        let (begun, has_begun) = mpsc::channel();
        let (go_on, may_go_on) = mpsc::channel();
        let may_go_on = Mutex::new(may_go_on);
        let counted = Arc::clone(&looks);
        let owners = Owners::of(1001, move |each| {
            counted.fetch_add(1, Ordering::SeqCst);
            begun.send(()).unwrap();
            may_go_on.lock().unwrap().recv().unwrap();
            V4.lines().for_each(each);
        });
        let mut answers = Vec::new();
        let mut ask = |remote: &str| {
            let (question, answered) = question(remote, "127.0.0.1:3333");
            owners.ask(question);
            answers.push(answered);
        };
        ask("127.0.0.1:50000");
        has_begun.recv().unwrap();
        for port in 0..500 {
            ask(&format!("127.0.0.1:{}", 51000 + port));
        }
        ask("127.0.0.1:50003");
        for _ in 0..2 {
            go_on.send(()).unwrap();
        }
        for answered in answers {
            assert!(answered.await.unwrap());
        }
        assert_eq!(looks.load(Ordering::SeqCst), 2);
    }

    /// No table is read for who has left.
    #[test]
    fn who_has_left_is_not_looked_for() {
        let owners = of_table(1001, V4);
        owners.asked.lock().unwrap().is_reading = true;
        for port in 50000..50500 {
            let (question, answered) = question(&format!("127.0.0.1:{port}"), "127.0.0.1:3333");
            owners.ask(question);
            drop(answered);
        }
        assert_eq!(owners.asked.lock().unwrap().waiting.len(), 1);
        assert!(owners.next().is_none());
    }

    #[tokio::test]
    #[cfg(target_os = "linux")]
    async fn a_connection_of_this_process_is_own() {
        use std::net::{TcpListener, TcpStream};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let stream = TcpStream::connect(own).unwrap();
        let remote = stream.local_addr().unwrap();
        assert!(may_be_own(remote, own).await);
        let mut is_listed = false;
        sockets(&mut |line| {
            is_listed |= Socket::read(line).is_some_and(|it| it.local == remote);
        });
        // Some sandboxes have no such table.
        let of_another = Owners::of(getuid().as_raw() + 1, sockets);
        if is_listed && getuid().as_raw() != 0 {
            assert!(!of_another.may_be_own(remote, own).await);
        }
    }
}
