//! Checks that a command ended as it should, and what it left behind.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use mcplexer_secrets::keys::FileKeys;
use mcplexer_secrets::{SecretStore, Store};

use super::commands::At;
use super::{NO_MEMORY, OLD, SECRETS, command};
use crate::home::{BINARY, Home};

/// The exit codes that a failure under a limit may have: 1, any other failure; 5, the key.
const CODES: [i32; 2] = [1, 5];
const SIGABRT: i32 = 6;
const SIGSEGV: i32 = 11;

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Well,
    Failed,
    /// Out of memory, with none left to report an error.
    Aborted,
}

/// Checks how a command ended and what it left behind. If it failed, its message must give one of
/// the `reasons`.
pub(super) fn judge(
    home: &Home,
    at: At,
    arguments: &[&str],
    output: &Output,
    reasons: &[&str],
) -> Ended {
    let signal = output.status.signal();
    let may_abort = reasons.contains(&NO_MEMORY);
    let stderr = String::from_utf8_lossy(&output.stderr);
    let what = format!("{arguments:?}: {:?}: {stderr}", output.status);
    let ended = match output.status.code() {
        Some(0) => Ended::Well,
        // It has findings, for example that there is no recovery code.
        Some(1) if arguments[0] == "doctor" && stderr.is_empty() => Ended::Well,
        None if may_abort && signal == Some(SIGABRT) => {
            assert!(stderr.contains("memory allocation of"), "{what}");
            Ended::Aborted
        }
        // There was too little memory even to load it, or to grow its stack.
        None if may_abort && signal == Some(SIGSEGV) => Ended::Aborted,
        Some(127) if stderr.contains("error while loading shared libraries") => Ended::Aborted,
        Some(code) => {
            assert!(CODES.contains(&code), "{what}");
            assert!(stderr.contains("mcplexer: error: "), "{what}");
            assert!(reasons.iter().any(|it| stderr.contains(it)), "{what}");
            let own = [
                "age.key",
                "secrets.redb",
                "audit.log",
                ".mcplexer",
                "standard input",
            ];
            let files = arguments.iter().filter(|it| it.contains('.'));
            assert!(
                own.iter().chain(files).any(|it| stderr.contains(it)),
                "no file: {what}"
            );
            Ended::Failed
        }
        None => panic!("{what}"),
    };
    assert!(!stderr.contains("panicked"), "{what}");
    if at == At::Lost && home.run(["secret", "get", "s", "K1"]).code != 0 {
        let again = command(home, Path::new(BINARY)).args(arguments).output();
        assert!(again.unwrap().status.success(), "again after {what}");
    }
    if at != At::First {
        let keys = FileKeys::new(home.path("age.key"));
        let store = Store::open(home.path("secrets.redb"), keys).unwrap();
        for (scope, key) in SECRETS {
            let found = store.get(&scope.parse().unwrap(), &key.parse().unwrap());
            let found = found.unwrap_or_else(|error| panic!("{error:?} after {what}"));
            let value = format!("value of {scope}/{key}");
            assert_eq!(found.expose(), value.as_bytes(), "{what}");
        }
        store.verify_audit(&home.path("audit.log"), None).unwrap();
        let written = |name| fs::read_to_string(home.root().join(name)).unwrap();
        assert!(
            [
                "old\n",
                "K1='value of s/K1'\nK2='value of s/K2'\n",
                "K1=\"value of s/K1\"\nK2=\"value of s/K2\"\n"
            ]
            .contains(&written("out.env").as_str()),
            "{what}: {}",
            written("out.env")
        );
        assert!(
            [OLD, "K1=value of s/K1\n"].contains(&written("out.txt").as_str()),
            "{what}"
        );
        let client: serde_json::Value = serde_json::from_str(&written("client.json")).unwrap();
        assert!(client["mcpServers"]["github"].is_object(), "{what}");
    } else {
        // Without the limit, the same command succeeds.
        let run = home.run(arguments);
        assert!(run.code == 0 || ended == Ended::Well, "{what}\n{run:?}");
        home.run(["secret", "put", "s", "K1", "v"]).succeeded();
        assert_eq!(home.get("s", "K1"), b"v", "{what}");
    }
    if ended == Ended::Failed {
        let left = home.files().into_iter().filter(|(path, _)| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.ends_with(".mcplexer-new")
        });
        assert_eq!(left.count(), 0, "{what}");
    }
    ended
}
