//! A tool server with faults on demand.

use std::error::Error;
use std::io::{self, Write};
use std::sync::Arc;

use clap::Parser;
use gateway_peers::bad::web::Web;
use gateway_peers::bad::{Bad, Faults, stdio};
use gateway_peers::http;
use tokio::net::TcpListener;

/// Serve two tools: echo behaves, misbehave has the faults of the options
#[derive(Debug, Parser)]
struct Arguments {
    /// Serve HTTP on this address, and print the URL as the first line
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    #[command(flatten)]
    faults: Faults,
    /// Do nothing, as the processes that --grandchildren starts
    #[arg(long, hide = true)]
    idle: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments {
        http: address,
        faults,
        idle,
    } = Arguments::parse();
    stdio::begin(&faults)?;
    if idle {
        stdio::idle();
        return Ok(());
    }
    let bad = Bad::new(faults);
    let Some(address) = address else {
        return Ok(stdio::serve(bad)?);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        writeln!(io::stdout(), "http://{}/mcp", listener.local_addr()?)?;
        let web = Arc::new(Web::new(bad));
        let respond = move |request| {
            let web = Arc::clone(&web);
            async move { web.respond(request).await }
        };
        Ok(http::serve(listener, respond).await?)
    })
}
