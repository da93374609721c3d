//! `adopt`: configuration files as people have them, moved in and back.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

use test_support::{Running, skip};

use super::built::crashing;
use super::home::{BINARY, Home, finish, write_program};

/// Tokens in no file of the tree, so that nobody takes them for real.
fn tokens() -> HashMap<&'static str, String> {
    let letters = |length: usize| "aB3dE5gH7jK9mN1pQ".chars().cycle().take(length);
    let token =
        |prefix: &str, length: usize| -> String { prefix.chars().chain(letters(length)).collect() };
    HashMap::from([
        ("github", token("ghp_", 36)),
        ("gitlab", token("glpat-", 20)),
        ("slack", token("xoxb-123456789012-1234567890123-", 24)),
        ("stripe", token("sk_live_", 24)),
        ("stripe2", token("sk_live_51", 24)),
        ("notion", token("ntn_", 46)),
        ("aws", "AKIAIOSFODNN7EXAMPLE".replace("EXAMPLE", "ABCDEFG")),
        ("linear", token("lin_api_", 40)),
        ("google", token("AIzaSy", 33)),
        ("long", token("", 32)),
        ("not", "not a token".to_owned()),
    ])
}

/// A file of `tests/adopt`, with the tokens put in.
fn config(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/adopt")
        .join(name);
    let mut text = fs::read_to_string(path).unwrap();
    for (name, token) in tokens() {
        text = text.replace(&format!("{{{{{name}}}}}"), &token);
    }
    assert!(!text.contains("{{"), "{name}");
    text
}

/// What is expected of a file: what moves, and how many credentials stay.
const FILES: [(&str, &[&str], usize); 24] = [
    (
        "claude-desktop.json",
        &[
            "github/GITHUB_PERSONAL_ACCESS_TOKEN",
            "slack/SLACK_BOT_TOKEN",
        ],
        0,
    ),
    (
        "claude-code-user.json",
        &[
            "sentry/SENTRY_AUTH_TOKEN",
            "stripe/STRIPE_SECRET_KEY",
            "stripe-2/STRIPE_SECRET_KEY",
        ],
        0,
    ),
    ("claude-code-project.json", &[], 3),
    ("cursor.json", &["brave-search/BRAVE_API_KEY"], 1),
    ("windsurf.json", &["notion/OPENAPI_MCP_HEADERS"], 1),
    (
        "vscode-mcp.json",
        &["gitlab/GITLAB_PERSONAL_ACCESS_TOKEN"],
        0,
    ),
    (
        "vscode-settings.json",
        &["aws/AWS_ACCESS_KEY_ID", "aws/AWS_SECRET_ACCESS_KEY"],
        0,
    ),
    (
        "zed.json",
        &[
            "mcp-server-linear/LINEAR_API_KEY",
            "old-form/SERVER_PASSWORD",
        ],
        1,
    ),
    ("gemini.json", &["pythontools/API_KEY"], 1),
    (
        "codex.toml",
        &["jira/JIRA_API_TOKEN", "docs-server/DOCS_KEY"],
        1,
    ),
    (
        "codex-inline.toml",
        &[
            "dotted/DOTTED_TOKEN",
            "inline/INLINE_TOKEN",
            "lines/LINES_SECRET",
        ],
        0,
    ),
    ("minified.json", &["a/A_TOKEN", "b/B_TOKEN"], 0),
    ("comments.json", &["a/A_TOKEN"], 0),
    (
        "empty-args.json",
        &[
            "a/A_TOKEN",
            "b/B_TOKEN",
            "c/C_TOKEN",
            "d/D_TOKEN",
            "e/E_TOKEN",
        ],
        0,
    ),
    (
        "shared-token.json",
        &[
            "github/TOKEN",
            "github/TOKEN",
            "github-2/TOKEN",
            "github/OTHER_TOKEN",
        ],
        0,
    ),
    ("adopted.json", &["half/NEW_TOKEN"], 0),
    ("no-command.json", &[], 3),
    ("values.json", &["a/GOOD_TOKEN"], 7),
    (
        "escapes.json",
        &[
            "plain/PLAIN_PASSWORD",
            "slashes/SLASH_TOKEN",
            "ascii/ASCII_PASSWORD",
            "both/BOTH_PASSWORD",
        ],
        1,
    ),
    ("arguments.json", &[], 4),
    ("elsewhere.json", &["same/A_TOKEN"], 10),
    ("odd.json", &["variable/PASSWORD", "by-hand-too/L_TOKEN"], 4),
    ("deep.json", &["deep/DEEP_TOKEN"], 0),
    (
        "names.json",
        &[
            "server/A_TOKEN",
            "server/B_TOKEN",
            "scope-name-with-quotes-31m/C_TOKEN",
            "very-long-name-very-long-name-very-long-name-very-long-name-very/D_TOKEN",
        ],
        0,
    ),
];

