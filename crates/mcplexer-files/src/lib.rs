//! Files with secrets, and files that name them.
//!
//! * [`exchange`] reads and writes `.env`, JSON, YAML and shell files; [`dotenv`] is the reader of `.env`
//!   files by itself.
//! * [`reference`] finds `mcplexer://scope/KEY` in texts and fills in the values.
//! * [`config`] is `config.yaml`, the file that names the scopes and never holds a value.

pub mod config;
pub mod dotenv;
pub mod exchange;
pub mod position;
pub mod reference;

mod quoted;
mod yaml;
