//! Formats text for a terminal: nothing foreign steers it, paths are short.

use std::fmt::{self, Display};
use std::path::Path;

use mcplexer_secrets::Timestamp;
use mcplexer_secrets::keys::Identity;
use unicode_width::UnicodeWidthStr;

/// Returns whether a character could steer a terminal: control characters, and those that reorder text.
pub(crate) fn steers(character: char) -> bool {
    let reorders = matches!(
        character,
        '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}'
    );
    reorders || character.is_control()
}

/// Makes control characters visible, so that no file or name can steer a terminal.
pub(crate) fn sanitized(text: impl Display) -> String {
    let mut clean = String::new();
    for character in text.to_string().chars() {
        if steers(character) {
            clean.extend(character.escape_default());
        } else {
            clean.push(character);
        }
    }
    clean
}

/// Formats a path as people write it, with `~` for the home directory.
pub(crate) fn shown(path: &Path) -> String {
    shortened(path.display())
}

/// Puts words on lines, which are indented from the second one on.
pub(crate) fn wrapped(words: &[String], width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in words {
        let Some(line) = lines.last_mut() else {
            continue;
        };
        match line.is_empty() {
            true => line.push_str(word),
            false if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            false => lines.push(format!("    {word}")),
        }
    }
    lines.join("\n")
}

/// Formats a path as one word of a shell command.
pub(crate) fn typed(path: &Path) -> String {
    let short = shown(path);
    // No shell replaces a ~ in quotes.
    match short.strip_prefix("~/") {
        Some("") => short,
        Some(rest) => format!("~/{}", word(rest)),
        None if is_plain(&short) => short,
        None => in_quotes(short),
    }
}

/// Formats a text as one word of a shell command.
pub(crate) fn word(text: &str) -> String {
    match is_plain(text) && !text.is_empty() {
        true => text.to_owned(),
        false => in_quotes(text),
    }
}

/// Returns whether a shell reads a text as it is.
fn is_plain(text: &str) -> bool {
    // zsh replaces a word that begins with =.
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%=".contains(c);
    text.chars().all(is_plain) && !text.starts_with('=')
}

/// Formats a text as one word of a shell command, in quotes.
pub(crate) fn in_quotes(text: impl Display) -> String {
    format!("'{}'", sanitized(text).replace('\'', "'\\''"))
}

/// Shortens the paths in a text, makes its control characters visible, and leaves out private keys.
pub(crate) fn shortened(text: impl Display) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    let text = without_identities(&text.to_string());
    sanitized(with_tilde(&text, home.trim_end_matches('/')))
}

/// Replaces private keys, which a user may give in the place of something else.
fn without_identities(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let words = text.split_inclusive(|c: char| !is_part(c));
    let words = words.map(|piece| {
        let word = piece.trim_end_matches(|c| !is_part(c));
        match piece.strip_prefix(word) {
            Some(end) if Identity::is_like(word) => format!("[an identity]{end}"),
            _ => piece.to_owned(),
        }
    });
    words.collect()
}

/// Replaces `home` with `~` where a path begins, not within another path.
fn with_tilde(text: &str, home: &str) -> String {
    if home.is_empty() {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&format!("{home}/")) {
        let begins = before.is_empty() || before.ends_with([' ', '\'', '"', '(']);
        short.push_str(before);
        short.push_str(if begins { "~" } else { home });
        short.push('/');
        rest = after;
    }
    short.push_str(rest);
    short
}

/// Formats one name per line, for `xargs` and `while read`.
pub(crate) fn lines(names: impl IntoIterator<Item = impl Display>) -> String {
    names.into_iter().map(|name| format!("{name}\n")).collect()
}

/// Counts things: `1 line`, `2 lines`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", thousands(number))
}

/// Formats a number with thousands separators: `1,204`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats the date of a time, in UTC: `2027-01-31`.
pub(crate) fn date(time: Timestamp) -> String {
    time.to_string().chars().take(10).collect()
}

/// Formats a time in UTC, to the second: `2027-01-31 12:00:00 UTC`.
pub(crate) fn seconds(time: Timestamp) -> String {
    let text = time.to_string();
    match text.split_once('T') {
        Some((date, time)) => format!("{date} {} UTC", time.get(..8).unwrap_or(time)),
        None => text,
    }
}

/// Displays how long ago a time was: `2 hours ago`.
pub(crate) struct Ago(pub(crate) Timestamp);

impl Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&in_words(self.0, Timestamp::now()))
    }
}

fn in_words(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_micros().saturating_sub(then.as_micros()) / 1_000_000;
    let (number, unit) = match seconds {
        0..60 => return "just now".to_owned(),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    format!("{} ago", count(number, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(
            sanitized("a\x1b[31m\n\u{202e}ü"),
            "a\\u{1b}[31m\\n\\u{202e}ü"
        );
    }

    #[test]
    fn the_home_directory_is_shortened_where_a_path_begins() {
        let text = "cannot read /home/ann/a or /mnt/home/ann/b";
        let short = "cannot read ~/a or /mnt/home/ann/b";
        assert_eq!(with_tilde(text, "/home/ann"), short);
        assert_eq!(with_tilde(text, ""), text);
    }

    #[test]
    fn an_identity_is_not_repeated() {
        let text = "cannot read /k/age-secret-key-1gq9778vqx: AGE-SECRET-KEY-1… lines";
        let clean = "cannot read /k/[an identity]: AGE-SECRET-KEY-1… lines";
        assert_eq!(without_identities(text), clean);
    }

    #[test]
    fn a_path_can_be_typed() {
        let typed = |path: &str| typed(Path::new(path));
        assert_eq!(typed("/etc/x-1.json"), "/etc/x-1.json");
        assert_eq!(typed("/a b/it's"), "'/a b/it'\\''s'");
    }

    #[test]
    fn numbers_are_counted_in_words() {
        assert_eq!(count(1, "secret"), "1 secret");
        assert_eq!(count(0, "secret"), "0 secrets");
        assert_eq!(count(999, "scope"), "999 scopes");
        assert_eq!(count(1_234_567, "line"), "1,234,567 lines");
    }

    #[test]
    fn times_are_told_in_words() {
        let at = |seconds: u64| Timestamp::from_micros(seconds * 1_000_000);
        let told = |seconds| in_words(at(0), at(seconds));
        assert_eq!(told(59), "just now");
        assert_eq!(told(60), "1 minute ago");
        assert_eq!(told(7200), "2 hours ago");
        assert_eq!(told(3 * 86_400), "3 days ago");
        assert_eq!(told(800 * 86_400), "2 years ago");
        assert_eq!(in_words(at(5), at(0)), "just now");
    }
}
