//! Which names each argument takes.

/// What an argument takes that is completed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A scope.
    Scope,
    /// A scope, or a secret in one word.
    ScopeOrSecret,
    /// A secret in one word.
    Secret,
    /// A server of the client's file that is given.
    FileServer,
    /// A secret of the scope that is given.
    Key,
    /// A secret of the scopes of `--scope`.
    ChosenKey,
    /// A secret of those scopes, and `=`.
    RenamedKey,
    /// A profile of the project here.
    Profile,
    /// The label of a key that opens the store.
    Owner,
    /// A tool server in config.yaml.
    Server,
    /// A client in config.yaml.
    Client,
    /// A tool server in config.yaml, or one of the last calls.
    CalledServer,
    /// A client in config.yaml, or one of the last calls.
    CallingClient,
    /// A client that may connect over HTTP.
    HttpClient,
    /// An AI client that mcplexer knows.
    AiClient,
    /// A backup file.
    Backup,
    /// A file, although the argument is a text.
    File,
    /// A command to run, and its arguments.
    Command,
    /// Such a command, which stands behind a name and `--`.
    ServerCommand,
    /// The words of a command of mcplexer.
    Page,
}

impl Kind {
    /// Returns what an argument of the command at this path takes. `has_key` says whether the command takes a key too.
    pub(super) fn of(path: &[&str], argument: &str, has_key: bool) -> Option<Self> {
        Some(match (path, argument) {
            // A new one.
            (["scope", "create"], "scope") => return None,
            (["secret", ..], "scope") if has_key => Self::ScopeOrSecret,
            (_, "scope") => Self::Scope,
            (["secret", ..], "key") | (["export"], "only") => Self::Key,
            (["secret", "copy" | "move"], "from" | "to") => Self::Secret,
            (["adopt"], "server") => Self::FileServer,
            (["run"], "only") | (["audit", "show"], "key") => Self::ChosenKey,
            (["run"], "rename") => Self::RenamedKey,
            (["run"], "profile") => Self::Profile,
            (["key", "remove"], "key") | (["key", "recover"], "lost") => Self::Owner,
            (["server", "show" | "remove" | "test" | "logs" | "restart"], "name")
            | (["serve" | "connect"], "server") => Self::Server,
            (["serve" | "connect"], "client") | (["client", "add"], "name") => Self::Client,
            (["calls"], "server") => Self::CalledServer,
            (["calls"], "client") => Self::CallingClient,
            (["client", "remove"], "name") => Self::HttpClient,
            (["client", "install"], "name") => Self::AiClient,
            (["backup", "verify" | "restore"], "file") => Self::Backup,
            (["audit", "verify"], "checkpoint") => Self::File,
            (["run"], "command") => Self::Command,
            (["server", "add"], "command") => Self::ServerCommand,
            (["man"], "command") => Self::Page,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::{Command, CommandFactory};

    use super::*;
    use crate::cli::Cli;

    fn collect(command: &Command, path: &[&str], found: &mut BTreeSet<String>) {
        for argument in command.get_arguments() {
            if Kind::of(path, argument.get_id().as_str(), false).is_some() {
                found.insert(format!("{} {}", path.join(" "), argument.get_id()));
            }
        }
        for below in command.get_subcommands() {
            collect(below, &[path, &[below.get_name()]].concat(), found);
        }
    }

    /// An argument that is renamed would lose its completion, and nobody would notice.
    #[test]
    fn each_kind_is_that_of_an_argument() {
        let mut whole = Cli::command();
        whole.build();
        let mut found = BTreeSet::new();
        collect(&whole, &[], &mut found);
        let mut expected = BTreeSet::from(
            [
                "adopt server",
                "audit show key",
                "audit show scope",
                "audit verify checkpoint",
                "backup restore file",
                "backup verify file",
                "calls client",
                "calls server",
                "export only",
                "export scope",
                "import scope",
                "key recover lost",
                "key remove key",
                "man command",
                "run command",
                "run only",
                "run profile",
                "run rename",
                "run scope",
                "scan scope",
                "scope delete scope",
                "scope rename scope",
                "scope show scope",
                "scope update scope",
                "secret copy from",
                "secret copy to",
                "secret delete key",
                "secret delete scope",
                "secret edit key",
                "secret edit scope",
                "secret generate key",
                "secret generate scope",
                "secret get key",
                "secret get scope",
                "secret history key",
                "secret history scope",
                "secret list scope",
                "secret move from",
                "secret move to",
                "secret put key",
                "secret put scope",
                "secret rename key",
                "secret rename scope",
                "secret restore key",
                "secret restore scope",
                "server add command",
                "server add scope",
                "server remove name",
                "server show name",
            ]
            .map(str::to_owned),
        );
        if cfg!(feature = "serve") {
            expected.extend(
                [
                    "client add name",
                    "client install name",
                    "client remove name",
                    "connect client",
                    "connect server",
                    "serve client",
                    "serve server",
                    "server logs name",
                    "server restart name",
                    "server test name",
                ]
                .map(str::to_owned),
            );
        }
        assert_eq!(found, expected);
    }
}
