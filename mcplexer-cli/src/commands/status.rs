//! `mcplexer status`

use std::time::Duration;

use mcplexer_gateway::{
    ClientStatus, Control, EraStatus, InstanceStatus, ServerStatus, State, Status,
};
use mcplexer_home::Home;
use mcplexer_secrets::Timestamp;

use crate::failure::Failure;
use crate::output::{print, print_json};
use crate::style::{Look, Paint};
use crate::text::{count, sanitized, shortened};

pub(super) fn run(json: bool) -> Result<(), Failure> {
    let status = Control::of(&Home::from_env()?).status()?;
    match json {
        true => print_json(&status),
        false => print(&text(&status, Paint::stdout())),
    }
}

fn text(status: &Status, paint: Paint) -> String {
    let http = status.http.as_ref();
    let http = http.map_or_else(String::new, |it| format!(", http://{}/mcp", sanitized(it)));
    let since = age(status.since);
    let mut text = format!(
        "gateway {} (process {}), for {since}{http}\n",
        status.version, status.pid
    );
    if let Some(problem) = &status.config_problem {
        let mark = paint.text(Look::Warning, "!");
        text.push_str(&format!("{mark} config.yaml is not used as it is now:\n"));
        for line in problem.lines() {
            text.push_str(&format!("  {}\n", shortened(line)));
        }
    }
    if let Some(problem) = &status.store_problem {
        let mark = paint.text(Look::Warning, "!");
        text.push_str(&format!("{mark} {}\n", shortened(problem)));
    }
    if status.servers.is_empty() {
        text.push_str(
            "no servers: config.yaml has none, or all are disabled; mcplexer server add adds one\n",
        );
    }
    for server in &status.servers {
        add_server(server, paint, &mut text);
    }
    for client in &status.clients {
        add_client(client, &mut text);
    }
    text
}

fn add_server(server: &ServerStatus, paint: Paint, text: &mut String) {
    let state = match server.state {
        State::Stopped => "stopped",
        State::Starting => "starting",
        State::Running => &paint.text(Look::Good, "running"),
        State::Failing => &paint.text(Look::Bad, "failing"),
        _ => "unknown",
    };
    let tools = server
        .tools
        .map_or_else(String::new, |it| format!(", {}", count(it, "tool")));
    text.push_str(&format!("server {}: {state}{tools}\n", server.name));
    for line in server.reason.iter().flat_map(|it| it.lines()) {
        text.push_str(&format!("  {}\n", shortened(line)));
    }
    for instance in &server.instances {
        add_instance(instance, text);
    }
}

fn add_instance(instance: &InstanceStatus, text: &mut String) {
    let process = instance
        .pid
        .map_or_else(|| "remote".to_owned(), |it| format!("process {it}"));
    let era = match instance.era {
        EraStatus::Legacy => "with sessions",
        EraStatus::Modern => "without sessions",
        _ => "unknown",
    };
    let (since, clients) = (age(instance.since), count(instance.clients, "client"));
    text.push_str(&format!("  {process}, for {since}, {clients}, {era}\n"));
}

fn add_client(client: &ClientStatus, text: &mut String) {
    let name = client.name.as_deref().unwrap_or("(no name)");
    let to = match (&client.server, &client.servers) {
        (Some(server), Some(seen)) if !seen.iter().any(|it| it.as_str() == server) => {
            format!("{server}, which config.yaml does not list for it")
        }
        (Some(server), _) => server.clone(),
        (None, None) => "all servers".to_owned(),
        (None, Some(seen)) if seen.is_empty() => "no servers, as config.yaml says".to_owned(),
        (None, Some(seen)) => {
            let seen: Vec<_> = seen.iter().map(ToString::to_string).collect();
            format!("only {}, as config.yaml says", seen.join(", "))
        }
    };
    let process = client
        .pid
        .map_or_else(String::new, |it| format!(", process {it}"));
    let sessions = match client.sessions {
        1 => String::new(),
        more => format!(", {}", count(more, "session")),
    };
    text.push_str(&format!(
        "client {}: {}{process}{sessions}\n",
        sanitized(name),
        sanitized(&to)
    ));
}

/// Returns how long something lasts that began at a time.
fn age(since: Timestamp) -> String {
    let micros = Timestamp::now().as_micros();
    let lasts = Duration::from_micros(micros.saturating_sub(since.as_micros()));
    match lasts.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h", seconds / 3600),
        seconds => count(seconds / 86_400, "day"),
    }
}
