//! Assignments of a shell (POSIX.1-2024, volume XCU, section 2), and `$'…'`.

use zeroize::Zeroizing;

use self::word::{Problem, word};
use super::{Entry, Form, Out, ReadError, encode};
use crate::position::{Lines, Position};
use mcplexer_secrets::{Credential, ScopeKind};

mod word;

const ONLY: &str = "only assignments are read, NAME=word, with or without export";

pub(super) fn read(file: &[u8]) -> Result<Vec<Entry>, ReadError> {
    let error = |(at, problem): Problem| ReadError::at(Position::in_text(file, at), problem);
    let mut script = Script { text: file, at: 0 };
    let lines = Lines::of(file);
    let mut entries = Vec::new();
    while script.next_command() {
        let exports = script.skip_export().map_err(error)?;
        while script.next_word() {
            let at = script.at;
            let Some(name) = script.name(exports).map_err(error)? else {
                continue;
            };
            let value = script.value(exports);
            let value = value.map_err(|problem| error(problem).about(&name))?;
            let line = lines.line(at);
            entries.push(Entry { name, value, line });
        }
    }
    Ok(entries)
}

/// A script on the way through it.
struct Script<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Script<'a> {
    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.rest() {
                [b' ' | b'\t', ..] => self.at += 1,
                [b'\\', b'\n', ..] => self.at += 2,
                _ => return,
            }
        }
    }

    /// Goes to the next command; there may be none.
    fn next_command(&mut self) -> bool {
        loop {
            self.skip_blanks();
            match self.rest() {
                [] => return false,
                [b'\n', ..] => self.at += 1,
                [b'#', ..] => self.skip_comment(),
                _ => return true,
            }
        }
    }

    fn skip_comment(&mut self) {
        let end = self.rest().iter().position(|&byte| byte == b'\n');
        self.at += end.unwrap_or(self.rest().len());
    }

    /// Goes to the next word of a command; there may be none, and then the command has ended.
    fn next_word(&mut self) -> bool {
        self.skip_blanks();
        match self.rest() {
            [] | [b'#', ..] => false,
            [b'\n' | b';', ..] => {
                self.at += 1;
                false
            }
            _ => true,
        }
    }

    /// What may be a word without quotes, and the blanks behind it.
    fn skip_word(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let end = rest.iter().position(|&byte| ends_word(byte));
        let (word, _) = rest.split_at(end.unwrap_or(rest.len()));
        self.at += word.len();
        self.skip_blanks();
        word
    }

    /// Goes past what makes a command one that exports; says whether this is one.
    fn skip_export(&mut self) -> Result<bool, Problem> {
        let begin = self.at;
        match self.skip_word() {
            b"export" => Ok(true),
            // Bash prints them so; the other options that make no array are of no account here.
            b"declare" | b"typeset" => {
                let options = self.skip_word().strip_prefix(b"-");
                let options = options.filter(|letters| {
                    letters.contains(&b'x') && letters.iter().all(|letter| b"xri".contains(letter))
                });
                options.map(|_| true).ok_or((begin, ONLY))
            }
            b"" if self.rest().starts_with(b";") => Err((self.at, ONLY)),
            _ => {
                self.at = begin;
                Ok(false)
            }
        }
    }

    /// The name that a word assigns to; `None` if it is exported only, which sets nothing.
    fn name(&mut self, exports: bool) -> Result<Option<String>, Problem> {
        let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let rest = self.rest();
        let end = rest.iter().position(|byte| !in_name(byte));
        let (name, after) = rest.split_at(end.unwrap_or(rest.len()));
        if name.first().is_none_or(u8::is_ascii_digit) {
            return Err((self.at, ONLY));
        }
        match after {
            [b'=', ..] => {
                self.at += name.len() + 1;
                Ok(Some(String::from_utf8_lossy(name).into_owned()))
            }
            _ if exports && after.first().is_none_or(|&byte| ends_word(byte)) => {
                self.at += name.len();
                Ok(None)
            }
            _ => Err((self.at, ONLY)),
        }
    }

    fn value(&mut self, exports: bool) -> Result<Zeroizing<Vec<u8>>, Problem> {
        // Growing could leave copies behind, so it is read twice, and only counted at first.
        let mut length = 0;
        let end = word(self.text, self.at, exports, &mut |bytes| {
            length += bytes.len();
        })?;
        let mut value = Zeroizing::new(Vec::with_capacity(length));
        word(self.text, self.at, exports, &mut |bytes| {
            value.extend_from_slice(bytes);
        })?;
        self.at = end;
        Ok(value)
    }
}

fn ends_word(byte: u8) -> bool {
    b" \t\n;".contains(&byte)
}

/// Returns whether a shell variable can have this name.
pub(super) fn is_name(it: &Credential<'_>) -> bool {
    ScopeKind::Env.check(it.name).is_ok()
}

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    for (name, form) in items {
        out(b"export ");
        out(name.as_bytes());
        out(b"=");
        match form {
            Form::Bytes(bytes) => encode(bytes, out),
            Form::Text(text) => quoted(text, out),
        }
        out(b"\n");
    }
}

/// Between single quotes everything stands for itself, in every shell; a single quote stands outside.
fn quoted(text: &str, out: Out<'_>) {
    for (at, piece) in text.split('\'').enumerate() {
        if at > 0 {
            out(b"\\'");
        }
        if !piece.is_empty() || text.is_empty() {
            out(b"'");
            out(piece.as_bytes());
            out(b"'");
        }
    }
}
