//! Finds the credentials in the configuration files of AI clients, moves them out, and puts them back.
//!
//! The crate reads the files of Claude Desktop, Claude Code, Cursor, Gemini CLI and many others
//! (`mcpServers`, with or without a prefix as in `amp.mcpServers`), VS Code (`servers`, also within
//! `mcp`), Zed (`context_servers`), opencode, Kilo Code and Crush (`mcp`), Codex (`mcp_servers`, in
//! TOML), and Goose, Continue and LibreChat (`extensions` and `mcpServers`, in YAML). Servers without
//! a member around them are read as well. JSON may have comments and trailing commas.
//!
//! 1. [`ClientConfig::parse`] reads a file.
//! 2. [`ClientConfig::plan`] says what adopting the file would do. It changes nothing.
//! 3. [`Adoption::secrets`] are the credentials for the store, and [`Adoption::text`] is the file
//!    without them: each is replaced by a reference, `mcplexer://scope/KEY?adopted`, and its server
//!    starts through `mcplexer run`, which resolves the reference. The rest of the file stays the
//!    same, byte for byte.
//! 4. [`ClientConfig::undo`] restores the file, to the byte. It acts on `?adopted` only, so it keeps
//!    references that were written by hand. A plan that could not be undone is an error.
//!
//! The crate opens no file and reads neither the environment nor the working directory: its caller
//! passes in the [`Directories`], the program that starts servers, and what the store holds
//! ([`Destination`]). Only [`store`] knows a [`Store`](mcplexer_secrets::Store).

mod adoption;
mod argument;
mod choice;
mod config;
mod document;
mod edit;
mod elsewhere;
mod entry;
mod environment;
mod error;
mod find;
mod finding;
mod gateway;
mod header;
mod install;
mod launch;
mod layout;
mod literal;
mod node;
mod places;
mod plan;
mod reason;
mod rewrite;
mod scopes;
mod server;
pub mod store;
mod syntax;
mod undo;
mod values;
mod variables;

pub use adoption::Adoption;
pub use choice::{Choice, ChosenKey};
pub use config::{ClientConfig, MAX_CONFIG_LEN};
pub use entry::{Entry, Reach};
pub use error::{AdoptError, InvalidConfig};
pub use finding::{Finding, Outcome, Stays};
pub use gateway::{HandOverError, HandedMap, HandedOver, Presence};
pub use install::{
    Install, InstallError, InstallPlace, Uninstall, client_id, install_place, installable,
};
pub use places::{Directories, Owner, StandardPlace, client_of, owner_of, standard_places};
pub use scopes::Destination;
pub use server::{Place, Server, Start};
pub use syntax::Syntax;
pub use undo::Undone;
pub use variables::Variables;
