//! Which part of a value is looked for, and which parts reveal it by themselves.

use mcplexer_detect::{credential, find_any, is_auth_scheme, is_everyday};
use zeroize::Zeroizing;

mod encoded;
mod lines;
mod members;
mod quoted;

use members::Member;

use crate::known::MIN_MASKED_LEN;

/// How deep texts within texts are read: JSON within a line of a `.env` file within JSON.
const DEPTH: usize = 4;
/// How many bytes are searched for credentials, in all. Members of members are read repeatedly.
const MOST: usize = 512 << 10;

/// A part of a value, unescaped.
pub(crate) type Part = Zeroizing<Vec<u8>>;

/// Splits a value into what is looked for and the line ends after it. `None` if it is too short.
pub(crate) fn without_line_ends(whole: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_line_end = |byte: &u8| b"\r\n".contains(byte);
    let end = whole.iter().rposition(|byte| !is_line_end(byte));
    let trimmed = whole.split_at_checked(end.map_or(0, |end| end + 1));
    let long_enough = |(bytes, _): &(&[u8], &[u8])| bytes.len() >= MIN_MASKED_LEN;
    trimmed
        .filter(long_enough)
        .or_else(|| Some((whole, &b""[..])).filter(long_enough))
}

/// Returns the parts of a value that reveal it by themselves, since programs print members of JSON and single
/// lines, indent lines and join them: what looks like a credential, by its shape or by the name before it,
/// and lines of base64, as in PEM (RFC 7468).
pub(crate) fn revealing(value: &[u8]) -> Vec<Part> {
    let mut parts = Parts {
        found: Vec::new(),
        left: MOST,
    };
    parts.search(value, DEPTH);
    parts.found
}

/// Collects parts.
struct Parts {
    found: Vec<Part>,
    /// How many bytes may still be searched.
    left: usize,
}

impl Parts {
    fn search(&mut self, text: &[u8], depth: usize) {
        if !text.iter().any(|byte| b" \t\n\"'`=:<{[\\".contains(byte)) {
            return;
        }
        lines::base64(text, |line| self.add(line));
        for line in text.split(|&byte| byte == b'\n') {
            self.search_line(str::from_utf8(line).unwrap_or_default());
        }
        let Ok(text) = str::from_utf8(text) else {
            return;
        };
        if let Some((scheme, credential)) = text.trim_end().split_once(' ')
            && is_auth_scheme(scheme)
            && !credential.contains(char::is_whitespace)
        {
            self.take_password(credential);
        }
        lines::without_separators(text, |password| self.take_password(password));
        for member in members::of(text, &mut self.left) {
            self.take(&member, depth);
        }
        if let Some(text) = quoted::pem(text) {
            self.add(&text);
            self.search(&text, depth.saturating_sub(1));
        }
    }

    /// Adds what has the shape of a credential, and what looks random.
    fn search_line(&mut self, line: &str) {
        let mut rest = line;
        while self.may_search(rest.len())
            && let Some((place, _)) = find_any(rest)
        {
            // The boundaries of PEM are the same in all values.
            let found = rest.get(place.clone()).unwrap_or_default();
            if !found.starts_with("-----") && !is_everyday("", found) {
                self.add(found.as_bytes());
            }
            rest = rest.get(place.end..).unwrap_or_default();
        }
    }

    /// Adds the value of a member, or its own members.
    fn take(&mut self, member: &Member<'_>, depth: usize) {
        let (name, value) = (member.name, member.value.as_str());
        if !self.may_search(value.len()) {
            return;
        }
        if value.len() < MIN_MASKED_LEN || is_everyday(name, value) {
            return;
        }
        let is_credential = credential(name, value, &[]).is_some();
        if is_credential && !value.contains('\n') {
            self.add(value.as_bytes());
            if let Some((scheme, credential)) = value.split_once(' ')
                && is_auth_scheme(scheme)
            {
                self.add(credential.trim().as_bytes());
            }
        }
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if member.is_text && (value.contains('\n') || value.starts_with(['{', '['])) {
            self.add_lines(value);
            self.search(value.as_bytes(), depth);
        }
        if let Some(text) = encoded::base64(value) {
            if is_credential {
                self.add_lines(&text);
            }
            // As in the file of a container registry's users: RFC 7617.
            if let Some((_, password)) = text
                .split_once(':')
                .filter(|_| name.trim_start_matches('_') == "auth")
            {
                self.take_password(password);
            }
            self.search(text.as_bytes(), depth);
        }
    }

    fn take_password(&mut self, password: &str) {
        let password = Member {
            name: "password",
            value: Zeroizing::new(password.to_owned()),
            is_text: false,
        };
        self.take(&password, 0);
    }

    /// Returns whether this many bytes may still be searched.
    fn may_search(&mut self, length: usize) -> bool {
        self.left = self.left.saturating_sub(length);
        self.left > 0
    }

    /// Adds a text that may end with line ends.
    fn add_lines(&mut self, text: &str) {
        if text.contains("PRIVATE KEY-----") || !text.contains('\n') {
            self.add(text.trim_end_matches(['\r', '\n']).as_bytes());
        }
    }

    fn add(&mut self, part: &[u8]) {
        if part.len() >= MIN_MASKED_LEN {
            self.found.push(Zeroizing::new(part.to_vec()));
        }
    }
}
