//! The examples at the end of each command's help.

pub(super) const INIT: &str = "\
Examples:
  mcplexer init
  MCPLEXER_HOME=/srv/tools mcplexer init";

pub(super) const SECRET: &str = "\
Examples:
  mcplexer secret put github TOKEN
  mcplexer secret list github

Other names: set and add mean put; show and read mean get; ls means list; rm and remove mean delete.";

pub(super) const SECRET_PUT: &str = "\
Examples:
  mcplexer secret put github TOKEN                        # asks for the value
  gh auth token | mcplexer secret put github TOKEN
  mcplexer secret put tls PRIVATE_KEY --file server.pem --expires 365d

A new value keeps the note and the interval. It keeps an expiry as well, unless that has passed.";

pub(super) const SECRET_GET: &str = "\
Examples:
  mcplexer secret get github TOKEN
  mcplexer secret get tls/PRIVATE_KEY > server.pem
  mcplexer secret get shop DB_USER DB_PASSWORD --json
  mcplexer secret get github TOKEN --clip";

pub(super) const SECRET_EDIT: &str = "\
Without an option, the value opens in the editor that VISUAL or EDITOR names, or else in vi. The file is in memory, \
never on a disk, and is erased when the editor ends. Nothing is stored if the value is unchanged or empty, if the editor \
fails, or if the secret was replaced meanwhile. A secret that does not exist yet begins empty. A line feed that the editor \
adds at the end of a value without one is not stored.

Examples:
  mcplexer secret edit github TOKEN
  mcplexer secret edit github TOKEN --expires 90d
  mcplexer secret edit github TOKEN --rotate-every 12w --note 'read-only, for CI'
  mcplexer secret edit github TOKEN --no-expires";

pub(super) const SECRET_HISTORY: &str = "\
A scope keeps 5 earlier versions of each secret; mcplexer scope update --keep-versions changes that.

Examples:
  mcplexer secret history github TOKEN
  mcplexer secret history github TOKEN --json";

pub(super) const SECRET_RESTORE: &str = "\
Examples:
  mcplexer secret restore github TOKEN --version 3
  mcplexer secret restore tls PRIVATE_KEY --version 1";

pub(super) const SECRET_LIST: &str = "\
Examples:
  mcplexer secret list
  mcplexer secret list --all --long
  mcplexer secret list --expiring 30d";

pub(super) const SECRET_DELETE: &str = "\
Examples:
  mcplexer secret delete github TOKEN
  mcplexer secret rm shop DB_USER DB_PASSWORD";

pub(super) const SECRET_GENERATE: &str = "\
As with put, a secret that exists gets the value as its next version. A character of alnum has 6.0 bits of \
entropy, of digits 3.3, of hex 4, of base64url 6 and of ascii 6.6. A word is one of the 7776 of the EFF's long list, \
and has 12.9.

Examples:
  mcplexer secret generate shop SESSION_KEY
  mcplexer secret generate home WIFI --words 6
  mcplexer secret generate shop/PIN --length 8 --alphabet digits
  mcplexer secret generate shop HMAC_KEY --length 64 --alphabet hex --create";

pub(super) const SECRET_COPY: &str = "\
The value keeps its age, from which an interval counts, and its note, expiry and interval.

Examples:
  mcplexer secret copy github/TOKEN ci/GITHUB_TOKEN
  mcplexer secret copy github/TOKEN ci/GITHUB_TOKEN --force";

pub(super) const SECRET_MOVE: &str = "\
Versions, times, note, expiry and interval come along: of the earlier versions, as many as the new scope keeps.

Examples:
  mcplexer secret move shop/GITHUB_TOKEN github/TOKEN
  mcplexer secret move mcplexer://shop/TOKEN web/TOKEN --force";

pub(super) const SECRET_RENAME: &str = "\
Examples:
  mcplexer secret rename github TOKEN GITHUB_TOKEN
  mcplexer secret rename github/TOKEN GITHUB_TOKEN";

pub(super) const SCOPE_RENAME: &str = "\
If config.yaml refers to the scope, nothing is renamed: change it first. What else refers to it, such as the files of AI
clients, needs the new id as well.

Examples:
  mcplexer scope rename github-token github
  mcplexer scope rename github-token github --leave-references";

pub(super) const SECRET_FIND: &str = "\
Examples:
  mcplexer secret find token
  mcplexer secret find 'shop/*_key' --long";

pub(super) const SERVER: &str = "\
Examples:
  mcplexer server add memory -- npx -y @modelcontextprotocol/server-memory
  mcplexer server list";

pub(super) const SERVER_ADD: &str = "\
The values of --env and --header may refer to secrets, as mcplexer://SCOPE/KEY. They never hold one.

