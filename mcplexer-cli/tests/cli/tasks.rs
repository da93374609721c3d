//! Runs the commands of `docs/use.md` as written there, each task in its own home.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use test_support::{STANDARD_PATH, tool, tools};

use super::home::{BINARY, Home, finish, write_program};

/// The command that the tasks with a configuration and with a unit assume has been run.
const PUT: [&str; 5] = [
    "secret",
    "put",
    "github",
    "GITHUB_PERSONAL_ACCESS_TOKEN",
    "ghp_abc123",
];

const DOCUMENT: &str = include_str!("../../../docs/use.md");

/// A part of a task.
#[derive(Debug)]
enum Piece {
    /// A command that the task assumes has been run. The document does not show it.
    Before(String),
    File(String, String),
    Script(String),
    Output(String),
}

fn tasks() -> Vec<(&'static str, Vec<Piece>)> {
    let sections = DOCUMENT.split("\n## ").skip(1);
    let tasks = sections.map(|section| {
        let (title, text) = section.split_once('\n').unwrap();
        (title, pieces(text))
    });
    tasks.collect()
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut file = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let until = |lines: &mut std::str::Lines<'_>, end: &str| {
            let text = lines.take_while(|line| *line != end);
            text.map(|line| format!("{line}\n")).collect::<String>()
        };
        if let Some(name) = line.strip_prefix("<!-- file: ") {
            match name.strip_suffix(" -->") {
                Some(name) => file = Some(name.to_owned()),
                None => pieces.push(Piece::File(name.to_owned(), until(&mut lines, "-->"))),
            }
        } else if let Some(script) = line.strip_prefix("<!-- before: ") {
            pieces.push(Piece::Before(
                script.strip_suffix(" -->").unwrap().to_owned(),
            ));
        } else if let Some(language) = line.strip_prefix("```") {
            let text = until(&mut lines, "```");
            match (file.take(), language) {
                (Some(name), _) => pieces.push(Piece::File(name, text)),
                (None, "sh") => pieces.push(Piece::Script(text)),
                (None, "text") => pieces.push(Piece::Output(text)),
                _ => {}
            }
        }
    }
    pieces
}

/// A home with stand-ins for the programs of the tasks. They record how they were started.
fn home() -> Home {
    let home = Home::new();
    let bin = home.root().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(BINARY, bin.join("mcplexer")).unwrap();
    for program in ["docker", "npx", "github-server"] {
        let script = "#!/bin/sh\necho \"$0 $*\" > \"$HOME/started\"; env >> \"$HOME/started\"\n";
        write_program(&bin.join(program), script);
    }
    home
}

/// Returns a shell that runs a script. The tests use bash, but the tasks need only what any shell has.
fn shell(home: &Home, shell: &Path, script: &str) -> Command {
    let mut command = home.command_of(shell);
    command.env("PATH", path(home)).args(["-euc", script]);
    command
}

fn path(home: &Home) -> String {
    let own = home.root().join("bin");
    let path = std::env::var("PATH").unwrap();
    format!("{}:{path}:{STANDARD_PATH}", own.display())
}

/// Returns the command line and the environment that a stand-in was started with.
fn started(home: &Home) -> (String, String) {
    let text = fs::read_to_string(home.root().join("started")).unwrap();
    let (line, env) = text.split_once('\n').unwrap();
    (line.to_owned(), env.to_owned())
}

#[test]
fn each_task_does_what_it_says() {
    let Some(bash) = tool("bash") else { return };
    let mut scripts = 0;
    for (title, pieces) in tasks() {
        let is_script = |it: &&Piece| matches!(it, Piece::Script(_));
        scripts += pieces.iter().filter(is_script).count();
        if title == "CI needs it" && !tools(&["age", "age-keygen"]) {
            continue;
        }
        let home = home();
        // Exported variables stay for the rest of the task, as in a shell.
        let mut exported = String::new();
        let mut printed = None;
        for piece in pieces {
            match piece {
                Piece::File(name, text) => fs::write(home.root().join(name), text).unwrap(),
                Piece::Before(script) if script.starts_with("export ") => {
                    exported.push_str(&script);
                    exported.push('\n');
                }
                Piece::Before(script) => {
                    finish(&mut shell(&home, &bash, &script)).succeeded();
                }
                Piece::Script(script) => {
                    let script = format!("{exported}{script}");
                    let run = finish(&mut shell(&home, &bash, &script));
                    printed = Some(run.succeeded().text().to_owned());
                }
                Piece::Output(expected) => assert_eq!(printed.take().unwrap(), expected, "{title}"),
            }
        }
        home.assert_stands_in_where(title);
    }
    assert_eq!(scripts, 20, "scripts in the document");
}

