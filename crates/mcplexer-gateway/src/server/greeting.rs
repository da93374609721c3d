//! Greeting a server in the language that it speaks.

use std::pin::pin;
use std::sync::Arc;

use tokio::time::timeout;

use super::Server;
use crate::bridge::{self, Discovered};
use crate::dialect::{Dialect, Era, LEGACY};
use crate::error::CallError;
use crate::instance::Instance;
use crate::lists::ListKind;
use crate::message;

/// What a server says of itself, and in which era.
type Hello = (String, Era);

/// Why a server was not greeted in one of the two ways.
enum Ungreeted {
    /// It may know the other one.
    Perhaps(String),
    /// The other one is no better.
    Finally(String),
}

impl Ungreeted {
    fn into_problem(self) -> String {
        let (Self::Perhaps(problem) | Self::Finally(problem)) = self;
        problem
    }
}

impl Server {
    /// Greets a server as its client would, or else in the other way.
    pub(super) async fn greet(
        &self,
        instance: &Arc<Instance>,
        dialect: Option<&Dialect>,
    ) -> Result<(), String> {
        let dialect = dialect.cloned().unwrap_or_else(Dialect::own);
        let greeted = match dialect.era {
            Era::Legacy => self.greet_legacy_first(instance, &dialect).await,
            Era::Modern => self.greet_modern_first(instance, &dialect).await,
        };
        let (hello, era) = greeted.map_err(Ungreeted::into_problem)?;
        instance.greeted(&hello, era);
        self.offers.set_hello(&hello);
        match era {
            Era::Legacy => {
                let initialized = message::notification("notifications/initialized", None);
                instance.pass(initialized).await;
                instance.listen();
            }
            Era::Modern => {
                if self.is_http() {
                    // Some of the arguments of its tools are wanted in header fields.
                    let _unknown = self.fetch(ListKind::Tools, instance).await;
                }
                let instance = Arc::clone(instance);
                tokio::spawn(async move { bridge::listen(&instance, &dialect, &[]).await });
            }
        }
        Ok(())
    }

    async fn greet_legacy_first(
        &self,
        instance: &Arc<Instance>,
        dialect: &Dialect,
    ) -> Result<Hello, Ungreeted> {
        let refused = match self.initialize(instance, dialect).await {
            Err(Ungreeted::Perhaps(refused)) => refused,
            other => return other,
        };
        let probe = self.context.probe;
        match timeout(probe, self.discover(instance, dialect)).await {
            Ok(Ok(hello)) => Ok(hello),
            Ok(Err(Ungreeted::Finally(problem))) => Err(Ungreeted::Finally(problem)),
            Ok(Err(Ungreeted::Perhaps(_))) | Err(_) => Err(Ungreeted::Perhaps(refused)),
        }
    }

    /// A server that is silent for a while does not know the question, or is slow to start: it is greeted in the other way
    /// as well then, and what it answers first counts. One that has answered the question may refuse the other greeting.
    async fn greet_modern_first(
        &self,
        instance: &Arc<Instance>,
        dialect: &Dialect,
    ) -> Result<Hello, Ungreeted> {
        let probe = self.context.probe;
        let mut discover = pin!(self.discover(instance, dialect));
        let refused = match timeout(probe, &mut discover).await {
            Ok(Err(Ungreeted::Perhaps(refused))) => refused,
            Ok(other) => return other,
            Err(_) => {
                let mut initialize = pin!(self.initialize(instance, dialect));
                let (refused, found) = tokio::select! {
                    found = &mut discover => match found {
                        Err(Ungreeted::Perhaps(refused)) => (refused, initialize.await),
                        found => return found,
                    },
                    found = &mut initialize => match found {
                        // It has been asked before that, so that its answer should be there.
                        Err(refused) => match timeout(probe, discover).await {
                            Ok(found) => (refused.into_problem(), found),
                            Err(_) => return Err(refused),
                        },
                        found => return found,
                    },
                };
                return found.map_err(|_| Ungreeted::Perhaps(refused));
            }
        };
        match self.initialize(instance, dialect).await {
            Err(Ungreeted::Perhaps(_)) => Err(Ungreeted::Perhaps(refused)),
            other => other,
        }
    }

    /// Asks a server without sessions what it is.
    async fn discover(
        &self,
        instance: &Arc<Instance>,
        dialect: &Dialect,
    ) -> Result<Hello, Ungreeted> {
        let found = bridge::discover(instance, dialect).await;
        let found = match found {
            Ok(found) => found,
            Err(error) => return Err(self.ungreeted(instance, error).await),
        };
        match found {
            Discovered::Is(hello) => Ok((hello, Era::Modern)),
            Discovered::Refuses(problem) => Err(Ungreeted::Finally(problem)),
            Discovered::HasSessions => {
                let problem = "it does not know server/discover".to_owned();
                Err(Ungreeted::Perhaps(problem))
            }
        }
    }

    /// Begins a session.
    async fn initialize(
        &self,
        instance: &Arc<Instance>,
        dialect: &Dialect,
    ) -> Result<Hello, Ungreeted> {
        let version = match dialect.era {
            Era::Legacy => &dialect.version,
            Era::Modern => LEGACY[0],
        };
        let params = format!(
            r#"{{"protocolVersion":{},"capabilities":{},"clientInfo":{}}}"#,
            crate::json::string(version),
            dialect.capabilities,
            dialect.info
        );
        let answer = instance.ask("initialize", &params).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(self.ungreeted(instance, error).await),
        };
        match answer.message.result() {
            Some(hello) => Ok((hello.to_owned(), Era::Legacy)),
            None => {
                let error = answer.message.error().unwrap_or_default();
                let problem = format!("it answers initialize with an error: {error}");
                Err(Ungreeted::Perhaps(problem))
            }
        }
    }

    async fn ungreeted(&self, instance: &Instance, error: CallError) -> Ungreeted {
        match error {
            // What is missing is a credential, or the way to it.
            CallError::Denied { problem, .. }
            | CallError::Unreached { problem, .. }
            | CallError::NoCredential { problem, .. } => Ungreeted::Finally(problem),
            CallError::Lost { log, .. } if self.is_http() => {
                Ungreeted::Perhaps(format!("it did not answer{log}"))
            }
            CallError::Lost { .. } | CallError::Unsent { .. } => {
                Ungreeted::Perhaps(format!("it ended at once{}", instance.end().await))
            }
            CallError::Failed { problem, .. } => Ungreeted::Perhaps(problem),
            error => Ungreeted::Perhaps(error.to_string()),
        }
    }
}
