//! A hint is a command: it is copied from where it stands, and does what it says.

use std::env;
use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;

use super::home::{BINARY, Home, Run, finish};

/// A home, in which a shell finds the command.
struct Desk {
    home: Home,
}

impl Desk {
    fn new() -> Self {
        let home = Home::with_secret("hunter2hunter2");
        fs::create_dir(home.root().join("bin")).unwrap();
        symlink(BINARY, home.root().join("bin/mcplexer")).unwrap();
        Self { home }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.home.root().join(name), content).unwrap();
    }

    fn type_in(&self, line: &str) -> Run {
        let mut command = self.home.command_of("/bin/sh".as_ref());
        let path = env::var("PATH").unwrap_or_default();
        let bin = self.home.root().join("bin");
        command.env("PATH", format!("{}:{path}", bin.display()));
        finish(command.args(["-c", line]))
    }

    /// Types a line, copies the command of the hint that ends with `effect`, and types that.
    fn follow(&self, line: &str, effect: &str, placeholders: &[(&str, &str)]) -> Run {
        let said = self.type_in(line).stderr;
        let hints = said.lines().filter_map(|it| it.split_once(" hint: "));
        let mut fitting = hints.filter_map(|it| it.1.strip_suffix(effect));
        let hint = fitting.next();
        let hint = hint.unwrap_or_else(|| panic!("{line}: no hint {effect:?} in {said}"));
        assert!(hint.starts_with("mcplexer "), "{line}: {hint}");
        let mut hint = hint.to_owned();
        for (placeholder, word) in placeholders {
            hint = hint.replace(placeholder, word);
        }
        let run = self.type_in(&hint);
        assert_eq!(run.code, 0, "{line}: {hint}: {}", run.stderr);
        run
    }

    fn get(&self, scope: &str, key: &str) -> String {
        String::from_utf8(self.home.get(scope, key)).unwrap()
    }
}

