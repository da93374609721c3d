//! Passes bytes on and does nothing else: what a process between a client and a server costs at least.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;

use clap::Parser;

/// Pass bytes on between a client and a server
#[derive(Debug, Parser)]
struct Arguments {
    /// Take connections on this address, and pass each on to `--to`
    #[arg(long, value_name = "ADDRESS", requires = "to")]
    listen: Option<String>,
    /// The address of the server
    #[arg(long, value_name = "ADDRESS")]
    to: Option<String>,
    /// The server that is started, for a client on the standard input and output
    #[arg(last = true)]
    command: Vec<String>,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    if let (Some(listen), Some(to)) = (arguments.listen, arguments.to) {
        for client in TcpListener::bind(listen)?.incoming() {
            let (client, server) = (client?, TcpStream::connect(&to)?);
            client.set_nodelay(true)?;
            server.set_nodelay(true)?;
            let ways = [(client.try_clone()?, server.try_clone()?), (server, client)];
            for (from, to) in ways {
                thread::spawn(move || {
                    let _ended = pass(&from, &to);
                    to.shutdown(Shutdown::Write)
                });
            }
        }
        return Ok(());
    }
    let mut command = arguments.command.into_iter();
    let program = command.next().ok_or(io::ErrorKind::InvalidInput)?;
    let mut server = Command::new(program)
        .args(command)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (input, output) = (server.stdin.take(), server.stdout.take());
    let (input, output) = input.zip(output).ok_or(io::ErrorKind::BrokenPipe)?;
    thread::spawn(move || pass(io::stdin().lock(), input));
    pass(output, io::stdout().lock())
}

/// Writes whatever has come, at once.
fn pass(from: impl Read, mut to: impl Write) -> io::Result<()> {
    let mut from = BufReader::with_capacity(64 << 10, from);
    loop {
        let come = from.fill_buf()?;
        let length = come.len();
        if length == 0 {
            return Ok(());
        }
        to.write_all(come)?;
        to.flush()?;
        from.consume(length);
    }
}
