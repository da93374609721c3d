//! Reads the user's input: values, passphrases, answers.

use std::fs::File;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use mcplexer_durable::read_at_most;
use mcplexer_home::MAX_TEXT_LEN;
use mcplexer_secrets::keys::{InvalidRecoveryCode, RecoveryCode};
use mcplexer_secrets::{Error, MAX_VALUE_LEN, SecretValue};
use zeroize::Zeroizing;

use crate::cli::{Global, Newline, Put};
use crate::exit_code;
use crate::failure::{Failure, of_reading};
use crate::prompt::{Answer, Hidden};
use crate::stderr::say;
use crate::text::{sanitized, shown};

/// The most that is read of a file with public keys.
const MAX_PUBLIC_KEYS_LEN: usize = 1 << 20;

/// Whether standard input was opened.
static READ: AtomicBool = AtomicBool::new(false);

/// Where a value comes from. A file is opened early, because a hardened process cannot open its own
/// `/dev/fd/N`.
pub(crate) enum ValueSource {
    Argument(Vec<u8>),
    File(File, String, Newline),
    Stdin(Newline),
    Prompt,
}

impl ValueSource {
    pub(crate) fn of(put: &mut Put, global: Global) -> Result<Self, Failure> {
        if let Some(value) = put.value.take_if(|value| *value != "-") {
            if put.newline.is_some() {
                return Err(
                    Failure::new("--newline is for a value from a file or standard input")
                        .with_hint(
                            "leave it out: a value that is given as an argument stays as it is",
                        )
                        .with_code(exit_code::USAGE),
                );
            }
            return Ok(Self::Argument(value.into_vec()));
        }
        if let Some(path) = put.file.as_ref().filter(|path| !is_stream(path)) {
            let file = File::open(path).map_err(|source| Error::Io {
                action: "read",
                path: path.clone(),
                source,
            })?;
            let newline = put.newline.unwrap_or(Newline::Keep);
            return Ok(Self::File(file, shown(path), newline));
        }
        if !io::stdin().is_terminal() {
            return Ok(Self::Stdin(put.newline.unwrap_or(Newline::Strip)));
        }
        if global.no_input {
            return Err(
                Failure::new("no value was given, and --no-input forbids asking for one")
                    .with_hint("pipe it in, or give it with --file")
                    .with_code(exit_code::USAGE),
            );
        }
        Ok(Self::Prompt)
    }

    pub(crate) fn read(self, put: &Put) -> Result<SecretValue, Failure> {
        let bytes = match self {
            Self::Argument(bytes) => bytes,
            Self::File(file, name, newline) => read_value(file, &name, newline)?,
            Self::Stdin(newline) => {
                let mut input = stdin()?;
                let mut first = Zeroizing::new([0]);
                let read = input.read(first.as_mut_slice());
                if read.map_err(|error| cannot_read_stdin(&error))? == 0 {
                    return Err(Failure::of_no_input("nothing was stored"));
                }
                read_value(first.as_slice().chain(input), "standard input", newline)?
            }
            Self::Prompt => {
                let question = format!("Value of {}/{} (hidden): ", put.scope, put.key);
                let answer = Hidden::default().ask(&question);
                let answer = answer.map_err(|error| cannot_ask(&error))?;
                match answer {
                    Answer::Line(line) => line.into_bytes(),
                    Answer::NotText => return Err(unfit("the input is not UTF-8 text")),
                    Answer::SeveralLines => return Err(unfit("the input has more than one line")),
                    Answer::End => {
                        return Err(Failure::new("no value was given; nothing was stored")
                            .with_hint("run it again, or give the value with --file")
                            .with_code(exit_code::DECLINED));
                    }
                }
            }
        };
        Ok(SecretValue::new(bytes).map_err(Error::from)?)
    }
}

/// Returns whether a path stands for standard input.
fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Reads a file or standard input. Returns its name for messages, and its bytes.
pub(crate) fn text(path: Option<&Path>) -> Result<(String, Zeroizing<Vec<u8>>), Failure> {
    let Some(path) = path.filter(|path| !is_stream(path)) else {
        let text = read_at_most(MAX_TEXT_LEN, &stdin()?);
        let text = text.map_err(|error| cannot_read_stdin(&error))?;
        return Ok(("standard input".to_owned(), text));
    };
    let text = File::open(path).and_then(|file| read_at_most(MAX_TEXT_LEN, &file));
    let text = text.map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok((shown(path), text))
}

/// Reads a file or standard input that holds public keys.
pub(crate) fn public_keys(path: &Path) -> Result<String, Failure> {
    let read = |file: &File| {
        let bytes = read_at_most(MAX_PUBLIC_KEYS_LEN, file)?;
        let text = str::from_utf8(&bytes).map_err(io::Error::other)?;
        // Editors of Windows begin a file with this mark.
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    };
    if is_stream(path) {
        return read(&stdin()?).map_err(|error| cannot_read_stdin(&error));
    }
    let text = File::open(path).and_then(|file| read(&file));
    Ok(text.map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?)
}

