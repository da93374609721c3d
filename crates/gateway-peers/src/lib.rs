//! What the gateway is tested against.
//!
//! - `fixture-server` offers everything that MCP has, in the protocol's legacy and modern eras, over stdio and
//!   Streamable HTTP. The official conformance suite finds no fault in it.
//! - `bad-server` and `bad-client` have faults on demand: one option for each.
//! - `bench-client` measures, and `pass-through` shows what a process in between costs that does nothing.
//!
//! Messages are text, and what is in [`fixture`]'s data is sent as it is written there: a test can compare what
//! comes out of the gateway with what went in, to the byte.

#![expect(
    clippy::indexing_slicing,
    reason = "a member that a JSON value does not have is null"
)]

pub mod bad;
pub mod client;
pub mod fixture;
pub mod http;
pub mod load;
pub mod message;
