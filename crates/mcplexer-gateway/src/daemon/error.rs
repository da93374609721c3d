//! Why there is no daemon.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no daemon.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DaemonError {
    /// Another process is the daemon of this home.
    #[error("a gateway runs for this home already{}", .pid.map(|pid| format!(" (process {pid})")).unwrap_or_default())]
    Runs {
        /// That process, if it has said so.
        pid: Option<u32>,
    },
    /// The daemon of this home has begun to end.
    #[error("the gateway of this home is ending (process {pid})")]
    Ending {
        /// That process.
        pid: u32,
    },
    /// Other machines could reach the address.
    #[error("{address} is not an address of this machine alone")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// It cannot listen on the address.
    #[error("cannot listen on {address}: {source}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// A file cannot be used.
    #[error("cannot use {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The path of the home is too long for a socket in it.
    #[error("the path {} is too long for a socket", .path.display())]
    TooLong {
        /// Where the socket would be.
        path: PathBuf,
    },
}
