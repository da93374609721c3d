//! Measures a server, or a gateway before it. Prints one JSON object.

use std::error::Error;
use std::io::{self, Write};

use clap::Parser;
use gateway_peers::load::{Load, Target};

/// Measure how long an MCP server takes to answer
///
/// The server is the fixture, or a gateway before it. The figures are in microseconds.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    load: Load,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let figures = arguments.load.run(&arguments.target)?;
    writeln!(io::stdout(), "{figures}")?;
    Ok(())
}
