//! Pressing Tab in real shells.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rexpect::session::PtySession;
use test_support::{STANDARD_PATH, tool};

use super::add_owner;
use crate::home::{BINARY, Home, write_program};
use crate::terminal::{end, expect, spawn_at};

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// What each shell shows when it waits for a line.
const PROMPT: &str = "ready> ";

/// A shell with the completions installed as `mcplexer completions --help` says.
struct Shell {
    session: PtySession,
}

impl Shell {
    /// Starts the shell; `None` if it is not installed.
    fn start(home: &Home, shell: &str) -> Option<Self> {
        let program = tool(shell)?;
        let bin = write_stand_in(home);
        let script = home.run(["completions", shell]).succeeded().stdout;
        let scripts = home.root().join(format!("{shell}-scripts"));
        fs::create_dir_all(&scripts).unwrap();
        let name = match shell {
            "zsh" => "_mcplexer",
            _ => "mcplexer.fish",
        };
        fs::write(scripts.join(name), script).unwrap();
        let (scripts, work) = (scripts.display(), home.root().join("work"));
        fs::create_dir_all(&work).unwrap();
        let (settings, rc) = match shell {
            "bash" => (
                format!(
                    "bind 'set enable-bracketed-paste off'\nPS1='{PROMPT}'\nsource '{scripts}/{name}'\n"
                ),
                ".bashrc",
            ),
            "zsh" => (
                format!(
                    "PS1='{PROMPT}'\nfpath=('{scripts}' $fpath)\nautoload -Uz compinit\ncompinit -u -D\n"
                ),
                ".zshrc",
            ),
            _ => (
                format!(
                    "set fish_complete_path '{scripts}'\nset fish_autosuggestion_enabled 0\nset fish_greeting\n\
                     function fish_prompt; echo -n '{PROMPT}'; end\n"
                ),
                ".fishrc",
            ),
        };
        fs::write(home.root().join(rc), settings).unwrap();
        let mut command = home.command_of(&program);
        match shell {
            "bash" => command.args(["--noprofile", "-i"]),
            "zsh" => command.args(["-d", "-i"]),
            _ => command.args(["--no-config", "--private", "-i", "-C", "source ~/.fishrc"]),
        };
        command.env("PATH", format!("{}:{STANDARD_PATH}", bin.display()));
        command.current_dir(work);
        let mut session = spawn_at(command);
        expect(&mut session, PROMPT);
        Some(Self { session })
    }

    /// Types a line, with a Tab wherever it has one and another at its end. Returns the arguments that the command
    /// gets then.
    fn complete(&mut self, typed: &str) -> String {
        self.session.send(&format!("mcplexer {typed}\t\n")).unwrap();
        self.session.flush().unwrap();
        expect(&mut self.session, "got:");
        let arguments = self.session.exp_string(":end").unwrap();
        expect(&mut self.session, PROMPT);
        arguments
    }

    /// Ends the shell, which a signal would not end.
    fn leave(self) {
        let Self { mut session } = self;
        session.send_line("exit").unwrap();
        end(session);
    }
}

/// Writes a program of the command's name, which completes as the command does and otherwise prints its arguments.
fn write_stand_in(home: &Home) -> PathBuf {
    let bin = home.root().join("bin");
    fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\n[ -z \"$MCPLEXER_COMPLETE\" ] || exec {BINARY} \"$@\"\nprintf got:; printf '<%s>' \"$@\"; echo :end\n"
    );
    write_program(&bin.join("mcplexer"), &script);
    write_program(&bin.join("frobnicate"), "#!/bin/sh\n");
    bin
}

/// Presses Tab in each shell that is installed.
#[track_caller]
fn assert_completed(home: &Home, cases: &[(&str, &str)]) {
    for shell in SHELLS {
        let Some(mut prompt) = Shell::start(home, shell) else {
            continue;
        };
        for (typed, expected) in cases {
            assert_eq!(prompt.complete(typed), *expected, "{typed:?} in {shell}");
        }
        prompt.leave();
    }
}

