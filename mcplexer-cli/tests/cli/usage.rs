//! Invalid input: exit 2, a helpful message, and nothing stored.

use std::fs;
use std::os::unix::fs::symlink;

use test_support::tool;

use super::home::{Home, Run, finish};

/// Checks that the command line was refused without repeating anything that may be a value.
#[track_caller]
pub(super) fn assert_refused(run: &Run) {
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(!run.stderr.contains("ghp_"), "{}", run.stderr);
    assert!(
        run.stderr.starts_with("mcplexer: error: "),
        "{}",
        run.stderr
    );
}

/// F03: no argument is dropped.
#[test]
fn a_value_in_pieces_is_refused_and_not_repeated() {
    let home = Home::new();
    let pieces: [&[&str]; 10] = [
        &["api", "K", "-hghp_x"],
        &["api", "K", "-qhghp_x"],
        &["api", "Authorization", "Bearer", "ghp_x"],
        &["api", "K", "-ghp_x"],
        &["api", "K", "--ghp_x"],
        &["api", "K", "--value=ghp_x"],
        &["api", "K", "--create=ghp_x"],
        &["api", "K", "--newline", "ghp_x"],
        &["api", "K", "--if-version", "ghp_x"],
        &["api", "ghp_x=y", "z"],
    ];
    for arguments in pieces {
        assert_refused(&home.run(["secret", "put"].iter().chain(arguments)));
    }
    assert_eq!(home.files().len(), 0, "something was stored");
}

/// F18: key names are checked at the edge.
#[test]
fn a_name_that_cannot_be_one_is_refused() {
    let home = Home::new();
    let long_id = "x".repeat(65);
    let long_name = "x".repeat(129);
    for (scope, key, said) in [
        (
            "GitHub",
            "K",
            "scope id has 'G' at character 1; it is 1 to 64 of a-z",
        ),
        ("", "K", "empty scope id"),
        ("a\nb", "K", "scope id has '\\n' at character 2"),
        (long_id.as_str(), "K", "65 bytes is too long"),
        ("s", "", "empty secret name"),
        ("s", "a\nb", "secret name has '\\n' at character 2"),
        (
            "s",
            "9K",
            "secret name in an env scope has '9' at character 1",
        ),
        ("s", "X-Api-Key", "secret name in an env scope has '-'"),
        ("s", long_name.as_str(), "129 bytes is too long"),
    ] {
        home.run(["secret", "put", scope, key, "v"])
            .failed(2, &[said, "hint: mcplexer "]);
    }
    assert!(!home.path("age.key").exists() || home.run(["secret", "list"]).text().is_empty());
    home.run(["scope", "create", "api", "--kind", "header"])
        .succeeded();
    home.run(["secret", "put", "api", "X-Api-Key", "v"])
        .succeeded();
    assert_eq!(home.get("api", "X-Api-Key"), b"v");
}

