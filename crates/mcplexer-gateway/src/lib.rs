//! The gateway: one endpoint of the Model Context Protocol for all of a person's tool servers.
//!
//! A client connects to a [`Gateway`]. Each server behind it gets its credentials, decrypted in memory when they are
//! needed, in its environment or in its HTTP header fields, and no value of theirs comes back out.
//!
//! Messages are not parsed into types and written again: only what must differ between the two sides is replaced in
//! the text, so that everything else arrives as it was sent.

mod ask;
mod awake;
mod backlog;
mod bridge;
mod calls;
mod child;
mod clients;
mod connect;
mod context;
mod credentials;
mod daemon;
mod dialect;
mod error;
mod events;
mod figures;
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
mod launcher;
mod length;
mod link;
mod listen;
mod lists;
mod log;
mod merged;
mod message;
mod mirror;
mod names;
mod offers;
mod options;
mod outbox;
mod parked;
mod process;
mod run;
mod run_file;
mod scrub;
mod sealing_key;
mod server;
mod session;
mod site;
mod stamp;
mod standard;
mod status;
mod stderr_log;
mod stdio;
mod tasks;
mod token;
mod watch;

pub use ask::{Control, ControlError};
pub use clients::{ApiAccess, HttpClient, HttpClients, HttpClientsError, NoApiAccess, Tokens};
pub use connect::{Connect, ConnectError, Start};
pub use context::Limits;
pub use daemon::{Daemon, DaemonError, log_file};
pub use gateway::Gateway;
pub use http::Access;
pub use launcher::Launcher;
pub use log::Log;
pub use options::Options;
pub use run::{TestReport, run_daemon, run_stdio, test_server};
pub use sealing_key::{SealingKey, SealingKeyError};
pub use session::{Endpoint, Peer};
pub use site::{
    Entrance, Handle, MakeSite, NoServer, NotStarted, Remote, Site, SiteAnswer, SiteBody, ToolInfo,
};
pub use standard::{standard_input, standard_output};
pub use status::{ClientStatus, EraStatus, InstanceStatus, ServerStatus, State, Status};
