//! On a terminal: hidden prompts, tables, hints and questions.

use std::process::{Command, Stdio};

use rexpect::process::{Signal, WaitStatus};
use rexpect::session::{PtySession, spawn_command};

use super::home::Home;

/// How long to wait for what a command says, in milliseconds: on a busy machine a passphrase takes many seconds.
pub(crate) const PATIENCE: u64 = 120_000;

/// Starts the command on a new terminal.
pub(crate) fn start_at(home: &Home, arguments: &[&str]) -> PtySession {
    let mut command: Command = home.command();
    command.args(arguments);
    spawn_at(command)
}

/// Starts a command on a new terminal, which shows no colours.
pub(crate) fn spawn_at(command: Command) -> PtySession {
    spawn_as(command, "dumb")
}

/// Starts a command on a new terminal of this kind.
pub(crate) fn spawn_as(mut command: Command, term: &str) -> PtySession {
    command.env("TERM", term).stdin(Stdio::inherit());
    spawn_command(command, Some(PATIENCE)).unwrap()
}

/// Reads until a text appears. Panics with the command's status if it ends first.
#[track_caller]
pub(crate) fn expect(session: &mut PtySession, text: &str) {
    if let Err(error) = session.exp_string(text) {
        panic!("{error}: {:?}", session.process().status());
    }
}

/// Reads to the end. Returns the text and the exit code.
pub(crate) fn end(mut session: PtySession) -> (String, i32) {
    let text = session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    let code = match status {
        WaitStatus::Exited(_, code) => code,
        status => panic!("{status:?}"),
    };
    (text, code)
}

/// F02: the prompt does not echo the value.
#[test]
fn a_value_is_asked_for_and_not_shown() {
    let home = Home::new();
    let mut session = start_at(&home, &["secret", "put", "github-token", "TOKEN"]);
    session
        .exp_string("Value of github-token/TOKEN (hidden): ")
        .unwrap();
    session.send_line("typed-value").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("stored github-token/TOKEN, version 1"),
        "{text}"
    );
    assert!(!text.contains("typed-value"), "{text}");
    assert_eq!(home.get("github-token", "TOKEN"), b"typed-value");
}

/// Input that the prompt cannot accept completely is rejected, not stored in part.
#[test]
fn several_lines_and_bytes_that_are_not_text_are_refused() {
    let home = Home::new();
    for (typed, said) in [
        ("first\nsecond\nthird\n", "the input has more than one line"),
        ("\u{fffd}\n", "not UTF-8 text"),
    ] {
        let mut session = start_at(&home, &["secret", "put", "s", "K"]);
        session.exp_string("Value of s/K (hidden): ").unwrap();
        session.send(typed).unwrap();
        session.flush().unwrap();
        let (text, code) = end(session);
        assert_eq!(code, 2, "{text}");
        assert!(text.contains(said) && text.contains("--file"), "{text}");
    }
    assert!(home.run(["secret", "list"]).succeeded().text().is_empty());
}

#[test]
fn a_prompt_that_is_interrupted_ends_by_the_signal() {
    let home = Home::new();
    let mut session = start_at(&home, &["secret", "put", "s", "K"]);
    session.exp_string("Value of s/K (hidden): ").unwrap();
    ends_by_ctrl_c(session);
}

/// A prompt leaves no signal handler behind.
#[test]
fn after_a_passphrase_a_command_can_be_interrupted() {
    let home = Home::with_secret("v");
    home.run(["backup", "create", "b.age"]).succeeded();
    home.run(["secret", "put", "s", "K", "v"]).succeeded();
    encrypt_key(&home, "right");
    let mut session = start_at(&home, &["backup", "restore", "b.age", "--replace"]);
    session.exp_string("passphrase for ").unwrap();
    session.send_line("right").unwrap();
    session.exp_string("[y/N] ").unwrap();
    ends_by_ctrl_c(session);
}

fn ends_by_ctrl_c(mut session: PtySession) {
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    let status = session.process().wait().unwrap();
    assert!(
        matches!(status, WaitStatus::Signaled(_, Signal::SIGINT, _)),
        "{status:?}"
    );
}

#[test]
fn an_empty_passphrase_is_asked_for_again() {
    let home = Home::with_secret("v");
    let mut session = start_at(&home, &["key", "add", "--passphrase"]);
    for (question, answer) in [
        ("new passphrase: ", ""),
        ("that was empty; new passphrase: ", "a"),
        ("repeat passphrase: ", ""),
        ("that was empty; repeat passphrase: ", "a"),
    ] {
        session.exp_string(question).unwrap();
        session.send_line(answer).unwrap();
    }
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");

    encrypt_key(&home, "right");
    let mut session = start_at(&home, &["secret", "get", "github-token", "TOKEN"]);
    for (question, answer) in [
        ("passphrase for ~/.mcplexer/age.key: ", ""),
        ("that was empty; passphrase for ", "right"),
    ] {
        session.exp_string(question).unwrap();
        session.send_line(answer).unwrap();
    }
    let (text, code) = end(session);
    assert!(code == 0 && text.ends_with("v\r\n"), "{text}");
}

