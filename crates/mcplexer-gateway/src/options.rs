//! How a gateway runs, besides its configuration.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::context::Limits;
use crate::launcher::Launcher;
use crate::log::Log;
use crate::sealing_key::SealingKey;
use crate::site::MakeSite;

/// How a gateway runs, besides its configuration.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Limits of what it passes on.
    pub limits: Limits,
    /// What starts children, so that they end with this process; `None` starts them directly.
    pub launcher: Option<Launcher>,
    /// The directory for what has to be known of a gateway that was killed; `None` keeps nothing.
    pub run_directory: Option<PathBuf>,
    /// What seals the ids of sessions; `None` is a new key, with which ids end with this process.
    pub sealing_key: Option<SealingKey>,
    /// How long a child has to end by itself: after its standard input was closed, and again after it was asked to.
    pub patience: Duration,
    /// How long a server may be silent about what it is, before it is greeted as one with sessions as well.
    pub probe: Duration,
    /// Where its log goes.
    pub log: Arc<Log>,
    /// What a daemon serves over HTTP beside the protocol.
    pub site: Option<MakeSite>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            launcher: None,
            run_directory: None,
            sealing_key: None,
            patience: Duration::from_secs(3),
            probe: Duration::from_secs(5),
            log: Arc::new(Log::off()),
            site: None,
        }
    }
}

impl From<Limits> for Options {
    fn from(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }
}
