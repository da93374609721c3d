//! Runs the tasks of `docs/keys.md` in which a store is on several machines, as written there: each machine is a home.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use test_support::{STANDARD_PATH, tool, tools};

use super::home::{BINARY, Home, Run, finish};

const DOCUMENT: &str = include_str!("../../../docs/keys.md");

/// A step of a task.
#[derive(Debug)]
enum Step {
    /// Commands on one machine.
    Run(String, String),
    /// Files copied from one machine to another.
    Carry(String, String, Vec<String>),
    /// A change on each of two machines.
    Fork(String, String),
}

/// Returns the steps of the document, with the title of each section.
fn steps() -> Vec<(String, Step)> {
    let (mut steps, mut title, mut on) = (Vec::new(), String::new(), None);
    let mut lines = DOCUMENT.lines();
    while let Some(line) = lines.next() {
        if let Some(text) = line.strip_prefix("## ") {
            text.clone_into(&mut title);
        }
        let comment = line
            .strip_prefix("<!-- ")
            .and_then(|it| it.strip_suffix(" -->"));
        let words: Vec<_> = comment.unwrap_or_default().split_whitespace().collect();
        let owned = |word: &&str| (*word).to_owned();
        match &words[..] {
            ["on:", machine, ..] => on = Some(machine.trim_end_matches(';').to_owned()),
            ["carry:", from, to, files @ ..] => {
                let files = files.iter().map(owned).collect();
                steps.push((title.clone(), Step::Carry(owned(from), owned(to), files)));
            }
            ["fork:", one, other] => {
                steps.push((title.clone(), Step::Fork(owned(one), owned(other))));
            }
            _ => {}
        }
        if line.starts_with("```") {
            let script: Vec<_> = lines.by_ref().take_while(|it| *it != "```").collect();
            if let ("```sh", Some(machine)) = (line, on.take()) {
                steps.push((title.clone(), Step::Run(machine, script.join("\n"))));
            }
        }
    }
    steps
}

/// The homes of the machines, and the public keys that people send each other.
struct Machines {
    homes: BTreeMap<String, Home>,
    bash: PathBuf,
}

impl Machines {
    fn home(&mut self, machine: &str) -> &Home {
        self.homes
            .entry(machine.to_owned())
            .or_insert_with(Home::new)
    }

    fn run(&mut self, machine: &str, script: &str) -> Run {
        let desk = match self.homes.get("desk") {
            Some(desk) if desk.path("age.key").exists() => public_key(desk),
            _ => String::new(),
        };
        let bash = self.bash.clone();
        let home = self.home(machine);
        let bin = home.root().join("bin");
        if !bin.exists() {
            fs::create_dir(&bin).unwrap();
            std::os::unix::fs::symlink(BINARY, bin.join("mcplexer")).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}:{STANDARD_PATH}", bin.display());
        let mut command = home.command_of(&bash);
        finish(
            command
                .env("PATH", path)
                .env("DESK", desk)
                .args(["-euc", script]),
        )
    }

