//! Finds tokens in the path and the fragment of an address: `https://eth.example.com/v2/…`.

use std::ops::Range;

use crate::name::{Says, says};
use crate::reason::Reason;
use crate::value::is_uuid;
use crate::{entropy, reference, value};

/// Length of the shortest part that can be a token, in bytes.
const MIN_PART: usize = 20;
/// Length of the shortest part after [`BEFORE_TOKENS`].
const MIN_NAMED: usize = 16;
/// Fewest different characters of a UUID that is a token: examples are `00000000-…`.
const MIN_DIFFERENT: usize = 6;
/// Length of the shortest id at the end of a title.
const MIN_ID: usize = 32;
/// Length of the longest suffix of a token.
const MAX_SUFFIX: usize = 5;
/// Parts that digests, commits and ids of documents follow, which look as random as tokens.
const BEFORE_NAMES: &[&str] = &[
    "archive",
    "blob",
    "blobs",
    "commit",
    "commits",
    "d",
    "e",
    "file",
    "files",
    "folders",
    "raw",
    "tree",
    "design",
    "board",
    "pages",
    "database",
    "databases",
    "assets",
    "static",
    "tar.gz",
    "zip",
    "notebooks",
    "packages",
    "gist",
    "tx",
    "address",
    "app",
    "apps",
    "ipfs",
    "ipns",
    "embed",
    "watch",
];
/// Parts that a token follows, be it hexadecimal.
const BEFORE_TOKENS: &[&str] = &[
    "v1",
    "v2",
    "v3",
    "v4",
    "rpc",
    "mcp",
    "sse",
    "s",
    "t",
    "u",
    // What sends events, and networks of blockchains.
    "callback",
    "generic",
    "inbound",
    "incoming",
    "integration",
    "mainnet",
    "testnet",
];
/// Parts that only a token follows, be it a UUID. Hosts may begin with them as well: `hooks.example.com`.
const BEFORE_SECRETS: &[&str] = &[
    "key", "keys", "apikey", "hook", "hooks", "iwh", "webhook", "webhooks", "token", "auth",
    "ical", "ping",
];
/// Parts of an address that receives events. A token is somewhere behind them.
const RECEIVERS: &[&str] = &["hook", "hooks", "iwh", "webhook", "webhooks"];
/// Parameters with digests, versions and states, which look as random as tokens.
const PUBLIC_PARAMETERS: &[&str] = &[
    "v",
    "ver",
    "h",
    "q",
    "query",
    "state",
    "nonce",
    "cursor",
    "etag",
    "challenge",
    "gid",
    "page",
    "next",
    "continue",
    "redirect",
];
/// Hosts whose paths have a token, be it hexadecimal.
const HOSTS: &[&str] = &[
    "alchemy.com",
    "ankr.com",
    "blastapi.io",
    "chainstack.com",
    "composio.dev",
    "drpc.org",
    "ftqq.com",
    "getblock.io",
    "infura.io",
    "make.com",
    "nodereal.io",
    "pipedream.net",
    "quiknode.pro",
    "quicknode.com",
    "webhook.site",
    "zapier.com",
    "hc-ping.com",
    "moralis-nodes.com",
];

/// Finds the first part of an address of the web that is a token.
///
/// A long hexadecimal part is a digest, unless the part before it or the host says that a token is there.
#[must_use]
pub fn find_in_address(text: &str) -> Option<(Range<usize>, Reason)> {
    find_if(text, Announced::Not)
}

/// The same in an address of which a name says that it receives events, which has a token somewhere.
pub(crate) fn find_in_webhook(text: &str) -> Option<(Range<usize>, Reason)> {
    find_if(text, Announced::Perhaps)
}

fn find_if(text: &str, least: Announced) -> Option<(Range<usize>, Reason)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("://") {
        let start = from + at + 3;
        let scheme = text.get(from..start - 3)?;
        let rest = text.get(start..)?;
        let ends = |c: char| c.is_whitespace() || "\"'`<>\\,;|".contains(c);
        let end = start + rest.find(ends).unwrap_or(rest.len());
        from = end;
        let is_web = ["http", "https", "ws", "wss"]
            .iter()
            .any(|it| scheme.ends_with(it));
        let address = text.get(start..end).filter(|_| is_web);
        let found = address.and_then(|it| in_parts(it, least));
        if let Some(place) = found {
            let reason = Reason::Address;
            return Some((start + place.start..start + place.end, reason));
        }
    }
    None
}

/// How sure it is that a part of an address is a token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    /// It must be one, be it a UUID.
    Surely,
    /// It may be one, be it hexadecimal.
    Perhaps,
    Not,
}

