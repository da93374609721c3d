//! A file that git gives to a team, and a file of several projects.

use std::fs;

use test_support::skip;

use super::{adopt, config, tokens};
use crate::home::{BINARY, Home, finish};

/// Runs git in a directory of the home.
fn git(home: &Home, directory: &str, arguments: &[&str]) -> bool {
    let mut git = home.command_of("git".as_ref());
    git.arg("-C").arg(home.root().join(directory));
    git.args(["-c", "user.name=j", "-c", "user.email=j@example.com"])
        .args(arguments);
    git.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    git.output().is_ok_and(|it| it.status.success())
}

/// Others have mcplexer elsewhere, and no secrets yet.
#[test]
fn a_file_that_git_tracks_starts_plain_mcplexer() {
    let home = Home::new();
    fs::create_dir(home.root().join("shop")).unwrap();
    if !git(&home, "shop", &["init", "-q"]) {
        return skip("git", "a file that git tracks");
    }
    let run = |name: &str, way: &[&str]| {
        let mut command = home.command();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.args(["adopt", name]).args(way);
        finish(command.current_dir(home.root().join("shop"))).succeeded()
    };
    let text = config("claude-desktop.json");
    for (name, tracked) in [
        (".mcp.json", true),
        ("[x]*.json", true),
        ("mine.json", false),
    ] {
        let path = home.root().join("shop").join(name);
        fs::write(&path, &text).unwrap();
        assert!(!tracked || git(&home, "shop", &["--literal-pathspecs", "add", name]));
        let planned = run(name, &[]);
        let adopted = run(name, &["--write"]);
        let said = "so each colleague needs mcplexer in the PATH and these secrets\n";
        let secret = "hint: mcplexer secret put github GITHUB_PERSONAL_ACCESS_TOKEN\n";
        for run in [planned, adopted] {
            assert_eq!(run.stderr.contains(said), tracked, "{}", run.stderr);
            assert_eq!(run.stderr.contains(secret), tracked, "{}", run.stderr);
        }
        let adopted = fs::read_to_string(&path).unwrap();
        assert_eq!(
            adopted.contains(r#""command": "mcplexer""#),
            tracked,
            "{adopted}"
        );
        assert_eq!(adopted.contains(BINARY), !tracked, "{adopted}");
        run(name, &["--undo"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        let moved = run(name, &["--write", "--gateway"]);
        let said = "needs mcplexer in the PATH and these servers in a config.yaml of their own and these secrets\n";
        assert_eq!(moved.stderr.contains(said), tracked, "{}", moved.stderr);
        let connected = fs::read_to_string(&path).unwrap();
        let plain = r#""command": "mcplexer", "args": ["connect""#;
        assert_eq!(connected.contains(plain), tracked, "{connected}");
        run(name, &["--undo"]);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

/// Servers without credentials leave the file as well.
#[test]
fn colleagues_need_the_servers_that_leave_a_file() {
    let home = Home::new();
    fs::create_dir(home.root().join("shop")).unwrap();
    if !git(&home, "shop", &["init", "-q"]) {
        return skip("git", "a file that git tracks");
    }
    let file = home.root().join("shop/.mcp.json");
    fs::write(&file, r#"{"mcpServers": {"Fs Tools": {"command": "x"}}}"#).unwrap();
    assert!(git(&home, "shop", &["add", ".mcp.json"]));
    let said = "so each colleague needs mcplexer in the PATH and these servers in a config.yaml of their own\n";
    for way in [&["--gateway"][..], &["--gateway", "--write"]] {
        let mut command = home.command();
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let run = finish(command.args(["adopt", "shop/.mcp.json"]).args(way)).succeeded();
        assert!(run.stderr.contains(said), "{}", run.stderr);
        let shows = "mcplexer server show fs-tools prints it";
        assert_eq!(run.stderr.contains(shows), way.len() > 1, "{}", run.stderr);
    }
    home.run(["server", "show", "fs-tools"]).succeeded();
}

/// The file of Claude Code has each project's servers, and the names are often the same.
#[test]
fn servers_of_several_projects_are_told_apart_and_chosen_by_path() {
    let token = &tokens()["github"];
    let server = |end: &str| {
        format!(r#"{{"gh": {{"command": "npx", "env": {{"T_TOKEN": "{token}{end}"}}}}}}"#)
    };
    let text = format!(
        r#"{{"mcpServers": {}, "projects": {{"/srv/a": {{"mcpServers": {}}}, "/srv/b": {{"mcpServers": {}}}}}}}"#,
        server("0"),
        server("1"),
        server("2")
    );
    let home = Home::new();
    let path = home.root().join(".claude.json");
    fs::write(&path, &text).unwrap();
    let run = home.run(["adopt", ".claude.json"]).succeeded();
    for said in ["gh           env", "gh (/srv/a)  env", "gh (/srv/b)  env"] {
        assert!(run.text().contains(said), "{}", run.text());
    }
    for (arguments, moved) in [
        (&["--server", "/srv/b/gh"][..], 1),
        (&["--server", "/srv/a"], 1),
        (&["--server", "gh"], 3),
        (&["--only", "/srv/a/gh/T_TOKEN"], 1),
        (&["--skip", "/srv/a/gh/T_TOKEN,/srv/b/gh/T_TOKEN"], 1),
        (&[], 3),
    ] {
        assert_eq!(
            adopt(&home, &[&[".claude.json"], arguments].concat())
                .moved
                .len(),
            moved,
            "{arguments:?}"
        );
    }
    home.run(["adopt", ".claude.json", "--server", "/srv/c"])
        .failed(4, &["no server /srv/c"]);
    // One is adopted, and then undone, and the others stay.
    home.run(["adopt", ".claude.json", "--write"]).succeeded();
    let all = fs::read_to_string(&path).unwrap();
    home.run(["adopt", ".claude.json", "--undo", "--server", "/srv/b/gh"])
        .succeeded();
    let undone = fs::read_to_string(&path).unwrap();
    assert!(
        undone.contains(&format!("{token}2")) && !undone.contains(&format!("{token}1")),
        "{undone}"
    );
    home.run(["adopt", ".claude.json", "--write", "--server", "/srv/b/gh"])
        .succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), all);
    home.run(["adopt", ".claude.json", "--undo"]).succeeded();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

/// A client that runs has read its file before.
#[test]
fn restarting_the_client_is_said_after_a_change_and_not_before() {
    let home = Home::new();
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    for (arguments, changes) in [
        (&["adopt", "c.json"][..], false),
        (&["adopt", "c.json", "--write"], true),
        (&["adopt", "c.json", "--write"], false),
        (&["adopt", "c.json", "--undo"], true),
        (&["adopt", "c.json", "--undo"], false),
    ] {
        let run = home.run(arguments).succeeded();
        assert_eq!(
            run.stderr.contains("hint: restart the client"),
            changes,
            "{arguments:?}: {}",
            run.stderr
        );
    }
}
