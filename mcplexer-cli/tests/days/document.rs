//! A page of the documentation that is played, and what it looks like then.
//!
//! * A block of `console` is typed: its lines behind the prompt. The others are what is seen.
//! * A block with a name behind its kind, such as `json .mcp.json`, is a file that is there from then on.
//! * `<!-- at "Passphrase: " types "abc" -->` answers the next question that ends like this.

use std::fs;

use regex::Regex;

use super::terminal::{Answer, Terminal};

/// What differs from run to run, and what stands for it.
const DIFFERS: [(&str, &str); 12] = [
    (r"\b\d{4}-\d\d-\d\d", "2026-01-02"),
    (r"\b\d\d:\d\d:\d\d(\.\d+)?", "03:04:05"),
    (r" \d\d:\d\d\b", " 03:04"),
    (r"\bage1[0-9a-z…]{40,}", "age1…"),
    (r"\bmcp_[0-9A-Za-z_-]{20,}", "mcp_…"),
    (r"\bmcplexer\[\d+\]", "mcplexer[4711]"),
    (r"from \d+ to \d+ KiB", "from 84 to 72 KiB"),
    (r"opens with \S+", "opens with laptop"),
    (r"\b(process|pid) \d+", "$1 4711"),
    (r"127\.\d+\.\d+\.\d+:\d+", "127.0.0.1:3333"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "5 $2"),
    (r"(?:/tmp/[^ ]*/ada|/root)\b", "~"),
];

/// Plays a page; returns it with what is seen.
pub(crate) fn play(page: &str, terminal: &mut Terminal) -> String {
    let question = Regex::new("^<!-- at \"(.*)\" types \"(.*)\" -->$").unwrap();
    let differs = DIFFERS.map(|(it, by)| (Regex::new(it).unwrap(), by));
    let mut answers = Vec::new();
    let mut seen = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        seen += line;
        seen += "\n";
        if let Some(asked) = question.captures(line) {
            let [at, types] = asked.extract().1.map(str::to_owned);
            answers.push(Answer { at, types });
        }
        let Some(kind) = line.strip_prefix("```").filter(|it| !it.is_empty()) else {
            continue;
        };
        let block: Vec<_> = lines.by_ref().take_while(|it| *it != "```").collect();
        if kind == "console" {
            for command in block.iter().filter_map(|it| it.strip_prefix("$ ")) {
                seen += &format!("$ {command}\n");
                for line in terminal.run(command, &mut answers) {
                    let same = |line: String, (it, by): &(Regex, &str)| {
                        it.replace_all(&line, *by).into_owned()
                    };
                    seen += &differs.iter().fold(line, same);
                    seen += "\n";
                }
            }
        } else {
            if let Some((_, name)) = kind.split_once(' ') {
                let file = terminal.home.join(name);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, block.join("\n") + "\n").unwrap();
            }
            seen += &block.join("\n");
            seen += "\n";
        }
        seen += "```\n";
    }
    let left: Vec<_> = answers.iter().map(|it| &it.at).collect();
    assert!(left.is_empty(), "nobody has asked {left:?}:\n{seen}");
    seen
}
