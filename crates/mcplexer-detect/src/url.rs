//! Finds passwords in URLs (RFC 3986, section 3.2.1), in their queries, and in connection strings.

use std::ops::Range;

use crate::name::{self, Says, says};
use crate::reason::Reason;
use crate::{entropy, value};

/// Length of the shortest value of a parameter that can be a credential, in bytes.
const MIN_PARAMETER: usize = 6;
/// Length of the shortest password in a connection string, in characters.
const MIN_PASSWORD: usize = 4;
/// How much of a URL may be its authority, in bytes.
const MAX_AUTHORITY: usize = 256;
/// Parameters that sign a URL, and so give access to what it points to.
const SIGNATURES: &[&str] = &["sig", "signature", "x-amz-signature", "x-goog-signature"];
/// Secrets in connection strings other than passwords.
const CONNECTION_KEYS: &[&str] = &["accountkey", "sharedaccesskey", "secret"];

/// Finds the first password.
pub(crate) fn find(text: &str) -> Option<(Range<usize>, Reason)> {
    let found = [
        in_authority(text),
        in_query(text),
        in_connection_string(text),
        in_oracle(text),
    ];
    let first = found.into_iter().flatten().min_by_key(|place| place.start);
    first.map(|place| (place, Reason::Url))
}

/// Finds `scheme://user:password@host`, and `scheme://token@host`.
fn in_authority(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find("://") {
        let start = from + at + 3;
        from = start;
        let rest = text.get(start..)?;
        let ends = |c: char| c.is_whitespace() || "/?#\"'`\\".contains(c);
        let authority = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
        let before = text.get(..start - 3)?;
        let is_web = ["http", "https", "ws", "wss"]
            .iter()
            .any(|it| before.ends_with(it));
        let authority = match authority.contains('@') || is_web {
            true => authority,
            false => longer(rest, authority).unwrap_or(authority),
        };
        let Some((user, host)) = authority.rsplit_once('@') else {
            continue;
        };
        // An image: `docker://name:tag@sha256:…`.
        if host.starts_with("sha256:") || !is_scheme_before(text.get(..start - 3)?) {
            continue;
        }
        let (name, password) = user
            .split_once(':')
            .map_or((None, user), |(a, b)| (Some(a), b));
        let end = start + user.len();
        let place = end - password.len()..end;
        let stock = ["pass", "password", "pwd", "passwd"].contains(&password)
            && ["user", "username"].contains(&name.unwrap_or(""));
        let is_password = match name {
            Some(_) => !stock && !value::is_placeholder(password),
            // The key in the address of Sentry may only send reports, and is part of published programs.
            None => entropy::looks_random(password) && !is_of_sentry(password, host, rest),
        };
        if is_password {
            return Some(place);
        }
    }
    None
}

/// Returns the authority of a URL whose password has `/`, `?` or `#` as it is. That is wrong, and common for
/// databases.
fn longer<'t>(rest: &'t str, authority: &str) -> Option<&'t str> {
    let (_, given) = authority.split_once(':')?;
    if given.bytes().all(|byte| byte.is_ascii_digit()) {
        // It is a port.
        return None;
    }
    let ends = |(at, c): (usize, char)| {
        (at >= MAX_AUTHORITY || c.is_whitespace() || "\"'`\\,".contains(c)).then_some(at)
    };
    let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
    let rest = rest.get(..end)?;
    let at = rest.rfind('@')?;
    rest.get(..=at)
}

/// Finds `jdbc:oracle:thin:user/password@host`, and the same without its driver: `user/password@host:1521/XE`.
fn in_oracle(text: &str) -> Option<Range<usize>> {
    let mut logins = text.match_indices('@');
    logins.find_map(|(end, _)| {
        let before = text.get(..end)?;
        let is_edge = |c: char| c.is_whitespace() || "=\"'`:@".contains(c);
        let start = before.rfind(is_edge).map_or(0, |at| at + 1);
        let (user, password) = before.get(start..)?.split_once('/')?;
        let driver = text.get(..start)?.strip_suffix(':');
        let driver = driver.and_then(|it| it.rsplit_once(':'));
        let has_driver = driver.is_some_and(|(it, _)| it.ends_with("jdbc:oracle"));
        let is_user = |it: char| it.is_ascii_alphanumeric() || "_$#".contains(it);
        let is_login = !user.is_empty()
            && user.chars().all(is_user)
            && !password.contains('/')
            && is_listener(text.get(end + 1..)?);
        let is_password = (has_driver || is_login) && !password.is_empty();
        let is_password = is_password && !value::is_placeholder(password);
        is_password.then(|| end - password.len()..end)
    })
}