    /// Copies files of the home directory, or of the store's.
    fn carry(&mut self, from: &str, to: &str, files: &[String]) {
        for file in files {
            let is_store = ["age.key", "audit.log", "secrets.redb"].contains(&&**file);
            let path = |home: &Home| match is_store {
                true => home.path(file),
                false => home.root().join(file),
            };
            let bytes = fs::read(path(self.home(from))).unwrap();
            let target = path(self.home(to));
            let directory = target.parent().unwrap();
            if !directory.exists() {
                fs::create_dir_all(directory).unwrap();
                fs::set_permissions(directory, fs::Permissions::from_mode(0o700)).unwrap();
            }
            fs::write(&target, bytes).unwrap();
            fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

fn public_key(home: &Home) -> String {
    let keygen = tool("age-keygen").unwrap();
    let mut command = home.command_of(&keygen);
    let key = home.path("age.key");
    let run = finish(command.args(["-y", key.to_str().unwrap()])).succeeded();
    run.text().trim().to_owned()
}

/// The machines, on the first of which is a store, and a key for a colleague.
fn machines() -> Option<Machines> {
    let bash = tool("bash")?;
    if !tools(&["age-keygen"]) {
        return None;
    }
    let homes = BTreeMap::new();
    let mut machines = Machines { homes, bash };
    let put = "echo value | mcplexer secret put web TOKEN; mcplexer key recovery";
    machines.run("ann", put).succeeded();
    let key = "mkdir -m 700 ~/.mcplexer; age-keygen -o ~/.mcplexer/age.key";
    machines.run("bob", key).succeeded();
    let public = public_key(machines.home("bob"));
    fs::write(machines.home("ann").root().join("bob.pub"), public).unwrap();
    Some(machines)
}

/// Runs the steps of these sections. No command fails, and none of them raises an alarm afterwards.
fn follow(machines: &mut Machines, titles: &[&str]) {
    for title in titles {
        let steps = steps().into_iter().filter(|(it, _)| it == title);
        let mut scripts = 0;
        for (_, step) in steps {
            match step {
                Step::Run(machine, script) => {
                    scripts += 1;
                    machines.run(&machine, &script).succeeded();
                    let has_store = machines.home(&machine).path("secrets.redb").exists();
                    for command in ["secret list web", "audit verify", "doctor"] {
                        if !has_store {
                            break;
                        }
                        machines
                            .run(&machine, &format!("mcplexer {command}"))
                            .succeeded();
                    }
                }
                Step::Carry(from, to, files) => machines.carry(&from, &to, &files),
                Step::Fork(one, other) => {
                    for (machine, value) in [(&one, "one"), (&other, "other")] {
                        let put = format!("echo {value} | mcplexer secret put web BOTH");
                        machines.run(machine, &put).succeeded();
                        let own = format!("echo {value} | mcplexer secret put web OF_{machine}");
                        machines.run(machine, &own).succeeded();
                    }
                }
            }
        }
        assert!(scripts > 0, "{title} has no script");
    }
}

#[test]
fn a_colleague_joins_leaves_and_comes_back() {
    let Some(mut machines) = machines() else {
        return;
    };
    follow(&mut machines, &["A colleague joins"]);
    // Ann re-encrypts the store; Bob need not accept it again, and neither does she after his change.
    machines.run("ann", "mcplexer key rotate").succeeded();
    machines.carry("ann", "bob", &["secrets.redb".to_owned()]);
    machines
        .run("bob", "mcplexer secret get web TOKEN")
        .succeeded();
    machines
        .run("bob", "echo bobs | mcplexer secret put web BOBS")
        .succeeded();
    machines.carry("bob", "ann", &["secrets.redb".to_owned()]);
    machines
        .run("ann", "mcplexer secret get web BOBS")
        .succeeded();
    machines.run("ann", "mcplexer doctor").succeeded();

    let old = fs::read(machines.home("ann").path("secrets.redb")).unwrap();
    follow(&mut machines, &["A colleague leaves"]);
    // T2: the copy from before is put back.
    let new = fs::read(machines.home("ann").path("secrets.redb")).unwrap();
    fs::write(machines.home("ann").path("secrets.redb"), old).unwrap();
    for command in ["secret list", "secret get web TOKEN", "doctor", "compact"] {
        let run = machines.run("ann", &format!("mcplexer {command}"));
        let code = if command == "doctor" { 1 } else { 6 };
        assert_eq!(run.code, code, "{command}: {}", run.stderr);
    }
    machines
        .run("ann", "echo v | mcplexer secret put web NEW")
        .failed(6, &["an older copy", "key accept --older"]);
    fs::write(machines.home("ann").path("secrets.redb"), new).unwrap();
    machines.carry("ann", "bob", &["secrets.redb".to_owned()]);
    machines
        .run("bob", "mcplexer secret get web TOKEN")
        .failed(5, &["no key opens this store"]);
    follow(&mut machines, &["A colleague comes back"]);
}

#[test]
fn a_laptop_is_replaced() {
    let Some(mut machines) = machines() else {
        return;
    };
    follow(&mut machines, &["A laptop is replaced"]);
    let value = machines
        .run("new", "mcplexer secret get web TOKEN")
        .succeeded();
    assert_eq!(value.text().trim(), "value");
}

#[test]
fn two_machines_share_a_store() {
    let Some(mut machines) = machines() else {
        return;
    };
    follow(
        &mut machines,
        &["Two machines share a store", "The store is refused"],
    );
    for machine in ["ann", "desk"] {
        for (name, value) in [
            ("OF_ann", "one"),
            ("OF_desk", "other"),
            ("FROM_LAPTOP", "value-2"),
        ] {
            let get = format!("mcplexer secret get web {name}");
            let run = machines.run(machine, &get).succeeded();
            assert_eq!(run.text().trim(), value, "{machine}");
        }
    }
}
