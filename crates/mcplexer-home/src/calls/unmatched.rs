//! Why no call is shown.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use mcplexer_secrets::Error;
use mcplexer_secrets::audit::{AuditOperation, AuditReader};

use super::{Call, Wanted};

/// What a log has instead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unmatched {
    /// How many calls the log has.
    pub calls: u64,
    /// When the last one began, in RFC 3339.
    pub last: Option<String>,
    /// The servers of all calls, if none of them was to the wanted one.
    pub server: Option<Seen>,
    /// The clients of all calls, if none of them was of the wanted one.
    pub client: Option<Seen>,
    /// Whether no call ended in the way that was asked for.
    pub ending: bool,
    /// Whether no call began as late as was asked for.
    pub since: bool,
}

/// The names that calls have, sorted.
pub type Seen = BTreeSet<String>;

/// Looks at each part of [`Wanted`] alone, and returns which ones no call of a log fits. A log that does not exist has no
/// calls.
///
/// # Errors
/// * [`Error::Io`] if the file cannot be read.
/// * [`Error::Tampered`] if it has something else than lines.
pub fn unmatched(log: &Path, wanted: &Wanted) -> Result<Unmatched, Error> {
    let mut found = Unmatched::default();
    let Some(mut log) = AuditReader::open(log)? else {
        return Ok(found);
    };
    let (mut servers, mut clients, mut ends) = (Seen::new(), Seen::new(), HashMap::new());
    (found.ending, found.since) = (wanted.ending.is_some(), wanted.since.is_some());
    while let Some(line) = log.previous()? {
        if line.operation == AuditOperation::CallResult {
            if let Some(call) = &line.call {
                ends.insert(call.id.clone(), line);
            }
            continue;
        }
        let Some(mut call) = Call::begun(line) else {
            continue;
        };
        if let Some(end) = ends.remove(&call.id) {
            call.end(end);
        }
        found.calls += 1;
        found.since &= wanted.is_over(&call);
        let ending = Wanted {
            ending: wanted.ending,
            ..Wanted::default()
        };
        found.ending &= !ending.has(&call);
        found.last.get_or_insert(call.time);
        servers.extend(Some(call.server).filter(|it| !it.is_empty()));
        clients.extend(call.client);
    }
    let missing = |name: &Option<String>, seen: Seen| {
        let name = name.as_ref()?;
        (!seen.contains(name)).then_some(seen)
    };
    found.server = missing(&wanted.server, servers);
    found.client = missing(&wanted.client, clients);
    Ok(found)
}