impl Home {
    /// In tasks that start an outside program, checks what its stand-in was given.
    fn assert_stands_in_where(&self, title: &str) {
        if title == "docker run" {
            let (line, env) = started(self);
            assert!(
                line.contains("-e GITHUB_PERSONAL_ACCESS_TOKEN ghcr.io/"),
                "{line}"
            );
            assert!(!line.contains("ghp_abc123"), "{line}");
            assert!(
                env.contains("GITHUB_PERSONAL_ACCESS_TOKEN=ghp_abc123\n"),
                "{env}"
            );
        }
    }
}

pub(crate) fn file(wanted: &str) -> String {
    let mut pieces = tasks().into_iter().flat_map(|(_, pieces)| pieces);
    let found = pieces.find_map(|piece| match piece {
        Piece::File(name, text) if name == wanted => Some(text),
        _ => None,
    });
    found.unwrap()
}

/// Starts the entry of the client's configuration as the client would.
#[test]
fn the_client_configuration_starts_its_server() {
    let home = home();
    home.run(PUT).succeeded();
    let text = file("by-hand.json");
    assert!(!text.contains("ghp_"));
    let config: serde_json::Value = serde_json::from_str(&text).unwrap();
    let entry = &config["mcpServers"]["github"];
    let text_of = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    let program = home.root().join("bin").join(text_of(&entry["command"]));
    let mut command = home.command_of(&program);
    command.args(entry["args"].as_array().unwrap().iter().map(text_of));
    for (name, value) in entry["env"].as_object().unwrap() {
        command.env(name, text_of(value));
    }
    finish(command.env("PATH", path(&home))).succeeded();
    let (line, env) = started(&home);
    assert!(
        line.ends_with("npx -y @modelcontextprotocol/server-github"),
        "{line}"
    );
    assert!(
        env.contains("GITHUB_PERSONAL_ACCESS_TOKEN=ghp_abc123\n"),
        "{env}"
    );
}

/// Runs the unit's command line as systemd would, with this test's paths.
#[test]
fn the_unit_starts_its_server() {
    let home = home();
    home.run(PUT).succeeded();
    let unit = file("github-server.service");
    let value = |name: &str| {
        unit.lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap()
    };
    let here = home.root().join("bin");
    let start = value("ExecStart=").replace("/usr/local/bin", here.to_str().unwrap());
    let (variable, _) = value("Environment=").split_once('=').unwrap();
    let mut words = start.split(' ').map(PathBuf::from);
    let mut command = home.command_of(&words.next().unwrap());
    command.env(variable, home.path("")).args(words);
    finish(command.env("PATH", path(&home))).succeeded();
    let (line, env) = started(&home);
    assert!(line.ends_with("github-server --port 8080"), "{line}");
    assert!(
        env.contains("GITHUB_PERSONAL_ACCESS_TOKEN=ghp_abc123\n") && !env.contains("MCPLEXER"),
        "{env}"
    );
}

/// The commands that print values refuse each agent in the table; all others work.
#[test]
fn each_agent_that_is_listed_is_recognised() {
    let home = Home::with_secret("t0ken");
    fs::write(home.root().join("t"), "mcplexer://github-token/TOKEN").unwrap();
    let (_, table) = DOCUMENT.split_once("| agent | variable |").unwrap();
    let rows = table.lines().filter_map(|line| line.strip_suffix("` |"));
    let variables: Vec<_> = rows.map(|row| row.split_once("| `").unwrap().1).collect();
    assert!(variables.len() > 20);
    for variable in variables {
        let (name, value) = variable.split_once('=').unwrap_or((variable, "1"));
        let run = |arguments: &[&str]| finish(home.command().env(name, value).args(arguments));
        let get = ["secret", "get", "github-token", "TOKEN"];
        let said = format!("is running this command ({name} is set)");
        run(&get).failed(
            3,
            &[&said, "mcplexer run --scope github-token --only TOKEN -- "],
        );
        run(&["inject", "-i", "t"]).failed(3, &[&said, "mcplexer run --env-file"]);
        assert_eq!(
            run(&[&get[..], &["--reveal"]].concat()).succeeded().text(),
            "t0ken"
        );
        assert_eq!(
            run(&["inject", "-i", "t", "--reveal"]).succeeded().text(),
            "t0ken"
        );
        run(&["inject", "-i", "t", "-o", "filled"]).succeeded();
        let print = ["run", "--scope", "github-token", "printenv", "TOKEN"];
        assert_eq!(run(&print).succeeded().text(), "[github-token/TOKEN]\n");
        run(&["secret", "list"]).succeeded();
    }
    for (name, value) in [
        ("CLAUDECODE", ""),
        ("CLAUDECODE", "0"),
        ("CRUSH", "false"),
        ("AGENT", "x"),
        ("REPL_ID", "1"),
        ("TERM_PROGRAM", "vscode"),
        ("CURSOR_TRACE_ID", "1"),
    ] {
        let get = ["secret", "get", "github-token", "TOKEN"];
        finish(home.command().env(name, value).args(get)).succeeded();
    }
}