/// Returns whether standard input was read, so that the same command would find it empty.
pub(crate) fn was_stdin_read() -> bool {
    READ.load(Ordering::Relaxed)
}

/// Opens standard input without the buffer of [`io::stdin`], which is never freed or wiped, so that
/// values would stay in it.
pub(crate) fn stdin() -> Result<File, Failure> {
    READ.store(true, Ordering::Relaxed);
    let stdin = io::stdin().as_fd().try_clone_to_owned();
    stdin
        .map(File::from)
        .map_err(|error| cannot_read_stdin(&error))
}

fn cannot_read_stdin(error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot read standard input: {error}"));
    match error.kind() {
        ErrorKind::FileTooLarge => failure
            .with_hint("split it into smaller parts")
            .with_code(exit_code::USAGE),
        _ => failure,
    }
}

/// Reads a value, and strips one trailing line end if asked to.
fn read_value(source: impl Read, name: &str, newline: Newline) -> Result<Vec<u8>, Failure> {
    // Room for a line end, and for one more byte that shows that the value is too long.
    let limit = MAX_VALUE_LEN + 3;
    let mut bytes = Vec::new();
    source
        .take(limit as u64)
        .read_to_end(&mut bytes)
        .map_err(|error| {
            Failure::new(format!("cannot read {name}: {error}")).with_hint(of_reading(&error))
        })?;
    if newline == Newline::Strip && bytes.ends_with(b"\n") {
        bytes.pop();
        if bytes.ends_with(b"\r") {
            bytes.pop();
        }
    }
    Ok(bytes)
}

/// Asks for a passphrase until the answer is valid. Returns `None` if there is no terminal or no
/// answer.
pub(crate) fn passphrase(
    hidden: &mut Hidden,
    question: &str,
    retry: bool,
    global: Global,
) -> Option<SecretValue> {
    if global.no_input || !has_terminal() {
        return None;
    }
    let mut problem = if retry { "that was wrong; " } else { "" };
    loop {
        problem = match hidden.ask(&format!("{problem}{question}")).ok()? {
            Answer::Line(line) if line.is_empty() => "that was empty; ",
            Answer::Line(line) => return SecretValue::new(line.into_bytes()).ok(),
            Answer::NotText => "that was not UTF-8 text; ",
            Answer::SeveralLines => "that was more than one line; ",
            Answer::End => return None,
        };
    }
}

/// Asks twice for a new passphrase.
///
/// # Errors
///
/// Fails if there is no terminal or no answer, or if the two answers differ.
pub(crate) fn new_passphrase(global: Global) -> Result<SecretValue, Failure> {
    let unanswered = || match has_terminal() && !global.no_input {
        true => Failure::of_no_answer("passphrase"),
        false => Failure::new(format!(
            "this needs a passphrase, and {}",
            no_asking(global)
        ))
        .with_hint("run this in a terminal")
        .with_code(exit_code::KEY),
    };
    let mut hidden = Hidden::default();
    let mut ask = |question| passphrase(&mut hidden, question, false, global);
    let first = ask("new passphrase: ").ok_or_else(unanswered)?;
    let second = ask("repeat passphrase: ").ok_or_else(unanswered)?;
    if first.expose() == second.expose() {
        Ok(first)
    } else {
        Err(
            Failure::new("the two passphrases differ; nothing was changed")
                .with_hint("try again")
                .with_code(exit_code::USAGE),
        )
    }
}

/// Asks for the recovery code on a terminal, or reads it from standard input if that is not a
/// terminal.
///
/// # Errors
///
/// Fails if there is no answer, or if the third answer on a terminal is still not a recovery code.
pub(crate) fn recovery_code(global: Global) -> Result<RecoveryCode, Failure> {
    let unfit = |error: InvalidRecoveryCode| {
        Failure::new(error.to_string())
            .with_hint("compare it with your copy; case, spaces and dashes do not matter")
            .with_code(exit_code::USAGE)
    };
    if !io::stdin().is_terminal() {
        let mut line = Zeroizing::new(String::with_capacity(256));
        stdin()?
            .take(256)
            .read_to_string(&mut line)
            .map_err(|error| cannot_read_stdin(&error))?;
        return line.parse().map_err(unfit);
    }
    if global.no_input {
        return Err(Failure::new(
            "no recovery code was given, and --no-input forbids asking for it",
        )
        .with_hint("pipe it in")
        .with_code(exit_code::KEY));
    }
    let mut hidden = Hidden::default();
    for _ in 0..2 {
        match ask_code(&mut hidden)?.parse() {
            Ok(code) => return Ok(code),
            Err(error) => say(&format!("{error}; try again")),
        }
    }
    ask_code(&mut hidden)?.parse().map_err(unfit)
}