/// What adopting tells of a file.
struct Report {
    moved: Vec<String>,
    left: usize,
}

fn adopt(home: &Home, arguments: &[&str]) -> Report {
    let run = home
        .run([&["adopt", "--json"], arguments].concat())
        .succeeded();
    let document: serde_json::Value = serde_json::from_str(run.text()).unwrap();
    let (mut moved, mut left) = (Vec::new(), 0);
    for finding in document["files"][0]["findings"].as_array().unwrap() {
        match (&finding["scope"], &finding["key"]) {
            (serde_json::Value::String(scope), serde_json::Value::String(key)) => {
                moved.push(format!("{scope}/{key}"));
            }
            _ => {
                let is_reference = finding["left"] == "it refers to a secret already";
                left += usize::from(!finding["reason"].is_null() && !is_reference);
            }
        }
    }
    assert_eq!(document["files"][0]["moved"], moved.len());
    Report { moved, left }
}

/// Adopts a file, checks all that must hold of any, and undoes it.
#[track_caller]
fn assert_moves(name: &str, bytes: &[u8], moved: &[&str], left: usize) {
    let home = Home::new();
    let path = home.root().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();

    // Looking changes nothing.
    let report = adopt(&home, &[name]);
    assert_eq!(report.moved, moved, "{name}");
    assert_eq!(report.left, left, "{name}");
    assert!(fs::read(&path).unwrap() == bytes, "{name}");
    assert!(!home.path("").exists(), "{name}");

    adopt(&home, &["--write", name]);
    let adopted = fs::read(&path).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o644);
    assert_eq!(adopted == bytes, moved.is_empty(), "{name}");
    for secret in moved {
        let (scope, key) = secret.split_once('/').unwrap();
        assert!(!home.get(scope, key).is_empty());
    }
    // Once adopted, there is nothing to do.
    let again = adopt(&home, &["--write", name]);
    assert_eq!(again.moved, [""; 0], "{name}");
    assert_eq!(again.left, left, "{name}");
    assert!(fs::read(&path).unwrap() == adopted, "{name}");

    home.run(["adopt", "--undo", name]).succeeded();
    let undone = fs::read(&path).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&undone),
        String::from_utf8_lossy(bytes),
        "{name}"
    );
    assert!(undone == bytes, "{name}");
    // What is moved again is the same as what the store has.
    let again = adopt(&home, &["--write", name]);
    assert_eq!(again.moved, moved, "{name}");
    assert!(fs::read(&path).unwrap() == adopted, "{name}");
}

#[test]
fn files_of_every_client_move_in_and_back() {
    for (name, moved, left) in FILES {
        assert_moves(name, config(name).as_bytes(), moved, left);
    }
}

/// The same, with other line ends, a byte order mark, and indentation by tabs.
#[test]
fn line_ends_marks_and_tabs_stay() {
    for (name, moved, left) in FILES {
        let text = config(name);
        let tabs = text.replace("  ", "\t");
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        // In TOML a carriage return has no place in a comment or before a list's end.
        if name.ends_with(".toml") {
            let crlf = text.replace('\n', "\r\n");
            assert_moves(name, crlf.as_bytes(), moved, left);
        } else {
            assert_moves(&format!("windows-{name}"), windows.as_bytes(), moved, left);
            assert_moves(&format!("tabs-{name}"), tabs.as_bytes(), moved, left);
        }
    }
}

