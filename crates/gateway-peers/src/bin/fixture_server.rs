//! Offers everything that MCP has, over stdio or Streamable HTTP.

use std::error::Error;
use std::io::{self, Read, Write};
use std::process;
use std::sync::Arc;
use std::thread;

use clap::Parser;
use gateway_peers::fixture::{Eras, Fixture, Options, stdio, web};
use gateway_peers::http;
use tokio::net::TcpListener;

/// Offer everything that MCP has
///
/// Serves one client on the standard input and output, or any number over HTTP.
#[derive(Debug, Parser)]
struct Arguments {
    /// Serve HTTP on this address, and print the URL as the first line
    #[arg(long, value_name = "ADDRESS")]
    http: Option<String>,
    /// Speak only one era of the protocol
    #[arg(long, value_enum, default_value_t = Eras::Both)]
    eras: Eras,
    /// Give lists out in pages of this many entries
    #[arg(long, value_name = "ENTRIES")]
    page: Option<usize>,
    /// Answer every HTTP request with an event stream
    #[arg(long)]
    events: bool,
    /// Demand that every HTTP request has this header, with the value of an environment variable
    #[arg(long, value_name = "HEADER=VARIABLE")]
    demand: Option<String>,
    /// Never close an event stream in the middle of a call
    #[arg(long)]
    no_polling: bool,
    /// End when the standard input ends, also when serving HTTP
    #[arg(long)]
    until_eof: bool,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut options = Options::new(arguments.eras);
    options.page = arguments.page;
    options.events = arguments.events;
    options.polling = !arguments.no_polling;
    if let Some(demand) = &arguments.demand {
        let (header, variable) = demand
            .split_once('=')
            .ok_or("--demand needs HEADER=VARIABLE")?;
        options.demand = Some((header.to_lowercase(), std::env::var(variable)?));
    }
    let fixture = Fixture::new(options)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let Some(address) = arguments.http else {
        runtime.block_on(stdio::serve(fixture));
        return Ok(());
    };
    if arguments.until_eof {
        thread::spawn(|| {
            let _ = io::copy(&mut io::stdin().lock().take(u64::MAX), &mut io::sink());
            process::exit(0);
        });
    }
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        writeln!(io::stdout(), "http://{address}/mcp")?;
        http::serve(listener, move |request| {
            web::respond(Arc::clone(&fixture), address.port(), request)
        })
        .await?;
        Ok(())
    })
}
