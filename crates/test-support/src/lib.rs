//! What the tests of several crates share: tools that may be missing, child processes, servers, signals.
//!
//! * [`tool`] finds a program that a test needs. A test that lacks something calls [`skip`], which reports
//!   it at once and once more at the end of `cargo test --workspace`.
//! * [`Running`] kills a child process when the test ends, [`kill_started_in`] what that child has started
//!   and [`started_in`] finds.
//! * [`PostgresServer`] is a server that ends with its test.
//! * [`restore_signals`] gives commands the default signal handling, even under `nohup`.

mod child;
#[expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test whose server cannot be used fails"
)]
mod postgres;
mod signals;
mod skipped;

pub use self::child::{Running, kill_started_in, started_in};
pub use self::postgres::{PostgresServer, free_port, programs};
pub use self::signals::restore_signals;
pub use self::skipped::{STANDARD_PATH, find, skip, tool, tools, was_skipped_here};