/// F34: a missing scope or secret is exit 4.
#[test]
fn what_is_not_there_is_named_and_what_may_be_meant_is_suggested() {
    let home = Home::with_secret("v");
    home.run(["secret", "get", "github-tokn", "TOKEN"]).failed(
        4,
        &["no scope github-tokn", "hint: did you mean github-token?"],
    );
    home.run(["secret", "get", "github-token", "TOKE"]).failed(
        4,
        &[
            "no secret TOKE in scope github-token",
            "did you mean TOKEN?",
        ],
    );
    home.run(["secret", "get", "github-token", "OTHER"])
        .failed(4, &["mcplexer secret list github-token"]);
    home.run(["secret", "list", "zzz"])
        .failed(4, &["no scope zzz", "mcplexer scope list"]);
    home.run(["secret", "delete", "github-token", "X"])
        .failed(4, &["no secret X"]);
    home.run(["scope", "show", "zzz"])
        .failed(4, &["no scope zzz"]);
    home.run(["scope", "delete", "zzz", "--force"])
        .failed(4, &["no scope zzz"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
    let empty = Home::new();
    empty
        .run(["secret", "get", "s", "K"])
        .failed(4, &["no scope s", "there is no store in ~/.mcplexer"]);
    assert_eq!(empty.files().len(), 0, "asking made something");
}

#[test]
fn what_is_there_is_not_made_again() {
    let home = Home::with_secret("v");
    home.run(["scope", "create", "github-token"])
        .failed(8, &["already exists"]);
    home.run(["key", "init"])
        .failed(8, &["already exists", "mcplexer key show"]);
    let fresh = Home::new();
    let made = fresh.run(["key", "init"]).succeeded();
    assert!(made.stderr.contains("Created your key ~/.mcplexer/age.key"));
    assert!(fresh.run(["secret", "list"]).succeeded().text().is_empty());
}

/// F37: no command waits for an answer.
#[test]
fn without_a_terminal_a_question_fails() {
    let home = Home::with_secret("v");
    home.run(["scope", "delete", "github-token"])
        .failed(2, &["needs a confirmation", "--force"]);
    home.run(["secret", "list", "--bogus"])
        .failed(2, &["--bogus"]);
    home.run(["scope", "create", "s", "--name", "\u{1b}[2J"])
        .failed(2, &["display name"]);
    home.run(["secret", "put", "s", "K", "--file", "missing"])
        .failed(1, &["cannot read", "missing"]);
    home.run(["secret", "put", "s", "K", "--file", "."])
        .failed(1, &["cannot read"]);
    assert_eq!(home.get("github-token", "TOKEN"), b"v");
}

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
        home.run(command).failed(2, &["run-in-session"]);
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
fn quiet_says_nothing_but_errors() {
    let home = Home::new();
    let put = home.run(["-q", "secret", "put", "s", "K", "v"]).succeeded();
    assert_eq!(put.stderr, "");
    home.run(["secret", "get", "s", "X", "--quiet"])
        .failed(4, &["no secret X"]);
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

#[test]
fn a_command_that_does_not_exist_leads_to_the_one_that_was_meant() {
    let home = Home::with_secret("v");
    for (typed, meant) in [
        (&["list"][..], "mcplexer secret list"),
        (&["ls"], "mcplexer secret list"),
        (&["rm", "a", "b"], "mcplexer secret delete"),
        (&["recover"], "mcplexer key recover"),
        (&["secret", "pt", "a", "b"], "mcplexer secret put"),
        (&["-q", "show"], "mcplexer secret get"),
        (&["get", "github", "TOKEN"], "mcplexer secret get"),
        (&["read", "github/TOKEN"], "mcplexer secret get"),
        (&["set", "github", "TOKEN"], "mcplexer secret put"),
        (&["add", "github", "TOKEN"], "mcplexer secret put"),
        (&["put", "github", "TOKEN"], "mcplexer secret put"),
        (&["remove", "a"], "mcplexer secret delete"),
        (&["env"], "mcplexer run"),
        // What gh, op, pass, gopass, sops and shells call it.
        (&["insert", "github/TOKEN"], "mcplexer secret put"),
        (&["secrets"], "mcplexer secret"),
        (&["secrets", "list"], "mcplexer secret list"),
        (&["secrte", "ls"], "mcplexer secret list"),
        (&["item", "get", "x"], "mcplexer secret get"),
        (&["vault", "list"], "mcplexer scope list"),
        (&["cat", "github/TOKEN"], "mcplexer secret get"),
        (&["grep", "x"], "mcplexer secret find"),
        (&["cp", "a", "b"], "mcplexer secret copy"),
        (&["mv", "a", "b"], "mcplexer secret move"),
        (&["edit", "a"], "mcplexer secret edit"),
        (&["generate", "a"], "mcplexer secret generate"),
        (&["exec-env", "f", "x"], "mcplexer run"),
        (&["decrypt", "f"], "mcplexer export"),
        (&["updatekeys", "f"], "mcplexer key"),
        (&["keygen"], "mcplexer key init"),
        (&["log"], "mcplexer audit show"),
        (&["calsl"], "mcplexer calls"),
        (&["inti"], "mcplexer init"),
        (&["verison"], "mcplexer version"),
        (&["secret", "update", "a", "b"], "mcplexer secret put"),
        (&["secret", "run", "a"], "mcplexer run"),
        (&["scope", "add", "a"], "mcplexer scope create"),
        (&["key", "generate"], "mcplexer key init"),
        (&["key", "rm", "a"], "mcplexer key remove"),
        (&["audit", "log"], "mcplexer audit show"),
        (&["backup", "check", "a"], "mcplexer backup verify"),
        (&["config", "validate"], "mcplexer config check"),
    ] {
        home.run(typed)
            .failed(2, &[&format!("hint: did you mean {meant}?")]);
    }
    for typed in ["login", "signin", "unlock"] {
        home.run([typed])
            .failed(2, &["the key file opens the store"]);
    }
    // Nothing is like it: no guess is better than a bad one.
    let run = home.run(["otp"]).failed(2, &["no command mcplexer otp"]);
    assert_eq!(run.stderr.matches("hint: ").count(), 1, "{}", run.stderr);
    home.run(["secret", "rm", "github-token", "TOKEN"])
        .succeeded();
    home.run(["secret", "ls", "github-token"]).succeeded();
    home.run(["scope", "rm", "github-token", "--force"])
        .succeeded();
    assert_eq!(home.run(["scope", "ls"]).succeeded().text(), "");
}

#[test]
fn a_secret_can_be_named_in_one_word() {
    let home = Home::new();
    home.run(["secret", "put", "tls/K", "v1"]).succeeded();
    home.run(["secret", "put", "mcplexer://tls/K", "v2"])
        .succeeded();
    for command in ["get", "edit --note 'x'", "restore --version 1", "history"] {
        let words = command.split(' ');
        let arguments = ["secret"].into_iter().chain(words).chain(["tls/K"]);
        home.run(arguments).succeeded();
    }
    let get = home.run(["secret", "get", "tls/K"]).succeeded();
    assert_eq!(get.text(), "v1");
    home.run(["secret", "get", "tls/"])
        .failed(2, &["scope id has '/' at character 4"]);
    home.run(["secret", "rm", "tls/K"]).succeeded();
    home.run(["secret", "get", "tls/K"])
        .failed(4, &["no secret K in scope tls"]);
}

#[test]
fn what_is_wrong_with_an_argument_is_told_with_what_is_wanted() {
    let home = Home::with_secret("v");
    home.run(["secret", "put", "tls", "K", "v"]).succeeded();
    home.run(["secret", "get", "tsl", "K"])
        .failed(4, &["did you mean tls?"]);
    let get = home.run(["secret", "get"]);
    get.failed(2, &["were not provided: <SCOPE> <KEY>"]);
    for arguments in [
        &["audit", "show", "--last", "x"][..],
        &["secret", "put", "s", "K", "v", "--if-version", "x"],
    ] {
        home.run(arguments)
            .failed(2, &[" takes a number, such as 3"]);
    }
    fs::write(home.root().join("plain"), "A=b").unwrap();
    for file in ["shop.env", "./shop.env", ".env", "plain"] {
        let import = home.run(["import", file]);
        import.failed(2, &[&format!("hint: mcplexer import SCOPE {file}")]);
    }
    let import = ["import", "shop.env", "--format", "dotenv"];
    home.pipe(import, b"A=b").succeeded();
}

#[test]
fn a_file_that_is_not_there_is_called_as_everywhere_else() {
    let home = Home::with_secret("v");
    home.run(["backup", "verify", "nope.age"])
        .failed(1, &["cannot read nope.age: No such file or directory"]);
    let create = home.run(["backup", "create", "nope/x.age"]);
    let create = create.failed(1, &["cannot write nope/x.age: No such file or directory"]);
    assert!(!create.stderr.contains("mcplexer-new"), "{}", create.stderr);
}

/// T11: the log is not another file of the home, which would wait for itself or be taken for a damaged log.
#[test]
fn an_audit_log_that_is_the_store_or_the_key_is_refused() {
    let home = Home::with_secret("v");
    fs::hard_link(home.path("secrets.redb"), home.path("linked")).unwrap();
    for (file, what) in [
        ("secrets.redb", "the store"),
        ("linked", "the store"),
        ("age.key", "the key file"),
    ] {
        let before = fs::read(home.path(file)).unwrap();
        let mut command = home.command();
        command.env("MCPLEXER_AUDIT", home.path(file));
        finish(command.args(["secret", "put", "s", "K", "w"])).failed(
            2,
            &[
                &format!("{file} is the same file as {what}"),
                "name another file with MCPLEXER_AUDIT",
            ],
        );
        assert_eq!(fs::read(home.path(file)).unwrap(), before, "{file}");
    }
    // The log of the home itself, put there as a link.
    for (is_symbolic, same) in [
        (true, "audit.log is the same file as the store"),
        (false, "age.key is the same file as the audit log"),
    ] {
        let home = Home::with_secret("v");
        fs::remove_file(home.path("audit.log")).unwrap();
        match is_symbolic {
            true => symlink("secrets.redb", home.path("audit.log")).unwrap(),
            false => fs::hard_link(home.path("age.key"), home.path("audit.log")).unwrap(),
        }
        for command in [
            "secret list",
            "secret put s K w",
            "audit verify",
            "key accept",
        ] {
            home.run(command.split(' ')).failed(2, &[same]);
        }
    }
}

/// Public fault: openshift/installer#1821. No shell has read a variable of a systemd unit or an AI client.
#[test]
fn a_path_does_not_depend_on_the_working_directory() {
    let home = Home::new();
    for directory in ["one", "two"] {
        fs::create_dir(home.root().join(directory)).unwrap();
    }
    let run = |directory: &str, variable: &str, path: &str, arguments: &[&str]| {
        let mut command = home.command();
        command.current_dir(home.root().join(directory));
        finish(command.env(variable, path).args(arguments))
    };
    let (put, get) = (
        ["secret", "put", "s", "K", "v"],
        ["secret", "get", "s", "K"],
    );
    for (variable, path, made) in [
        ("MCPLEXER_HOME", "~/x/y", "x/y/secrets.redb"),
        ("MCPLEXER_AGE_KEY", "~/k.key", "k.key"),
        ("MCPLEXER_AUDIT", "~/a.log", "a.log"),
    ] {
        run("one", variable, path, &put).succeeded();
        assert_eq!(run("two", variable, path, &get).succeeded().stdout, b"v");
        assert!(home.root().join(made).exists(), "{made}");
        let _ended = fs::remove_dir_all(home.path(""));
    }
    for variable in [
        "MCPLEXER_HOME",
        "MCPLEXER_AGE_KEY",
        "MCPLEXER_AUDIT",
        "HOME",
    ] {
        for path in ["x", "./x", "~root/x", "~+", "$HOME/x"] {
            run("one", variable, path, &put).failed(2, &[variable, path, "begins with / or ~/"]);
        }
    }
    for directory in ["one", "two"] {
        let mut made = fs::read_dir(home.root().join(directory)).unwrap();
        assert!(made.next().is_none());
    }
}

/// Services often run with the home `/nonexistent`.
#[test]
fn the_home_directory_of_the_user_is_not_made() {
    let home = Home::new();
    let none = home.root().join("none");
    for (variable, path) in [
        ("MCPLEXER_HOME", "".to_owned()),
        ("MCPLEXER_HOME", "~/m".to_owned()),
        ("MCPLEXER_HOME", none.join("deep/m").display().to_string()),
    ] {
        let mut command = home.command();
        command.env("HOME", &none).env(variable, path);
        finish(command.args(["secret", "put", "s", "K", "v"]))
            .failed(2, &["does not exist", "MCPLEXER_HOME"]);
        assert!(!none.exists());
    }
    let mut command = home.command();
    command
        .env("HOME", &none)
        .env("MCPLEXER_HOME", home.root().join("m"));
    finish(command.args(["secret", "put", "s", "K", "v"])).succeeded();
}

/// A mistyped `off` is noticed.
#[test]
fn a_new_audit_log_is_told_and_its_directory_is_not_made() {
    let home = Home::with_secret("v");
    let run = |log: &str| {
        let get = ["secret", "get", "github-token", "TOKEN"];
        finish(home.command().env("MCPLEXER_AUDIT", log).args(get))
    };
    run("~/nope/a").failed(2, &["MCPLEXER_AUDIT names ~/nope/a", "does not exist"]);
    assert!(!home.root().join("nope").exists());
    run("of").failed(2, &["MCPLEXER_AUDIT names of"]);
    let told = run("~/log").succeeded().stderr;
    assert_eq!(
        told,
        "created the audit log ~/log, which MCPLEXER_AUDIT names\n"
    );
    assert_eq!(run("~/log").succeeded().stderr, "");
}

/// The advice is about the command that was typed, and repeats no word that may be a value.
#[test]
fn mistyped_options_and_missing_dashes_are_recognised() {
    let home = Home::new();
    for (arguments, said, unsaid) in [
        (
            &["secret", "put", "s", "K", "--flie", "nope.pem"][..],
            "did you mean --file?",
            "flie",
        ),
        (
            &["secret", "put", "s", "K", "v", "hunter2"],
            "at most one VALUE",
            "did you mean",
        ),
        (
            &["server", "add", "foo", "bar"],
            "mcplexer server add NAME -- COMMAND",
            "as a value",
        ),
        (
            &["server", "add", "foo", "--ulr", "http://x"],
            "did you mean --url?",
            "as a value",
        ),
        (
            &["server", "add", "wd", "--directory", "/nope", "--", "x"],
            "is written into config.yaml",
            "as a value",
        ),
    ] {
        let run = home.run(arguments).failed(2, &[said]);
        assert!(!run.stderr.contains(unsaid), "{}", run.stderr);
    }
    let run = home.run(["serve", "--stop"]);
    if cfg!(feature = "serve") {
        assert_eq!(run.code, 4);
        assert!(!run.stderr.contains("starts one"), "{}", run.stderr);
    }
}

/// What is before the sign may be a value as well: base64 ends in it.
#[test]
fn a_pair_in_the_place_of_a_name_is_recognised_and_not_repeated() {
    let home = Home::with_secret("v");
    for arguments in [
        "secret put s K=ghp_x",
        "secret put s/K=ghp_x",
        "secret put s ghp_x==",
        "secret put K=ghp_x",
        "secret set s K=ghp_x",
        "secret get s K=ghp_x",
        "secret edit s K=ghp_x --note n",
        "secret generate s K=ghp_x",
        "secret delete s A K=ghp_x",
        "secret history s K=ghp_x",
        "secret copy s/K=ghp_x t/L",
        "secret rename s K=ghp_x L",
    ] {
        let run = home.run(arguments.split(' '));
        assert_refused(&run);
        assert!(run.stderr.contains("hint: "), "{}", run.stderr);
        if !arguments.contains("copy") {
            let said = "KEY and VALUE are one word, with = between them";
            assert!(run.stderr.contains(said), "{arguments}: {}", run.stderr);
        }
    }
}

/// One line of what is wrong, then hints, then the usage with the options in short.
#[test]
fn a_usage_error_ends_with_the_usage() {
    let home = Home::new();
    let list = "Usage: mcplexer secret list [--all] [--long] [--utc] [--expiring <WHEN>] [--json] [SCOPE]\n";
    for (arguments, said, usage) in [
        (
            "secret list --lnog",
            "unexpected argument '--lnog' found",
            list,
        ),
        ("secret list a b", "unexpected argument 'b' found", list),
        (
            "key remove",
            "the following required arguments were not provided: <KEY>",
            "Usage: mcplexer key remove [--force] [--json] <KEY>\n",
        ),
        (
            "audit show --last x",
            "--last takes a number, such as 3",
            "Usage: mcplexer audit show [--last <N>]",
        ),
        (
            "backup verify -",
            "FILE takes the name of a file, not a stream",
            "Usage: mcplexer backup verify ",
        ),
        (
            "scope create GitHub",
            "scope id has 'G' at character 1; it is 1 to 64 of a-z 0-9 . _ -",
            "Usage: mcplexer scope create ",
        ),
        (
            "secret foo",
            "there is no command mcplexer secret foo",
            "Usage: mcplexer secret put | generate | get | edit | ",
        ),
    ] {
        let run = home.run(arguments.split(' ')).failed(2, &[usage]);
        let first = format!("mcplexer: error: {said}");
        assert!(run.stderr.starts_with(&first), "{}", run.stderr);
        assert!(
            run.stderr
                .contains(" --help shows the options and examples\nUsage: "),
            "{}",
            run.stderr
        );
    }
}
