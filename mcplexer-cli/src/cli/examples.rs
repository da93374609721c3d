//! The end of each command's help: examples, and the files and variables that it depends on.

#[cfg(feature = "serve")]
mod gateway;
mod home;
mod key;
mod log;
mod places;
mod project;
mod scope;
mod secret;
mod sections;
mod server;
mod using;

#[cfg(feature = "serve")]
pub(super) use gateway::*;
pub(super) use home::*;
pub(super) use key::*;
pub(super) use log::*;
pub(super) use places::*;
pub(super) use project::*;
pub(super) use scope::*;
pub(super) use secret::*;
pub(super) use server::*;
pub(super) use using::*;

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{Command, Parser};

    use crate::cli::{Cli, split};

    /// The words of an example from `mcplexer` on, without what the shell does with its input and output.
    fn words(example: &str) -> Vec<String> {
        let start = example.find("mcplexer ").unwrap();
        let command = example[start..].split(")\"").next().unwrap();
        let pieces = command.split('\'').enumerate();
        let words = pieces.flat_map(|(at, piece)| match at % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        });
        let is_shell = |word: &str| ["#", "|", ">"].contains(&word);
        words.take_while(|word| !is_shell(word)).collect()
    }

    fn check(command: &Command, path: &[&str]) {
        let help = command.get_after_help().unwrap_or_default().to_string();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        let examples: Vec<_> = examples.lines().take_while(|it| !it.is_empty()).collect();
        assert!((2..=4).contains(&examples.len()), "{path:?}: {examples:?}");
        for section in ["\nFiles:\n  ", "\nEnvironment:\n  "] {
            assert!(help.contains(section), "{path:?} has no {section}");
        }
        // Where a store is opened, it may be on a server.
        let has_file = help.contains("/secrets.redb");
        if has_file || help.contains("\n  MCPLEXER_AGE_KEY ") {
            for name in ["STORE ", "STORE_PASSWORD ", "STORE_CACHE "] {
                assert!(help.contains(&format!("\n  MCPLEXER_{name}")), "{path:?}");
            }
        }
        let said = "the store, unless MCPLEXER_STORE names a server";
        assert!(!has_file || help.contains(said), "{path:?}");
        for example in examples {
            let words = words(example);
            let parsed = Cli::try_parse_from(split(words.iter().map(OsString::from)));
            assert!(parsed.is_ok(), "{example}: {:?}", parsed.err());
            let is_own = path.iter().all(|name| words.iter().any(|it| it == name));
            assert!(is_own || words.iter().any(|it| it == "rm"), "{example}");
        }
        for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            check(below, &[path, &[below.get_name()]].concat());
        }
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        check(&crate::cli::whole(), &[]);
    }
}