/// Ctrl-D leaves a prompt without an answer.
#[test]
fn the_end_of_the_input_is_told_on_a_line_of_its_own() {
    let home = Home::with_secret("v");
    home.run(["key", "recovery"]).succeeded();
    for (arguments, question, said) in [
        (
            &["secret", "put", "s", "K"][..],
            "Value of s/K (hidden): ",
            "no value was given; nothing was stored",
        ),
        (
            &["scope", "delete", "github-token"],
            "[y/N] ",
            "declined; nothing was changed",
        ),
        (
            &["key", "add", "--passphrase"],
            "new passphrase: ",
            "no passphrase was given; nothing was changed",
        ),
        (
            &["key", "recover"],
            "recovery code: ",
            "no recovery code was given; nothing was changed",
        ),
    ] {
        assert_left(&home, arguments, question, said);
    }
    encrypt_key(&home, "right");
    assert_left(
        &home,
        &["secret", "get", "github-token", "TOKEN"],
        "age.key: ",
        "no passphrase for ~/.mcplexer/age.key was given",
    );
}

#[track_caller]
fn assert_left(home: &Home, arguments: &[&str], question: &str, said: &str) {
    let mut session = start_at(home, arguments);
    session.exp_string(question).unwrap();
    session.send_control('d').unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 3, "{text}");
    let told = format!("\r\nmcplexer: error: {said}");
    assert!(text.contains(&told) && text.contains("hint: "), "{text}");
}

/// F02: a value that others can see leads to a hint.
#[test]
fn a_value_in_an_argument_earns_a_hint() {
    let home = Home::new();
    let (text, _) = end(start_at(&home, &["secret", "put", "s", "K", "v"]));
    let (told, hint) = text.split_once("stored s/K, version 1").unwrap();
    assert!(hint.contains("visible in ps and shell history"), "{text}");
    assert!(!told.contains("visible"), "{text}");
    for arguments in [
        &["-q", "secret", "put", "s", "K", "v"][..],
        &["secret", "put", "s", "K", "v", "--create"],
    ] {
        let (text, _) = end(start_at(&home, arguments));
        assert!(!text.contains("visible"), "{text}");
    }
}

#[test]
fn a_value_on_a_terminal_ends_in_a_line_feed() {
    let home = Home::with_secret("v");
    let (text, _) = end(start_at(&home, &["secret", "get", "github-token", "TOKEN"]));
    assert_eq!(text, "v\r\n");
}

#[test]
fn lists_on_a_terminal_are_tables() {
    let home = Home::with_secret("v");
    let (text, _) = end(start_at(&home, &["secret", "list", "github-token"]));
    assert!(text.contains("KEY    VERSION  UPDATED"), "{text}");
    assert!(text.contains("TOKEN  1        just now"), "{text}");
    let (text, _) = end(start_at(&home, &["secret", "list"]));
    assert!(text.contains("github-token  env   1"), "{text}");
}

#[test]
fn deleting_a_scope_asks_and_says_how_many_secrets_are_lost() {
    let home = Home::with_secret("v");
    for (answer, code) in [("n", 3), ("", 3), ("y", 0)] {
        let mut session = start_at(&home, &["scope", "delete", "github-token"]);
        let question = "delete scope github-token and its 1 secret? [y/N] ";
        session.exp_string(question).unwrap();
        session.send_line(answer).unwrap();
        let (text, ended) = end(session);
        assert_eq!(ended, code, "{text}");
        if code == 0 {
            assert!(
                text.contains("deleted scope github-token with 1 secret"),
                "{text}"
            );
        } else {
            assert!(text.contains("declined; nothing was changed"), "{text}");
            assert_eq!(home.get("github-token", "TOKEN"), b"v");
        }
    }
}

#[test]
fn no_input_forbids_every_question() {
    let home = Home::with_secret("v");
    for arguments in [
        &["--no-input", "secret", "put", "s", "K"][..],
        &["--no-input", "scope", "delete", "github-token"],
    ] {
        let (text, code) = end(start_at(&home, arguments));
        assert_eq!(code, 2, "{text}");
    }
}

