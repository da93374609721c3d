//! A gateway to one HTTP server, for one client on the standard input and output.
//!
//! The conformance suite starts its clients with the URL of its server. With this program before it, a client of the
//! suite tests the gateway's other side: see `tests/gateway/conformance.rs`.

use std::error::Error;
use std::sync::Arc;

use mcplexer_files::config::{Config, Http, Server, ServerName, Transport};
use mcplexer_gateway::{Endpoint, Gateway, Limits, Peer};
use mcplexer_home::{Home, OpenHome};
use mcplexer_secrets::keys::PassphraseRequest;
use tokio::io::{BufReader, stdin, stdout};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args()
        .nth(1)
        .ok_or("the URL of the server is missing")?;
    let directory = tempfile::tempdir()?;
    let nobody = |_: &PassphraseRequest<'_>| None;
    let home = OpenHome::open(Home::at(directory.path().join("home")), nobody)?;
    let name: ServerName = "remote".parse()?;
    let http = Http {
        url,
        headers: [].into(),
        auth: None,
    };
    let mut config = Config::default();
    config
        .servers
        .insert(name.clone(), Server::new(Transport::Http(http)));
    let gateway = Gateway::new(Arc::new(home), &config, Limits::default());
    let (input, peer) = (BufReader::new(stdin()), Peer::named(None));
    gateway
        .serve_stream(Endpoint::One(name), peer, input, stdout())
        .await;
    gateway.stop().await;
    Ok(())
}
