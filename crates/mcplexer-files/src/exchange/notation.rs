//! How readers of `.env` files have a value written.

use zeroize::Zeroizing;

use super::Out;
use crate::dotenv::parse;
use crate::quoted::is_hidden;

/// Whether every reader takes a value as it is, without quotes, wherever the file is read.
///
/// * docker takes everything as it is, quotes as well.
/// * dotenv ends the value at `#`, python-dotenv at a `#` behind a space. Both drop spaces around it and take
///   quotes away.
/// * Shells give a meaning to most of the rest. At the beginning and behind `:` they replace `~`, and zsh `=`
///   as well. They do not split words, expand braces or look for files where a variable is set
///   (POSIX.1-2024, XCU 2.9.1.1).
/// * bash 3.2 of macOS takes the bytes 0x85 and 0xA0 for spaces, also within a character.
pub(super) fn is_plain(text: &str) -> bool {
    let is_ascii = |c: char| c.is_ascii_alphanumeric() || "_@%+:,./-^!{}[]*?=~".contains(c);
    let is_other = |c: char| {
        let split = |byte: &u8| matches!(byte, 0x85 | 0xA0);
        let mut bytes = [0; 4];
        !c.is_ascii()
            && !c.is_whitespace()
            && !is_hidden(c)
            && !c.encode_utf8(&mut bytes).as_bytes().iter().any(split)
    };
    let begins = |piece: &str| piece.starts_with(['~', '=']);
    text.chars().all(|c| is_ascii(c) || is_other(c)) && !text.split(':').any(begins)
}

/// How the npm package `dotenv` has a value written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Node {
    /// As it is, between these quotes or none.
    Between(&'static str),
    /// Between double quotes, with `\r` for a carriage return.
    Escaped,
}

/// Returns how dotenv reads a text; `None` if nothing makes it return the text.
///
/// What shells read as well comes first, and backticks, in which they would run the text, last.
pub(super) fn node(text: &str) -> Option<Node> {
    let all = [
        Node::Between("'"),
        Node::Between("\""),
        Node::Escaped,
        Node::Between(""),
        Node::Between("`"),
    ];
    all.into_iter().find(|it| it.is_read(text))
}

impl Node {
    fn quote(self) -> &'static str {
        match self {
            Self::Between(quote) => quote,
            Self::Escaped => "\"",
        }
    }

    pub(super) fn write(self, text: &str, out: Out<'_>) {
        out(self.quote().as_bytes());
        match self {
            Self::Between(_) => out(text.as_bytes()),
            Self::Escaped => replace(text, '\r', "\\r", out),
        }
        out(self.quote().as_bytes());
    }

    fn is_read(self, text: &str) -> bool {
        // A reader may not take a quote behind a backslash for the closing one, and a quote that is not closed on
        // its line may be closed on a later one.
        let fits = match self.quote() {
            "" => !text.starts_with(['\'', '`', '"']),
            quote => !text.ends_with('\\') && !text.contains(quote),
        };
        if !fits || (self == Self::Escaped && !text.contains('\r')) {
            return false;
        }
        let mut file = Zeroizing::new(Vec::with_capacity(2 * text.len() + 4));
        file.extend_from_slice(b"A=");
        self.write(text, &mut |bytes| file.extend_from_slice(bytes));
        let variables = parse(&file);
        variables.is_ok_and(|it| matches!(&*it, [one] if one.value() == text.as_bytes()))
    }
}

/// Writes text for python-dotenv, which can be given every text.
///
/// It resolves `\\` and the quote between quotes, and carriage returns only between double quotes: as they are,
/// it reads them as line feeds. Then it replaces `${NAME}`, and `${NAME:-other}` with `other` if there is no such
/// variable. No variable has an empty name, so `${:-$}` is a `$` that begins nothing, and `${:-\\}` a backslash
/// at the end that does not escape the closing quote.
pub(super) fn write_python(text: &str, out: Out<'_>) {
    let quote = if text.contains('\r') { '"' } else { '\'' };
    let (body, end) = match text.strip_suffix('\\') {
        Some(body) => (body, "${:-\\\\}"),
        None => (text, ""),
    };
    let mut bytes = [0; 4];
    let quoted = quote.encode_utf8(&mut bytes).as_bytes();
    out(quoted);
    let mut rest = body.chars().peekable();
    while let Some(character) = rest.next() {
        match (character, rest.peek()) {
            ('$', Some('{')) => out(b"${:-$}"),
            ('\r', _) => out(b"\\r"),
            ('\\', _) => out(b"\\\\"),
            (it, _) if it == quote => {
                out(b"\\");
                out(quoted);
            }
            (it, _) => out(it.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out(end.as_bytes());
    out(quoted);
}

/// Writes bytes for a shell: between single quotes, where every shell takes everything as it is, and single
/// quotes outside of them (POSIX.1-2024, XCU 2.2).
pub(super) fn write_shell(value: &[u8], out: Out<'_>) {
    for (at, piece) in value.split(|&byte| byte == b'\'').enumerate() {
        if at > 0 {
            out(b"\\'");
        }
        if !piece.is_empty() || value.is_empty() {
            out(b"'");
            out(piece);
            out(b"'");
        }
    }
}

fn replace(text: &str, from: char, to: &str, out: Out<'_>) {
    for (at, piece) in text.split(from).enumerate() {
        if at > 0 {
            out(to.as_bytes());
        }
        out(piece.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_values_mean_the_same_everywhere() {
        for plain in [
            "ghp_abc",
            "a=b==",
            "{a,b}",
            "https://h/p?a=b%20",
            "Grüße😀",
            "a~b",
            "-",
        ] {
            assert!(is_plain(plain), "{plain}");
        }
        for other in [
            "it's",
            "a b",
            "a#b",
            "~",
            "a:~",
            "=ls",
            "a$",
            "a;b",
            "a`b`",
            "a\\",
            "\"a\"",
            "a\u{a0}b",
            "à",
            "a\u{2028}",
            "\u{feff}",
            "a&b",
            "(a)",
            "<a",
            "a|b",
        ] {
            assert!(!is_plain(other), "{other}");
        }
    }

    #[test]
    fn a_shell_is_not_given_backticks_if_other_quotes_do() {
        for (text, notation) in [
            ("touch x #'", Some(Node::Between("\""))),
            ("a\"b", Some(Node::Between("'"))),
            ("a\r\nb", Some(Node::Escaped)),
            ("it's \"b\"", Some(Node::Between(""))),
            ("it's \"b\" # c", Some(Node::Between("`"))),
            ("'\"` # d", None),
        ] {
            assert_eq!(node(text), notation, "{text}");
        }
    }
}
