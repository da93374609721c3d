//! The end of the help of the commands that use, move in and look for secrets.

use super::sections::{clients, store};

pub(in crate::cli) const RUN: &str = concat!(
    "\
The command replaces mcplexer: its process id, signals, terminal and exit code are its own. A variable \
of the environment whose value is mcplexer://SCOPE/KEY is set to the secret, and such a reference in an \
argument is filled.
A running command keeps the values it was started with. Restart it after a secret has changed.
Without --scope, --env-file and references, the command gets what the mcplexer.yaml of the project names, if you trust it.

Examples:
  mcplexer run --scope github -- npx -y @modelcontextprotocol/server-github
  mcplexer run --env-file .env --mask -- npm test
  mcplexer run --scope slack --only TOKEN --rename TOKEN=SLACK_TOKEN -- ./notify.sh",
    store!()
);

pub(in crate::cli) const INJECT: &str = concat!(
    "\
In JSON, YAML, TOML, .env and INI files, a value is written with the quotes and escapes of the place, or it is \
an error. {mcplexer://SCOPE/KEY} ends a reference where text follows, and {mcplexer://} is mcplexer:// itself.

Examples:
  mcplexer inject -i app.toml.in -o app.toml
  mcplexer inject -i config.template --format json -o config
  mcplexer inject -i netrc.in | curl --netrc-file /dev/stdin https://example.org",
    store!()
);

pub(in crate::cli) const ADOPT: &str = concat!(
    "\
Without --write, it shows what would move where. With --write, each server's credentials go into a \
scope of its own, and the server starts through mcplexer run. The rest of the file does not change.
With --gateway, the servers move to config.yaml, and the file keeps one that runs mcplexer connect.

Examples:
  mcplexer adopt                          # looks at all clients, changes nothing
  mcplexer adopt .mcp.json --write
  mcplexer adopt .mcp.json --undo",
    clients!()
);

pub(in crate::cli) const IMPORT: &str = concat!(
    "\
Formats, by the file's name:
  dotenv  .env .env.* *.env  as the npm package dotenv reads it, but for --hash
  json    *.json             one object of names and strings
  yaml    *.yaml *.yml       one mapping of names and strings
Each name may occur once. A value is 1 byte to 1 MiB; after the prefix \
mcplexer+base64: it is in base64. All secrets are stored, or none if one is invalid.

Examples:
  mcplexer import shop .env --blank skip --skip PORT,NODE_ENV
  mcplexer import shop secrets.json --overwrite --dry-run
  ssh host cat .env | mcplexer import shop --format dotenv",
    store!()
);

pub(in crate::cli) const EXPORT: &str = concat!(
    "\
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
  mcplexer export shop --only STRIPE_KEY --format json -o stripe.json",
    store!()
);

pub(in crate::cli) const SCAN: &str = concat!(
    "\
Values are found as they are, in base64, in hex, percent-encoded, and within JSON. Each match is printed \
as PATH:LINE: SCOPE/KEY, never with its value, and the exit code is 6. --shapes needs no store, and prints \
PATH:LINE: KIND.
Hidden files are searched; files that git ignores, .git and symbolic links are not. Git ignores no file \
that it tracks, and nothing outside a repository.

Examples:
  mcplexer scan
  mcplexer scan --staged      # in .git/hooks/pre-commit, which must be executable
  mcplexer scan --shapes --baseline .mcplexer-baseline.json
  mcplexer scan --shapes --format sarif >scan.sarif",
    store!()
);
