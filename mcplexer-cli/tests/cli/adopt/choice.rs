//! Which values move, which stay, and what `adopt` reports about those that stay.

use std::fs;

use super::{adopt, config};
use crate::home::{Home, finish};

#[test]
fn servers_and_variables_are_chosen() {
    for (arguments, moved) in [
        (&["--server", "slack"][..], &["slack/SLACK_BOT_TOKEN"][..]),
        (
            &["--server", "slack", "--server", "github"],
            &[
                "github/GITHUB_PERSONAL_ACCESS_TOKEN",
                "slack/SLACK_BOT_TOKEN",
            ],
        ),
        (
            &["--skip", "SLACK_BOT_TOKEN"],
            &["github/GITHUB_PERSONAL_ACCESS_TOKEN"],
        ),
        (
            &[
                "--skip",
                "slack/SLACK_TEAM_ID,github/GITHUB_PERSONAL_ACCESS_TOKEN",
            ],
            &["slack/SLACK_BOT_TOKEN"],
        ),
        (&["--only", "SLACK_TEAM_ID"], &["slack/SLACK_TEAM_ID"]),
        (
            &["--only", "slack/SLACK_TEAM_ID", "--only", "SLACK_BOT_TOKEN"],
            &["slack/SLACK_BOT_TOKEN", "slack/SLACK_TEAM_ID"],
        ),
    ] {
        let home = Home::new();
        let text = config("claude-desktop.json");
        fs::write(home.root().join("c.json"), &text).unwrap();
        let report = adopt(&home, &[&["c.json", "--write"], arguments].concat());
        assert_eq!(report.moved, moved, "{arguments:?}");
        home.run(["adopt", "--undo", "c.json"]).succeeded();
        assert_eq!(
            fs::read_to_string(home.root().join("c.json")).unwrap(),
            text
        );
    }
}

/// A variable named by a scope's redaction hints is a credential, even if nothing else suggests it.
#[test]
fn redaction_hints_name_credentials() {
    let home = Home::new();
    let yaml = "auth_scopes:\n  - id: slack\n    redaction_hints: [slack_team_id]\n";
    home.pipe(["config", "apply", "-"], yaml.as_bytes())
        .succeeded();
    fs::write(home.root().join("c.json"), config("claude-desktop.json")).unwrap();
    let report = adopt(&home, &["c.json"]);
    assert!(
        report.moved.contains(&"slack/SLACK_TEAM_ID".to_owned()),
        "{:?}",
        report.moved
    );
}

/// Gemini CLI also replaces `$name`, so such a value stays. Values that it does not replace move.
#[test]
fn what_gemini_replaces_stays_in_its_file() {
    let home = Home::new();
    fs::create_dir(home.root().join(".gemini")).unwrap();
    let text = r#"{"mcpServers": {"a": {"command": "x", "env": {"A_TOKEN": "acme-$db_pass", "B_TOKEN": "acme-9931"}}}}"#;
    for (name, moved) in [
        (".gemini/settings.json", &["a/B_TOKEN"][..]),
        ("mcp.json", &["a/A_TOKEN", "a/B_TOKEN"]),
    ] {
        fs::write(home.root().join(name), text).unwrap();
        assert_eq!(adopt(&home, &[name]).moved, moved, "{name}");
    }
    let mut command = home.command();
    command
        .args(["adopt", "settings.json"])
        .current_dir(home.root().join(".gemini"));
    let run = finish(&mut command).succeeded();
    let told = "kept: the client replaces a variable in it";
    assert!(run.text().contains(told), "{}", run.text());
}

/// If a moved value also appears elsewhere in the file, `adopt` names the line and does not repeat the value.
#[test]
fn what_stays_elsewhere_is_told() {
    let home = Home::new();
    fs::write(home.root().join("c.json"), config("elsewhere.json")).unwrap();
    let run = home.run(["adopt", "c.json", "--write"]).succeeded();
    for line in ["line 2 ", "line 3 ", "line 7 "] {
        let told = run.text().lines().find(|it| it.starts_with(line));
        assert!(told.unwrap().contains("elsewhere"), "{}", run.text());
    }
    assert!(
        run.stderr
            .contains("10 credentials stay in plaintext in c.json"),
        "{}",
        run.stderr
    );
}