Examples:
  mcplexer server add github --env TOKEN=mcplexer://github/TOKEN -- github-mcp-server stdio
  mcplexer server add figma --url https://example.com/mcp --header 'X-Token: mcplexer://figma/TOKEN'
  mcplexer server add --from ~/.cursor/mcp.json";

pub(super) const SERVER_LIST: &str = "\
Examples:
  mcplexer server list
  mcplexer server list --json";

pub(super) const SERVER_SHOW: &str = "\
Examples:
  mcplexer server show github
  mcplexer server show github --json";

pub(super) const SERVER_REMOVE: &str = "\
Secrets stay in the store.

Examples:
  mcplexer server remove github
  mcplexer server rm github";

#[cfg(feature = "serve")]
pub(super) const CLIENT_INSTALL: &str = "\
Without --write, it shows the server and the file. The rest of the file does not change, and --undo gives it back to \
the byte. It leaves the client's other servers alone: mcplexer adopt --gateway moves those.

Examples:
  mcplexer client install claude-code
  mcplexer client install claude-code --write
  mcplexer client install claude-code --undo";

pub(super) const SCOPE: &str = "\
Examples:
  mcplexer scope list
  mcplexer scope show github";

pub(super) const SCOPE_CREATE: &str = "\
Examples:
  mcplexer scope create github
  mcplexer scope create linear --kind header --name 'Linear (remote)'";

pub(super) const SCOPE_UPDATE: &str = "\
Examples:
  mcplexer scope update github --keep-versions 20
  mcplexer scope update github --keep-versions 0";

pub(super) const SCOPE_LIST: &str = "\
Examples:
  mcplexer scope list
  mcplexer scope list --json";

pub(super) const SCOPE_SHOW: &str = "\
Examples:
  mcplexer scope show github
  mcplexer scope show github --json";

pub(super) const SCOPE_DELETE: &str = "\
Examples:
  mcplexer scope delete github
  mcplexer scope delete github --force";

pub(super) const CONFIG: &str = "\
Examples:
  mcplexer config show > ~/.mcplexer/config.yaml
  mcplexer config apply --dry-run";

pub(super) const CONFIG_CHECK: &str = "\
Examples:
  mcplexer config check
  mcplexer config check team.yaml --json";

pub(super) const CONFIG_APPLY: &str = "\
Examples:
  mcplexer config apply --dry-run
  mcplexer config apply team.yaml
  mcplexer config apply team.yaml --prune";

pub(super) const CONFIG_SHOW: &str = "\
Examples:
  mcplexer config show
  mcplexer config show > ~/.mcplexer/config.yaml";

pub(super) const CONFIG_SCHEMA: &str = "\
Examples:
  mcplexer config schema
  mcplexer config schema > config.schema.json";

pub(super) const RUN: &str = "\
The command replaces mcplexer: its process id, signals, terminal and exit code are its own. A variable \
of the environment whose value is mcplexer://SCOPE/KEY is set to the secret, and such a reference in an \
argument is filled.
A running command keeps the values it was started with. Restart it after a secret has changed.

Examples:
  mcplexer run --scope github -- npx -y @modelcontextprotocol/server-github
  mcplexer run --env-file .env --mask -- npm test
  mcplexer run --scope slack --only TOKEN --rename TOKEN=SLACK_TOKEN -- ./notify.sh";

pub(super) const INJECT: &str = "\
In JSON, YAML, TOML, .env and INI files, a value is written with the quotes and escapes of the place, or it is \
an error. {mcplexer://SCOPE/KEY} ends a reference where text follows, and {mcplexer://} is mcplexer:// itself.

Examples:
  mcplexer inject -i app.toml.in -o app.toml
  mcplexer inject -i config.template --format json -o config
  mcplexer inject -i netrc.in | curl --netrc-file /dev/stdin https://example.org";

pub(super) const ADOPT: &str = "\
Without --write, it shows what would move where. With --write, each server's credentials go into a \
scope of its own, and the server starts through mcplexer run. The rest of the file does not change.
With --gateway, the servers move to config.yaml, and the file keeps one that runs mcplexer connect.

Examples:
  mcplexer adopt                          # looks at all clients, changes nothing
  mcplexer adopt .mcp.json --write
  mcplexer adopt .mcp.json --undo";

pub(super) const IMPORT: &str = "\
Formats, by the file's name:
  dotenv  .env .env.* *.env  as the npm package dotenv reads it, but for --hash
  json    *.json             one object of names and strings
  yaml    *.yaml *.yml       one mapping of names and strings
Each name may occur once. A value is 1 byte to 1 MiB; after the prefix \
mcplexer+base64: it is in base64. All secrets are stored, or none if one is invalid.

Examples:
  mcplexer import shop .env --blank skip --skip PORT,NODE_ENV
  mcplexer import shop secrets.json --overwrite --dry-run
  ssh host cat .env | mcplexer import shop --format dotenv";

