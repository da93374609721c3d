//! Lines that are credentials without a name and a separator before them.

use zeroize::Zeroizing;

/// Length of the shortest line of base64 that is looked for by itself, in bytes: shorter ones may be
/// words. In PEM, they are the end of a key.
const MIN_LINE_LEN: usize = 32;
const MIN_PEM_LINE_LEN: usize = 8;

/// Calls `each` with the lines of base64 in a text of several lines.
pub(super) fn base64(text: &[u8], mut each: impl FnMut(&[u8])) {
    if !text.contains(&b'\n') {
        return;
    }
    let mut is_pem = false;
    for line in text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii) {
        if line.starts_with(b"-----") {
            is_pem = line.starts_with(b"-----BEGIN");
        }
        let is_long = line.len() >= MIN_LINE_LEN && has_every_kind(line);
        let is_end_of_key = is_pem && line.len() >= MIN_PEM_LINE_LEN;
        if line.iter().all(belongs) && (is_long || is_end_of_key) {
            each(line);
        }
    }
}

fn belongs(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(byte)
}

/// Returns whether a line has characters of every kind. Rules and paths have the same characters, but not of
/// every kind.
fn has_every_kind(line: &[u8]) -> bool {
    let has = |kind: fn(&u8) -> bool| line.iter().any(kind);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// Calls `each` with the passwords of a netrc file, and of PostgreSQL's password file.
pub(super) fn without_separators(text: &str, mut each: impl FnMut(&str)) {
    let is_netrc = |line: &str| {
        let first = line.split_whitespace().next();
        first.is_some_and(|word| ["machine", "default"].contains(&word))
    };
    if text.lines().any(is_netrc) {
        let mut is_password = false;
        let mut rest = text;
        while let Some((word, after)) = word(rest) {
            if is_password {
                each(&word);
            }
            is_password = !is_password && word.as_str() == "password";
            rest = after;
        }
    }
    for line in text.lines() {
        // `host:port:database:user:password`, with a backslash before a colon.
        let mut fields = line.splitn(5, ':');
        let port = fields.nth(1).unwrap_or_default();
        let is_port =
            port == "*" || (!port.is_empty() && port.bytes().all(|it| it.is_ascii_digit()));
        if let Some(password) = fields.nth(2).filter(|_| is_port) {
            each(&password.replace("\\:", ":"));
        }
    }
}

/// Reads a word of a netrc file, which may be between quotes and then contains spaces and escapes. Returns it with what
/// follows.
fn word(text: &str) -> Option<(Zeroizing<String>, &str)> {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        let (word, after) = text.split_at(end);
        return (end > 0).then(|| (Zeroizing::new(word.to_owned()), after));
    };
    let mut word = Zeroizing::new(String::with_capacity(quoted.len()));
    let mut characters = quoted.chars();
    while let Some(c) = characters.next() {
        match c {
            '"' => break,
            '\\' => word.extend(characters.next()),
            '\n' => return Some((word, characters.as_str())),
            c => word.push(c),
        }
    }
    Some((word, characters.as_str()))
}
