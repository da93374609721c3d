//! A server that offers everything that MCP has, in both eras of the protocol.
//!
//! Its tools are written once. Where one asks the client something, a legacy client is sent a request, and a modern
//! one gets the question as the call's result and repeats the call with the answer.

mod caller;
mod content;
mod jobs;
mod legacy;
mod letters;
mod lists;
mod modern;
mod session;
mod state;
mod streams;
mod tasks;
mod tools;

pub mod stdio;
pub mod web;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use crate::message::{Frame, META, Outlet, notification};
use session::Session;

/// The protocol's revision that is spoken without sessions.
pub const MODERN: &str = "2026-07-28";
/// The protocol's revisions that are spoken in sessions, oldest first.
pub const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// Which eras of the protocol are spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Eras {
    /// Sessions only.
    Legacy,
    /// Revision 2026-07-28 only.
    Modern,
    /// Both.
    Both,
}

/// How the server behaves.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The eras that it speaks.
    pub eras: Eras,
    /// How many entries a page of a list has: all of them without it.
    pub page: Option<usize>,
    /// Whether every HTTP response is an event stream, not only those that need it.
    pub events: bool,
    /// A header that every HTTP request must have, and its value.
    pub demand: Option<(String, String)>,
    /// Whether it closes event streams in the middle of a call, for the client to take them up again.
    pub polling: bool,
}

impl Options {
    /// Both eras, whole lists, and no header.
    #[must_use]
    pub fn new(eras: Eras) -> Self {
        Self {
            eras,
            page: None,
            events: false,
            demand: None,
            polling: true,
        }
    }
}

/// The server.
#[derive(Debug)]
pub struct Fixture {
    options: Options,
    seal: state::Seal,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
    listeners: Mutex<Vec<Listener>>,
    tasks: tasks::Tasks,
    listened: AtomicUsize,
    more_tools: AtomicBool,
    more_prompts: AtomicBool,
    cancelled: AtomicUsize,
}

/// A modern client that listens to changes.
#[derive(Debug)]
struct Listener {
    number: usize,
    id: Value,
    wants: Value,
    out: Outlet,
}

/// What changed.
#[derive(Debug, Clone, Copy)]
enum Change {
    Tools,
    Prompts,
    Resource(&'static str),
}

impl Fixture {
    /// A server with the options.
    ///
    /// # Errors
    ///
    /// The system has no random numbers.
    pub fn new(options: Options) -> Result<Arc<Self>, getrandom::Error> {
        Ok(Arc::new(Self {
            options,
            seal: state::Seal::random()?,
            sessions: Mutex::default(),
            listeners: Mutex::default(),
            tasks: tasks::Tasks::default(),
            listened: AtomicUsize::new(0),
            more_tools: AtomicBool::new(false),
            more_prompts: AtomicBool::new(false),
            cancelled: AtomicUsize::new(0),
        }))
    }

    fn speaks_legacy(&self) -> bool {
        self.options.eras != Eras::Modern
    }

    fn speaks_modern(&self) -> bool {
        self.options.eras != Eras::Legacy
    }

    /// Tells every client that wants to know.
    fn changed(&self, change: Change) {
        let (method, mut params, wanted) = match change {
            Change::Tools => (
                "notifications/tools/list_changed",
                json!({}),
                "toolsListChanged",
            ),
            Change::Prompts => (
                "notifications/prompts/list_changed",
                json!({}),
                "promptsListChanged",
            ),
            Change::Resource(uri) => (
                "notifications/resources/updated",
                json!({ "uri": uri }),
                "resourceSubscriptions",
            ),
        };
        for session in locked(&self.sessions).values() {
            if !matches!(change, Change::Resource(uri) if !session.is_subscribed(uri)) {
                session.notify(notification(method, &params));
            }
        }
        for listener in locked(&self.listeners).iter() {
            let wants = match (&listener.wants[wanted], change) {
                (Value::Array(uris), Change::Resource(uri)) => uris.iter().any(|each| each == uri),
                (wants, _) => wants == &json!(true),
            };
            if wants {
                params["_meta"] = json!({ format!("{META}subscriptionId"): listener.id });
                // A listener that has gone is taken off the list by its own task.
                let _ = listener
                    .out
                    .send(Frame::More(notification(method, &params)));
            }
        }
    }

    fn count_cancellation(&self) {
        self.cancelled.fetch_add(1, Ordering::SeqCst);
    }
}

/// The mutex, also if a thread that had it panicked.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