/// F22, and nothing of a token in what is printed or anywhere but in the file.
#[test]
fn nothing_that_is_printed_has_a_value() {
    let long = &tokens()["long"];
    for (name, ..) in FILES {
        let home = Home::new();
        fs::write(home.root().join(name), config(name)).unwrap();
        for arguments in [
            &["adopt", name][..],
            &["adopt", name, "--write"],
            &["adopt", "--undo", name],
        ] {
            let run = home.run(arguments).succeeded();
            for (token, value) in tokens() {
                assert!(!run.text().contains(&value), "{name}: {token}");
                assert!(!run.stderr.contains(&value), "{name}: {token}");
            }
            assert!(!run.text().contains('\u{1b}'), "{name}");
        }
        fs::remove_file(home.root().join(name)).unwrap();
        home.assert_no_trace_of(long);
    }
}

/// What cannot be read is an error with its place, has no value, and changes nothing.
#[test]
fn what_is_no_configuration_is_told_and_left_alone() {
    let mark_16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, bytes, code, said) in [
        (
            "broken.json",
            config("broken.json").into_bytes(),
            2,
            "broken.json, line 3, column 96: expected comma",
        ),
        (
            "unterminated.json",
            config("unterminated.json").into_bytes(),
            2,
            "line 1, column 66: a string that is not JSON",
        ),
        (
            "broken.toml",
            config("broken.toml").into_bytes(),
            2,
            "broken.toml, line 3",
        ),
        (
            "no-servers.json",
            config("no-servers.json").into_bytes(),
            2,
            "it has no tool servers",
        ),
        (
            "list.json",
            config("list.json").into_bytes(),
            2,
            "it has no tool servers",
        ),
        ("empty.json", Vec::new(), 2, "it has no tool servers"),
        ("utf-16.json", mark_16, 2, "it is not UTF-8 text"),
        (
            "latin.json",
            b"{\"mcpServers\": {\"\xe4\": {}}}".to_vec(),
            2,
            "it is not UTF-8 text",
        ),
        ("deep.json", deep.into_bytes(), 2, "deep.json, line 1"),
    ] {
        let home = Home::new();
        fs::write(home.root().join(name), &bytes).unwrap();
        for arguments in [
            &["adopt", name][..],
            &["adopt", name, "--write"],
            &["adopt", "--undo", name],
        ] {
            let run = home.run(arguments).failed(code, &[said]);
            assert!(!run.stderr.contains(&tokens()["github"]), "{name}");
        }
        assert!(fs::read(home.root().join(name)).unwrap() == bytes, "{name}");
        assert!(!home.path("secrets.redb").exists(), "{name}");
    }
    let home = Home::new();
    home.run(["adopt", "none.json"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "none.json", "--write"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "--write"]).failed(2, &["<FILE>"]);
    fs::write(home.root().join("nothing.json"), config("nothing.json")).unwrap();
    let run = home.run(["adopt", "nothing.json", "--write"]).succeeded();
    assert!(
        run.stderr
            .contains("0 credentials to move; nothing changed"),
        "{}",
        run.stderr
    );
    let named = ["adopt", "nothing.json", "--server", "x"];
    home.run(named).failed(4, &["no server x in nothing.json"]);
}

/// A thousand servers, in one file.
#[test]
fn a_thousand_servers_move() {
    let token = &tokens()["github"];
    let servers: serde_json::Map<_, _> = (0..1000)
        .map(|at| {
            let entry = serde_json::json!({"command": "x", "args": ["-y"], "env": {"A_TOKEN": format!("{token}{at:04}"), "B": "c"}});
            (format!("server-{at:04}"), entry)
        })
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({"mcpServers": servers})).unwrap();
    let home = Home::new();
    fs::write(home.root().join("many.json"), &text).unwrap();
    let moved = adopt(&home, &["many.json", "--write"]).moved;
    assert_eq!(moved.len(), 1000);
    assert_eq!(
        home.get("server-0999", "A_TOKEN"),
        format!("{token}0999").into_bytes()
    );
    assert!(
        !fs::read_to_string(home.root().join("many.json"))
            .unwrap()
            .contains(token)
    );
    home.run(["adopt", "--undo", "many.json"]).succeeded();
    assert!(fs::read_to_string(home.root().join("many.json")).unwrap() == text);
}