pub(super) const EXPORT: &str = "\
The programs that read .env files share no quotes. Without --for, a value that needs some is an error. With \
--for, it is written as that program reads it:
  node    the npm package dotenv
  python  python-dotenv
  docker  docker run --env-file
  sh      set -a; . ./.env
Without --for, a value that is not text is written in base64, after the prefix mcplexer+base64:, which \
mcplexer import reads.

Examples:
  mcplexer export shop -o .env
  mcplexer export shop --for docker -o shop.env
  mcplexer export shop --only STRIPE_KEY --format json -o stripe.json";

pub(super) const SCAN: &str = "\
Values are found as they are, in base64, in hex, percent-encoded, and within JSON. Each match is printed \
as PATH:LINE: SCOPE/KEY, never with its value, and the exit code is 6.
Hidden files are searched; files that git ignores, .git and symbolic links are not. Git ignores no file \
that it tracks, and nothing outside a repository.

Examples:
  mcplexer scan
  mcplexer scan --staged      # in .git/hooks/pre-commit, which must be executable
  mcplexer scan --scope github ~/.bash_history";

pub(super) const KEY: &str = "\
Examples:
  mcplexer key show
  mcplexer key recovery";

pub(super) const KEY_INIT: &str = "\
Examples:
  mcplexer key init
  MCPLEXER_AGE_KEY=/media/usb/age.key mcplexer key init";

pub(super) const KEY_SHOW: &str = "\
Examples:
  mcplexer key show
  mcplexer key show --json";

pub(super) const KEY_LIST: &str = "\
Examples:
  mcplexer key list
  mcplexer key list --json";

pub(super) const KEY_ADD: &str = "\
Examples:
  mcplexer key add --file ~/.ssh/id_ed25519.pub --label laptop
  mcplexer key add --passphrase
  mcplexer key add --label bob age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p";

pub(super) const KEY_REMOVE: &str = "\
Examples:
  mcplexer key remove bob
  mcplexer key remove age1ql3z7hjy";

pub(super) const KEY_ROTATE: &str = "\
Examples:
  mcplexer key rotate
  mcplexer key rotate --keep-identity";

pub(super) const KEY_RECOVERY: &str = "\
Examples:
  mcplexer key recovery
  mcplexer key recovery | lp";

pub(super) const KEY_ACCEPT: &str = "\
Run it once after a colleague has added your key and given you the store, and after you have moved the \
audit log away. If you expect neither, somebody may have replaced your store.

Examples:
  mcplexer key accept
  mcplexer key accept --older             # go on with an older copy of the store";

pub(super) const KEY_RECOVER: &str = "\
Examples:
  mcplexer key recover
  mcplexer key recover --lost laptop";

pub(super) const BACKUP: &str = "\
Examples:
  mcplexer backup create secrets.age
  mcplexer backup verify secrets.age";

pub(super) const BACKUP_CREATE: &str = "\
Examples:
  mcplexer backup create secrets.age
  mcplexer backup create secrets.age --passphrase";

pub(super) const BACKUP_VERIFY: &str = "\
Examples:
  mcplexer backup verify secrets.age
  mcplexer backup verify secrets.age --identity old.key";

pub(super) const BACKUP_RESTORE: &str = "\
Examples:
  mcplexer backup restore secrets.age
  mcplexer backup restore secrets.age --merge --dry-run
  mcplexer backup restore secrets.age --replace";

pub(super) const DOCTOR: &str = "\
Examples:
  mcplexer doctor
  mcplexer doctor --fix
  mcplexer doctor --strict --json         # in a script: fails for warnings as well";

pub(super) const COMPACT: &str = "\
Examples:
  mcplexer compact
  mcplexer -q compact";

pub(super) const AUDIT: &str = "\
Examples:
  mcplexer audit show --last 20
  mcplexer audit verify";

pub(super) const AUDIT_SHOW: &str = "\
Examples:
  mcplexer audit show --last 20
  mcplexer audit show --scope github --json";

pub(super) const AUDIT_CHECKPOINT: &str = "\
Examples:
  mcplexer audit checkpoint > /media/usb/checkpoint
  mcplexer audit checkpoint | mail -s checkpoint me@example.org";

pub(super) const AUDIT_VERIFY: &str = "\
Examples:
  mcplexer audit verify
  mcplexer audit verify --checkpoint /media/usb/checkpoint
  mcplexer audit verify --json";

pub(super) const CALLS: &str = "\
A call without an outcome is still going on, or the gateway was killed meanwhile. Arguments and results are not kept.

Examples:
  mcplexer calls -n 50
  mcplexer calls --follow
  mcplexer calls --json | jq '.calls[] | select(.outcome != \"ok\")'";