fn ask_code(hidden: &mut Hidden) -> Result<Zeroizing<String>, Failure> {
    match hidden
        .ask("recovery code: ")
        .map_err(|error| cannot_ask(&error))?
    {
        Answer::Line(line) => Ok(Zeroizing::new(line)),
        Answer::NotText | Answer::SeveralLines => Ok(Zeroizing::default()),
        Answer::End => Err(Failure::of_no_answer("recovery code")),
    }
}

/// Why nobody is asked.
fn no_asking(global: Global) -> &'static str {
    match global.no_input {
        true => "--no-input forbids asking",
        false => "there is no terminal to ask on",
    }
}

/// Prints an explanation and asks a question. An empty answer means no.
///
/// # Errors
///
/// Fails if the answer is not yes, or if there is no terminal to ask on.
pub(crate) fn confirm(about: &str, question: &str, global: Global) -> Result<(), Failure> {
    if global.no_input || !io::stdin().is_terminal() {
        return Err(Failure::new(format!(
            "this needs a confirmation, and {}",
            no_asking(global)
        ))
        .with_hint("--force skips the question")
        .with_code(exit_code::USAGE));
    }
    match yes_or_no(&format!("{about}{question} [y/N] "))? {
        Reply::Yes => Ok(()),
        Reply::No | Reply::Empty | Reply::End => Err(Failure::new("declined; nothing was changed")
            .with_hint("--force skips the question")
            .with_code(exit_code::DECLINED)),
    }
}

/// The answer to a yes/no question.
enum Reply {
    Yes,
    No,
    /// An empty line.
    Empty,
    /// The input has ended.
    End,
}

/// Asks until the answer is one of yes and no, an empty line or the end of the input.
fn yes_or_no(question: &str) -> Result<Reply, Failure> {
    let mut asked = question.to_owned();
    loop {
        let answer = answer_to(&asked)?;
        return Ok(match answer.trim_ascii() {
            b"y" | b"Y" | b"yes" | b"Yes" | b"YES" => Reply::Yes,
            b"n" | b"N" | b"no" | b"No" | b"NO" => Reply::No,
            b"" if answer.is_empty() => Reply::End,
            b"" => Reply::Empty,
            _ => {
                asked = "please answer y or n: ".to_owned();
                continue;
            }
        });
    }
}

/// Asks a question on the terminal. An empty answer means yes.
///
/// # Errors
///
/// Fails if there is no answer.
pub(crate) fn yes_unless_no(question: &str) -> Result<bool, Failure> {
    match yes_or_no(&format!("{} [Y/n] ", sanitized(question)))? {
        Reply::Yes | Reply::Empty => Ok(true),
        Reply::No => Ok(false),
        Reply::End => Err(Failure::of_no_answer("answer")),
    }
}

/// Prints a question, and reads a line. It is empty if the input has ended.
fn answer_to(question: &str) -> Result<Vec<u8>, Failure> {
    let mut answer = Vec::new();
    let mut stderr = io::stderr().lock();
    write!(stderr, "{question}")
        .and_then(|()| stderr.flush())
        .and_then(|()| io::stdin().lock().read_until(b'\n', &mut answer))
        .map_err(|error| cannot_ask(&error))?;
    if answer.is_empty() {
        // The next message begins on a new line.
        let _unheard = writeln!(stderr);
    }
    Ok(answer)
}

/// Returns whether a person would see a prompt. One of the two may be a pipe, as in `gh auth token
/// | mcplexer secret put …`.
pub(crate) fn has_terminal() -> bool {
    io::stdin().is_terminal() || io::stderr().is_terminal()
}

fn unfit(problem: &str) -> Failure {
    Failure::new(format!("{problem}; nothing was stored"))
        .with_hint("--file takes any bytes and any number of lines")
        .with_code(exit_code::USAGE)
}

fn cannot_ask(error: &io::Error) -> Failure {
    Failure::new(format!("cannot ask: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], newline: Newline) -> Vec<u8> {
        read_value(bytes, "test", newline).unwrap()
    }

    /// F32: one line end at the end of piped input is stripped. F33: nothing else is.
    #[test]
    fn exactly_one_line_end_is_stripped() {
        for (given, stripped) in [
            ("x\n", "x"),
            ("x\r\n", "x"),
            ("x\n\n", "x\n"),
            ("x\r", "x\r"),
            (" x \t", " x \t"),
            ("\n\nx", "\n\nx"),
            ("\n", ""),
        ] {
            assert_eq!(read(given.as_bytes(), Newline::Strip), stripped.as_bytes());
            assert_eq!(read(given.as_bytes(), Newline::Keep), given.as_bytes());
        }
    }

    #[test]
    fn the_longest_value_fits_with_its_line_end() {
        let mut bytes = vec![b'x'; MAX_VALUE_LEN];
        bytes.extend(b"\r\n");
        assert_eq!(read(&bytes, Newline::Strip).len(), MAX_VALUE_LEN);
        bytes.insert(0, b'x');
        assert!(SecretValue::new(read(&bytes, Newline::Strip)).is_err());
    }
}
