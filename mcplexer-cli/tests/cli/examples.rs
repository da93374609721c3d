//! The examples of the help do what they show: each one runs in a home of its own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use test_support::{STANDARD_PATH, tool};

use super::home::{BINARY, Home, finish, write_program};
use super::terminal::spawn_at;

/// What the examples find: programs, files and secrets. It runs once; each example gets a copy.
const SETUP: &str = r#"
set -e
m() { mcplexer -q "$@"; }
m init
for key in TOKEN OLD; do m secret put github $key value-of-$key; done
m secret put github TOKEN second-value
m secret put github TOKEN third-value
for key in STRIPE_KEY DB_USER DB_PASSWORD SESSION TOKEN GITHUB_TOKEN PORT_KEY; do m secret put shop $key value-of-$key; done
m secret put tls PRIVATE_KEY first
m secret put tls PRIVATE_KEY second
m secret put slack TOKEN value-of-slack
m secret put netrc PASSWORD value-of-netrc
m secret put ci OTHER value
m scope create figma --kind header
m secret put figma TOKEN value-of-figma
m scope create github-token
m scope create web
mkdir -p bin usb .cursor .ssh .zfunc .local/share/bash-completion/completions .config/fish/completions .local/share/man/man1
for name in npx npm curl lp pbcopy mail gh man tail jq claude; do
  printf '#!/bin/sh\ncat > /dev/null\necho %s\n' $name > bin/$name
