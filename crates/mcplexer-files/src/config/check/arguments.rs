//! Credentials in the arguments of a command.

use std::iter;

use mcplexer_detect::{
    Reason, credential, find, find_by_option, find_in_address, find_named, in_words, takes_login,
};

/// Returns why an argument looks like a credential: by itself, behind a name in it, or behind the option before it. It
/// may be a line for a shell.
pub(super) fn reason(before: &str, argument: &str) -> Option<Reason> {
    let found = find(argument)
        .or_else(|| find_in_address(argument))
        .or_else(|| find_named(argument, |_| false));
    if let Some((_, reason)) = found {
        return Some(reason);
    }
    let words: Vec<_> = iter::once(before)
        .chain(argument.split_whitespace())
        .collect();
    let mut pairs = words.windows(2);
    let named = pairs.find_map(|pair| match pair {
        [before, word] => in_word(before, word),
        _ => None,
    });
    named
        .or_else(|| behind_names(argument))
        .or_else(|| in_words(before, argument))
}

fn in_word(before: &str, word: &str) -> Option<Reason> {
    let bare = word.trim_matches(['"', '\'', ',']);
    let found = find_by_option(before, bare);
    if takes_login(before) || found.is_some() {
        return found.map(|(reason, _)| reason);
    }
    let is_value = before.starts_with("--") && !before.contains('=') && !word.starts_with('-');
    let name = before.trim_start_matches('-');
    let named = is_value.then(|| credential(name, bare, &[])).flatten();
    named.or_else(|| behind_names(bare))
}

/// Looks at `NAME=value`, `--name=value`, `Name: value` and `--env=NAME=value`.
fn behind_names(text: &str) -> Option<Reason> {
    let mut rest = text;
    while let Some((name, value)) = rest.split_once(['=', ':']) {
        // It is an address, an image or a directory; or a shell fills it in.
        let value = value.trim_start_matches(['"', '\'']);
        if value.starts_with("//") || value.starts_with(['$', '`']) || name.contains('/') {
            return None;
        }
        let name = name.rsplit(char::is_whitespace).next().unwrap_or(name);
        let name = name.trim_start_matches(['-', '"', '\'']);
        if let Some(reason) = credential(name, value.trim(), &[]) {
            return Some(reason);
        }
        rest = value;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_found_by_what_is_before_them() {
        for (before, argument) in [
            ("--token", "hunter2"),
            ("-e", "API_KEY=hunter2"),
            ("", "--env=API_KEY=hunter2"),
            ("-H", "X-Api-Key: hunter2"),
            ("--header", "Authorization:Bearer hunter2"),
            ("-u", "me:Hunter2"),
            ("-p", "S3cr3tPassw0rd"),
            ("", "-ps3cr3tpw1"),
            ("-c", "npx srv --api-key hunter2"),
            ("-c", "TOKEN=hunter22 npx srv"),
            ("-c", "curl -u me:Hunter2 https://h"),
        ] {
            assert!(reason(before, argument).is_some(), "{before} {argument}");
        }
        for (before, argument) in [
            ("-p", "8080"),
            ("-p", "127.0.0.1:8080:8080"),
            ("-y", "@playwright/mcp@latest"),
            ("-c", "cd /srv && exec npx -y srv --port 8080"),
            ("--max-tokens", "4096"),
            ("-e", "API_KEY"),
            ("-v", "/home/ann/work:/workspace:ro"),
            ("-t", "streamable-http"),
            ("--package", "srv@1.2.3"),
            ("", "-python3"),
            ("--transport", "stdio"),
            ("--token-file", "/run/secrets/token"),
            ("-c", "TOKEN=$(pass show x) npx srv"),
        ] {
            assert_eq!(reason(before, argument), None, "{before} {argument}");
        }
    }
}
