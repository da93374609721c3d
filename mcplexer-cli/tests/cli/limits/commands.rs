//! The commands that write, and the homes they run in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use mcplexer_secrets::keys::Identity;

use super::{INPUT, OLD, SECRETS};
use crate::home::Home;

/// The kind of home that a command runs in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// A home in use.
    Use,
    /// A home that holds the token of a client's configuration.
    Adopted,
    /// A home whose key is lost, but whose recovery code is known.
    Lost,
    /// A home that does not exist yet.
    First,
}

pub(super) const COMMANDS: [(At, &[&str]); 25] = [
    (At::First, &["secret", "put", "s", "K1", "value of s/K1"]),
    (At::First, &["key", "init"]),
    (At::First, &["config", "apply", "scopes.yaml"]),
    (
        At::First,
        &["backup", "restore", "b.age", "--identity", "b.key"],
    ),
    (At::Use, &["secret", "put", "s", "NEW", "v"]),
    (
        At::Use,
        &["secret", "put", "s", "LARGE", "--file", "large.bin"],
    ),
    (At::Use, &["secret", "delete", "gone", "K"]),
    (At::Use, &["scope", "create", "new"]),
    (At::Use, &["scope", "delete", "gone", "--force"]),
    (At::Use, &["import", "new", "in.env"]),
    (At::Use, &["export", "s", "--for", "sh", "-o", "out.env"]),
    (At::Use, &["inject", "-i", "template", "-o", "out.txt"]),
    (At::Use, &["adopt", "client.json", "--write"]),
    (At::Use, &["config", "apply", "scopes.yaml"]),
    (At::Use, &["key", "rotate"]),
    (At::Use, &["key", "add", "RECIPIENT", "--label", "new"]),
    (At::Use, &["key", "remove", "bob"]),
    (At::Use, &["key", "recovery"]),
    (At::Lost, &["key", "recover", "--lost", "LOST"]),
    (At::Use, &["backup", "create", "new.age"]),
    (
        At::Use,
        &["backup", "restore", "b.age", "--replace", "--force"],
    ),
    (At::Use, &["backup", "restore", "b.age", "--merge"]),
    (At::Adopted, &["adopt", "client.json", "--undo"]),
    (At::Use, &["compact"]),
    (At::Use, &["doctor", "--fix"]),
];

/// The files of a home in use, and the files around it.
pub(super) struct Template {
    files: Vec<(PathBuf, Vec<u8>)>,
    adopted: Vec<(PathBuf, Vec<u8>)>,
    lost: Vec<(PathBuf, Vec<u8>)>,
    recipient: String,
    lost_recipient: String,
}

impl Template {
    pub(super) fn new() -> Self {
        let home = Home::new();
        for (scope, key) in SECRETS.into_iter().chain([("gone", "K")]) {
            let value = format!("value of {scope}/{key}");
            home.run(["secret", "put", scope, key, &value]).succeeded();
        }
        let bob = Identity::generate().name();
        home.run(["key", "add", &bob, "--label", "bob"]).succeeded();
        home.run(["backup", "create", "b.age"]).succeeded();
        fs::copy(home.path("age.key"), home.root().join("b.key")).unwrap();
        let token = format!("ghp_{}", "aB3dE5gH7jK9mN1pQ".repeat(3).split_at(36).0);
        let client = format!(
            "{{\"mcpServers\":{{\"github\":{{\"command\":\"npx\",\"env\":{{\"GITHUB_TOKEN\":\"{token}\"}}}}}}}}"
        );
        for (name, text) in [
            ("in.env", "A=one\nB=two\n"),
            ("template", "K1=mcplexer://s/K1\n"),
            ("large.bin", &"x".repeat(900 << 10)),
            ("out.env", OLD),
            ("out.txt", OLD),
            ("client.json", &client),
            (
                "scopes.yaml",
                "auth_scopes:\n  - id: s\n    name: S\n    type: env\n  - id: applied\n    type: header\n",
            ),
        ] {
            fs::write(home.root().join(name), text).unwrap();
        }
        let files = || -> Vec<_> {
            let files = home.files().into_iter().map(|(path, bytes)| {
                let name = path.strip_prefix(home.root()).unwrap();
                (name.to_owned(), bytes)
            });
            files.collect()
        };
        let used = files();
        home.run(["adopt", "client.json", "--write"]).succeeded();
        let adopted = files();
        let code = home.run(["key", "recovery"]).succeeded().stdout;
        fs::write(home.root().join(INPUT), code).unwrap();
        let key = fs::read_to_string(home.path("age.key")).unwrap();
        fs::remove_file(home.path("age.key")).unwrap();
        Self {
            files: used,
            adopted,
            lost: files(),
            recipient: Identity::generate().name(),
            lost_recipient: Identity::parse_all(&key).unwrap()[0].name(),
        }
    }

    pub(super) fn home(&self, at: At) -> Home {
        let home = Home::new();
        let files = match at {
            At::Adopted => &self.adopted,
            At::Lost => &self.lost,
            At::Use | At::First => &self.files,
        };
        for (name, bytes) in files {
            let is_of_home = name.starts_with(".mcplexer");
            if is_of_home && at == At::First {
                continue;
            }
            let path = home.root().join(name);
            let _there = fs::create_dir(path.parent().unwrap());
            fs::write(&path, bytes).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        }
        if at != At::First {
            fs::set_permissions(home.path(""), Permissions::from_mode(0o700)).unwrap();
            // Gives `doctor --fix` something to fix.
            fs::set_permissions(home.path("audit.log"), Permissions::from_mode(0o644)).unwrap();
        }
        home
    }

    pub(super) fn arguments<'a>(&'a self, arguments: &'a [&'a str]) -> Vec<&'a str> {
        let with_recipient = arguments.iter().map(|argument| match *argument {
            "RECIPIENT" => self.recipient.as_str(),
            "LOST" => self.lost_recipient.as_str(),
            other => other,
        });
        with_recipient.collect()
    }
}
