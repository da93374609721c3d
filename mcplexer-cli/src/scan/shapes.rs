//! Finds credentials of known shapes in a stream, without knowing their values.
//!
//! A stream is read through a window, so that a file of any size is searched in little memory. Bytes that are not UTF-8
//! separate texts.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use mcplexer_detect::{Reason, find};
use zeroize::Zeroizing;

use super::Place;

/// How many bytes are searched at once.
const WINDOW: usize = 256 * 1024;
/// How many bytes at the end of a window are searched again, together with what follows. No credential is longer.
const OVERLAP: usize = 32 * 1024;
/// How much of a long text is searched first, in bytes.
const NEAR: [usize; 3] = [4 * 1024, 16 * 1024, 64 * 1024];
/// What begins a private key, the only credential that is longer than its line.
const BEGIN: &str = "-----BEGIN";
/// What ends it.
const END: &str = "-----END";
/// How many bytes after its first line it may have. The line with the last of them is searched as a whole.
const KEY: usize = 16 * 1024;

/// Searches a stream to its end.
pub(super) fn scan(mut stream: impl Read) -> io::Result<Vec<Place>> {
    let mut window = Zeroizing::new(Vec::with_capacity(WINDOW));
    let mut position = Position { line: 1, column: 1 };
    let mut places = Vec::new();
    loop {
        let room = WINDOW - window.len();
        let read = (&mut stream).take(room as u64).read_to_end(&mut window)?;
        let is_last = read < room;
        let end = match is_last {
            true => window.len(),
            false => cut(&window, window.len() - OVERLAP),
        };
        let mut done = 0;
        for (at, reason) in find_all(&window) {
            if at < end {
                position.advance(window.get(done..at).unwrap_or_default());
                places.push(position.place(label(reason)));
                done = at;
            }
        }
        if is_last {
            return Ok(places);
        }
        position.advance(window.get(done..end).unwrap_or_default());
        window.drain(..end);
    }
}

/// Returns where to end a window: after a line or a word, and not far before `most`.
fn cut(window: &[u8], most: usize) -> usize {
    let before = window.get(..most).unwrap_or_default();
    let is_near = |at: &usize| *at > most / 2;
    let line = before.iter().rposition(|&byte| byte == b'\n');
    let word = || before.iter().rposition(|byte| b" \t\"',".contains(byte));
    let last = line.filter(is_near).or_else(|| word().filter(is_near));
    last.map_or(most, |at| at + 1)
}

/// Returns where the credentials in these bytes begin, and what they are.
fn find_all(bytes: &[u8]) -> Vec<(usize, Reason)> {
    let mut found = Vec::new();
    let mut start = 0;
    for chunk in bytes.utf8_chunks() {
        let text = chunk.valid();
        let mut from = 0;
        while let Some((at, end, reason)) = next(text, &mut from) {
            found.push((start + at, reason));
            from = end;
        }
        start += text.len() + chunk.invalid().len();
    }
    found
}

/// Finds the next credential, line by line from `from`, which is moved to where its line goes on.
fn next(text: &str, from: &mut usize) -> Option<(usize, usize, Reason)> {
    loop {
        let rest = text.get(*from..).filter(|it| !it.is_empty())?;
        let line = rest.split_inclusive('\n').next()?;
        match find_near(rest.get(..extent(rest, line)).unwrap_or(line)) {
            Some((place, reason)) if place.start < line.len() => {
                return Some((*from + place.start, *from + place.end, reason));
            }
            _ => *from += line.len(),
        }
    }
}

/// Returns how much of a text is searched for what begins on its first line: that line, and the lines of a key. Since a
/// key ends where another one begins, no line is searched for more than one of them.
fn extent(rest: &str, line: &str) -> usize {
    let key = line.rfind(BEGIN).and_then(|at| line.get(at..));
    if key.is_none_or(|key| key.contains(END)) {
        return line.len();
    }
    let mut end = line.len();
    let after = rest.get(end..).unwrap_or_default();
    for next in after.split_inclusive('\n') {
        if next.contains(BEGIN) || end - line.len() >= KEY {
            break;
        }
        end += next.len();
        if next.contains(END) {
            break;
        }
    }
    end
}

/// Finds the first credential, near the beginning first: a long line with many is not searched to its end for each.
fn find_near(text: &str) -> Option<(Range<usize>, Reason)> {
    let near = NEAR.iter().filter_map(|&length| text.get(..length));
    let mut found = near.filter_map(|near| find(near).filter(|it| it.0.end < near.len()));
    found.next().or_else(|| find(text))
}

