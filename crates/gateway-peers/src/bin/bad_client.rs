//! A client with faults on demand. Prints what it got, a JSON object a line.

use std::io::{self, Write};

use clap::Parser;
use gateway_peers::client::{Client, Faults, Server};

/// Misbehave towards an MCP server, and print what it answers
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    faults: Faults,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let mut result = Ok(());
    let mut report = |got| result = writeln!(io::stdout(), "{got}");
    Client::new(&arguments.server, &mut report).run(&arguments.faults);
    result
}