/// F36: after a wrong passphrase, the command asks again.
#[test]
fn the_passphrase_of_a_key_file_is_asked_for() {
    let home = Home::with_secret("v");
    encrypt_key(&home, "right");
    home.run(["secret", "get", "github-token", "TOKEN"]).failed(
        5,
        &["needs a passphrase, and there is no way to ask for it"],
    );
    let mut session = start_at(&home, &["secret", "get", "github-token", "TOKEN"]);
    session
        .exp_string("passphrase for ~/.mcplexer/age.key: ")
        .unwrap();
    session.send_line("wrong").unwrap();
    session
        .exp_string("that was wrong; passphrase for ")
        .unwrap();
    session.send_line("right").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");
    assert!(text.ends_with("v\r\n"), "{text}");
}

/// Encrypts the key file as `age -p` does, with a low work factor so that the test is quick.
pub(crate) fn encrypt_key(home: &Home, passphrase: &str) {
    let path = home.path("age.key");
    let passphrase = age::secrecy::SecretString::from(passphrase.to_owned());
    let mut recipient = age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(2);
    let encrypted = age::encrypt(&recipient, &std::fs::read(&path).unwrap()).unwrap();
    std::fs::write(path, encrypted).unwrap();
}

/// Neither yes nor no is not taken for one of them.
#[test]
fn a_question_is_asked_again_after_a_wrong_answer() {
    for (answer, is_deleted) in [("yes", true), ("n", false)] {
        let home = Home::with_secret("v");
        let mut session = start_at(&home, &["scope", "delete", "github-token"]);
        expect(&mut session, "[y/N] ");
        for wrong in ["maybe", "yess", "1", "ja"] {
            session.send_line(wrong).unwrap();
            expect(&mut session, "please answer y or n: ");
        }
        session.send_line(answer).unwrap();
        let (text, code) = end(session);
        assert_eq!(code == 0, is_deleted, "{text}");
        let scopes = home.run(["scope", "list"]).succeeded();
        assert_eq!(scopes.text().is_empty(), is_deleted, "{}", scopes.text());
    }
}

/// They are for clients, which start them. Who types one is told so, and nothing is served by mistake.
#[cfg(feature = "serve")]
#[test]
fn what_a_client_starts_says_so_on_a_terminal() {
    for command in ["serve", "connect"] {
        let home = Home::with_secret("v");
        let mut session = start_at(&home, &[command]);
        expect(&mut session, "waiting for a client on standard input");
        expect(&mut session, "AI clients start this command themselves");
        expect(&mut session, "hint: mcplexer client install NAME --write");
        session.send_control('c').unwrap();
        session.exp_eof().unwrap();
        session.process().wait().unwrap();
        let _none_runs = home.run(["serve", "--stop"]);
        // What the hint says, for one of the clients.
        let install = ["client", "install", "claude-code", "--write"];
        home.run(install).succeeded();
        let file = std::fs::read_to_string(home.root().join(".claude.json")).unwrap();
        assert!(file.contains("\"connect\""), "{file}");
    }
}

/// What is deleted is gone for good, so a person is asked; a script is not.
#[test]
fn a_secret_is_deleted_after_a_question() {
    let home = Home::with_secret("m4rked-first");
    for value in ["m4rked-second", "m4rked-third"] {
        home.run(["secret", "put", "github-token", "TOKEN", value])
            .succeeded();
    }
    home.run(["secret", "put", "github-token", "OTHER", "m4rked-other"])
        .succeeded();
    let delete = |keys: &[&str]| {
        start_at(
            &home,
            &[&["secret", "delete", "github-token"], keys].concat(),
        )
    };
    let mut session = delete(&["TOKEN"]);
    expect(
        &mut session,
        "delete github-token/TOKEN and its 3 versions? They cannot be restored [y/N] ",
    );
    session.send_line("").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 3, "{text}");
    assert_eq!(home.get("github-token", "TOKEN"), b"m4rked-third");

    let mut session = delete(&["TOKEN", "OTHER"]);
    expect(
        &mut session,
        "delete 2 secrets of github-token and their 4 versions? They cannot be restored [y/N] ",
    );
    session.send_line("y").unwrap();
    let (text, code) = end(session);
    assert_eq!(code, 0, "{text}");

    home.run(["secret", "put", "github-token", "TOKEN", "m4rked-first"])
        .succeeded();
    let (text, code) = end(delete(&["TOKEN", "--force"]));
    assert_eq!(code, 0, "{text}");
    assert!(!text.contains("[y/N]"), "{text}");
    home.run(["secret", "put", "github-token", "TOKEN", "m4rked-first"])
        .succeeded();
    home.run(["secret", "delete", "github-token", "TOKEN"])
        .succeeded();
}
