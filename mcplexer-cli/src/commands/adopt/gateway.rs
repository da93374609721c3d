//! What `adopt --gateway` says about servers.

use mcplexer_home::adoption::FileReport;

use crate::session::Session;
use crate::table::{Screen, fitting};
use crate::text::{count, sanitized, shortened};

/// How many servers are named for colleagues.
const MOST_SERVERS: usize = 10;

/// Returns whether servers of the file move.
pub(super) fn moves(report: &FileReport) -> bool {
    let gateway = report.gateway.as_ref();
    gateway.is_some_and(|it| !it.servers.is_empty())
}

/// Returns the table of servers: where each one goes, or why it stays.
pub(super) fn table(report: &FileReport) -> String {
    let Some(gateway) = &report.gateway else {
        return String::new();
    };
    let name = |server: &str, project: Option<&String>| match project {
        Some(project) => format!("{} ({})", sanitized(server), shortened(project)),
        None => sanitized(server),
    };
    let moves = gateway.servers.iter().map(|it| {
        let mut becomes = match it.added {
            true => format!("→ config.yaml: {}", it.name),
            false => format!("→ config.yaml: {}, which is there already", it.name),
        };
        if !it.left_out.is_empty() {
            let left_out = sanitized(it.left_out.join(", "));
            becomes.push_str(&format!("; {left_out} is left out"));
        }
        vec![name(&it.server, it.project.as_ref()), becomes]
    });
    let screen = Screen::stdout();
    let mut reasons = String::new();
    let stays = gateway.stays.iter().map(|it| {
        let (name, reason) = (name(&it.server, it.project.as_ref()), sanitized(&it.reason));
        if !screen.is_narrow() {
            return vec![name, format!("kept: {reason}")];
        }
        reasons.push_str(&screen.lines(&format!("{name}: {reason}")));
        vec![name, "kept".to_owned()]
    });
    fitting(&moves.chain(stays).collect::<Vec<_>>()) + &reasons
}

/// Says what happens to the file's servers.
pub(super) fn tell(report: &FileReport, session: &Session) {
    let Some(gateway) = &report.gateway else {
        return;
    };
    let moved = count(gateway.servers.len() as u64, "server");
    session.tell(&match (gateway.servers.is_empty(), report.written) {
        (true, _) => "no servers to move behind the gateway".to_owned(),
        (false, true) => format!(
            "{moved} moved behind the gateway; the client runs mcplexer connect --client {}",
            gateway.client
        ),
        (false, false) => format!(
            "{moved} to move behind the gateway; the client would run mcplexer connect --client {}",
            gateway.client
        ),
    });
    if !gateway.stays.is_empty() {
        let verb = if gateway.stays.len() == 1 {
            "stays"
        } else {
            "stay"
        };
        let stays = count(gateway.stays.len() as u64, "server");
        session.tell(&format!("{stays} {verb} in the file"));
    }
}

/// Says how colleagues get the servers.
pub(super) fn hint_servers(report: &FileReport, session: &Session) {
    let Some(gateway) = report.gateway.as_ref().filter(|_| report.written) else {
        return;
    };
    for server in gateway.servers.iter().take(MOST_SERVERS) {
        session.hint(&format!(
            "mcplexer server show {} prints it for another config.yaml",
            server.name
        ));
    }
    let more = gateway.servers.len().saturating_sub(MOST_SERVERS);
    if more > 0 {
        session.hint(&format!("… and {more} more"));
    }
}
