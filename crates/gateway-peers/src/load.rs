//! A client that calls tools of the fixture, and takes the time.

use std::collections::BTreeMap;
use std::io;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value, json};

use crate::client::Server;

mod stdio;
mod web;

use stdio::Child;
use web::Session;

/// What is measured.
#[derive(Debug, Args)]
#[non_exhaustive]
pub struct Target {
    #[command(flatten)]
    server: Server,
    /// Start this command, and talk to it over its standard input and output, instead of to the URL
    #[arg(last = true)]
    command: Vec<String>,
}

/// What is done.
#[derive(Debug, Args)]
#[non_exhaustive]
pub struct Load {
    /// Call `echo` so many times, one after the other
    #[arg(long, default_value_t = 0)]
    calls: usize,
    /// The bytes that `echo` gets
    #[arg(long, default_value_t = 1024)]
    bytes: usize,
    /// Call `letters` so many times
    #[arg(long, default_value_t = 0)]
    large: usize,
    /// The letters of each result
    #[arg(long, default_value_t = 1 << 20)]
    letters: usize,
    /// What they are: `letters`, `source` or `json`
    #[arg(long, default_value = "letters")]
    of: String,
    /// Ask for the tools so many times
    #[arg(long, default_value_t = 0)]
    lists: usize,
    /// Call `echo` so many times in all from clients at the same time
    #[arg(long, default_value_t = 0)]
    burst: usize,
    /// The clients at the same time
    #[arg(long, default_value_t = 32)]
    clients: usize,
    /// Begin so many sessions over HTTP, and never end them
    #[arg(long, default_value_t = 0)]
    sessions: usize,
}

/// A session with a server.
trait Client {
    /// Sends a message.
    fn send(&mut self, message: &str) -> io::Result<()>;

    /// Returns the next answer.
    fn receive(&mut self) -> io::Result<String>;

    /// Sends a message and returns the answer.
    fn ask(&mut self, message: &str) -> io::Result<String> {
        self.send(message)?;
        self.receive()
    }
}

impl Target {
    fn is_web(&self) -> bool {
        self.command.is_empty()
    }

    /// Begins a session. Returns how long the answer to `initialize` took, from the start of a command on.
    fn open(&self) -> io::Result<(Box<dyn Client>, Duration)> {
        let hello = request(
            0,
            "initialize",
            &json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "bench", "version": "1" },
            }),
        );
        let begin = Instant::now();
        let (mut client, answer): (Box<dyn Client>, _) = match self.is_web() {
            true => {
                let (session, answer) = Session::open(&self.server, &hello)?;
                (Box::new(session), answer)
            }
            false => {
                let mut child = Child::start(&self.command)?;
                let answer = child.ask(&hello)?;
                (Box::new(child), answer)
            }
        };
        let took = begin.elapsed();
        check(&answer)?;
        client.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#)?;
        Ok((client, took))
    }
}

impl Load {
    /// Does it. Returns the figures.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, ends, or answers with an error.
    pub fn run(&self, target: &Target) -> io::Result<Value> {
        let mut figures = BTreeMap::new();
        let (mut client, first) = target.open()?;
        figures.insert("first", json!({ "us": micros(first) }));
        let echo = call(
            &target.server.echo,
            &json!({ "message": "x".repeat(self.bytes) }),
        );
        // A gateway may have put something before the names of tools.
        let letters = target.server.echo.replace("echo", "letters");
        // The first ones find nothing warm.
        let warm = (self.calls / 10).min(200);
        timed(&mut *client, warm, "tools/call", &echo)?;
        for (name, times, method, params) in [
            ("echo", self.calls, "tools/call", &echo),
            (
                "large",
                self.large,
                "tools/call",
                &call(&letters, &json!({ "count": self.letters, "of": self.of })),
            ),
            ("list", self.lists, "tools/list", &json!({})),
        ] {
            let took = timed(&mut *client, times, method, params)?;
            if !took.is_empty() {
                figures.insert(name, summary(took));
            }
        }
        if self.burst > 0 {
            let rate = match target.is_web() {
                true => self.several(target, &echo)?,
                false => self.interleaved(&mut *client, &echo)?,
            };
            figures.insert("burst", json!({ "calls_per_second": rate }));
        }
        for _ in 0..self.sessions {
            // Its connection ends, and nothing else.
            target.open()?;
        }
        Ok(json!(figures))
    }

    /// Calls from several sessions at the same time. Returns how many calls there were in a second.
    fn several(&self, target: &Target, params: &Value) -> io::Result<f64> {
        let each = self.burst / self.clients;
        let ready = Barrier::new(self.clients + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..self.clients)
                .map(|_| {
                    scope.spawn(|| {
                        let opened = target.open();
                        ready.wait();
                        timed(&mut *opened?.0, each, "tools/call", params)
                    })
                })
                .collect();
            ready.wait();
            let begin = Instant::now();
            for thread in threads {
                thread
                    .join()
                    .map_err(|_| io::Error::other("a client panicked"))??;
            }
            Ok(rate(each * self.clients, begin.elapsed()))
        })
    }

    /// Calls on one stream, with as many calls unanswered as there are clients.
    fn interleaved(&self, client: &mut dyn Client, params: &Value) -> io::Result<f64> {
        let params = params.to_string();
        let begin = Instant::now();
        for sent in 0..self.burst {
            if sent >= self.clients {
                check(&client.receive()?)?;
            }
            client.send(&request_of(sent + 1, "tools/call", &params))?;
        }
        for _ in 0..self.clients.min(self.burst) {
            check(&client.receive()?)?;
        }
        Ok(rate(self.burst, begin.elapsed()))
    }
}

/// Asks again and again. Returns how long each answer took, in microseconds.
fn timed(
    client: &mut dyn Client,
    times: usize,
    method: &str,
    params: &Value,
) -> io::Result<Vec<f64>> {
    let params = params.to_string();
    let once = |number| {
        let message = request_of(number + 1, method, &params);
        let begin = Instant::now();
        let answer = client.ask(&message)?;
        let took = begin.elapsed();
        check(&answer)?;
        Ok(micros(took))
    };
    (0..times).map(once).collect()
}

fn check(answer: &str) -> io::Result<()> {
    match answer.contains("\"result\"") && !answer.contains("\"isError\":true") {
        true => Ok(()),
        false => Err(io::Error::other(format!("no result: {answer}"))),
    }
}

fn summary(mut took: Vec<f64>) -> Value {
    took.sort_by(f64::total_cmp);
    let of = |percent: usize| took[(took.len() * percent / 100).min(took.len() - 1)];
    json!({ "p50_us": of(50), "p99_us": of(99), "times": took.len() })
}

fn micros(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e7).round() / 10.0
}

#[expect(clippy::cast_precision_loss, reason = "there are not that many calls")]
fn rate(calls: usize, took: Duration) -> f64 {
    (calls as f64 / took.as_secs_f64()).round()
}

fn call(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

fn request(id: usize, method: &str, params: &Value) -> String {
    request_of(id, method, &params.to_string())
}

fn request_of(id: usize, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}
