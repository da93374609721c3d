//! Every client's files: adopting and undoing restores each byte for byte.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::{adopt, config, tokens};
use crate::home::Home;

/// For each file, the values that move and the number of credentials that stay.
const FILES: [(&str, &[&str], usize); 34] = [
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
    ("arguments.json", &["header/AUTHORIZATION"], 3),
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
    (
        "opencode.jsonc",
        &["github/GITHUB_PERSONAL_ACCESS_TOKEN", "lines/OTHER_TOKEN"],
        2,
    ),
    ("opencode-v2.json", &["alone/A_TOKEN"], 0),
    ("crush.json", &["github/GITHUB_PERSONAL_ACCESS_TOKEN"], 0),
    ("amp.json", &["sentry/SENTRY_ACCESS_TOKEN"], 0),
    ("vscode-dotted.json", &["a/T_TOKEN"], 0),
    (
        "warp-bare.json",
        &["github/GITHUB_PERSONAL_ACCESS_TOKEN"],
        0,
    ),
    (
        "goose.yaml",
        &[
            "github/GITHUB_PERSONAL_ACCESS_TOKEN",
            "quoted/A_TOKEN",
            "quoted/B_TOKEN",
            "bare/C_TOKEN",
            "empty/D_PASSWORD",
        ],
        0,
    ),
    (
        "continue.yaml",
        &[
            "github/GITHUB_PERSONAL_ACCESS_TOKEN",
            "2/B_TOKEN",
            "third/KEY",
            "third/KEY_2",
        ],
        1,
    ),
    ("librechat.yaml", &["github/B_TOKEN", "shared/D_TOKEN"], 4),
    ("multi-line.toml", &["a/PEM", "a/PEM_2", "a/PEM_3"], 0),
];

/// Adopts a file, checks what must hold for every file, and undoes it.
#[track_caller]
fn assert_moves(name: &str, bytes: &[u8], moved: &[&str], left: usize) {
    let home = Home::new();
    let path = home.root().join(name);
    fs::write(&path, bytes).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();

    // Without --write, nothing changes.
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
    // In an adopted file there is nothing left to do.
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
    // Adopting again moves the same values, which the store already has.
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

/// The same, with other line ends, a byte order mark, and tab indentation.
#[test]
fn line_ends_marks_and_tabs_stay() {
    for (name, moved, left) in FILES {
        let text = config(name);
        // Lines of YAML cannot begin with a tab.
        let tabs = match name.ends_with(".yaml") {
            true => text.clone(),
            false => text.replace("  ", "\t"),
        };
        let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        // TOML does not allow a carriage return in a comment or before the end of a list.
        if name.ends_with(".toml") {
            let crlf = text.replace('\n', "\r\n");
            assert_moves(name, crlf.as_bytes(), moved, left);
        } else {
            assert_moves(&format!("windows-{name}"), windows.as_bytes(), moved, left);
            assert_moves(&format!("tabs-{name}"), tabs.as_bytes(), moved, left);
        }
    }
}

/// F22: no part of a token is printed, or written anywhere but to the file itself.
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

/// Without a file argument, `adopt` looks at every client's file and changes none.
#[test]
fn every_client_is_looked_for() {
    let home = Home::new();
    let run = home.run(["adopt"]).succeeded();
    for said in [
        "looked in 1",
        " places for 33 clients\n",
        "found no MCP servers there\n",
        "hint: mcplexer adopt --places lists them\n",
    ] {
        assert!(run.stderr.contains(said), "{}", run.stderr);
    }
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
    // One of the files cannot be read.
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
