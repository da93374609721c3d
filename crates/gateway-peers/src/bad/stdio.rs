//! The server on its standard input and output.

use std::fs::OpenOptions;
use std::io::{self, BufRead, Write};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::plan::Act;
use super::{Bad, Faults};

/// The exit code of a server that dies.
const DEAD: i32 = 3;

/// Applies the faults of the process itself, which it has over stdio and HTTP alike.
///
/// # Errors
///
/// A process cannot be started, or a file cannot be written.
pub fn begin(faults: &Faults) -> io::Result<()> {
    if faults.ignore_sigterm {
        // A handler that only notes the signal keeps the process alive.
        signal_hook::flag::register(
            signal_hook::consts::SIGTERM,
            Arc::new(AtomicBool::new(false)),
        )?;
    }
    let mut pids = vec![process::id()];
    for _ in 0..faults.grandchildren {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("--idle").stderr(Stdio::null());
        if faults.ignore_sigterm {
            child.arg("--ignore-sigterm");
        }
        pids.push(child.spawn()?.id());
    }
    if let Some(file) = &faults.pids {
        let mut file = OpenOptions::new().create(true).append(true).open(file)?;
        let lines: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        file.write_all(lines.as_bytes())?;
    }
    if faults.flood_stderr {
        thread::spawn(|| {
            let line = "this line is one of very many\n".repeat(100);
            while io::stderr().write_all(line.as_bytes()).is_ok() {}
        });
    }
    Ok(())
}

/// Waits ten minutes: longer than any test, but not for ever if a test leaves the process behind.
pub fn idle() {
    thread::sleep(Duration::from_secs(600));
}

/// Serves one client until the standard input ends.
///
/// # Errors
///
/// The standard output cannot be written.
pub fn serve(bad: Bad) -> io::Result<()> {
    let secret = bad
        .faults
        .secret_env
        .as_deref()
        .and_then(|name| std::env::var(name).ok())
        .unwrap_or_default();
    let (bad, output) = (Arc::new(bad), Arc::new(Mutex::new(())));
    if bad.faults.banner {
        say(
            &output,
            &[b"   ___  Welcome!\n  |___| v1.0 {\"almost\": json\n"],
        )?;
    }
    for line in io::stdin().lock().split(b'\n').map_while(Result::ok) {
        let Ok(request) = serde_json::from_slice::<Value>(&line) else {
            continue;
        };
        if request.get("method").is_none() || request.get("id").is_none() {
            continue;
        }
        let again =
            request["method"] == "initialize" && bad.initialized.fetch_add(1, Ordering::SeqCst) > 0;
        if again && bad.faults.initialize_once {
            process::exit(DEAD);
        }
        let acts = bad.plan(&request, &secret);
        let (bad, output) = (Arc::clone(&bad), Arc::clone(&output));
        // Of its own, so that a call that waits holds up no other.
        thread::spawn(move || {
            acts.into_iter()
                .try_for_each(|act| perform(&bad.faults, &output, act))
        });
    }
    if bad.faults.ignore_eof {
        idle();
    }
    // An answer that is being written is written to its end.
    let _end = output.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(())
}

fn perform(faults: &Faults, output: &Mutex<()>, act: Act) -> io::Result<()> {
    match act {
        Act::Say(message) if faults.banner => {
            say(output, &[b"Now for something else:\n", &message, b"\n"])
        }
        Act::Say(message) => say(output, &[&message, b"\n"]),
        Act::Pieces(one, two) => say(output, &[&one, &two, b"\n"]),
        Act::Die(beginning) => {
            say(output, &[&beginning])?;
            process::exit(DEAD)
        }
        Act::Complain(complaint) => io::stderr().write_all(complaint.as_bytes()),
        Act::Wait(time) => {
            thread::sleep(time);
            Ok(())
        }
        Act::Storm(pause) => loop {
            perform(faults, output, Act::changed())?;
            thread::sleep(pause);
        },
        Act::Never => Ok(()),
    }
}

/// Writes the pieces, one write each, with nothing else between them.
fn say(output: &Mutex<()>, pieces: &[&[u8]]) -> io::Result<()> {
    let _turn = output.lock().unwrap_or_else(PoisonError::into_inner);
    let mut stdout = io::stdout().lock();
    for piece in pieces {
        stdout.write_all(piece)?;
        stdout.flush()?;
    }
    Ok(())
}
