//! Whose process is at the other end of a connection.
//!
//! The ticket of a session stands in the command line of the browser for a moment, where other users can read it. On Linux,
//! `/proc/net/tcp` and `tcp6` say whose each socket of this machine is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The state of a socket that its process has closed: it has no user any more (`TCP_TIME_WAIT` in Linux's `tcp_states.h`).
const TIME_WAIT: &str = "06";

/// Whether the socket at `remote`, which is connected to `own`, may be of this user.
///
/// Root may begin a session, too: it can read all of our memory, and where Windows shows the browser, a process of root
/// passes its connections on. A connection whose socket is not listed comes from outside of this network namespace, such
/// as through the system's address translation; other users cannot do that without a process here, which is listed. If
/// nothing can be read, as on other systems, the ticket alone decides.
pub(crate) fn may_be_own(remote: SocketAddr, own: SocketAddr, uid: u32) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(path).ok())
        .filter_map(|table| user(&table, remote, own))
        .all(|it| it == uid || it == 0)
}

/// Returns the user of the socket that is at `local` and connected to `remote`, if the table has it.
fn user(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (plain(local), plain(remote));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = address(fields.next()?)? == local && address(fields.next()?)? == remote;
        if !is_it || fields.next()? == TIME_WAIT {
            return None;
        }
        // Behind the state: two queues, two timers, and retransmissions.
        fields.nth(3)?.parse().ok()
    })
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
    use super::*;

    const V4: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0D05 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 51234 1 0000000000000000 100 0 0 10 0
   1: 0100007F:0D05 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 51235 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C350 0100007F:0D05 01 00000000:00000000 02:000A7D8C 00000000  1001        0 51236 2 0000000000000000 20 4 30 10 -1
   3: 0100007F:C351 0100007F:0D05 06 00000000:00000000 03:00000A4B 00000000     0        0 0 3 0000000000000000
";

    const V6: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:C352 00000000000000000000000001000000:0D05 01 00000000:00000000 00:00000000 00000000  1002        0 61234 1 0000000000000000 20 4 30 10 -1
   1: 0000000000000000FFFF00000100007F:C353 0000000000000000FFFF00000100007F:0D05 01 00000000:00000000 00:00000000 00000000  1003        0 61235 1 0000000000000000 20 4 30 10 -1
   2: 0000000000000000FFFF00000100007F:nonsense
";

    fn found(table: &str, remote: &str, own: &str) -> Option<u32> {
        user(table, remote.parse().unwrap(), own.parse().unwrap())
    }

    #[test]
    fn the_other_end_has_a_user() {
        let own = "127.0.0.1:3333";
        assert_eq!(found(V4, "127.0.0.1:50000", own), Some(1001));
        assert_eq!(found(V4, "127.0.0.1:50001", own), None, "it is closed");
        assert_eq!(found(V4, "127.0.0.1:50009", own), None);
        assert_eq!(found(V4, "127.0.0.1:50000", "127.0.0.1:3334"), None);
        assert_eq!(found("", "127.0.0.1:50000", own), None);
    }

    #[test]
    fn it_may_be_of_the_sixth_version_and_stand_for_the_fourth() {
        assert_eq!(found(V6, "[::1]:50002", "[::1]:3333"), Some(1002));
        assert_eq!(found(V6, "127.0.0.1:50003", "127.0.0.1:3333"), Some(1003));
        let mapped = "[::ffff:127.0.0.1]:50000";
        assert_eq!(found(V4, mapped, "127.0.0.1:3333"), Some(1001));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_connection_of_this_process_is_own() {
        use std::net::{TcpListener, TcpStream};

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap();
        let stream = TcpStream::connect(own).unwrap();
        let remote = stream.local_addr().unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert!(may_be_own(remote, own, uid));
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        // Some sandboxes have no such table.
        if let Some(found) = user(&table, remote, own) {
            assert_eq!(found, uid);
        }
    }
}
