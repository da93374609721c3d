//! The same command with more options, as a hint that can be copied.

use std::env;
use std::ffi::OsString;
use std::path::Path;

use mcplexer_files::reference::SCHEME;

use super::can_repeat;
use crate::input;
use crate::text::{typed, word};

/// Options that may be given once.
const ONCE: [&str; 3] = ["--blank", "--format", "--profile"];

/// Options that take no value, among those of `run`.
const FLAGS: [&str; 7] = [
    "--",
    "--allow-arguments",
    "--clean-env",
    "--mask",
    "--no-input",
    "--no-mask",
    "--quiet",
];

/// Returns a hint: this command with more options, and what that does. Where the command cannot be copied, because its
/// input is gone or because a word of it may be a value, only the options are named.
pub(crate) fn again(options: &[&str], effect: &str) -> String {
    let options: Vec<_> = options.iter().map(|it| word(it)).collect();
    let arguments: Result<Vec<_>, _> = env::args_os().skip(1).map(OsString::into_string).collect();
    let arguments = arguments.ok().filter(|_| !input::was_stdin_read());
    match arguments.and_then(|it| repeated(&it, &options)) {
        Some(command) => format!("mcplexer {command} {effect}"),
        None => format!("{} {effect}", options.join(" ")),
    }
}

/// Returns the words of a command with more options. `None` if it cannot be repeated.
fn repeated(arguments: &[String], options: &[String]) -> Option<String> {
    let begins = |it: &String| ONCE.iter().any(|once| it.starts_with(once));
    let is_given = options.iter().any(begins) && arguments.iter().any(begins);
    if is_given || arguments.iter().any(|it| it == "-") {
        return None;
    }
    let at = arguments.iter().position(|it| !it.starts_with('-'))?;
    let is_run = matches!(arguments.get(at)?.as_str(), "run" | "exec");
    let dashes = arguments.iter().position(|it| it == "--");
    // What stands behind the command to run is for that command.
    let at = match is_run {
        true => at + 1,
        false => dashes.unwrap_or(arguments.len()),
    };
    let mut words = Vec::new();
    let mut before = "";
    for (place, argument) in arguments.iter().enumerate() {
        let is_option = argument.starts_with('-') || takes_value(before);
        let is_own = is_option && dashes.is_some_and(|it| place <= it);
        words.push(copied(argument, is_run && !is_own)?);
        before = argument;
    }
    words.splice(at..at, options.iter().cloned());
    Some(words.join(" "))
}

/// Returns whether a word is an option of `run` that the next word belongs to.
fn takes_value(option: &str) -> bool {
    let is_name = option.starts_with("--") || option == "-s";
    is_name && !option.contains('=') && !FLAGS.contains(&option)
}

/// Returns a word as a shell reads it. `None` if a message must not repeat it: the command of another program may have a
/// credential in any word. Files, scopes and names of secrets have none.
fn copied(argument: &str, is_of_other: bool) -> Option<String> {
    let is_fit = match is_of_other {
        true => argument.starts_with(SCHEME) || can_repeat(argument),
        false => mcplexer_detect::find_any(argument).is_none(),
    };
    let home = env::var("HOME").unwrap_or_default();
    let is_below = !home.is_empty() && argument.starts_with(&format!("{home}/"));
    // A message writes ~ for the home, which no shell replaces in quotes.
    let is_readable = is_below || home.is_empty() || !argument.contains(&home);
    (is_fit && is_readable).then(|| match is_below {
        true => typed(Path::new(argument)),
        false => word(argument),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repeat(arguments: &[&str], options: &[&str]) -> Option<String> {
        let owned = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        repeated(&owned(arguments), &owned(options))
    }

    #[test]
    fn a_command_is_repeated_with_more_options() {
        for (arguments, options, expected) in [
            (
                &["import", "s", "my vars.env"][..],
                &["--overwrite"][..],
                Some("import s 'my vars.env' --overwrite"),
            ),
            (
                &["-q", "scan", "--", "-x"],
                &["--baseline", "b"],
                Some("-q scan --baseline b -- -x"),
            ),
            (
                &["run", "--scope", "s", "--", "echo", "mcplexer://s/A"],
                &["--allow-arguments"],
                Some("run --allow-arguments --scope s -- echo mcplexer://s/A"),
            ),
            // It may be a password.
            (&["run", "--", "login", "Hunter2!"], &["--mask"], None),
            (&["run", "A=Hunter2!", "--", "login"], &["--mask"], None),
            (
                &["run", "--no-mask", "A=Hunter2!", "--", "x"],
                &["--mask"],
                None,
            ),
            (&["import", "s", "-"], &["--overwrite"], None),
            (
                &["import", "s", "f", "--format", "json"],
                &["--format", "yaml"],
                None,
            ),
        ] {
            assert_eq!(repeat(arguments, options).as_deref(), expected);
        }
    }
}
