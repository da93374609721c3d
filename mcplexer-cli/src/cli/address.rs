//! A secret in one word: `SCOPE/KEY` or `mcplexer://SCOPE/KEY` in place of `SCOPE KEY`.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, Subcommand};
use mcplexer_files::reference::{Reference, SCHEME};

use super::Secret;

/// Splits the word for a secret in the arguments of `mcplexer secret`, of which the first is the program's name, into
/// scope and key. All other arguments stay.
pub(crate) fn split(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    if let Some((at, secret)) = address(&arguments) {
        let words = [secret.scope.to_string(), secret.name.to_string()];
        arguments.splice(at..=at, words.map(OsString::from));
    }
    arguments
}

/// Finds the word, and where it is.
fn address(arguments: &[OsString]) -> Option<(usize, Reference)> {
    let has_slash = |it: &OsString| it.as_encoded_bytes().contains(&b'/');
    // Nearly always there is no such word, and nothing to build.
    if !arguments.iter().skip(1).any(has_slash) {
        return None;
    }
    let mut words = positional(arguments, 1, &[]);
    let group = words.next().filter(|(_, word)| *word == "secret")?.0;
    let verb = positional(arguments, group + 1, &[]).next()?.0;
    let name = arguments.get(verb)?.to_str()?;
    let secret = Secret::augment_subcommands(Command::new("secret"));
    let command = secret.find_subcommand(name)?;
    let mut places = command.get_positionals().map(|it| it.get_id().as_str());
    if (places.next(), places.next()) != (Some("scope"), Some("key")) {
        return None;
    }
    let options: Vec<_> = command.get_opts().collect();
    let (at, word) = positional(arguments, verb + 1, &options).next()?;
    let word = word.to_str()?;
    let address = match word.starts_with(SCHEME) {
        true => word.parse(),
        false => format!("{SCHEME}{word}").parse(),
    };
    Some((at, address.ok()?))
}

/// Returns the arguments from `from` on that are neither options nor values of these options.
pub(crate) fn positional<'a>(
    arguments: &'a [OsString],
    from: usize,
    options: &'a [&'a Arg],
) -> impl Iterator<Item = (usize, &'a OsStr)> {
    let mut is_value = false;
    let mut are_options_over = false;
    arguments
        .iter()
        .enumerate()
        .skip(from)
        .filter_map(move |(at, word)| {
            if std::mem::take(&mut is_value) {
                return None;
            }
            if are_options_over || word == "-" || !word.as_encoded_bytes().starts_with(b"-") {
                return Some((at, word.as_os_str()));
            }
            are_options_over = word == "--";
            is_value = options.iter().any(|it| is_named(it, word));
            None
        })
}

/// Whether the word is the name of the option, and the next word its value.
fn is_named(option: &Arg, word: &OsStr) -> bool {
    let word = word.to_str().unwrap_or_default();
    match word.strip_prefix("--") {
        Some(long) => option.get_long() == Some(long),
        None => option
            .get_short()
            .is_some_and(|it| word == format!("-{it}")),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::split;

    #[test]
    fn a_secret_in_one_word_is_two() {
        for (given, expected) in [
            ("get github/TOKEN", "get github TOKEN"),
            (
                "-q get mcplexer://github/TOKEN --reveal",
                "-q get github TOKEN --reveal",
            ),
            (
                "get --version 3 github/TOKEN",
                "get --version 3 github TOKEN",
            ),
            ("get --version=3 -- a/B", "get --version=3 -- a B"),
            ("rm github/TOKEN", "rm github TOKEN"),
            (
                "put --file x/y --note a/b github/T",
                "put --file x/y --note a/b github T",
            ),
            ("put github/T a/b", "put github T a/b"),
            ("put github/T -", "put github T -"),
            // These are no secrets in one word.
            ("put github T a/b", "put github T a/b"),
            ("put --file x/y github T", "put --file x/y github T"),
            ("list github/T", "list github/T"),
            ("get /T", "get /T"),
            ("get github/", "get github/"),
            ("get a/b/c", "get a/b/c"),
            ("nothing a/b", "nothing a/b"),
        ] {
            let words = |it: &str| -> Vec<OsString> {
                let all = ["mcplexer", "secret"].into_iter().chain(it.split(' '));
                all.map(OsString::from).collect()
            };
            assert_eq!(split(words(given)), words(expected), "{given}");
        }
    }

    #[test]
    fn other_commands_keep_their_arguments() {
        for given in ["mcplexer", "mcplexer run -- get a/B", "mcplexer import a/B"] {
            let words: Vec<_> = given.split(' ').map(OsString::from).collect();
            assert_eq!(split(words.clone()), words);
        }
    }
}