#[test]
fn names_are_completed() {
    let home = Home::with_secret("v");
    home.run(["server", "add", "files", "--", "true"])
        .succeeded();
    add_owner(&home, "my other laptop");
    let work = home.root().join("work");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("notes"), "").unwrap();
    fs::write(work.join("store.age"), "").unwrap();
    fs::write(work.join("with space"), "").unwrap();
    let project = work.join("mcplexer.yaml");
    fs::write(&project, "profiles: {production: {scopes: [a]}}").unwrap();
    fs::set_permissions(project, Permissions::from_mode(0o644)).unwrap();
    fs::write(
        work.join("client.json"),
        r#"{"mcpServers": {"weather": {"command": "x"}}}"#,
    )
    .unwrap();
    assert_completed(
        &home,
        &[
            // Nothing is typed behind the slash.
            ("secret move g\tT", "<secret><move><github-token/TOKEN>"),
            (
                "secret copy github-token/",
                "<secret><copy><github-token/TOKEN>",
            ),
            (
                "secret copy a/B github-token/T",
                "<secret><copy><a/B><github-token/TOKEN>",
            ),
            (
                "run -s github-token --only ",
                "<run><-s><github-token><--only><TOKEN>",
            ),
            (
                "adopt client.json --server ",
                "<adopt><client.json><--server><weather>",
            ),
            ("help secret hi", "<help><secret><history>"),
            ("sec", "<secret>"),
            ("secret hi", "<secret><history>"),
            ("secret get ", "<secret><get><github-token>"),
            (
                "secret get github-token ",
                "<secret><get><github-token><TOKEN>",
            ),
            ("secret get g\t", "<secret><get><github-token><TOKEN>"),
            (
                "secret get github-token/",
                "<secret><get><github-token/TOKEN>",
            ),
            (
                // Nothing is typed behind the slash.
                "secret get mcplexer://g\tT",
                "<secret><get><mcplexer://github-token/TOKEN>",
            ),
            (
                "secret get github-token TOKEN --rev",
                "<secret><get><github-token><TOKEN><--reveal>",
            ),
            ("server show ", "<server><show><files>"),
            ("scan --scope=gi", "<scan><--scope=github-token>"),
            (
                "run --scope g\t--only ",
                "<run><--scope><github-token><--only><TOKEN>",
            ),
            (
                "run --scope g\t--rename T\tX",
                "<run><--scope><github-token><--rename><TOKEN=X>",
            ),
            ("run --profile pr", "<run><--profile><production>"),
            ("run -- frob", "<run><--><frobnicate>"),
            ("run -- frob\tno", "<run><--><frobnicate><notes>"),
            ("server add x -- frob", "<server><add><x><--><frobnicate>"),
            ("backup verify ", "<backup><verify><store.age>"),
            ("key remove my", "<key><remove><my other laptop>"),
            ("key remove my\\ ot", "<key><remove><my other laptop>"),
            ("inject -i wi", "<inject><-i><with space>"),
            ("inject -i with\\ s", "<inject><-i><with space>"),
            ("completions zs", "<completions><zsh>"),
        ],
    );
}

/// bash used to type the dash with which every option begins, and files.
#[test]
fn nothing_is_typed_where_nothing_is_known() {
    let home = Home::new();
    let work = home.root().join("work");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("notes"), "").unwrap();
    let cases = [
        ("secret get ", "<secret><get>"),
        ("secret get n", "<secret><get><n>"),
        ("server show ", "<server><show>"),
        ("secret put s K --note ", "<secret><put><s><K><--note>"),
        (
            "secret get s K --version ",
            "<secret><get><s><K><--version>",
        ),
        ("exit", "<exit>"),
    ];
    assert_completed(&home, &cases);
    assert!(!home.path("").exists());

    home.run(["secret", "put", "a", "K", "v"]).succeeded();
    home.run(["secret", "put", "b", "K", "v"]).succeeded();
    assert_completed(&home, &cases[..2]);
}

#[test]
fn no_key_is_needed() {
    let home = Home::with_secret("v");
    fs::remove_file(home.path("age.key")).unwrap();
    let before = stored(&home);
    let get = "<secret><get><github-token><TOKEN>";
    assert_completed(&home, &[("secret get g\t", get)]);
    assert!(stored(&home) == before);
}

/// The files of the home, without those of the shells.
fn stored(home: &Home) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = home.files();
    files.retain(|(path, _)| path.starts_with(home.path("")));
    files.sort();
    files
}
