//! The gateway: one endpoint of the Model Context Protocol for all of a person's tool servers.
//!
//! A client connects to a [`Gateway`]. Each server behind it gets its credentials, decrypted in memory when they are
//! needed, in its environment or in its HTTP header fields, and no value of theirs comes back out.
//!
//! Messages are not parsed into types and written again: only what must differ between the two sides is replaced in
//! the text, so that everything else arrives as it was sent.

mod bridge;
mod calls;
mod child;
mod context;
mod credentials;
mod dialect;
mod error;
mod events;
mod foreign;
mod forward;
mod frame;
mod gateway;
mod health;
mod http;
mod http_back;
mod hub;
mod inbox;
mod instance;
mod json;
mod link;
mod listen;
mod lists;
mod merged;
mod message;
mod mirror;
mod names;
mod offers;
mod outbox;
mod parked;
mod scrub;
mod server;
mod session;
mod stamp;
mod stderr_log;
mod stdio;
mod tasks;
mod token;

pub use context::Limits;
pub use gateway::Gateway;
pub use http::Access;
pub use session::{Endpoint, Peer};