/// Finds a token in what follows the scheme.
fn in_parts(address: &str, mut least: Announced) -> Option<Range<usize>> {
    let end_of_host = address.find(['/', '?', '#'])?;
    let host = address.get(..end_of_host)?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let label = host.split('.').next()?;
    let has_tokens = BEFORE_SECRETS.contains(&label)
        || HOSTS.iter().any(|it| {
            host.strip_suffix(it)
                .is_some_and(|it| it.is_empty() || it.ends_with('.'))
        });
    let path_end = address.find(['?', '#']).unwrap_or(address.len());
    let mut before = "";
    let mut start = 0;
    for (number, part) in address.get(..path_end)?.split('/').enumerate() {
        let place = start..start + part.len();
        start = place.end + 1;
        let is_first = number == 1;
        let announced = match before {
            _ if has_tokens || BEFORE_SECRETS.contains(&before) => Announced::Surely,
            // A server of tools for one user.
            _ if is_first && label == "mcp" => Announced::Surely,
            _ if BEFORE_TOKENS.contains(&before) => Announced::Perhaps,
            // A calendar of Google.
            _ if part.starts_with("private-") => Announced::Perhaps,
            _ => least,
        };
        let is_named = BEFORE_NAMES.contains(&before) || (!is_first && names_objects(before));
        if number > 0 && !is_named && is_token(part, announced) {
            return Some(place);
        }
        if RECEIVERS.contains(&part) {
            least = Announced::Perhaps;
        }
        before = part;
    }
    let fragment = address.find('#').map(|at| at + 1);
    let is_fragment = |at: &usize| {
        address
            .get(*at..)
            .is_some_and(|it| is_token(it, Announced::Not))
    };
    let fragment = fragment.filter(is_fragment).map(|at| at..address.len());
    fragment.or_else(|| in_parameters(address, path_end))
}

/// Returns whether a part says that the id of an object follows: `projects`.
fn names_objects(part: &str) -> bool {
    let one = part.strip_suffix('s').unwrap_or(part);
    says(part) == Says::Public || says(one) == Says::Public
}

/// Finds a parameter that looks random, whatever its name, unless the name says that it is public.
fn in_parameters(address: &str, from: usize) -> Option<Range<usize>> {
    let end = address.find('#').unwrap_or(address.len());
    let mut start = from + 1;
    for parameter in address.get(start..end)?.split('&') {
        let place = start..start + parameter.len();
        start = place.end + 1;
        let Some((name, value)) = parameter.split_once('=') else {
            continue;
        };
        let is_public = says(name) == Says::Public
            || PUBLIC_PARAMETERS
                .iter()
                .any(|it| name.eq_ignore_ascii_case(it));
        let is_named = is_public || reference::is_resource(value);
        if !is_named && !value::is_placeholder(value) && entropy::looks_random(value) {
            return Some(place.end - value.len()..place.end);
        }
    }
    None
}

fn is_token(part: &str, announced: Announced) -> bool {
    // Services may add a suffix: `TOKEN.send`, `TOKEN.json`.
    let part = match part.rsplit_once('.') {
        Some((part, suffix)) if announced == Announced::Surely && suffix.len() <= MAX_SUFFIX => {
            part
        }
        _ => part,
    };
    let is_digest = part
        .split_once(':')
        .is_some_and(|(kind, _)| kind.starts_with("sha"));
    // A file, a digest, or a version: `name@…`.
    let is_file = part.contains('@') || part.contains('.') && !part.contains(':');
    if is_file || is_digest || value::is_placeholder(part) {
        return false;
    }
    if is_uuid(part) {
        return announced == Announced::Surely && entropy::different(part) > MIN_DIFFERENT;
    }
    let is_announced = announced != Announced::Not;
    let least = if is_announced { MIN_NAMED } else { MIN_PART };
    // A title with an id at its end.
    let last = part.rsplit('-').next().unwrap_or(part);
    let part = if last.len() >= MIN_ID { last } else { part };
    let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return is_announced && entropy::is_noise(part);
    }
    // A bot of Telegram: `bot123:…`.
    let token = part.rsplit(':').next().unwrap_or(part);
    // Words between hyphens make a title.
    let is_title = |it: &str| it.split(['-', '_']).count() > it.len() / 6;
    let is_public = value::is_address(token) || is_uuid(token) || entropy::is_public(token);
    token.len() >= least && !is_public && !is_title(token) && entropy::is_noise(token)
        || entropy::looks_random(token)
}
