//! A coding agent that runs commands with secrets is not shown the values by mistake.

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use test_support::Running;

use super::home::{Home, Run, finish};
use super::mask::read_until;
use super::terminal::{end, spawn_at};

const VALUE: &str = "m4rked-value-of-an-agent";
const LABEL: &str = "[github-token/TOKEN]";

fn run(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.command();
    command
        .env("CLAUDECODE", "1")
        .env("X", "mcplexer://github-token/TOKEN");
    finish(command.arg("run").args(arguments))
}

/// The first commands that an agent tries, with each source of values.
#[test]
fn what_a_command_prints_is_masked() {
    let home = Home::with_secret(VALUE);
    fs::write(home.root().join(".env"), "X=mcplexer://github-token/TOKEN").unwrap();
    let scope = ["--scope", "github-token", "--"];
    let rename = ["--scope", "github-token", "--rename", "TOKEN=X", "--"];
    let sources: [&[&str]; 4] = [&scope, &rename, &["--env-file", ".env", "--"], &["--"]];
    let commands: [&[&str]; 4] = [
        &["env"],
        &["printenv", "X"],
        &["sh", "-c", "export -p; echo \"$X\" >&2"],
        &["sh", "-c", "printf %s \"$X\" | base64; set"],
    ];
    for source in sources {
        for command in commands {
            let arguments = [source, command].concat();
            let shown = run(&home, &arguments).succeeded();
            assert!(shown.text().contains(LABEL), "{arguments:?}");
            assert!(!format!("{shown:?}").contains(VALUE), "{arguments:?}");
            let said = "Claude Code is running this command (CLAUDECODE is set): \
                        its output is masked (--no-mask shows it)\n";
            assert!(shown.stderr.starts_with(said), "{}", shown.stderr);
        }
    }
    let argument = ["--allow-arguments", "echo", "mcplexer://github-token/TOKEN"];
    let shown = run(&home, &argument).succeeded();
    assert_eq!(shown.text(), format!("{LABEL}\n"));
}

#[test]
fn masking_is_lifted_on_request_and_is_only_for_agents() {
    let home = Home::with_secret(VALUE);
    let printed = format!("{VALUE}\n");
    let print = ["--scope", "github-token", "printenv", "TOKEN"];
    let shown = run(&home, &[&["--no-mask"], &print[..]].concat()).succeeded();
    assert_eq!(
        (shown.text(), shown.stderr.as_str()),
        (printed.as_str(), "")
    );
    let shown = home.run([&["run"], &print[..]].concat()).succeeded();
    assert_eq!(
        (shown.text(), shown.stderr.as_str()),
        (printed.as_str(), "")
    );
    // One that was asked for needs no word.
    let shown = run(&home, &[&["--mask"], &print[..]].concat()).succeeded();
    assert_eq!(
        (shown.text(), shown.stderr.as_str()),
        ("[github-token/TOKEN]\n", "")
    );
    run(&home, &[&["--mask", "--no-mask"], &print[..]].concat()).failed(2, &["--no-mask"]);
}

#[test]
fn on_a_terminal_it_is_masked_as_well() {
    let home = Home::with_secret(VALUE);
    let mut command = home.command();
    command.env("CODEX_THREAD_ID", "1");
    command.args(["-q", "run", "--scope", "github-token", "printenv", "TOKEN"]);
    assert_eq!(end(spawn_at(command)), (format!("{LABEL}\r\n"), 0));
}

/// A client may mark the tool servers that it starts as well (Gemini CLI does). Their output is a protocol:
/// it arrives byte by byte as it was written, each answer before the next question.
#[test]
fn a_server_that_an_agent_starts_works() {
    let home = Home::with_secret(VALUE);
    let mut command = home.command();
    let server = "while IFS= read -r line; do printf '%s\\n' \"$line\"; done";
    command
        .env("GEMINI_CLI", "1")
        .args(["run", "--scope", "github-token", "--"]);
    command.args(["sh", "-c", server]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut server = Running::start(&mut command).unwrap();
    let (mut asks, mut answers) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    let large = format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":3,\"params\":\"{}\"}}\n",
        "x".repeat(300_000)
    );
    for message in [
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\"}\n".as_slice(),
        // It ends as the value begins.
        b"{\"id\":2}m4rked\n",
        b"\xff\xfe\r\n",
        b"\n",
        large.as_bytes(),
    ] {
        let sent = message.to_vec();
        let writer = std::thread::spawn(move || {
            asks.write_all(&sent).unwrap();
            asks
        });
        let mut answer = vec![0; message.len()];
        answers.read_exact(&mut answer).unwrap();
        assert!(answer == message, "{}", String::from_utf8_lossy(&answer));
        asks = writer.join().unwrap();
    }
    asks.write_all(format!("\"{VALUE}\"\n").as_bytes()).unwrap();
    assert_eq!(
        read_until(&mut answers, b"\n"),
        format!("\"{LABEL}\"\n").as_bytes()
    );
    drop(asks);
    assert!(server.wait().unwrap().success());
}

/// Writing a file is allowed; that reading it shows the values is said.
#[test]
fn a_file_with_values_earns_a_hint() {
    let home = Home::with_secret(VALUE);
    fs::write(home.root().join("t"), "mcplexer://github-token/TOKEN").unwrap();
    for arguments in [
        &["inject", "-i", "t", "-o", "filled"][..],
        &["export", "github-token", "-o", ".env"],
        &["export", "github-token", "--format", "json", "-o", "x.json"],
    ] {
        let output = arguments.last().unwrap();
        let hint = format!(
            "mcplexer: hint: {output} has the values in the clear: reading it shows them to Kiro\n"
        );
        let mut command = home.command();
        let told = finish(command.env("KIRO_SESSION_ID", "1").args(arguments)).succeeded();
        assert!(told.stderr.ends_with(&hint), "{}", told.stderr);
        let told = home.run(arguments).succeeded();
        assert!(!told.stderr.contains("hint"), "{}", told.stderr);
    }
}
