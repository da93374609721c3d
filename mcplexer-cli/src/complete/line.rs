//! The words of a line that is being typed, and what is known from them.

use std::ffi::{OsStr, OsString};

use clap::{Arg, Command};
use mcplexer_secrets::ScopeId;

use crate::cli::positional;

/// The words of a line, of which the first is the program's name, and where the cursor is.
pub(super) struct Words {
    all: Vec<OsString>,
    at: usize,
    /// The beginning of the word at the cursor that the shell does not take for a part of it.
    before: String,
}

impl Words {
    pub(super) fn new(mut all: Vec<OsString>, at: usize) -> Self {
        // Some shells leave out an empty word at the end.
        let at = at.min(all.len());
        if at == all.len() {
            all.push(OsString::new());
        }
        let before = String::new();
        Self { all, at, before }
    }

    /// Puts the words together that bash has split at `=` and `:`, and takes the quotes off that it has left.
    pub(super) fn joined(self) -> Self {
        let (mut all, mut at) = (Vec::<OsString>::new(), 0);
        let (mut before, mut is_open) = (String::new(), false);
        let separates = |it: &OsStr| {
            let bytes = it.as_encoded_bytes();
            !bytes.is_empty() && bytes.iter().all(|it| matches!(it, b'=' | b':'))
        };
        for (index, word) in self.all.into_iter().enumerate() {
            let joins = separates(&word);
            let word = unquoted(word);
            match all.last_mut().filter(|_| is_open || joins) {
                Some(last) => {
                    if index == self.at {
                        before = last.to_string_lossy().into_owned();
                    }
                    last.push(word);
                }
                None => all.push(word),
            }
            if index == self.at {
                at = all.len().saturating_sub(1);
                // What is behind the cursor is no part of the word.
                is_open = false;
            } else {
                is_open = joins && index < self.at;
            }
        }
        Self { all, at, before }
    }

    pub(super) fn all(&self) -> &[OsString] {
        &self.all
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The word at the cursor.
    pub(super) fn current(&self) -> &OsStr {
        self.all.get(self.at).map_or(OsStr::new(""), |it| it)
    }

    /// The words before it.
    pub(super) fn previous(&self) -> &[OsString] {
        self.all.get(..self.at).unwrap_or_default()
    }

    /// Returns what the shell inserts for a candidate; `None` if it cannot be inserted.
    pub(super) fn inserted<'a>(&self, candidate: &'a str) -> Option<&'a str> {
        candidate.strip_prefix(&self.before)
    }
}

/// Takes the quotes and backslashes off a word of a shell. A quote may still be open.
pub(super) fn unquoted(word: OsString) -> OsString {
    let Some(text) = word.to_str().filter(|it| it.contains(['\\', '\'', '"'])) else {
        return word;
    };
    let (mut plain, mut quote) = (String::new(), None);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, quote) {
            ('\\', None | Some('"')) => plain.extend(characters.next()),
            (end, Some(open)) if end == open => quote = None,
            ('\'' | '"', None) => quote = Some(character),
            _ => plain.push(character),
        }
    }
    plain.into()
}

/// What is known of the command on the line.
pub(super) struct Line {
    /// The words before the cursor that are no options.
    pub(super) given: Vec<OsString>,
    /// The scopes of `--scope`, wherever they stand.
    pub(super) scopes: Vec<ScopeId>,
    /// Whether `--` is before the cursor.
    pub(super) are_options_over: bool,
}

impl Line {
    pub(super) fn of(whole: &Command, words: &Words) -> Self {
        let previous = words.previous();
        let (mut command, mut from) = (whole, 1);
        while let Some((at, below)) = next_command(command, previous, from) {
            (command, from) = (below, at + 1);
        }
        let options = options(command);
        let given = positional(previous, from, &options).map(|(_, word)| word.to_owned());
        Self {
            given: given.collect(),
            scopes: scopes(words.all()),
            are_options_over: previous.iter().skip(from).any(|it| it == "--"),
        }
    }
}

