//! The hook, in real shells.

mod own;

use rexpect::session::PtySession;
use test_support::{STANDARD_PATH, tool};

use super::{PRINT, Shop};
use crate::home::{BINARY, finish, write_program};
use crate::terminal::{end, expect, spawn_at};

const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];
const PROMPT: &str = "ready> ";

struct Shell {
    session: PtySession,
    /// The variable with the exit code of the last command.
    status: &'static str,
    lines: u32,
}

impl Shell {
    /// Starts a shell with the hook; `None` if it is not installed. Two variables of the project are there before.
    fn start(shop: &Shop, shell: &str) -> Option<Self> {
        Self::start_with(shop, shell, "")
    }

    /// The same, after lines of the user's own settings.
    fn start_with(shop: &Shop, shell: &str, own: &str) -> Option<Self> {
        let program = tool(shell)?;
        let (settings, rc, arguments) = match shell {
            "bash" => (
                format!(
                    "bind 'set enable-bracketed-paste off'\nPS1='{PROMPT}'\nPORT='it'\\''s'\neval \"$({BINARY} hook bash)\"\n"
                ),
                ".bashrc",
                &["--noprofile", "-i"][..],
            ),
            "zsh" => (
                format!("PS1='{PROMPT}'\nPORT='it'\\''s'\neval \"$({BINARY} hook zsh)\"\n"),
                ".zshrc",
                &["-d", "-i"][..],
            ),
            _ => (
                format!(
                    "set fish_autosuggestion_enabled 0\nset fish_greeting\nfunction fish_prompt; echo -n '{PROMPT}'; end\nset -gu PORT \"it's\"\n{BINARY} hook fish | source\n"
                ),
                ".fishrc",
                &["--no-config", "--private", "-i", "-C", "source ~/.fishrc"][..],
            ),
        };
        let settings = format!("{own}\n{settings}");
        std::fs::write(shop.0.root().join(rc), settings).unwrap();
        let mut command = shop.0.command_of(&program);
        command.args(arguments).env("PATH", STANDARD_PATH);
        command.env("TOKEN", "a  'before'\\ \n");
        let mut session = spawn_at(command);
        expect(&mut session, PROMPT);
        let status = match shell {
            "fish" => "$status",
            _ => "$?",
        };
        Some(Self {
            session,
            status,
            lines: 0,
        })
    }

    /// Runs a line. Returns what was printed until the next one has run, and the exit code after the hook.
    fn line(&mut self, line: &str) -> String {
        self.lines += 1;
        let (number, status) = (self.lines, self.status);
        // What is typed differs from what is printed then.
        let mark = format!("echo mark''{number}={status}=");
        self.session.send_line(line).unwrap();
        self.session.send_line(&mark).unwrap();
        let mark = format!("mark{number}=");
        let printed = self.session.exp_string(&mark).unwrap();
        let code = self.session.exp_string("=").unwrap();
        format!("{printed}code={code}")
    }

    fn leave(self) {
        let Self { mut session, .. } = self;
        session.send_line("exit").unwrap();
        end(session);
    }
}

/// Prints what other programs get, with the ends of lines visible.
const SHOW: &str = "~/show";

fn write_show(shop: &Shop) {
    let script = "#!/bin/sh\nprintf '<%s|%s|%s>\n' \"$TOKEN\" \"$DATABASE_URL\" \"${PORT-none}\" | tr '\n' _; echo\n";
    write_program(&shop.0.root().join("show"), script);
}

#[test]
fn variables_are_set_in_the_project_and_are_what_they_were_outside() {
    let shop = Shop::new();
    write_show(&shop);
    for shell in SHELLS {
        shop.trust();
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        let outside = "<a  'before'\\ _||none>";
        assert!(prompt.line(SHOW).contains(outside), "{shell}");
        let told = prompt.line("cd code/shop");
        assert!(
            told.contains("mcplexer: ~/code/shop/mcplexer.yaml sets DATABASE_URL, PORT, TOKEN"),
            "{shell}: {told}"
        );
        assert!(!told.contains("m4rked"), "{told}");
        let inside = "<m4rked-token-1234|m4rked-url-of-dev|8080>";
        let shown = prompt.line(SHOW);
        assert!(
            shown.contains(inside) && !shown.contains("mcplexer"),
            "{shell}: {shown}"
        );
        assert!(!prompt.line("cd src/deep").contains("mcplexer"), "{shell}");
        let told = prompt.line("cd ../../..");
        assert!(
            told.contains("mcplexer: took back the variables of the project"),
            "{shell}: {told}"
        );
        assert!(prompt.line(SHOW).contains(outside), "{shell}");
        assert!(
            prompt.line("echo \"[$PORT]\"").contains("[it's]"),
            "{shell}"
        );
        let before = match shell {
            "fish" => "set -q DATABASE_URL; or echo go''ne",
            _ => "echo ${DATABASE_URL-go''ne}",
        };
        assert!(prompt.line(before).contains("gone"), "{shell}");
        // A change takes back what was set, until it is trusted.
        prompt.line("cd shop");
        shop.write("dev.env", "PORT=9\n");
        let told = prompt.line("true");
        assert!(
            told.contains("was changed since you trusted it; mcplexer trust --show ~/code/shop"),
            "{shell}: {told}"
        );
        assert!(prompt.line(SHOW).contains(outside), "{shell}");
        shop.run("code/shop", &["trust"]).succeeded();
        assert!(
            prompt
                .line("true")
                .contains("sets DATABASE_URL, PORT, TOKEN"),
            "{shell}"
        );
        let profile = match shell {
            "fish" => "set -gx MCPLEXER_PROFILE prod",
            _ => "export MCPLEXER_PROFILE=prod",
        };
        assert!(
            prompt.line(profile).contains("sets DATABASE_URL, PORT\r\n"),
            "{shell}"
        );
        let prod = "<a  'before'\\ _|m4rked-url-of-prod|9>";
        assert!(prompt.line(SHOW).contains(prod), "{shell}");
        prompt.leave();
        shop.write("dev.env", "PORT=8080\n");
    }
}

