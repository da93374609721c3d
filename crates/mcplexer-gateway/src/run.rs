//! Gateways for programs that are not asynchronous: each of these makes a runtime, and ends with it.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mcplexer_files::config::{Config, ServerName};
use mcplexer_home::OpenHome;
use serde::Serialize;
use tokio::io::{AsyncWriteExt, BufReader, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::daemon::Daemon;
use crate::frame::{Line, Lines};
use crate::gateway::Gateway;
use crate::http::Access;
use crate::json::Value;
use crate::lists::ListKind;
use crate::message::{self, Message};
use crate::options::Options;
use crate::session::{Endpoint, Peer};
use crate::standard::{standard_input, standard_output};
use crate::status::{EraStatus, number};
use crate::stdio;
use crate::watch::Watch;

/// How long requests may take that are not answered when the process is asked to end.
const LAST_ANSWERS: Duration = Duration::from_secs(5);

/// What a test of a server has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TestReport {
    /// The server.
    pub server: ServerName,
    /// What it calls itself, and its version.
    pub name: String,
    /// Which revisions of the protocol it speaks.
    pub era: EraStatus,
    /// How many tools it has.
    pub tools: u64,
    /// How long it took to start and to list its tools, in milliseconds.
    pub ms: u64,
}

/// Serves one client on standard input and output, until it is gone or the process is asked to end.
///
/// # Errors
/// What the system says if nothing can be served.
pub fn run_stdio(
    home: Arc<OpenHome>,
    config: Config,
    endpoint: Endpoint,
    peer: Peer,
    options: Options,
) -> io::Result<()> {
    let runtime = runtime()?;
    let result = runtime.block_on(async {
        let log = Arc::clone(&options.log);
        let place = home.home().clone();
        let gateway = Gateway::new(home, &config, options);
        let stop = CancellationToken::new();
        let (mut asked, mut interrupted) = (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        );
        let _watch = Watch::begin(&gateway, place, config, log);
        let session = gateway.open(endpoint, peer);
        let input = BufReader::with_capacity(64 << 10, standard_input());
        let serving = stdio::serve(gateway.hub(), session, input, standard_output(), &stop);
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => {}
            _ = asked.recv() => stop.cancel(),
            _ = interrupted.recv() => stop.cancel(),
        }
        if stop.is_cancelled() {
            let _late = tokio::time::timeout(LAST_ANSWERS, serving).await;
        }
        gateway.end().await;
        Ok(())
    });
    // Reading standard input cannot be cancelled.
    runtime.shutdown_background();
    result
}

/// Runs the daemon until it is asked to end.
///
/// # Errors
/// What the system says if nothing can be served.
pub fn run_daemon(
    daemon: Daemon,
    home: Arc<OpenHome>,
    config: Config,
    access: Access,
    options: Options,
) -> io::Result<()> {
    let runtime = runtime()?;
    let served = runtime.block_on(daemon.serve(home, config, access, options));
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

/// Starts a server, asks it for its tools, and ends it.
///
/// # Errors
/// Why it does not work.
pub fn test_server(
    home: Arc<OpenHome>,
    config: &Config,
    server: &ServerName,
    options: Options,
) -> Result<TestReport, String> {
    let runtime = runtime().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let gateway = Gateway::new(home, config, options);
        let tested = test(&gateway, server).await;
        gateway.end().await;
        tested
    })
}

async fn test(gateway: &Gateway, server: &ServerName) -> Result<TestReport, String> {
    let begin = Instant::now();
    let (ours, theirs) = duplex(64 << 10);
    let (read, mut write) = tokio::io::split(ours);
    let (input, output) = tokio::io::split(theirs);
    let never = CancellationToken::new();
    let session = gateway.open(Endpoint::One(server.clone()), Peer::named(None));
    let serving = stdio::serve(
        gateway.hub(),
        session,
        BufReader::new(input),
        output,
        &never,
    );
    let asking = async {
        let mut lines = Lines::new(BufReader::new(read), 16 << 20);
        let hello = r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"mcplexer","version":"1"}}"#;
        let hello = ask(&mut write, &mut lines, 1, "initialize", hello).await?;
        let mut tools = 0;
        if crate::instance::has(&hello, &["capabilities", "tools"]) {
            let mut params = "{}".to_owned();
            loop {
                let answer = ask(&mut write, &mut lines, 2, "tools/list", &params).await?;
                let mut items = Vec::new();
                let cursor = crate::lists::page(ListKind::Tools, &answer, &mut items);
                tools += number(items.len());
                match cursor {
                    Some(cursor) if !items.is_empty() => {
                        params = format!(r#"{{"cursor":{cursor}}}"#);
                    }
                    _ => break,
                }
            }
        }
        Ok::<_, String>((hello, tools))
    };
    let (hello, tools) = tokio::select! {
        asked = asking => asked?,
        () = serving => return Err("the session has ended".to_owned()),
    };
    let info = Value::new(&hello);
    let text = |name: &str| {
        let value = info.at(&["serverInfo", name]).and_then(Value::as_str);
        value.unwrap_or_default().into_owned()
    };
    let instances = gateway.hub().server(server).map(|it| it.status().instances);
    let era = instances.and_then(|it| it.first().map(|it| it.era));
    Ok(TestReport {
        server: server.clone(),
        name: format!("{} {}", text("name"), text("version"))
            .trim()
            .to_owned(),
        era: era.unwrap_or(EraStatus::Legacy),
        tools,
        ms: u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX),
    })
}

/// Asks for something; returns the result.
async fn ask(
    write: &mut (impl tokio::io::AsyncWrite + Unpin),
    lines: &mut Lines<impl tokio::io::AsyncBufRead + Unpin>,
    id: u32,
    method: &str,
    params: &str,
) -> Result<String, String> {
    let line = message::request(&id.to_string(), method, params) + "\n";
    let written = write.write_all(line.as_bytes()).await;
    written.map_err(|error| error.to_string())?;
    let id = id.to_string();
    loop {
        let text = match lines.next().await.map_err(|error| error.to_string())? {
            Some(Line::Text(text)) => text,
            Some(_) => continue,
            None => return Err("the session has ended".to_owned()),
        };
        let Ok(message) = Message::parse(text) else {
            continue;
        };
        if *message.kind() != message::Kind::Response || message.id() != Some(id.as_str()) {
            continue;
        }
        return match (message.result(), message.error()) {
            (Some(result), _) => Ok(result.to_owned()),
            (None, error) => {
                let error = Value::new(error.unwrap_or("{}"));
                let text = error.get("message").and_then(Value::as_str);
                Err(text.map_or_else(|| "it answers with an error".to_owned(), Into::into))
            }
        };
    }
}

/// One thread: a call that changes threads waits for the other one to wake up, twice in `benches/gateway.sh` where there were two.
/// [Long work](crate::length) is done elsewhere.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