done
printf '#!/bin/sh\necho xdg-open\n' > bin/xdg-open
printf '#!/bin/sh\necho FROM_SSH=1\n' > bin/ssh
printf '#!/bin/sh\necho notified\n' > notify.sh
printf '#!/bin/sh\necho changed > "$1"\n' > bin/change
chmod 755 bin/* notify.sh
echo "key" > server.pem
echo '{"STRIPE_KEY": "from-json"}' > secrets.json
printf 'A=from-env\nPORT=80\nNODE_ENV=x\nEMPTY=\nB=mcplexer://github/TOKEN\n' > .env
echo 'token = "mcplexer://github/TOKEN"' > app.toml.in
echo '{"token": "mcplexer://github/TOKEN"}' > config.template
echo 'password mcplexer://netrc/PASSWORD' > netrc.in
echo 'auth_scopes: [{id: github, type: env}, {id: new, type: env}]' > team.yaml
echo 'nothing' > .bash_history
server='{"mcpServers": {"a": {"command": "b", "env": {"PASSWORD": "of-a-8f3k2j"}}}}'
echo "$server" > .mcp.json
echo "$server" > .cursor/mcp.json
cp "$SSH_KEY" .ssh/id_ed25519.pub
cat > .mcplexer/config.yaml <<END
auth_scopes:
  - {id: github, type: env}
servers:
  github: {command: [/bin/sh, $HOME/server.sh]}
END
chmod 600 .mcplexer/config.yaml
m backup create secrets.age
cp .mcplexer/age.key old.key
"#;

/// A server that greets, and has no tools.
const SERVER: &str = r#"
while IFS= read -r line; do
  id=${line#*\"id\":}; id=${id%%,*}
  case $line in
  *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"sh","version":"1"}}}\n' "$id" ;;
  *'"tools/list"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"tools":[]}}\n' "$id" ;;
  *'"id"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no"}}\n' "$id" ;;
  esac
done
"#;

const SSH_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN me@example";

/// What has to be true before an example: a line of a shell.
const BEFORE: &[(&str, &str)] = &[
    ("init", "rm -r .mcplexer"),
    ("key init", "rm -r .mcplexer"),
    (
        "doctor --strict",
        "rm -r .mcp.json .cursor; m key recovery > code",
    ),
    ("adopt .mcp.json --undo", "m adopt .mcp.json --write"),
    (
        "client install claude-code --undo",
        "m client install claude-code --write",
    ),
    ("client remove", "m client add cursor > t"),
    ("client rm", "m client add claude-code > t"),
    (
        "key remove",
        "m key add --label bob age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
    ),
    ("key recover", "m key recovery > code; rm .mcplexer/age.key"),
    (
        "key recover --lost",
        "m key recovery > code; m key add --file .ssh/id_ed25519.pub --label laptop; rm .mcplexer/age.key",
    ),
    ("key recovery", ""),
    (
        "backup restore secrets.age",
        "rm .mcplexer/secrets.redb .mcplexer/audit.log",
    ),
    (
        "backup restore secrets.age --merge",
        "m scope delete shop --force",
    ),
    ("backup restore secrets.age --replace", "m scope create new"),
    ("backup create secrets.age", "rm secrets.age"),
    (
        "audit verify --checkpoint",
        "m audit checkpoint > usb/checkpoint",
    ),
    (
        "secret copy github/TOKEN ci/GITHUB_TOKEN --force",
        "m secret put ci GITHUB_TOKEN old",
    ),
    (
        "secret move mcplexer://shop/TOKEN web/TOKEN --force",
        "m secret put web TOKEN old",
    ),
    (
        "secret move shop/GITHUB_TOKEN github/TOKEN",
        "m secret rm github TOKEN",
    ),
    ("scope create github", "m scope delete github --force"),
    (
        "scope rename",
        "m scope delete github --force; rm .mcplexer/config.yaml",
    ),
    ("server add github", "m server remove github"),
    ("server add --from", "m adopt .cursor/mcp.json --write"),
    ("server restart", "m connect < /dev/null"),
    (
        "server restart figma",
        "m server add figma -- /bin/sh $HOME/server.sh; m connect < /dev/null",
    ),
    ("server logs", "m connect < /dev/null"),
    ("status", "m connect < /dev/null"),
    ("serve --stop", "m connect < /dev/null"),
    ("ui --stop", "m connect < /dev/null"),
    ("scan --staged", "git init -q ."),
    (
        "scan --shapes --baseline",
        "m scan --shapes --write-baseline --baseline .mcplexer-baseline.json",
    ),
    (
        "scan --shapes --format sarif",
        "rm old.key .mcplexer/age.key",
    ),
    (
        "trust",
        "mkdir -p code/shop; echo 'scopes: [shop]' | tee mcplexer.yaml > code/shop/mcplexer.yaml",
    ),
    (
        "trust --revoke",
        "mkdir -p code/shop; echo 'scopes: [shop]' > code/shop/mcplexer.yaml; m trust code/shop",
    ),
];

/// What is typed at the questions of an example on a terminal.
const TYPED: &[(&str, &[(&str, &str)])] = &[
    ("secret put github TOKEN", &[("(hidden): ", "typed")]),
    ("secret delete github TOKEN", &[("[y/N] ", "y")]),
    ("secret rm shop DB_USER DB_PASSWORD", &[("[y/N] ", "y")]),
    ("scope delete github", &[("[y/N] ", "y")]),
    ("config apply team.yaml --prune", &[("[y/N] ", "y")]),
    (
        "key add --passphrase",
        &[("new passphrase: ", "p"), ("repeat passphrase: ", "p")],
    ),
    (
        "backup create secrets.age --passphrase",
        &[("new passphrase: ", "p"), ("repeat passphrase: ", "p")],
    ),
];

/// Examples that other tests run: they end only when somebody ends them, or need functions of another program or a
/// desktop.
const ELSEWHERE: &[&str] = &[
    "mcplexer calls --follow",
    "mcplexer serve --http",
    "eval \"$(mcplexer hook direnv)\"",
    "mcplexer secret get github TOKEN --clip",
    "MCPLEXER_STORE=",
    "mcplexer store move",
    "mcplexer store delete-moved",
];

/// Examples for another shell than `sh`, and that shell.
const SHELLS: &[(&str, &str)] = &[
    ("eval \"$(mcplexer hook bash)\"", "bash"),
    ("mcplexer hook fish | source", "fish"),
];

/// Collects the examples of a command and of those below it.
fn collect(home: &Home, path: &[&str], found: &mut BTreeSet<String>) {
    let help = home.run([path, &["--help"]].concat()).succeeded();
    let (_, examples) = help.text().split_once("\nExamples:\n").unwrap();
    let (examples, _) = examples.split_once("\n\n").unwrap();
    // The help breaks a long line.
    let mut whole: Vec<String> = Vec::new();
    for line in examples.lines() {
        match whole.last_mut() {
            Some(last) if !line.contains("mcplexer ") => *last += &format!(" {}", line.trim()),
            _ => whole.push(line.trim().to_owned()),
        }
    }
    found.extend(whole);
    for name in commands_in(help.text()) {
        collect(home, &[path, &[name]].concat(), found);
    }
}

/// Returns the names of the commands that a help lists, except `help`.
pub(crate) fn commands_in(help: &str) -> Vec<&str> {
    let below = help.split_once("\nCommands:\n");
    let lines = below.map_or("", |(_, below)| below).lines();
    let lines = lines.take_while(|line| !line.is_empty());
    let first = lines.filter(|line| !line.starts_with("   "));
    let names = first.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").collect()
}

fn shell(home: &Path, script: &str) -> Command {
    shell_of(Path::new("/bin/sh"), home, script)
}

fn shell_of(program: &Path, home: &Path, script: &str) -> Command {
    let mut command = Command::new(program);
    let path = format!(
        "{}/bin:{}/commands:{STANDARD_PATH}",
        home.display(),
        home.display()
    );
    command.env_clear().env("HOME", home).env("PATH", path);
    command.env("EDITOR", "change");
    command.args(["-c", script]).current_dir(home);
    command.stdin(Stdio::null());
    command
}

/// Runs an example in a copy of the home. Returns what it said, if it failed.
fn failure(home: &Home, number: usize, example: &str) -> Option<String> {
    let of_shell = SHELLS.iter().find(|(start, _)| example.starts_with(start));
    let program = match of_shell {
        Some((_, name)) => tool(name)?,
        None => "/bin/sh".into(),
    };
    let copy = home.root().join("copies").join(number.to_string());
    let script = format!("cp -a \"$HOME/base\" '{}'", copy.display());
    finish(&mut shell(home.root(), &script)).succeeded();
    let command = example.split("mcplexer ").nth(1).unwrap();
    let before = BEFORE
        .iter()
        .filter(|(start, _)| command.starts_with(start));
    let before = before.max_by_key(|(start, _)| start.len());
    if let Some((_, before)) = before {
        let script = format!("m() {{ mcplexer -q \"$@\"; }}\n{before}");
        finish(&mut shell(&copy, &script)).succeeded();
    }
    let place = copy.display().to_string();
    let line = example
        .replace("/media/usb", &format!("{place}/usb"))
        .replace("/srv/tools", &format!("{place}/tools"));
    let line = match command.starts_with("key recover ") || command == "key recover" {
        true => format!("{line} < code"),
        false => line,
    };
    // In a pipe, nothing is asked.
    let typed = TYPED
        .iter()
        .filter(|_| example.starts_with("mcplexer "))
        .find(|(asking, _)| command.split(" #").next().unwrap().trim() == *asking);
    let failed = match typed {
        Some((_, questions)) => {
            let mut command = shell(&copy, &line);
            command.stdin(Stdio::inherit());
            let mut session = spawn_at(command);
            for (question, answer) in *questions {
                session.exp_string(question).unwrap();
                session.send_line(answer).unwrap();
            }
            let (text, code) = super::terminal::end(session);
            (code != 0).then_some(text)
        }
        None => {
            let run = finish(&mut shell_of(&program, &copy, &line));
            let said = format!("{} {}{}", run.code, run.stderr, run.text());
            (run.code != 0).then_some(said)
        }
    };
    finish(&mut shell(&copy, "mcplexer serve --stop"));
    failed.map(|said| format!("{example}\n  {said}"))
}

#[test]
fn every_example_runs() {
    let home = Home::new();
    let base = home.root().join("base");
    fs::create_dir_all(base.join("commands")).unwrap();
    fs::create_dir(home.root().join("copies")).unwrap();
    std::os::unix::fs::symlink(BINARY, base.join("commands/mcplexer")).unwrap();
    write_program(&base.join("server.sh"), SERVER);
    fs::write(base.join("key.pub"), SSH_KEY).unwrap();
    let mut setup = shell(&base, SETUP);
    finish(setup.env("SSH_KEY", base.join("key.pub"))).succeeded();
    let mut examples = BTreeSet::new();
    collect(&home, &[], &mut examples);
    assert!(examples.len() > 100, "{}", examples.len());
    let mut failures = Vec::new();
    for (number, example) in examples.iter().enumerate() {
        if !ELSEWHERE.iter().any(|it| example.starts_with(it)) {
            failures.extend(failure(&home, number, example));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