#[test]
fn hints_of_an_import_do_what_they_say() {
    let desk = Desk::new();
    let root = desk.home.root().display().to_string();
    desk.write("my vars.env", "A=first-value\n");
    desk.type_in("mcplexer import s 'my vars.env'").succeeded();
    desk.write("my vars.env", "A=second-value\n");
    let import = format!("cd / && mcplexer import s '{root}/my vars.env'");
    desk.follow(&import, " keeps them", &[]);
    assert_eq!(desk.get("s", "A"), "first-value");
    desk.follow("mcplexer import s 'my vars.env'", " replaces them", &[]);
    assert_eq!(desk.get("s", "A"), "second-value");
    desk.write("blank one.env", "B=b-value\nC=\n");
    let import = "mcplexer import s 'blank one.env'";
    let run = desk.follow(import, " leaves out every blank value", &[]);
    assert!(run.stderr.contains("left out because blank: C"));
    assert_eq!(desk.get("s", "B"), "b-value");
    desk.write("it's.json", r#"{"D": "d-value", "E": []}"#);
    let import = "mcplexer import s \"it's.json\"";
    desk.follow(import, " leaves out this one", &[]);
    assert_eq!(desk.get("s", "D"), "d-value");
    desk.write("a list", "F=f-value\n");
    let effect = " reads dotenv; there is json and yaml too";
    desk.follow("mcplexer import s 'a list'", effect, &[]);
    assert_eq!(desk.get("s", "F"), "f-value");
    desk.write("hash.env", "G=left#right\n");
    let effect = " takes it for a comment";
    desk.follow("mcplexer import s hash.env", effect, &[]);
    assert_eq!(desk.get("s", "G"), "left");
    desk.write("comments.env", "# none\n");
    desk.type_in("mcplexer import s comments.env")
        .failed(2, &["comments.env has no secrets; it was read as dotenv"]);
    desk.write("scope.env", "H=h-value\n");
    desk.follow("mcplexer import scope.env", "", &[("SCOPE", "other")]);
    assert_eq!(desk.get("other", "H"), "h-value");
}

/// What is no command there is not said as one.
#[test]
fn a_hint_that_would_not_do_is_not_given() {
    let desk = Desk::new();
    desk.write("a.env", "A=\nnot a line\n");
    for (line, not) in [
        // The other line would still be wrong.
        ("mcplexer import s a.env", "--skip"),
        ("mcplexer import s a.env", "--blank"),
        // Nothing would be left.
        ("echo A= | mcplexer import s --format dotenv", "--skip"),
        ("echo A= | mcplexer import s --format dotenv", "--blank"),
        // The input is gone.
        (
            "mcplexer import github-token --format dotenv <in.env",
            "hint: mcplexer import",
        ),
        // A word of the command may be a password.
        (
            "mcplexer run --scope x -- login Hunter2! mcplexer://x/A",
            "Hunter2",
        ),
        ("mcplexer run A=Hunter2! -- login", "Hunter2"),
        ("mcplexer run -q A=Hunter2! -- login", "Hunter2"),
    ] {
        desk.write("in.env", "TOKEN=another\n");
        let run = desk.type_in(line);
        assert_ne!(run.code, 0, "{line}");
        assert!(!run.stderr.contains(not), "{line}: {}", run.stderr);
    }
    let stdin = desk.type_in("mcplexer import github-token --format dotenv <in.env");
    assert!(
        stdin.stderr.contains("hint: --overwrite replaces them\n"),
        "{}",
        stdin.stderr
    );
}

#[test]
fn a_binary_file_is_one_mistake() {
    let desk = Desk::new();
    let bytes: Vec<u8> = (0..=255u8).cycle().skip(127).take(4096).collect();
    for name in ["my key.env", "my key.json", "my key.yaml"] {
        desk.write(name, &bytes);
        let line = format!("mcplexer import s '{name}'");
        let run = desk.type_in(&line);
        let errors = run.stderr.matches("error: ").count();
        assert_eq!((run.code, errors), (2, 1), "{}", run.stderr);
        let effect = " stores all of it as one secret";
        desk.follow(&line, effect, &[("KEY", "BYTES")]);
        assert_eq!(desk.home.get("s", "BYTES"), bytes);
        desk.type_in("mcplexer scope delete s --force").succeeded();
    }
    desk.write("wide.env", b"\xff\xfeA\0=\0b\0\n\0");
    let run = desk.type_in("mcplexer import s wide.env");
    run.failed(
        2,
        &["wide.env is not text", "it is UTF-16: save it as UTF-8"],
    );
    // A value may be in another encoding.
    desk.write("latin.env", b"A=caf\xe9\n");
    desk.type_in("mcplexer import s latin.env").succeeded();
}

#[test]
fn hints_of_run_do_what_they_say() {
    let desk = Desk::new();
    let put = "mcplexer secret put --quiet";
    desk.type_in(&format!(
        "{put} s NODE_OPTIONS value-one && {put} s LD_X two"
    ))
    .succeeded();
    let effect = " passes it";
    // A word in capitals may be a value.
    let run = desk.type_in("mcplexer run --scope s -- printenv NODE_OPTIONS");
    assert!(
        run.stderr
            .contains("hint: --allow-env NODE_OPTIONS passes it"),
        "{}",
        run.stderr
    );
    let run = desk.follow("mcplexer run --scope s -- /usr/bin/env", effect, &[]);
    assert!(run.text().contains("NODE_OPTIONS=value-one"));
    desk.type_in("mcplexer scope create h --kind header")
        .succeeded();
    desk.type_in(&format!("{put} h X-A value-three"))
        .succeeded();
    let line = "mcplexer run --scope h -- /usr/bin/env";
    let run = desk.follow(line, effect, &[("NAME", "THREE")]);
    assert!(run.text().contains("THREE=value-three"));
    let line = "mcplexer run -- /usr/bin/env";
    let effect = " passes the secrets of a scope";
    let run = desk.follow(line, effect, &[("SCOPE", "github-token")]);
    assert!(run.text().contains("TOKEN=hunter2hunter2"));
}

#[test]
fn hints_of_a_scan_do_what_they_say() {
    let desk = Desk::new();
    let token = ["ghp_", "zBcD1234567890aBcD1234567890aBcD1234"].concat();
    fs::create_dir(desk.home.root().join("my code")).unwrap();
    desk.write("my code/a", &token);
    desk.write("outside", &token);
    let line = "mcplexer scan --shapes 'my code'";
    let run = desk.follow(line, " accepts what is no secret", &[]);
    assert!(
        run.stderr.contains("which accepts 1 finding\n"),
        "{}",
        run.stderr
    );
    let with = format!("{line} --baseline 'my base.json'");
    desk.follow(&with, " creates it", &[]);
    desk.type_in(&with).succeeded();
    desk.write("my base.json", "garbage");
    let wrong = desk.type_in(&with);
    wrong.failed(2, &["replaces nothing but a baseline"]);
}

#[test]
fn hints_of_adopt_do_what_they_say() {
    let desk = Desk::new();
    let token = ["ghp_", "zBcD1234567890aBcD1234567890aBcD1234"].concat();
    let config = |arguments: &str| {
        format!(
            r#"{{"mcpServers": {{"git hub": {{"command": "srv", "args": [{arguments}], "env": {{"TOKEN": "{token}"}}}}}}}}"#
        )
    };
    let plain = config("");
    desk.write("it's mine.json", &plain);
    let line = "mcplexer adopt \"it's mine.json\"";
    let run = desk.follow(&format!("{line} --server nope"), " lists what it has", &[]);
    assert!(run.text().contains("git hub"));
    let read = || fs::read_to_string(desk.home.root().join("it's mine.json")).unwrap();
    desk.follow(&format!("{line} --server 'git hub'"), "", &[]);
    assert!(!read().contains(&token), "{}", read());
    desk.write("it's mine.json", &plain);
    desk.follow(&format!("{line} --write"), " puts it back", &[]);
    assert_eq!(read(), plain);
    desk.write(
        "it's mine.json",
        config(&format!("\"--token\", \"{token}\"")),
    );
    desk.follow(line, " moves 1 credential more", &[]);
    assert!(!read().contains(&token), "{}", read());
    desk.write("my vars.env", "A=first-value\n");
    let line = "mcplexer adopt 'my vars.env'";
    desk.follow(line, " stores its secrets", &[("SCOPE", "new")]);
    assert_eq!(desk.get("new", "A"), "first-value");
}

/// A pipe passes on nothing of a command that fails, and the shell hides its exit code.
#[test]
fn a_pipe_that_brings_nothing_is_said_and_stores_nothing() {
    let desk = Desk::new();
    for line in [
        "false | mcplexer secret put github-token TOKEN",
        "false | mcplexer secret put github-token TOKEN -",
        "false | mcplexer secret put new TOKEN --newline keep",
        "false | mcplexer import new --format dotenv",
        "false | mcplexer import new --format json -",
        "false | mcplexer import new --format yaml",
    ] {
        let run = desk.type_in(line);
        let said = [
            "error: nothing was read from standard input; nothing was ",
            "hint: a command before the pipe may have failed",
        ];
        run.failed(2, &said);
    }
    assert_eq!(desk.get("github-token", "TOKEN"), "hunter2hunter2");
    let scopes = desk.home.run(["scope", "list"]).succeeded();
    assert_eq!(scopes.text().lines().count(), 1, "{}", scopes.text());
    let fresh = Home::new();
    fresh
        .pipe(["secret", "put", "new", "TOKEN"], b"")
        .failed(2, &["nothing was stored"]);
    assert!(!fresh.path("secrets.redb").exists());
}

/// The schema of a project's file is another one than that of config.yaml.
#[test]
fn hints_about_a_schema_print_that_of_the_file() {
    let desk = Desk::new();
    let effect = " prints what the file may hold";
    desk.write("mcplexer.yaml", "scopes: [s\n");
    for line in ["mcplexer run -- /usr/bin/env", "mcplexer trust"] {
        let schema = desk.follow(line, effect, &[]);
        let schema: Value = serde_json::from_str(schema.text()).unwrap();
        assert_eq!(schema["title"], "mcplexer.yaml", "{line}");
        assert!(schema["properties"]["profiles"].is_object(), "{line}");
    }
    fs::write(desk.home.path("config.yaml"), "servers: [s\n").unwrap();
    let schema = desk.follow("mcplexer config check", effect, &[]);
    let schema: Value = serde_json::from_str(schema.text()).unwrap();
    assert_eq!(schema["title"], "config.yaml of mcplexer");
}
