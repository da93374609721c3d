//! What the command says of itself: manual pages, completions, JSON and variables.

use test_support::tool;

use super::*;

/// Each shell parses its completions, without running them.
#[test]
fn completions_are_scripts_of_their_shell() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let Some(program) = tool(shell) else { continue };
        let script = home.run(["completions", shell]).succeeded();
        fs::write(home.root().join(shell), script.stdout).unwrap();
        let mut command = home.command_of(&program);
        let parsed = finish(command.args(["-n", shell])).succeeded();
        assert_eq!(parsed.stderr, "", "{shell}");
    }
}

/// F48: every documented mode works.
#[test]
fn completions_and_manual_pages_are_made_for_every_command() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = home.run(["completions", shell]).succeeded();
        assert!(script.text().contains("mcplexer"), "{shell}");
        for hidden in ["run-in-session", "exit-codes"] {
            assert!(!script.text().contains(hidden), "{hidden} in {shell}");
        }
    }
    for command in [
        &["help", "run-in-session"][..],
        &["man", "run-in-session"],
        &["run-in-session"],
        &["run-in-session", "--help"],
    ] {
        home.run(command)
            .failed(2, &["mcplexer has no such command"]);
    }
    assert!(
        home.run(["man"])
            .succeeded()
            .text()
            .contains(".TH mcplexer")
    );
    let page = home.run(["man", "secret", "put"]).succeeded();
    assert!(page.text().contains("\\-\\-if\\-version"));
    assert!(page.text().contains("\"mcplexer 0."), "{}", page.text());
    let page = home.run(["man", "import"]).succeeded();
    assert!(
        page.text()
            .contains(".nf\nFormats, by the file's name:\n  dotenv  .env")
    );
    let page = home.run(["man", "key"]).succeeded();
    assert!(page.text().contains(".TP\nmcplexer key init\nCreate a key"));
    assert!(!page.text().contains("(1)"), "{}", page.text());
    home.run(["man", "nothing"])
        .failed(2, &["no command mcplexer nothing"]);
    for help in [&["help", "exit-codes"][..], &["exit-codes"]] {
        let codes = home.run(help).succeeded();
        for code in 0..=8 {
            assert!(codes.text().contains(&format!("\n  {code}  ")), "{code}");
        }
    }
}

#[test]
fn json_has_the_documented_shapes() {
    let home = Home::with_secret("v");
    let member = |arguments: &[&str], member: &str| {
        let run = home.run(arguments).succeeded();
        let document: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
        document.pointer(member).cloned().unwrap_or_default()
    };
    let list = ["secret", "list", "github-token", "--json"];
    assert_eq!(member(&list, "/scope"), "github-token");
    assert_eq!(member(&list, "/secrets/0/name"), "TOKEN");
    assert_eq!(member(&list, "/secrets/0/version"), 1);
    assert_eq!(
        member(&["secret", "list", "--json"], "/scopes/0/kind"),
        "env"
    );
    assert_eq!(member(&["scope", "list", "--json"], "/scopes/0/secrets"), 1);
    let show = ["scope", "show", "github-token", "--json"];
    assert_eq!(member(&show, "/id"), "github-token");
    assert_eq!(member(&show, "/secrets/0/name"), "TOKEN");
    let key = ["key", "show", "--json"];
    assert_eq!(member(&key, "/slots/0/opens"), true);
    assert_eq!(
        member(&key, "/recipients/0"),
        member(&key, "/slots/0/recipient")
    );
    let audit = ["audit", "show", "--json", "--last", "1"];
    assert_eq!(member(&audit, "/lines/0/operation"), "list");
    assert_eq!(member(&["audit", "verify", "--json"], "/sealed"), 1);
}

/// F16 and `MCPLEXER_AUDIT`: the environment sets every path.
#[test]
fn the_environment_names_home_key_and_log() {
    let home = Home::new();
    let with = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = home.command();
        command.envs(variables.iter().copied()).args(arguments);
        finish(&mut command)
    };
    let put = ["secret", "put", "s", "K", "v"];
    let get = ["secret", "get", "s", "K"];
    let other_log = home.root().join("other.log");
    let moved = [
        ("MCPLEXER_HOME", "~/here"),
        ("MCPLEXER_AGE_KEY", "~/keys/mine.key"),
    ];
    with(&moved, &put).succeeded();
    assert!(home.root().join("here/secrets.redb").exists());
    assert!(home.root().join("keys/mine.key").exists());
    assert!(!home.root().join("here/age.key").exists());
    assert_eq!(with(&moved, &get).succeeded().stdout, b"v");
    with(&moved[..1], &get).failed(5, &["here/age.key does not exist"]);

    let key = fs::read_to_string(home.root().join("keys/mine.key")).unwrap();
    let inline = [moved[0], ("MCPLEXER_AGE_IDENTITY", key.as_str())];
    assert_eq!(with(&inline, &get).succeeded().stdout, b"v");
    let shown = with(&inline, &["key", "show"]).succeeded();
    assert!(shown.text().contains("MCPLEXER_AGE_IDENTITY"));
    assert!(!shown.text().contains("SECRET-KEY"));
    with(&[inline[0], inline[1], moved[1]], &get).failed(2, &["both set"]);

    let log = home.root().join("here/audit.log");
    let before = fs::read(&log).unwrap();
    with(&[inline[0], inline[1], ("MCPLEXER_AUDIT", "off")], &get).succeeded();
    let told = with(&[inline[0], inline[1], ("MCPLEXER_AUDIT", "stderr")], &get).succeeded();
    assert!(told.stderr.contains("\"op\":\"get\""), "{}", told.stderr);
    assert!(fs::read(&log).unwrap() == before, "a line went to the file");
    with(
        &[
            inline[0],
            inline[1],
            ("MCPLEXER_AUDIT", other_log.to_str().unwrap()),
        ],
        &get,
    )
    .succeeded();
    assert!(other_log.exists());
    with(
        &[inline[0], ("MCPLEXER_AUDIT", "off")],
        &["audit", "verify"],
    )
    .failed(2, &["does not name a file"]);
}
