//! What a mistyped command leads to.

use super::*;

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
            &["server", "add", "wd", "--patience", "3", "--", "x"],
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

/// A command in the form of another one leads to the one that runs.
#[test]
fn another_form_of_a_command_leads_to_the_one_that_runs() {
    let home = Home::with_secret("v");
    for (typed, hint) in [
        (
            "secret get github-token TOKEN --clip terminal",
            "did you mean --clip=terminal?",
        ),
        ("secret rename a/b c/d", "mcplexer secret move a/b c/d"),
        ("secret rename a/b a/d", "mcplexer secret rename a b d"),
        ("secret move a b c d", "mcplexer secret move a/b c/d"),
        (
            "secret copy a B c D",
            "mcplexer secret copy a/KEY c/NEW_KEY",
        ),
        (
            "run github-token -- printenv TOKEN",
            "did you mean mcplexer run --scope github-token -- printenv TOKEN?",
        ),
        (
            "run github-token printenv TOKEN",
            "did you mean mcplexer run --scope github-token -- printenv TOKEN?",
        ),
        (
            "run -s github-token/TOKEN -- true",
            "mcplexer run --scope github-token --only TOKEN -- COMMAND",
        ),
        (
            "secret list github-token/TOKEN",
            "mcplexer secret list github-token\n",
        ),
        (
            "secret move github-token/TOKEN web",
            "mcplexer secret move github-token/TOKEN web/TOKEN",
        ),
        (
            "secret rename github-token/TOKEN github-token/NEW",
            "mcplexer secret rename github-token KEY NEW_KEY",
        ),
        ("secret put s my-key v", "hint: did you mean my_key?"),
        ("server add foo", "or --url URL, or --from FILE"),
    ] {
        home.run(typed.split(' ')).failed(2, &[hint]);
    }
    #[cfg(feature = "serve")]
    for typed in ["serve --http --port 4000", "serve --port=4000"] {
        home.run(typed.split(' '))
            .failed(2, &["mcplexer serve --http 127.0.0.1:4000"]);
    }
    // No scope has this name, so nothing is guessed.
    let run = home.run(["run", "nil", "printenv", "TOKEN"]);
    assert!(!run.stderr.contains("--scope nil"), "{}", run.stderr);
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
        (
            "secret list a b",
            "unexpected argument: secret list takes at most one SCOPE",
            list,
        ),
        (
            "key remove",
            "KEY is missing",
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

#[test]
fn a_key_in_the_place_of_the_scope_is_recognised() {
    let home = Home::with_secret("v");
    for command in ["get", "put", "history"] {
        let said = format!("the scope comes before the key: mcplexer secret {command} SCOPE KEY");
        let run = home.run(["secret", command, "TOKEN", "github-token"]);
        let run = run.failed(2, &["scope id has 'T' at character 1", &said]);
        assert!(!run.stderr.contains("github-token"), "{}", run.stderr);
    }
}

/// What clap says of what is missing or mistyped is put into this program's words.
#[test]
fn what_is_missing_or_mistyped_is_named() {
    let home = Home::with_secret("v");
    for (typed, said, unsaid) in [
        (
            "secret list --expiring",
            "error: --expiring needs a value, such as 30d\n",
            "none was supplied",
        ),
        (
            "audit show --last",
            "error: --last needs a value, such as 3\n",
            "none was supplied",
        ),
        (
            "secret put s K --note",
            "error: --note needs a value\n",
            "invalid value",
        ),
        (
            "run --scop github-token -- true",
            "hint: did you mean --scope?\n",
            "as a value",
        ),
        (
            "secret list --lnog",
            "hint: did you mean --long?\n",
            "similar argument",
        ),
        (
            "secret get github-token",
            "error: KEY is missing\nmcplexer: hint: mcplexer secret list github-token shows its keys\n",
            "required arguments",
        ),
        (
            "secret delete",
            "error: SCOPE and KEY are missing\n",
            "required arguments",
        ),
        (
            "secret rename a B a/C",
            "error: the new name stands alone, without its scope\n",
            "NEW_KEY takes",
        ),
        (
            "secret copy a web",
            "error: a is not SCOPE/KEY: the key is missing\n",
            "such as github/TOKEN",
        ),
    ] {
        let run = home.run(typed.split(' ')).failed(2, &[said]);
        assert!(!run.stderr.contains(unsaid), "{}", run.stderr);
    }
}

/// An option that needs a file names those that are there.
#[test]
fn adopt_without_a_file_names_the_files_that_are_there() {
    let home = Home::new();
    home.run(["adopt", "--undo"])
        .failed(2, &["FILE is missing", "mcplexer adopt FILE --undo"]);
    fs::create_dir(home.root().join(".cursor")).unwrap();
    fs::write(home.root().join(".cursor/mcp.json"), "{}").unwrap();
    for option in ["--undo", "--write", "--gateway"] {
        let hint = format!("hint: mcplexer adopt ~/.cursor/mcp.json {option}\n");
        home.run(["adopt", option]).failed(2, &[&hint]);
    }
}