#[test]
fn a_link_is_followed_and_stays_one() {
    let home = Home::new();
    let text = config("claude-desktop.json");
    fs::create_dir(home.root().join("dotfiles")).unwrap();
    let file = home.root().join("dotfiles/config.json");
    fs::write(&file, &text).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    symlink("dotfiles/config.json", home.root().join("link.json")).unwrap();
    home.run(["adopt", "link.json", "--write"]).succeeded();
    assert!(home.root().join("link.json").is_symlink());
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("mcplexer://github/")
    );
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    home.run(["adopt", "--undo", "link.json"]).succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(home.root().join("link.json").is_symlink());
}

/// What cannot be written is known before anything is stored. (To root everything is writable but what
/// is no directory.)
#[test]
fn a_file_that_cannot_be_replaced_keeps_its_values() {
    let home = Home::new();
    for place in ["/dev/null", "/proc/self/status"] {
        home.run(["adopt", place, "--write"])
            .failed(1, &["cannot write"]);
    }
    assert!(!home.path("secrets.redb").exists());
}

#[test]
fn a_file_in_a_directory_that_may_not_be_written_keeps_its_values() {
    if rustix::process::geteuid().is_root() {
        return skip("a user", "root is not refused to write");
    }
    let home = Home::new();
    let directory = home.root().join("closed");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("config.json"), config("claude-desktop.json")).unwrap();
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o500)).unwrap();
    home.run(["adopt", "closed/config.json", "--write"])
        .failed(1, &["cannot write"]);
    assert!(!home.path("secrets.redb").exists());
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
}

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

/// What a scope's redaction hints name is a credential, though nothing else says so.
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

/// Gemini CLI replaces `$name` as well; what it does not, moves.
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

/// What was written by hand is left as it is by undoing; so is a command that was run before.
#[test]
fn undoing_leaves_what_was_written_by_hand() {
    let home = Home::new();
    fs::write(home.root().join("odd.json"), config("odd.json")).unwrap();
    home.run(["adopt", "odd.json", "--write"]).succeeded();
    let adopted = fs::read_to_string(home.root().join("odd.json")).unwrap();
    for (part, times) in [
        ("\"args\": [\"run\", \"srv\"]", 2),
        ("mcplexer://byhand/K_TOKEN\"", 2),
        ("mcplexer://by-hand-too/L_TOKEN?moved\"", 1),
        ("mcplexer://variable/PASSWORD?adopted\"", 1),
    ] {
        assert_eq!(adopted.matches(part).count(), times, "{part} in {adopted}");
    }
    // No secret byhand/K_TOKEN is needed for it.
    let run = home.run(["adopt", "--undo", "odd.json"]).succeeded();
    assert!(
        run.stderr.starts_with(
            "put 2 values back into odd.json, in plaintext; 1 server starts without mcplexer again\n"
        ),
        "{}",
        run.stderr
    );
    let undone = fs::read_to_string(home.root().join("odd.json")).unwrap();
    assert_eq!(undone, config("odd.json"));
}

/// Where a value stands besides is told, with its line and nothing of it.
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

