//! The properties that the fuzz targets check. Each holds for any input; otherwise the target
//! panics.
//!
//! Targets for private parts are in `mcplexer_secrets::fuzzing`.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a target says by a panic that a property does not hold"
)]

mod arguments;
mod audit;
mod backup;
mod client;
mod config;
mod damaged;
mod detect;
mod dotenv;
mod exchange;
mod faulty;
mod keys;
mod mask;
pub mod mutation;
mod operations;
mod reference;

pub use arguments::parse_arguments;
pub use audit::append_audit_log;
pub use backup::{open_backup, read_backup};
pub use client::parse_client;
pub use config::parse_config;
pub use damaged::damaged_store;
pub use detect::find_credentials;
pub use dotenv::parse_dotenv;
pub use exchange::{read_exchange, write_exchange};
pub use keys::key_file;
pub use mask::mask;
pub use mcplexer_secrets::fuzzing::{decode_record, open_damaged_value, open_sealed_value};
pub use operations::operations;
pub use reference::parse_references;

/// A function that accepts any bytes and panics if its property does not hold for them.
pub type Target = fn(&[u8]);

/// Every target by name. The directory of its corpus has the same name.
pub const TARGETS: [(&str, Target); 18] = [
    ("append_audit_log", append_audit_log),
    ("damaged_store", damaged_store),
    ("decode_record", decode_record),
    ("find_credentials", find_credentials),
    ("key_file", key_file),
    ("mask", mask),
    ("open_backup", open_backup),
    ("open_damaged_value", open_damaged_value),
    ("open_sealed_value", open_sealed_value),
    ("operations", operations),
    ("parse_arguments", parse_arguments),
    ("parse_client", parse_client),
    ("parse_config", parse_config),
    ("parse_dotenv", parse_dotenv),
    ("parse_references", parse_references),
    ("read_backup", read_backup),
    ("read_exchange", read_exchange),
    ("write_exchange", write_exchange),
];
