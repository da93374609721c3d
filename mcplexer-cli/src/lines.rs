//! Breaks messages into lines that fit a terminal, and keeps each command in one piece: it is there to be copied.

use clap::Command;
use unicode_width::UnicodeWidthStr;

use crate::cli;

/// In a terminal that is narrower than this, lines after the first one begin near its edge.
const NARROW: usize = 60;

/// Programs of hints that take the rest of the text.
const OTHERS: [&str; 3] = ["chmod", "eval", "sudo"];

/// Breaks `label` and `text`, of one or more lines, at words. The lines that follow are indented so that they begin below the
/// text.
pub(crate) fn broken(label: &str, text: &str, width: usize) -> String {
    let fits = |line: &str, indent: usize| indent + line.width() <= width;
    let indent = label.width() + 1;
    let mut lines = text.lines().enumerate();
    if lines.all(|(at, line)| fits(line, if at == 0 { indent } else { 0 })) {
        return text.to_owned();
    }
    let whole = cli::whole();
    let below = if width < NARROW { 4 } else { indent };
    let lines = text.lines().enumerate().map(|(at, line)| {
        let margin = line.len() - line.trim_start().len();
        let (begin, below) = match at {
            0 => (indent, below),
            _ => (margin, margin.max(4)),
        };
        let units = units(line.trim_start(), &whole);
        let margin = line.get(..margin).unwrap_or_default();
        margin.to_owned() + &put(&units, begin, below, width)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Puts units on lines. The first line begins in the column `begin`, the others in the column `below`.
fn put(units: &[String], begin: usize, below: usize, width: usize) -> String {
    let (mut text, mut column) = (String::new(), begin);
    for unit in units {
        let needed = unit.width();
        let space = usize::from(!text.is_empty());
        let has_room = !text.is_empty() || below + needed <= width;
        if column + space + needed > width && column > below && has_room {
            text.push('\n');
            text.push_str(&" ".repeat(below));
            column = below;
        } else if !text.is_empty() {
            text.push(' ');
            column += 1;
        }
        text.push_str(unit);
        column += needed;
    }
    text
}

/// Returns what is not broken: words, words in quotes, and commands.
fn units(text: &str, whole: &Command) -> Vec<String> {
    let words = words(text);
    let (mut units, mut at) = (Vec::new(), 0);
    while let Some(rest) = words.get(at..).filter(|it| !it.is_empty()) {
        let length = match rest {
            ["mcplexer", ..] => command(rest, whole),
            [first, ..] if OTHERS.contains(first) => rest.len(),
            _ => 1,
        };
        let unit = rest.get(..length).unwrap_or(rest);
        units.push(unit.join(" "));
        at += unit.len();
    }
    units
}

/// Returns the words of a text, as a shell separates them.
fn words(text: &str) -> Vec<&str> {
    let (mut words, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(first_word(rest));
        words.push(word);
        rest = after.strip_prefix(' ').unwrap_or(after);
    }
    words
}

/// Returns the length of the first word in bytes. An apostrophe within a word is not a quote.
fn first_word(text: &str) -> usize {
    let plain = text.find(' ').unwrap_or(text.len());
    let word = text.get(..plain).unwrap_or(text);
    let begins = ["~/'", "='", "=\""].iter().any(|it| word.contains(it));
    if !text.starts_with(['\'', '"']) && !begins {
        return plain;
    }
    let (mut quote, mut is_escaped) = (None, false);
    for (at, character) in text.char_indices() {
        match (quote, character) {
            _ if is_escaped => is_escaped = false,
            (None, ' ') => return at,
            (None, '\\') => is_escaped = true,
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    match quote {
        Some(_) => plain,
        None => text.len(),
    }
}

/// Returns how many of the words are the command that they begin with, or more: what comes behind it may look like a part of
/// it.
fn command(words: &[&str], whole: &Command) -> usize {
    let (mut command, mut positionals, mut at) = (whole, None, 1);
    while let Some(word) = words.get(at) {
        at += 1;
        match *word {
            "--" => return words.len(),
            ">" | "<" => at += 1,
            "&&" | "|" | "||" => match words.get(at) {
                Some(&"mcplexer") => {
                    return at + self::command(words.get(at..).unwrap_or_default(), whole);
                }
                _ => return words.len(),
            },
            option if option.starts_with('-') => at += usize::from(takes_value(command, option)),
            name => match (positionals, command.find_subcommand(name)) {
                (None, Some(below)) => command = below,
                (left, _) => match left.unwrap_or_else(|| most_positionals(command)) {
                    0 => return at - 1,
                    left => positionals = Some(left - 1),
                },
            },
        }
        // A clause ends here.
        if word.ends_with([',', ';', ':', '?']) {
            break;
        }
    }
    at.min(words.len())
}

fn takes_value(command: &Command, option: &str) -> bool {
    let Some(name) = option.strip_prefix("--") else {
        let short = option.chars().nth(1);
        let found = command.get_arguments().find(|it| it.get_short() == short);
        return found.is_some_and(|it| it.get_action().takes_values());
    };
    let found = command
        .get_arguments()
        .find(|it| it.get_long() == Some(name));
    found.is_some_and(|it| it.get_action().takes_values())
}

fn most_positionals(command: &Command) -> usize {
    let each = command.get_positionals();
    let each = each.map(|it| it.get_num_args().map_or(1, |it| it.max_values()));
    each.fold(0, usize::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "mcplexer: hint:";

    #[test]
    fn a_text_that_fits_stays_as_it_is() {
        let text = "mcplexer scope list shows the scopes";
        assert_eq!(broken(LABEL, text, 80), text);
    }

    #[test]
    fn lines_begin_below_the_text() {
        let text = "revoke a credential that others have seen, and store the new one in its place";
        insta::assert_snapshot!(broken(LABEL, text, 60), @r"
        revoke a credential that others have seen,
                        and store the new one in its place
        ");
        insta::assert_snapshot!(broken(LABEL, text, 40), @r"
        revoke a credential that
            others have seen, and store the new
            one in its place
        ");
    }

    #[test]
    fn a_command_is_in_one_piece() {
        for (text, expected) in [
            (
                "nothing was changed; mcplexer secret put github-token TOKEN stores it there",
                "mcplexer secret put github-token TOKEN",
            ),
            (
                "mcplexer import shop 'my long vars.env' --overwrite replaces them",
                "mcplexer import shop 'my long vars.env' --overwrite",
            ),
            (
                "mcplexer adopt --undo ~/'it'\\''s mine.json' puts it back",
                "mcplexer adopt --undo ~/'it'\\''s mine.json'",
            ),
            (
                "mcplexer key init && mcplexer config show > scopes.yaml && mv scopes.yaml x creates one",
                "mcplexer key init && mcplexer config show > scopes.yaml && mv scopes.yaml x",
            ),
            (
                "mcplexer run --allow-env LD_PRELOAD --scope s -- /usr/bin/env passes it",
                "mcplexer run --allow-env LD_PRELOAD --scope s -- /usr/bin/env",
            ),
            (
                "in a .envrc, which is read then: eval \"$(mcplexer hook direnv)\"",
                "eval \"$(mcplexer hook direnv)\"",
            ),
        ] {
            for width in 20..80 {
                let lines = broken(LABEL, text, width);
                let mut lines = lines.lines();
                assert!(lines.any(|it| it.contains(expected)), "{width}: {text}");
            }
        }
    }

    #[test]
    fn words_stay_whole_and_none_is_lost() {
        let text =
            "the user's directory 'a b/c' is not one that mcplexer: can use, since it's elsewhere";
        for width in 1..100 {
            let lines = broken(LABEL, text, width);
            let words: Vec<_> = lines.split_whitespace().collect();
            assert_eq!(words, text.split_whitespace().collect::<Vec<_>>());
            assert!(lines.contains("'a b/c'"));
            let too_long = |it: &&str| it.width() > width.max(4 + "elsewhere".len());
            assert_eq!(lines.lines().skip(1).find(too_long), None, "{width}");
        }
    }
}