pub(super) const COMPLETIONS: &str = "\
In bash, zsh and fish, Tab also completes scopes, keys, servers and backups. The script runs mcplexer for them; it needs no \
key and reads no value.

Examples:
  mcplexer completions bash > ~/.local/share/bash-completion/completions/mcplexer
  mcplexer completions fish > ~/.config/fish/completions/mcplexer.fish
  mcplexer completions zsh > ~/.zfunc/_mcplexer    # and fpath+=~/.zfunc before compinit in ~/.zshrc";

pub(super) const MAN: &str = "\
Examples:
  mcplexer man | man -l -
  mcplexer man secret put | man -l -";

#[cfg(feature = "serve")]
pub(super) const SERVE: &str = "\
Without --http, it serves one client on standard input and output, and ends with it. With --http, clients need a token: \
mcplexer client add makes one. config.yaml is read again when it changes.

Examples:
  mcplexer serve --http                   # for all clients; asks for the passphrase of the key, if it has one
  mcplexer serve --server github          # for the client that runs it
  mcplexer serve --stop";

#[cfg(feature = "serve")]
pub(super) const UI: &str = "\
The gateway serves the page, and is started if needed. The address has a ticket in it that is good for one minute and for one \
browser. A session ends after 15 minutes without use.

Examples:
  mcplexer ui
  mcplexer ui --no-browser                # prints the address
  mcplexer ui --stop";

#[cfg(feature = "serve")]
pub(super) const CONNECT: &str = "\
It is the command of an entry in an AI client's configuration. If the gateway is restarted, the client's session goes on.

Examples:
  mcplexer connect --client claude-code
  mcplexer connect --server github";

#[cfg(feature = "serve")]
pub(super) const STATUS: &str = "\
Examples:
  mcplexer status
  mcplexer status --json";

#[cfg(feature = "serve")]
pub(super) const CLIENT: &str = "\
Examples:
  mcplexer client install claude-code --write
  mcplexer client add cursor";

#[cfg(feature = "serve")]
pub(super) const CLIENT_ADD: &str = "\
The client sends the token in the header field Authorization: Bearer TOKEN. It is shown only now.

Examples:
  mcplexer client add cursor
  mcplexer client add claude-code | pbcopy
  mcplexer client add nightly-report --api read";

#[cfg(feature = "serve")]
pub(super) const CLIENT_LIST: &str = "\
Examples:
  mcplexer client list
  mcplexer client list --json";

#[cfg(feature = "serve")]
pub(super) const CLIENT_REMOVE: &str = "\
Examples:
  mcplexer client remove cursor
  mcplexer client rm claude-code";

#[cfg(feature = "serve")]
pub(super) const SERVER_TEST: &str = "\
Examples:
  mcplexer server test github
  mcplexer server test github --json";

#[cfg(feature = "serve")]
pub(super) const SERVER_LOGS: &str = "\
Examples:
  mcplexer server logs github
  mcplexer server logs github | tail";

#[cfg(feature = "serve")]
pub(super) const SERVER_RESTART: &str = "\
Examples:
  mcplexer server restart github
  mcplexer server restart figma";

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::{Command, Parser};

    use crate::cli::{Cli, split};

    /// The words of an example from `mcplexer` on, without what the shell does with its input and output.
    fn words(example: &str) -> Vec<String> {
        let start = example.find("mcplexer ").unwrap();
        let pieces = example[start..].split('\'').enumerate();
        let words = pieces.flat_map(|(at, piece)| match at % 2 {
            0 => piece.split_whitespace().map(str::to_owned).collect(),
            _ => vec![piece.to_owned()],
        });
        let is_shell = |word: &str| ["#", "|", ">"].contains(&word);
        words.take_while(|word| !is_shell(word)).collect()
    }

    fn check(command: &Command, path: &[&str]) {
        let help = command.get_after_help().unwrap_or_default().to_string();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_default();
        let examples: Vec<_> = examples.lines().take_while(|it| !it.is_empty()).collect();
        assert!((2..=3).contains(&examples.len()), "{path:?}: {examples:?}");
        for example in examples {
            let words = words(example);
            let parsed = Cli::try_parse_from(split(words.iter().map(OsString::from)));
            assert!(parsed.is_ok(), "{example}: {:?}", parsed.err());
            let is_own = path.iter().all(|name| words.iter().any(|it| it == name));
            assert!(is_own || words.iter().any(|it| it == "rm"), "{example}");
        }
        for below in command.get_subcommands().filter(|it| !it.is_hide_set()) {
            check(below, &[path, &[below.get_name()]].concat());
        }
    }

    #[test]
    fn every_command_has_examples_that_parse() {
        check(&crate::cli::whole(), &[]);
    }
}
