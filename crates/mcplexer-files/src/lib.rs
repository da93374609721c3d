//! Files with secrets, and files that name them.
//!
//! * [`exchange`] reads `.env`, JSON and YAML files, and writes them and shell scripts. [`dotenv`] is the
//!   reader of `.env` files by itself.
//! * [`mod@reference`] is `mcplexer://scope/KEY`. [`template`] finds it in texts and replaces it with the values.
//! * [`config`] reads and writes `config.yaml`, which names the scopes and never holds a value.
//! * [`position`] counts lines and characters as people do.

pub mod config;
pub mod dotenv;
pub mod exchange;
pub mod position;
pub mod reference;
pub mod template;

mod quoted;
mod yaml;
