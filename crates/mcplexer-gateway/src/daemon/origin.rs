//! The address of the page.
//!
//! A browser keeps service workers and cached scripts for each origin, and uses them even if another program listens there
//! later. A program could have listened at any address that can be guessed. So each gateway picks an unpredictable one for the
//! page: one of the 16 million loopback addresses, and a free port.

use std::io;
use std::net::{Ipv4Addr, TcpListener};

/// Listens at an address of this machine that nobody can guess. Where this machine has 127.0.0.1 alone, the port is all that
/// cannot be guessed.
pub(super) fn listen() -> io::Result<TcpListener> {
    let unguessed = match has_other_addresses() {
        true => TcpListener::bind((random()?, 0)),
        false => Err(io::ErrorKind::AddrNotAvailable.into()),
    };
    let listener = unguessed.or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Returns one of 127.0.0.0/8 (RFC 1122, section 3.2.1.3). Those that begin or end with 0 or 255 in a byte may mean
/// something else; low ones have users, such as 127.0.0.53.
fn random() -> io::Result<Ipv4Addr> {
    let mut bytes = [0; 3];
    loop {
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        let [a, b, c] = bytes;
        if bytes.iter().all(|it| (1..255).contains(it)) {
            return Ok(Ipv4Addr::new(127, a, b, c));
        }
    }
}

/// Whether the browser reaches the other addresses. In the subsystem of Windows it is outside, and 127.0.0.1 alone is passed
/// on.
fn has_other_addresses() -> bool {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    cfg!(target_os = "linux") && !kernel.to_ascii_lowercase().contains("microsoft")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_gateway_has_another_one() {
        let addresses: HashSet<_> = (0..100).map(|_| random().unwrap()).collect();
        assert!(addresses.len() > 95, "{addresses:?}");
        assert!(addresses.iter().all(Ipv4Addr::is_loopback));
        assert!(!addresses.contains(&Ipv4Addr::LOCALHOST));
    }

    #[test]
    fn it_can_be_reached() {
        let listener = listen().unwrap();
        let address = listener.local_addr().unwrap();
        std::net::TcpStream::connect(address).unwrap();
    }
}