/// Returns whether a text begins as Oracle writes where a database is: `//db`, `db:1521/XE`, `db:1521:XE`.
fn is_listener(text: &str) -> bool {
    let is_of_host = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
    let host = text.trim_start_matches(is_of_host);
    let port = host.strip_prefix(':').unwrap_or_default();
    let rest = port.trim_start_matches(|c: char| c.is_ascii_digit());
    let has_port = host.len() < text.len() && rest.len() < port.len();
    text.starts_with("//") || has_port && rest.starts_with(['/', ':'])
}

/// Returns whether a key in an address is one of Sentry or of a server that takes the same reports: its path is the
/// number of a project.
fn is_of_sentry(key: &str, host: &str, rest: &str) -> bool {
    /// Length of the key, in hexadecimal.
    const KEY: usize = 32;
    let is_key = key.len() == KEY && key.bytes().all(|it| it.is_ascii_hexdigit());
    let path = rest.split_once(host).map_or("", |(_, path)| path);
    let is_of_path = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
    let path = path.split(|c| !is_of_path(c)).next().unwrap_or_default();
    let number = path.rsplit('/').next().unwrap_or_default();
    let is_number = !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit());
    is_key && (is_number || host.contains(".ingest."))
}

fn is_scheme_before(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// Finds `?api_key=…` and `&token=…`.
fn in_query(text: &str) -> Option<Range<usize>> {
    for (at, _) in text.match_indices(['?', '&', '#']) {
        let start = at + 1;
        let rest = text.get(start..)?;
        let named = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        let Some(length) = rest.find(|c| !named(c)) else {
            continue;
        };
        let (name, rest) = rest.split_at(length);
        let Some(rest) = rest.strip_prefix('=') else {
            continue;
        };
        let ends = |c: char| c.is_whitespace() || "?&#\"'`\\".contains(c);
        let given = rest.get(..rest.find(ends).unwrap_or(rest.len()))?;
        let signs = SIGNATURES.iter().any(|it| it.eq_ignore_ascii_case(name));
        let says = if signs { Says::Secret } else { says(name) };
        let is_id = value::is_id_of_pgp(given) && name::is_of_pgp(name);
        if given.len() >= MIN_PARAMETER && value::fits(says, given) && !is_id {
            let start = start + length + 1;
            return Some(start..start + given.len());
        }
    }
    None
}

/// Finds `Server=db;Password=…;` (ADO.NET), `host=db password=…` (libpq), `AccountKey=…` (Azure).
fn in_connection_string(text: &str) -> Option<Range<usize>> {
    let mut from = 0;
    for line in text.split_inclusive('\n') {
        let start = from;
        from += line.len();
        if let Some(found) = in_pairs(line) {
            return Some(start + found.start..start + found.end);
        }
    }
    None
}

fn in_pairs(line: &str) -> Option<Range<usize>> {
    let mut pairs = 0;
    let mut found = None;
    let mut from = 0;
    for piece in line.split_inclusive(|c: char| c.is_whitespace() || ";,\"'`".contains(c)) {
        let start = from;
        from += piece.len();
        let piece = piece.trim_end_matches(|c: char| c.is_whitespace() || ";,\"'`".contains(c));
        let Some((key, given)) = piece.split_once('=') else {
            continue;
        };
        pairs += 1;
        let named = says(key) == Says::Password
            || CONNECTION_KEYS
                .iter()
                .any(|it| it.eq_ignore_ascii_case(key));
        let named = named && given.chars().count() >= MIN_PASSWORD;
        if found.is_none() && named && value::fits(Says::Password, given) {
            let start = start + key.len() + 1;
            found = Some(start..start + given.len());
        }
    }
    found.filter(|_| pairs > 1)
}