/// Several adopt at once, each with another value for one name: each goes to a scope of its own.
#[test]
fn adoptions_at_once_do_not_get_in_each_others_way() {
    let home = Home::new();
    home.run(["key", "init"]).succeeded();
    let children: Vec<_> = (0..6)
        .map(|at| {
            let name = format!("{at}.json");
            let text = config("minified.json").replace("ghp_", &format!("ghp_{at}"));
            fs::write(home.root().join(&name), text).unwrap();
            let mut command = home.command();
            command
                .args(["-q", "adopt", &name, "--write"])
                .stdout(std::process::Stdio::null());
            Running::start(&mut command).unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    let scopes = home.run(["scope", "list"]).succeeded();
    assert_eq!(scopes.text(), "a\na-2\na-3\na-4\na-5\na-6\nb\n");
}

/// A pipe is not waited for, neither as the file nor beside it.
#[test]
fn a_pipe_is_no_configuration() {
    let home = Home::new();
    let pipe = |name: &str| {
        let made = finish(home.command_of("mkfifo".as_ref()).arg(name));
        made.succeeded();
    };
    pipe(".mcp.json");
    home.run(["adopt", ".mcp.json"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt", ".mcp.json", "--write"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt"]).failed(1, &["cannot read .mcp.json"]);
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    pipe(".c.json-abcdef.mcplexer-new");
    fs::create_dir(home.root().join(".c.json-ghijkl.mcplexer-new")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
}

/// What is named and not there is a mistake; a name that the shell would split is quoted in a hint.
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
    // Another name of the file keeps the old text, which is said.
    fs::hard_link(home.root().join("a b.json"), home.root().join("other")).unwrap();
    let run = home.run(["adopt", "a b.json", "--write"]).succeeded();
    assert!(
        run.stderr.contains("has other names (hard links)"),
        "{}",
        run.stderr
    );
}

/// A scope that has another value of the name is left alone; one that has the same is used.
#[test]
fn what_the_store_has_is_not_overwritten() {
    let home = Home::new();
    let name = ["github", "GITHUB_PERSONAL_ACCESS_TOKEN"];
    home.run(["secret", "put", name[0], name[1], "another"])
        .succeeded();
    let slack = &tokens()["slack"];
    home.run(["secret", "put", "slack", "SLACK_BOT_TOKEN", slack])
        .succeeded();
    home.run(["scope", "create", "github-2", "--kind", "header"])
        .succeeded();
    fs::write(home.root().join("c.json"), config("claude-desktop.json")).unwrap();
    let report = adopt(&home, &["c.json", "--write"]);
    assert_eq!(
        report.moved,
        [
            "github-3/GITHUB_PERSONAL_ACCESS_TOKEN",
            "slack/SLACK_BOT_TOKEN"
        ]
    );
    assert_eq!(
        home.get("github", "GITHUB_PERSONAL_ACCESS_TOKEN"),
        b"another"
    );
    let list = home.run(["secret", "list", "slack", "--json"]).succeeded();
    assert!(list.text().contains("\"version\": 1"), "{}", list.text());
}

/// Each server starts as the file says, with its values in its environment and nothing of mcplexer.
#[test]
fn adopted_servers_start_with_their_values() {
    let home = Home::new();
    let stand_in = home.root().join("server");
    let script = "#!/bin/sh\necho \"$@\" > \"$HOME/given\"; env > \"$HOME/env\"\n";
    write_program(&stand_in, script);
    let text = config("empty-args.json").replace("-mcp\"", "\"");
    let text = ["a", "b", "c", "d", "e"].iter().fold(text, |text, name| {
        text.replace(
            &format!("\"command\": \"{name}\""),
            &format!("\"command\": \"{}\"", stand_in.display()),
        )
    });
    fs::write(home.root().join("c.json"), text).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
    let adopted = fs::read_to_string(home.root().join("c.json")).unwrap();
    let adopted = adopted.replace("/* none */", "");
    let document: serde_json::Value = serde_json::from_str(&adopted).unwrap();
    for (name, entry) in document["mcpServers"].as_object().unwrap() {
        assert_eq!(entry["command"], BINARY);
        let arguments = entry["args"].as_array().unwrap();
        let mut server = home.command_of(entry["command"].as_str().unwrap().as_ref());
        for (variable, value) in entry["env"].as_object().unwrap() {
            server.env(variable, value.as_str().unwrap());
        }
        finish(server.args(arguments.iter().map(|it| it.as_str().unwrap()))).succeeded();
        let env = fs::read_to_string(home.root().join("env")).unwrap();
        let expected = format!("{}_TOKEN={}\n", name.to_uppercase(), tokens()["github"]);
        assert!(
            env.contains(&expected) && !env.contains("mcplexer"),
            "{env}"
        );
    }
}

#[test]
fn undoing_keeps_options_that_were_given_since() {
    let home = Home::new();
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
    let path = home.root().join("c.json");
    let text = fs::read_to_string(&path).unwrap();
    let edited = text.replace("\"run\", \"a-mcp\"", "\"run\", \"--mask\", \"a-mcp\"");
    assert_ne!(edited, text);
    fs::write(&path, edited).unwrap();
    let run = home.run(["adopt", "--undo", "c.json"]).succeeded();
    assert!(
        run.stderr.contains("a still starts through mcplexer run"),
        "{}",
        run.stderr
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("--mask") && text.contains("\"command\":\"b-mcp\"}"),
        "{text}"
    );
    assert!(text.contains(&tokens()["github"]), "{text}");
    // A secret that is gone is an error, and nothing changes.
    fs::write(&path, config("minified.json")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
    home.run(["secret", "delete", "b", "B_TOKEN"]).succeeded();
    let text = fs::read_to_string(&path).unwrap();
    home.run(["adopt", "--undo", "c.json"]).failed(
        4,
        &["c.json, line 1, column", "no secret B_TOKEN in scope b"],
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    // Of the other server it can be undone.
    home.run(["adopt", "--undo", "c.json", "--server", "a"])
        .succeeded();
    assert!(
        fs::read_to_string(&path)
            .unwrap()
            .contains("\"command\":\"a-mcp\",\"args\":[\"-x\"]")
    );
}

/// Without a file, each client's is looked at, and none is changed.
#[test]
fn every_client_is_looked_for() {
    let home = Home::new();
    let run = home.run(["adopt"]).succeeded();
    assert!(
        run.stderr
            .contains("found no MCP servers in the usual places (Claude Desktop"),
        "{}",
        run.stderr
    );
    let places = [
        (".cursor/mcp.json", "cursor.json"),
        (".codex/config.toml", "codex.toml"),
        (".gemini/settings.json", "no-servers.json"),
        (".vscode/mcp.json", "broken.json"),
    ];
    for (place, name) in places {
        let path = home.root().join(place);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, config(name)).unwrap();
    }
    let run = home.run(["adopt"]);
    // One of them cannot be read.
    assert_eq!(run.code, 2);
    for said in [
        "~/.cursor/mcp.json (Cursor)\n",
        "~/.codex/config.toml (Codex)\n",
        "→ jira/JIRA_API_TOKEN\n",
    ] {
        assert!(run.text().contains(said), "{}", run.text());
    }
    assert!(!run.text().contains("gemini"), "{}", run.text());
    for said in [
        "error: .vscode/mcp.json, line 3",
        "hint: mcplexer adopt ~/.cursor/mcp.json --write\n",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
    for (place, name) in places {
        assert_eq!(
            fs::read_to_string(home.root().join(place)).unwrap(),
            config(name)
        );
    }
    assert!(!home.path("").exists());
}

/// F28, F31: killed after any operation, nothing is lost, and running it again finishes.
#[test]
fn killed_anywhere_it_is_finished_by_running_it_again() {
    let text = config("claude-desktop.json");
    for undo in [false, true] {
        let way: &[&str] = if undo {
            &["adopt", "--undo", "c.json"]
        } else {
            &["adopt", "c.json", "--write"]
        };
        let mut deaths = 0;
        for at in 1.. {
            let home = Home::new();
            let path = home.root().join("c.json");
            fs::write(&path, &text).unwrap();
            if undo {
                home.run(["adopt", "c.json", "--write"]).succeeded();
            }
            let before = fs::read_to_string(&path).unwrap();
            let died = finish(crashing(&home, at).args(way)).code != 0;
            let after = fs::read_to_string(&path).unwrap();
            if after == before {
                home.run(way).succeeded();
            }
            let adopted = fs::read_to_string(&path).unwrap();
            if undo {
                assert_eq!(adopted, text, "at {at}");
            } else {
                assert!(
                    adopted.contains("mcplexer://slack/SLACK_BOT_TOKEN?adopted"),
                    "at {at}"
                );
                assert_eq!(
                    home.get("slack", "SLACK_BOT_TOKEN"),
                    tokens()["slack"].as_bytes()
                );
                home.run(["adopt", "--undo", "c.json"]).succeeded();
                assert_eq!(fs::read_to_string(&path).unwrap(), text, "at {at}");
            }
            let left = fs::read_dir(home.root()).unwrap();
            let left = left.filter(|it| {
                it.as_ref()
                    .unwrap()
                    .file_name()
                    .to_string_lossy()
                    .ends_with("-new")
            });
            assert_eq!(left.count(), 0, "at {at}");
            if !died {
                break;
            }
            deaths += 1;
        }
        assert!(deaths > 3, "{deaths} deaths");
        eprintln!(
            "adopt{}: {deaths} deaths",
            if undo { " --undo" } else { "" }
        );
    }
}