fn next_command<'c>(
    command: &'c Command,
    words: &[OsString],
    from: usize,
) -> Option<(usize, &'c Command)> {
    let options = options(command);
    let (at, word) = positional(words, from, &options).next()?;
    Some((at, command.find_subcommand(word)?))
}

fn options(command: &Command) -> Vec<&Arg> {
    let options = command.get_opts();
    // They need no value, so the next word is not theirs.
    let optional = |it: &&Arg| it.get_num_args().is_some_and(|it| it.min_values() == 0);
    options.filter(|it| !optional(it)).collect()
}

fn scopes(words: &[OsString]) -> Vec<ScopeId> {
    let mut scopes = Vec::new();
    let mut words = words.iter().take_while(|it| *it != "--");
    while let Some(word) = words.next() {
        let word = word.to_str().unwrap_or_default();
        let scope = match (word.strip_prefix("--scope"), word.strip_prefix("-s")) {
            (Some(""), _) | (_, Some("")) => words.next().and_then(|it| it.to_str()),
            (Some(rest), _) => rest.strip_prefix('='),
            (None, Some(rest)) => Some(rest.strip_prefix('=').unwrap_or(rest)),
            (None, None) => None,
        };
        scopes.extend(scope.and_then(|it| it.parse().ok()));
    }
    scopes
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn words(line: &str) -> Words {
        let all: Vec<_> = line.split(' ').map(OsString::from).collect();
        let at = all.len() - 1;
        Words::new(all, at)
    }

    #[test]
    fn words_that_bash_has_split_are_put_together() {
        for (split, joined, inserted) in [
            ("m run --scope = gi", "m run --scope=gi", "gi"),
            ("m run --scope = ", "m run --scope=", ""),
            (
                "m secret get mcplexer : //s/K",
                "m secret get mcplexer://s/K",
                "//s/K",
            ),
            (
                "m secret get mcplexer : //s x",
                "m secret get mcplexer://s x",
                "x",
            ),
            (
                "m run --scope = s --only K",
                "m run --scope=s --only K",
                "K",
            ),
        ] {
            let words = words(split).joined();
            let text: Vec<_> = words.all().iter().map(|it| it.to_str().unwrap()).collect();
            assert_eq!(text.join(" "), joined);
            let current = words.current().to_str().unwrap();
            assert_eq!(words.inserted(current), Some(inserted), "{split}");
            assert_eq!(
                words.inserted("other"),
                (inserted == current).then_some("other")
            );
        }
    }

    #[test]
    fn quotes_are_taken_off() {
        for (word, plain) in [
            ("a", "a"),
            (r"my\ laptop", "my laptop"),
            ("'my laptop'", "my laptop"),
            (r#""my \"big\" lap"#, r#"my "big" lap"#),
            (r"a'\'b\'", r"a\b'"),
            ("a\\", "a"),
        ] {
            assert_eq!(unquoted(word.into()), plain, "{word}");
        }
    }

    #[test]
    fn the_words_of_the_command_are_found_among_options_and_their_values() {
        let mut whole = Cli::command();
        whole.build();
        for (line, given, scopes) in [
            ("m secret get s ", &["s"][..], &[][..]),
            ("m -q secret get --version 3 s ", &["s"], &[]),
            ("m export -o f s --only ", &["s"], &[]),
            ("m run --scope s --scope=t -- c ", &["c"], &["s", "t"]),
            ("m run -s s -st -s=u -- c ", &["c"], &["s", "t", "u"]),
            ("m server add n --env A=b -- npx ", &["n", "npx"], &[]),
            ("m ", &[], &[]),
        ] {
            let found = Line::of(&whole, &words(line));
            assert_eq!(found.given, given, "{line}");
            let ids: Vec<_> = found.scopes.iter().map(ScopeId::as_str).collect();
            assert_eq!(ids, scopes, "{line}");
            assert_eq!(found.are_options_over, line.contains("-- "), "{line}");
        }
    }
}