/// What a shell would read as code is a value, and the exit code of the last command stays.
#[test]
fn values_are_not_code() {
    let shop = Shop::new();
    let value = "'; echo m4rked-code $(echo x) `echo y` \\n \\' \"\n\nend\\";
    shop.0
        .run(["secret", "put", "github", "TOKEN", value])
        .succeeded();
    shop.write("mcplexer.yaml", "scopes: [github]\n");
    shop.trust();
    for shell in SHELLS {
        let Some(mut prompt) = Shell::start(&shop, shell) else {
            continue;
        };
        let told = prompt.line("cd code/shop");
        assert!(!told.contains("m4rked-code"), "{shell}: {told}");
        let ended = prompt.line("sh -c 'printf %s \"$TOKEN\" >../../seen; exit 7'");
        assert!(ended.ends_with("code=7"), "{shell}: {ended}");
        assert_eq!(
            std::fs::read_to_string(shop.0.root().join("seen")).unwrap(),
            value
        );
        prompt.line("cd");
        prompt.leave();
    }
}

/// No store is opened, and nothing is said, unless the project changes.
#[test]
fn a_prompt_opens_no_store() {
    let shop = Shop::new();
    for shell in SHELLS {
        shop.trust();
        let load = |state: &str| shop.run("code/shop", &["hook", shell, "--loaded", state]);
        let first = load("").succeeded();
        let text = first.text();
        let state = text.split('\'').nth(1).unwrap();
        assert_eq!(state.len(), 64, "{text}");
        let log = std::fs::read(shop.0.path("audit.log")).unwrap();
        let again = load(state).succeeded();
        assert!(again.text().is_empty() && again.stderr.is_empty());
        assert!(std::fs::read(shop.0.path("audit.log")).unwrap() == log);
        let outside = shop
            .run("code", &["hook", shell, "--loaded", ""])
            .succeeded();
        assert!(outside.text().is_empty() && outside.stderr.is_empty());
        // Nothing is tried again with each prompt.
        shop.write("dev.env", "PATH=/evil\n");
        let untrusted = load(state).succeeded();
        let text = untrusted.text();
        assert!(
            text.starts_with("_mcplexer_unload;") && text.lines().count() == 1,
            "{text}"
        );
        assert_eq!(untrusted.stderr.lines().count(), 1);
        let next = text.split('\'').nth(1).unwrap();
        assert_eq!(load(next).succeeded().stderr, "");
        shop.trust();
        let refused = load(next);
        assert!(
            refused.code == 2 && refused.stderr.contains("the project sets PATH"),
            "{}",
            refused.stderr
        );
        assert!(!refused.text().contains("m4rked"));
        shop.write("dev.env", "PORT=8080\n");
    }
}

#[test]
fn values_go_neither_to_a_terminal_nor_to_an_agent() {
    let shop = Shop::new();
    shop.trust();
    let (text, code) = end(spawn_at(shop.command("code/shop", &["hook", "direnv"])));
    assert!(code == 2 && !text.contains("m4rked"), "{text}");
    let mut agent = shop.command("code/shop", &["hook", "bash", "--loaded", ""]);
    let run = finish(agent.env("CLAUDECODE", "1")).succeeded();
    assert!(!run.text().contains("m4rked"), "{}", run.text());
    assert!(
        run.stderr
            .contains("nothing of ~/code/shop/mcplexer.yaml is set")
    );
}

/// As docs/projects.md has it.
#[test]
fn direnv_sets_the_variables() {
    let shop = Shop::new();
    let Some(direnv) = tool("direnv") else { return };
    shop.write(
        ".envrc",
        &format!("watch_file mcplexer.yaml\neval \"$({BINARY} hook direnv)\"\n"),
    );
    let direnv = |arguments: &[&str]| {
        let mut command = shop.0.command_of(&direnv);
        command.args(arguments).current_dir(shop.directory());
        finish(command.env("PATH", format!("{STANDARD_PATH}:/usr/local/bin")))
    };
    direnv(&["allow"]).succeeded();
    let refused = direnv(&["exec", ".", "sh", "-c", PRINT]);
    assert!(
        refused.stderr.contains("is not trusted"),
        "{}",
        refused.stderr
    );
    assert!(!refused.text().contains("m4rked"));
    shop.trust();
    let given = direnv(&["exec", ".", "sh", "-c", PRINT]).succeeded();
    assert_eq!(given.text(), "m4rked-token-1234|m4rked-url-of-dev|8080\n");
}
