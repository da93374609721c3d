//! Statements that a connection has used before, so that the server need not read and plan them again.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio_postgres::Statement;

/// More than that are statements about tables that were replaced since.
const KEPT: usize = 64;

/// A statement that is being prepared.
type Preparing = Pin<Box<dyn Future<Output = Result<Statement, tokio_postgres::Error>> + Send>>;

/// The statements of one connection. The second use of one prepares it for the third, in the same message: that costs
/// nothing where a connection serves one command.
#[derive(Default)]
pub(crate) struct Prepared {
    /// `None` if it was used once.
    known: HashMap<String, Option<Statement>>,
    preparing: Vec<(String, Preparing)>,
}

/// How to send a statement.
pub(crate) enum Use {
    First,
    Second,
    Prepared(Statement),
}

impl Prepared {
    /// Counts a use.
    pub(crate) fn count(&mut self, sql: &str) -> Use {
        match self.known.get(sql) {
            Some(Some(statement)) => Use::Prepared(statement.clone()),
            Some(None) if self.preparing.iter().any(|(it, _)| it == sql) => Use::First,
            Some(None) => Use::Second,
            None => {
                if self.known.len() >= KEPT {
                    self.known.clear();
                }
                self.known.insert(sql.to_owned(), None);
                Use::First
            }
        }
    }

    /// Takes what will be the statement.
    pub(crate) fn prepare(&mut self, sql: String, preparing: Preparing) {
        self.preparing.push((sql, preparing));
    }

    /// Takes what the server has answered meanwhile. A transaction that has failed prepares nothing: then the next use
    /// does.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) {
        let known = &mut self.known;
        self.preparing
            .retain_mut(|(sql, preparing)| match preparing.as_mut().poll(context) {
                Poll::Ready(statement) => {
                    if let Ok(statement) = statement {
                        known.insert(sql.clone(), Some(statement));
                    }
                    false
                }
                Poll::Pending => true,
            });
    }
}
