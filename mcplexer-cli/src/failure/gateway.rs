//! Advice on failures of the gateway.

use mcplexer_gateway::{
    ConnectError, ControlError, DaemonError, HttpClientsError, SealingKeyError,
};

use super::Failure;
use crate::exit_code;
use crate::text::{shortened, shown};

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            DaemonError::Runs { .. } => failure
                .with_hint("mcplexer status shows what it does; mcplexer serve --stop ends it")
                .with_code(exit_code::BUSY),
            DaemonError::Ending { .. } => failure
                .with_hint("mcplexer serve --stop waits until it has ended")
                .with_code(exit_code::BUSY),
            DaemonError::NotLoopback { .. } => failure
                .with_hint("use 127.0.0.1 or [::1], with a port")
                .with_code(exit_code::USAGE),
            DaemonError::Address { .. } => {
                failure.with_hint("mcplexer serve --http 127.0.0.1:PORT uses another port")
            }
            DaemonError::TooLong { .. } => {
                failure.with_hint("set XDG_RUNTIME_DIR to a directory of yours with a short path")
            }
            _ => failure.with_hint("it must be yours, on a disk with room"),
        }
    }
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            ControlError::NotRunning => failure
                .with_hint(
                    "mcplexer serve --http starts one; mcplexer connect does if it is needed",
                )
                .with_code(exit_code::NOT_FOUND),
            ControlError::Ending { .. } => failure
                .with_hint("mcplexer serve --stop waits until it has ended")
                .with_code(exit_code::BUSY),
            ControlError::Unknown { .. } => failure
                .with_hint("mcplexer server list lists them; those that are disabled are left out")
                .with_code(exit_code::NOT_FOUND),
            _ => failure.with_hint("mcplexer serve --stop ends the gateway"),
        }
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let failure = Self::of_lines(&error.to_string());
        match error {
            ConnectError::NotStarted { log, .. } => {
                failure.with_hint(format!("its log is {}", shown(&log)))
            }
            _ => failure.with_hint("mcplexer serve --http starts it where you see what it says"),
        }
    }
}

impl From<HttpClientsError> for Failure {
    fn from(error: HttpClientsError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            HttpClientsError::Exists { name } => failure
                .with_hint(format!(
                    "mcplexer client remove {name} makes its token invalid"
                ))
                .with_code(exit_code::CONFLICT),
            HttpClientsError::NotFound { .. } => failure
                .with_hint("mcplexer client list lists them")
                .with_code(exit_code::NOT_FOUND),
            HttpClientsError::Unusable { path, .. } => failure
                .with_hint(format!(
                    "remove {}, and add the clients again",
                    shown(&path)
                ))
                .with_code(exit_code::KEY),
            _ => failure.with_hint("it must be yours, on a disk with room"),
        }
    }
}

impl From<SealingKeyError> for Failure {
    fn from(error: SealingKeyError) -> Self {
        let failure = Self::new(error.to_string());
        match error {
            SealingKeyError::Unusable { path, .. } => failure
                .with_hint(format!(
                    "remove {}; HTTP clients begin new sessions then",
                    shortened(path.display())
                ))
                .with_code(exit_code::KEY),
            _ => failure.with_hint("it must be yours, on a disk with room"),
        }
    }
}
