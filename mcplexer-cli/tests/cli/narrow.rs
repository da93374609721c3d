//! What a narrow terminal shows: no line is longer, and no command is broken.

use std::fs;
use std::process::Command;

use super::home::{BINARY, Home};
use super::terminal::{end, spawn_at};

/// Runs the command on a terminal of so many columns.
fn shown(home: &Home, arguments: &[&str], columns: usize) -> String {
    let mut command = at(home, columns);
    command.args(arguments);
    let (text, _) = end(spawn_at(command));
    // rexpect takes each byte for a character.
    let bytes = text.chars().map(|it| u8::try_from(it).unwrap()).collect();
    String::from_utf8(bytes).unwrap()
}

fn at(home: &Home, columns: usize) -> Command {
    let mut command = home.command_of(BINARY.as_ref());
    command.env("COLUMNS", columns.to_string());
    command
}

/// The lines, without what a terminal adds to their ends.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|it| it.trim_end_matches('\r'))
}

fn width(line: &str) -> usize {
    line.chars().count()
}

#[test]
fn hints_and_errors_are_broken_at_words_on_a_terminal_alone() {
    let home = Home::with_secret("value-one");
    fs::write(home.root().join("my vars.env"), "TOKEN=value-two\nB=\n").unwrap();
    let import = ["import", "github-token", "my vars.env"];
    let command = "mcplexer import github-token 'my vars.env' --blank skip";
    let piped = at(&home, 40).args(import).output().unwrap();
    let piped = String::from_utf8(piped.stderr).unwrap();
    let whole = format!("mcplexer: hint: {command} leaves out every blank value\n");
    assert!(piped.contains(&whole), "{piped}");
    assert_eq!(shown(&home, &import, 200).replace('\r', ""), piped);
    for columns in [40, 60, 80] {
        let text = shown(&home, &import, columns);
        assert!(
            lines(&text).any(|it| it.contains(command)),
            "{columns}: {text}"
        );
        for line in lines(&text).filter(|it| !it.contains("mcplexer import ")) {
            assert!(width(line) <= columns, "{columns}: {text}");
        }
        // The words are the same, and the lines that follow are indented.
        let words = |text: &str| {
            text.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&text), words(&piped), "{columns}");
        let mut others = lines(&text).filter(|it| !it.starts_with("mcplexer: "));
        let margin = if columns < 60 { 4 } else { 16 };
        let has_margin = |it: &str| it.len() - it.trim_start().len() >= margin;
        assert!(others.all(has_margin), "{columns}: {text}");
    }
}

/// The name that a secret gets is whole. What else does not fit is shortened in the middle, and why something stays is said
/// below the table.
#[test]
fn the_table_of_adopt_fits() {
    let home = Home::new();
    let token = ["ghp_", "zBcD1234567890aBcD1234567890aBcD1234"].concat();
    let config = format!(
        r#"{{"mcpServers": {{"long-server-name": {{"command": "srv", "args": ["--token", "{token}"],
            "env": {{"TOKEN": "{token}", "PLAIN": "x"}}}}}}}}"#
    );
    fs::write(home.root().join("mcp.json"), config).unwrap();
    for columns in [40, 60, 80] {
        let text = shown(&home, &["adopt", "mcp.json", "--allow-arguments"], columns);
        let rows: Vec<_> = lines(&text).take(3).collect();
        let moved = rows
            .iter()
            .filter(|it| it.contains("  → long-server-name/TOKEN"));
        assert_eq!(moved.count(), 2, "{columns}: {text}");
        // Three columns of eight, their gaps, and the name.
        let widest = columns.max(3 * (8 + 2) + "→ long-server-name/TOKEN_2".chars().count());
        assert!(
            rows.iter().all(|it| width(it) <= widest),
            "{columns}: {text}"
        );
        let is_whole = rows.concat().contains("  GitHub token (ghp_…)  ");
        assert_eq!(is_whole, columns == 80, "{columns}: {text}");
        assert!(!text.contains(&token), "{text}");
        let text = shown(&home, &["adopt", "mcp.json"], columns);
        let reason: Vec<_> = lines(&text)
            .skip_while(|it| !it.starts_with("argument: "))
            .take_while(|it| it.starts_with("argument: ") || it.starts_with("    "))
            .map(|it| {
                assert!(width(it) <= columns, "{columns}: {text}");
                it.trim()
            })
            .collect();
        assert_eq!(
            reason.join(" "),
            "argument: other programs can see arguments; use a variable, or adopt --allow-arguments",
            "{columns}: {text}"
        );
        let command = "mcplexer adopt mcp.json --allow-arguments --write";
        assert!(
            lines(&text).any(|it| it.contains(command)),
            "{columns}: {text}"
        );
    }
}
