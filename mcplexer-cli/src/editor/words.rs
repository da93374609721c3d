//! The words of the command that names an editor, as a shell reads them.

use std::iter::Peekable;
use std::str::Chars;

/// The words of one simple command (POSIX.1-2024, XCU 2.9.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Splits a command. `None` if it is not a simple command: it has an operator, a command substitution, a comment,
    /// or a quote that is not closed. Parameters are not expanded.
    pub(super) fn of(command: &str) -> Option<Self> {
        let mut words = Vec::new();
        let mut left = command.chars().peekable();
        while left.next_if(char::is_ascii_whitespace).is_some() {}
        while left.peek().is_some() {
            words.push(word(&mut left)?);
            while left.next_if(|it| matches!(it, ' ' | '\t')).is_some() {}
        }
        Some(Self(words))
    }

    /// Returns the first word, which the shell looks up.
    pub(super) fn first(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }

    /// Returns the program that this starts, behind assignments and `env`, `command` and `exec`. `None` if it is behind
    /// something else, or what is added would not be read as options.
    pub(super) fn program(&self) -> Option<&str> {
        let mut words = self.0.iter().map(String::as_str).peekable();
        let program = loop {
            let word = words.next()?;
            match word.strip_prefix("/usr/bin/").unwrap_or(word) {
                "env" => {
                    while let Some(option) = words.next_if(|it| it.starts_with('-')) {
                        match option {
                            "-i" | "--" => {}
                            "-u" => drop(words.next()?),
                            _ => return None,
                        }
                    }
                }
                "command" | "exec" => drop(words.next_if_eq(&"--")),
                it if is_assignment(it) => {}
                _ => break word,
            }
        };
        // What follows `--` is read as the name of a file.
        words.all(|it| it != "--").then_some(program)
    }
}

/// Takes a word that is not empty. `None` if there is something else than words.
fn word(left: &mut Peekable<Chars>) -> Option<String> {
    let mut word = String::new();
    if left.peek() == Some(&'#') {
        return None;
    }
    while let Some(next) = left.next_if(|it| !matches!(it, ' ' | '\t')) {
        match next {
            '\\' => word.push(left.next()?),
            '\'' => quoted(left, '\'', &mut word)?,
            '"' => quoted(left, '"', &mut word)?,
            '|' | '&' | ';' | '<' | '>' | '(' | ')' | '`' | '\n' => return None,
            other => word.push(other),
        }
    }
    Some(word)
}

/// Takes the rest of what is between two quotes.
fn quoted(left: &mut Peekable<Chars>, quote: char, word: &mut String) -> Option<()> {
    loop {
        match left.next()? {
            it if it == quote => return Some(()),
            '\\' if quote == '"' => word.push(left.next()?),
            '`' if quote == '"' => return None,
            other => word.push(other),
        }
    }
}

fn is_assignment(word: &str) -> bool {
    let is_name = |name: &str| {
        let starts_well = !name.starts_with(|it: char| it.is_ascii_digit()) && !name.is_empty();
        starts_well
            && name
                .chars()
                .all(|it| it == '_' || it.is_ascii_alphanumeric())
    };
    word.split_once('=').is_some_and(|(name, _)| is_name(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_behind_what_only_starts_it() {
        for (command, program) in [
            ("vim", Some("vim")),
            (" \t/opt/x/vim -u NONE ", Some("/opt/x/vim")),
            ("LANG=C _A1='b c' vim -n", Some("vim")),
            ("env vim", Some("vim")),
            ("env -i -u X -- A=b vim", Some("vim")),
            ("env -S vim", None),
            ("/usr/bin/env vim", Some("vim")),
            ("command -- vim", Some("vim")),
            ("exec env command vim", Some("vim")),
            ("'vim' -c \"a | b; 'c'\"", Some("vim")),
            (r"\vim", Some("vim")),
            (r#"v"i"'m'"#, Some("vim")),
            (r"'/opt/my editor/vim'", Some("/opt/my editor/vim")),
            ("$HOME/vim", Some("$HOME/vim")),
            ("vim --", None),
            ("nice vim", Some("nice")),
            ("", None),
        ] {
            let found = Words::of(command).unwrap();
            assert_eq!(found.program(), program, "{command}");
        }
    }

    #[test]
    fn what_is_not_one_simple_command_has_no_words() {
        for command in [
            "umask 0; vim",
            "cat >",
            "vim `x`",
            "vim \"`x`\"",
            "vim $(x)",
            "vim #",
            "vim '",
            "vim \"\\\"",
            "vim\\",
            "a\nvim",
        ] {
            assert_eq!(Words::of(command), None, "{command}");
        }
    }
}