/// Naming a server or variable that does not exist is an error. Hints quote names that the shell would split.
#[test]
fn hints_can_be_typed_and_names_must_be_there() {
    let home = Home::new();
    fs::write(home.root().join("a b.json"), config("minified.json")).unwrap();
    let run = home.run(["adopt", "a b.json"]).succeeded();
    assert!(
        run.stderr.contains("mcplexer adopt 'a b.json' --write\n"),
        "{}",
        run.stderr
    );
    for (arguments, said) in [
        (["--skip", "A_TOKN"], "no variable A_TOKN in a b.json"),
        (["--only", "b/A_TOKEN"], "no variable A_TOKEN"),
        (["--skip", "c/A_TOKEN"], "no server c"),
    ] {
        home.run([&["adopt", "a b.json"][..], &arguments].concat())
            .failed(4, &[said]);
    }
    // A hard link to the file keeps the old text, and the report says so.
    fs::hard_link(home.root().join("a b.json"), home.root().join("other")).unwrap();
    let run = home.run(["adopt", "a b.json", "--write"]).succeeded();
    assert!(
        run.stderr.contains("has other names (hard links)"),
        "{}",
        run.stderr
    );
}

#[test]
fn hints_repeat_the_options() {
    let home = Home::new();
    fs::write(home.root().join("c.json"), config("claude-desktop.json")).unwrap();
    for (arguments, options) in [
        (&["--only", "SLACK_TEAM_ID"][..], " --only SLACK_TEAM_ID"),
        (
            &["--skip", "slack/SLACK_BOT_TOKEN", "--skip=SLACK_TEAM_ID"],
            " --skip slack/SLACK_BOT_TOKEN,SLACK_TEAM_ID",
        ),
        (
            &[
                "--server",
                "slack",
                "--server",
                "github",
                "--skip",
                "SLACK_BOT_TOKEN",
            ],
            " --server slack --server github --skip SLACK_BOT_TOKEN",
        ),
    ] {
        let run = home
            .run([&["adopt", "c.json"], arguments].concat())
            .succeeded();
        let hint = format!("hint: mcplexer adopt c.json{options} --write\n");
        assert!(run.stderr.contains(&hint), "{hint} in {}", run.stderr);
    }
    let run = home.run([
        "adopt",
        "c.json",
        "--write",
        "--server",
        "slack",
        "--skip",
        "SLACK_TEAM_ID",
    ]);
    let hint = "hint: mcplexer adopt --undo c.json --server slack puts it back\n";
    let run = run.succeeded();
    assert!(run.stderr.contains(hint), "{}", run.stderr);
    let name = "it's new";
    let text = config("claude-desktop.json").replace("\"slack\"", &format!("\"{name}\""));
    fs::write(home.root().join("c.json"), text).unwrap();
    let run = home.run(["adopt", "c.json", "--server", name]).succeeded();
    let hint = r"mcplexer adopt c.json --server 'it'\''s new' --write";
    assert!(run.stderr.contains(hint), "{}", run.stderr);
}

/// A file that lacks a name of the choice refuses it, so the hint for that file leaves it out.
#[test]
fn hints_for_files_that_were_found_repeat_what_these_have() {
    let home = Home::new();
    fs::create_dir(home.root().join(".cursor")).unwrap();
    fs::write(
        home.root().join(".cursor/mcp.json"),
        config("claude-desktop.json"),
    )
    .unwrap();
    let arguments = [
        "adopt", "--server", "slack", "--server", "other", "--skip", "NONE",
    ];
    let run = home.run(arguments).succeeded();
    let hint = run
        .stderr
        .lines()
        .find(|it| it.ends_with("--write"))
        .unwrap();
    assert!(
        hint.ends_with(".cursor/mcp.json --server slack --write"),
        "{hint}"
    );
}
