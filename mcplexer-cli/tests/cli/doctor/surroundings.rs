//! Backups, the files of AI clients and the shell: what is around a home.

use test_support::STANDARD_PATH;

use super::super::home::finish;
use super::*;

#[test]
fn a_store_that_was_never_backed_up_is_found() {
    let home = Home::with_secret("v");
    home.run(["key", "recovery"]).succeeded();
    let text = finds(&home, "no-backup", "knows of no backup");
    let fix = text
        .lines()
        .find_map(|it| it.strip_prefix("  mcplexer "))
        .unwrap();
    home.run(fix.split(' ')).succeeded();
    assert_eq!(codes(&home.run(["doctor", "--json"])), [""; 0]);
    // What failed is no backup.
    let other = Home::with_secret("v");
    other.run(["key", "recovery"]).succeeded();
    other.run(["backup", "create", "nope/b.age"]);
    finds(&other, "no-backup", "knows of no backup");
}

#[test]
fn credentials_in_the_files_of_clients_are_found() {
    let home = healthy();
    let directory = home.root().join(".cursor");
    fs::create_dir(&directory).unwrap();
    let server =
        r#"{"command": "x", "env": {"TOKEN": "ghp_0123456789abcdefghijABCDEFGHIJ012345"}}"#;
    let text = format!("{{\"mcpServers\": {{\"a\": {server}}}}}");
    fs::write(directory.join("mcp.json"), text).unwrap();
    let said = "~/.cursor/mcp.json (Cursor) has 1 credential in plaintext";
    let text = finds(&home, "plaintext", said);
    assert!(!text.contains("ghp_"), "{text}");
    let fix = text
        .lines()
        .find_map(|it| it.strip_prefix("  mcplexer "))
        .unwrap();
    assert_eq!(fix, "adopt ~/.cursor/mcp.json --write");
    home.run(["adopt", ".cursor/mcp.json", "--write"])
        .succeeded();
    home.run(["backup", "create", "b2.age"]).succeeded();
    assert_eq!(codes(&home.run(["doctor", "--json"])), [""; 0]);
}

#[test]
fn a_shell_without_completions_is_found() {
    let home = healthy();
    for (shell, file, line) in [
        ("bash", ".bashrc", "source <(mcplexer completions bash)"),
        ("zsh", ".zshrc", "source <(mcplexer completions zsh)"),
        (
            "fish",
            ".config/fish/config.fish",
            "mcplexer completions fish | source",
        ),
    ] {
        let doctor = || {
            let mut doctor = home.command();
            doctor
                .args(["doctor"])
                .env("SHELL", format!("/usr/bin/{shell}"));
            finish(&mut doctor).succeeded().text().to_owned()
        };
        let text = doctor();
        assert!(
            !text.contains("> ~/.local") && !text.contains("> ~/.zfunc"),
            "{text}"
        );
        // The system may have them.
        let Some((_, rest)) = text.split_once("[completions]\n  ") else {
            continue;
        };
        let fix = rest.lines().next().unwrap();
        let mut command = home.command_of(Path::new("/bin/sh"));
        command.env("PATH", STANDARD_PATH).args(["-c", fix]);
        finish(&mut command).succeeded();
        let settings = fs::read_to_string(home.root().join(file)).unwrap();
        assert!(settings.ends_with(&format!("{line}\n")), "{fix}");
        assert!(!doctor().contains("[completions]"));
        // A comment loads nothing.
        fs::write(home.root().join(file), format!("# {line}\n")).unwrap();
        assert!(doctor().contains("[completions]"));
        // The line that the README has.
        fs::write(home.root().join(file), format!("{line}\n")).unwrap();
        assert!(!doctor().contains("[completions]"));
        fs::remove_file(home.root().join(file)).unwrap();
        if shell == "zsh" {
            // A file that is not in fpath is not found.
            fs::create_dir(home.root().join(".zfunc")).unwrap();
            fs::write(home.root().join(".zfunc/_mcplexer"), "").unwrap();
            assert!(doctor().contains("[completions]"));
            fs::write(home.root().join(file), "fpath+=~/.zfunc\n").unwrap();
            assert!(!doctor().contains("[completions]"));
        }
    }
    let mut other = home.command();
    other.args(["doctor"]).env("SHELL", "/bin/dash");
    assert!(!finish(&mut other).text().contains("[completions]"));
}

/// Advice that moves nothing leads nowhere.
#[test]
fn the_fix_for_plaintext_has_the_option_that_moves_it() {
    let home = healthy();
    let path = home.root().join(".cursor/mcp.json");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let token = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    let remote = format!(
        r#"{{"mcpServers": {{"r": {{"url": "https://example.com/mcp", "headers": {{"Authorization": "Bearer {token}"}}}}}}}}"#
    );
    let argument =
        format!(r#"{{"mcpServers": {{"a": {{"command": "x", "args": ["--token", "{token}"]}}}}}}"#);
    for (text, option) in [(remote, "--gateway"), (argument, "--allow-arguments")] {
        fs::write(&path, text).unwrap();
        let advice = format!("mcplexer adopt ~/.cursor/mcp.json {option} --write");
        let said = finds(&home, "plaintext", "1 credential in plaintext");
        assert!(said.contains(&advice), "{said}");
        let file = path.to_str().unwrap();
        for arguments in [&["adopt"][..], &["adopt", file]] {
            let run = home.run(arguments).succeeded();
            assert!(
                run.stderr
                    .contains(&format!("{advice} moves 1 credential more")),
                "{}",
                run.stderr
            );
        }
    }
}

/// What is missing is said once, and nothing beside it says that all is well.
#[test]
fn a_missing_secret_is_one_finding() {
    let home = healthy();
    let config = "servers: {a: {command: [x], env: {TOKEN: 'mcplexer://nope/KEY'}}}\n";
    fs::write(home.path("config.yaml"), config).unwrap();
    let said = finds(&home, "reference", "a refers to mcplexer://nope/KEY");
    assert!(said.contains("mcplexer secret put nope KEY"), "{said}");
    assert!(!said.contains("config.yaml has no problems"), "{said}");
}
