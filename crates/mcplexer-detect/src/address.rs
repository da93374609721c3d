//! Finds tokens in the path and the fragment of an address: `https://eth.example.com/v2/…`.

use std::ops::Range;

use crate::reason::Reason;
use crate::{entropy, value};

/// Length of the shortest part that can be a token, in bytes.
const MIN_PART: usize = 20;
/// Length of the shortest part after [`BEFORE_TOKENS`].
const MIN_NAMED: usize = 16;
/// Length of the shortest id at the end of a title.
const MIN_ID: usize = 32;
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
];
/// Parts that a token follows, be it hexadecimal.
const BEFORE_TOKENS: &[&str] = &[
    "v1", "v2", "v3", "v4", "rpc", "key", "keys", "apikey", "hook", "hooks", "webhook", "webhooks",
    "mcp", "sse", "s", "t", "token", "u", "auth",
];
/// Hosts whose paths have a token, be it hexadecimal.
const HOSTS: &[&str] = &[
    "alchemy.com",
    "ankr.com",
    "blastapi.io",
    "chainstack.com",
    "composio.dev",
    "drpc.org",
    "getblock.io",
    "infura.io",
    "make.com",
    "nodereal.io",
    "pipedream.net",
    "quiknode.pro",
    "quicknode.com",
    "webhook.site",
    "zapier.com",
];

/// Finds the first part of an address of the web that is a token.
///
/// A long hexadecimal part is a digest, unless the part before it or the host says that a token is there.
#[must_use]
pub fn find_in_address(text: &str) -> Option<(Range<usize>, Reason)> {
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
        let found = text.get(start..end).filter(|_| is_web).and_then(in_parts);
        if let Some(place) = found {
            let reason = Reason::Address;
            return Some((start + place.start..start + place.end, reason));
        }
    }
    None
}

/// Finds a token in what follows the scheme.
fn in_parts(address: &str) -> Option<Range<usize>> {
    let (host, _) = address.split_once('/')?;
    let host = host.rsplit('@').next()?.split(':').next()?;
    let has_tokens = HOSTS.iter().any(|it| {
        host.strip_suffix(it)
            .is_some_and(|it| it.is_empty() || it.ends_with('.'))
    });
    let path_end = address.find(['?', '#']).unwrap_or(address.len());
    let mut before = "";
    let mut start = 0;
    for part in address.get(..path_end)?.split('/') {
        let place = start..start + part.len();
        start = place.end + 1;
        if place.start > 0 && is_token(part, before, has_tokens) {
            return Some(place);
        }
        before = part;
    }
    let fragment = address.find('#')? + 1;
    let part = address.get(fragment..)?;
    is_token(part, "", false).then_some(fragment..address.len())
}

fn is_token(part: &str, before: &str, has_tokens: bool) -> bool {
    // A file, or a version: `name@…`.
    let is_file = part.contains('@') || part.contains('.') && !part.contains(':');
    if is_file || BEFORE_NAMES.contains(&before) || value::is_placeholder(part) {
        return false;
    }
    let announced = has_tokens || BEFORE_TOKENS.contains(&before);
    let least = if announced { MIN_NAMED } else { MIN_PART };
    // A title with an id at its end.
    let last = part.rsplit('-').next().unwrap_or(part);
    let part = if last.len() >= MIN_ID { last } else { part };
    let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        return announced && entropy::is_noise(part);
    }
    // A bot of Telegram: `bot123:…`.
    let token = part.rsplit(':').next().unwrap_or(part);
    // Words between hyphens make a title.
    let is_title = |it: &str| it.split(['-', '_']).count() > it.len() / 6;
    let is_address = value::is_address(token) || token.len() == 36 && is_uuid(token);
    token.len() >= least && !is_address && !is_title(token) && entropy::is_noise(token)
        || entropy::looks_random(token)
}

fn is_uuid(part: &str) -> bool {
    part.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}
