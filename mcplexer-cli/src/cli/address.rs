//! A secret in one word: `SCOPE/KEY` or `mcplexer://SCOPE/KEY` in place of `SCOPE KEY`.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command, Subcommand};
use mcplexer_files::reference::{Reference, SCHEME};

use super::Secret;

/// Splits the word for a secret in the arguments of `mcplexer secret`, of which the first is the program's name, into
/// scope and key. All other arguments stay.
pub(crate) fn split(arguments: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<_> = arguments.into_iter().collect();
    let found = addresses(&arguments).unwrap_or_default();
    // From the last one on, since the first becomes two words.
    for (number, (at, secret)) in found.into_iter().enumerate().rev() {
        let scope = (number == 0).then(|| secret.scope.to_string());
        let words = scope.into_iter().chain([secret.name.to_string()]);
        arguments.splice(at..=at, words.map(OsString::from).collect::<Vec<_>>());
    }
    arguments
}

/// Finds the word, and where it is; then those of more secrets of that scope, where several may be given.
fn addresses(arguments: &[OsString]) -> Option<Vec<(usize, Reference)>> {
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
    let mut places = command.get_positionals();
    let is = |place: Option<&Arg>, id: &str| place.is_some_and(|it| it.get_id() == id);
    let (scope, key) = (places.next(), places.next());
    if !is(scope, "scope") || !is(key, "key") {
        return None;
    }
    let several = key?
        .get_num_args()
        .is_some_and(|number| number.max_values() > 1);
    // Before a command is built, clap counts its flags among them.
    let options = command.get_opts();
    let options: Vec<_> = options
        .filter(|it| it.get_action().takes_values())
        .collect();
    let mut words = positional(arguments, verb + 1, &options);
    let (at, word) = words.next()?;
    let first = parsed(word)?;
    let others = words.take_while(|_| several).filter_map(|(at, word)| {
        let other = parsed(word).filter(|it| it.scope == first.scope);
        other.map(|it| (at, it))
    });
    let others: Vec<_> = others.collect();
    Some([(at, first)].into_iter().chain(others).collect())
}

/// Parses a secret in one word.
fn parsed(word: &OsStr) -> Option<Reference> {
    let word = word.to_str()?;
    let address = match word.starts_with(SCHEME) {
        true => word.parse(),
        false => format!("{SCHEME}{word}").parse(),
    };
    address.ok()
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
            ("get --reveal a/B", "get --reveal a B"),
            ("put --create a/B v", "put --create a B v"),
            ("generate --force a/B", "generate --force a B"),
            ("rm github/TOKEN", "rm github TOKEN"),
            ("rm s/A s/B C t/D --quiet", "rm s A B C t/D --quiet"),
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