/// Returns what a credential is called: its kind, such as `GitHub token`.
fn label(reason: Reason) -> Arc<str> {
    match reason {
        Reason::Shape { kind, .. } => kind.into(),
        Reason::Url => "password in a URL".into(),
        other => other.to_string().into(),
    }
}

/// A position in a stream.
struct Position {
    line: u64,
    column: u64,
}

impl Position {
    fn advance(&mut self, bytes: &[u8]) {
        let mut lines = bytes.rsplit(|&byte| byte == b'\n');
        let last = lines.next().map_or(0, <[u8]>::len) as u64;
        match lines.count() as u64 {
            0 => self.column += last,
            more => {
                self.line += more;
                self.column = last + 1;
            }
        }
    }

    fn place(&self, label: Arc<str>) -> Place {
        Place {
            line: self.line,
            column: self.column,
            label,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token of the shape of GitHub's, with other characters each time.
    fn token(number: usize) -> String {
        format!("ghp_{number:05}Zq8Rt2Yw5Lk9Xc3Vb7Nm1Qp4Sd6Fg0H")
    }

    fn places(text: &[u8]) -> Vec<(u64, u64, String)> {
        let found = scan(text).unwrap();
        let place = |it: Place| (it.line, it.column, it.label.to_string());
        found.into_iter().map(place).collect()
    }

    #[test]
    fn each_credential_is_found_at_its_place() {
        let text = format!(
            "a\n{} é {}\n\nurl=postgres://me:hunter2x@db/shop\n",
            token(1),
            token(2)
        );
        let github = || "GitHub token".to_owned();
        assert_eq!(
            places(text.as_bytes()),
            [
                (2, 1, github()),
                (2, token(1).len() as u64 + 5, github()),
                (4, 19, "password in a URL".to_owned())
            ]
        );
    }

    #[test]
    fn bytes_that_are_no_text_do_not_hide_what_is_beside_them() {
        let text = [
            b"\xff\xfe\0",
            token(1).as_bytes(),
            b"\xff\n\x80",
            token(2).as_bytes(),
        ]
        .concat();
        let found = places(&text);
        assert_eq!(
            found.iter().map(|it| (it.0, it.1)).collect::<Vec<_>>(),
            [(1, 4), (2, 2)]
        );
    }

    /// Whatever the length of lines is, nothing is missed where one window ends and the next begins.
    #[test]
    fn windows_hide_and_repeat_nothing() {
        const TOKENS: usize = 300;
        for line_len in [1, 7, TOKENS] {
            let mut text = String::new();
            for number in 0..TOKENS {
                text.push_str(&token(number));
                text.push_str(&" so many words".repeat(100));
                text.push(if number % line_len == 0 { '\n' } else { ' ' });
            }
            assert!(text.len() > WINDOW);
            let found = scan(text.as_bytes()).unwrap();
            assert_eq!(found.len(), TOKENS, "{line_len}");
            let lines: Vec<_> = text.lines().collect();
            for (number, place) in found.iter().enumerate() {
                let line = lines[usize::try_from(place.line).unwrap() - 1];
                let column = usize::try_from(place.column).unwrap();
                assert!(line[column - 1..].starts_with(&token(number)));
            }
        }
    }

    /// Were it counted in seconds, it would depend on the machine.
    #[test]
    fn no_line_is_searched_more_than_twice() {
        for line in [
            "PRIVATE KEY\n",
            "-----BEGIN\n",
            "-----BEGIN PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\nnothing\n",
            "-----END PRIVATE KEY-----\n-----BEGIN PRIVATE KEY-----\n",
        ] {
            let text = line.repeat(WINDOW / line.len());
            let mut searched = 0;
            let mut from = 0;
            for line in text.split_inclusive('\n') {
                searched += extent(&text[from..], line);
                from += line.len();
            }
            assert!(searched <= 2 * text.len(), "{line}: {searched}");
        }
    }

    #[test]
    fn a_key_of_several_lines_is_found_once_and_where_it_begins() {
        let line = "MC4CAQAwBQYDK2VwBCIEIAk7xQ2mZr8Wv5Tn1YbLs9Hd3PcJfGu6XoEaKi4RqBtz\n";
        let key = format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}-----END OPENSSH PRIVATE KEY-----\n",
            line.repeat(5)
        );
        // The third one has its first line at the end of a window.
        for before in [8, WINDOW - OVERLAP, WINDOW - 40] {
            let text = format!("{}{key}{}", "nothing\n".repeat(before / 8), token(1));
            let found = places(text.as_bytes());
            let begin = text.find("-----").unwrap();
            let first = text[..begin].lines().count() as u64 + 1;
            assert_eq!(
                found,
                [
                    (first, 1, "SSH private key".to_owned()),
                    (first + 7, 1, "GitHub token".to_owned())
                ]
            );
        }
    }
}
