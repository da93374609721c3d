//! Server-sent events (HTML Living Standard, section 9.2): messages on the body of an HTTP response.

use std::collections::VecDeque;
use std::time::Duration;

use zeroize::Zeroize;

use crate::frame::{Ends, Line, forget_middle};

/// The longest pause that a server can ask for.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// The longest name of an event, and the longest id, in bytes.
const MAX_FIELD: usize = 8 << 10;

/// How much of a line with data is no data, in bytes.
const DATA: usize = "data: ".len();

/// An event that has data.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Its type: `message` if it names none.
    pub(crate) name: String,
    pub(crate) data: Line,
}

/// Reads events from pieces of a stream.
#[derive(Debug)]
pub(crate) struct Parser {
    limit: usize,
    line: Vec<u8>,
    /// Whether the last piece ended with a CR, so that a LF at the beginning of the next one belongs to it.
    after_cr: bool,
    has_begun: bool,
    name: String,
    data: Vec<u8>,
    has_data: bool,
    id: Option<String>,
    events: VecDeque<Event>,
    last_id: Option<String>,
    retry: Option<Duration>,
}

impl Parser {
    /// Reads events with at most so many bytes of data.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            after_cr: false,
            has_begun: false,
            name: String::new(),
            data: Vec::new(),
            has_data: false,
            id: None,
            events: VecDeque::new(),
            last_id: None,
            retry: None,
        }
    }

    /// Returns the next event.
    pub(crate) fn next(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Returns the id of the last event, from which the stream can go on.
    pub(crate) fn last_id(&self) -> Option<&str> {
        self.last_id.as_deref()
    }

    /// Returns how long to wait before connecting again, if the server has said so.
    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    /// Takes the next piece.
    pub(crate) fn feed(&mut self, mut piece: &[u8]) {
        // An empty piece says nothing of what follows.
        if !piece.is_empty() && std::mem::take(&mut self.after_cr) {
            piece = piece.strip_prefix(b"\n").unwrap_or(piece);
        }
        while let Some(at) = memchr::memchr2(b'\r', b'\n', piece) {
            let (line, end) = piece.split_at(at);
            self.line.extend_from_slice(line);
            piece = match end {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => end,
            };
            self.after_cr = end == b"\r";
            self.take_line();
        }
        self.line.extend_from_slice(piece);
        forget_middle(&mut self.line, self.limit + DATA);
    }

    fn take_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        let text = match std::mem::replace(&mut self.has_begun, true) {
            true => line.as_slice(),
            // A byte order mark.
            false => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line),
        };
        match text {
            [] => self.dispatch(),
            // A comment, which keeps the connection open.
            [b':', ..] => {}
            text => {
                let colon = memchr::memchr(b':', text).unwrap_or(text.len());
                let (name, value) = text.split_at(colon);
                let value = value.strip_prefix(b":").unwrap_or(value);
                let value = value.strip_prefix(b" ").unwrap_or(value);
                self.take_field(name, value);
            }
        }
        // It may have had a secret in it.
        line.zeroize();
        if line.capacity() <= MAX_FIELD {
            self.line = line;
        }
    }

    fn take_field(&mut self, name: &[u8], value: &[u8]) {
        let text = || {
            str::from_utf8(value)
                .ok()
                .filter(|it| it.len() <= MAX_FIELD)
        };
        match name {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
                forget_middle(&mut self.data, self.limit);
            }
            b"event" => self.name = text().unwrap_or_default().to_owned(),
            b"id" => {
                if let Some(id) = text().filter(|it| !it.contains('\0')) {
                    self.id = Some(id.to_owned());
                }
            }
            b"retry" => {
                let millis = text().filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
                if let Some(millis) = millis.and_then(|it| it.parse().ok()) {
                    self.retry = Some(Duration::from_millis(millis).min(MAX_RETRY));
                }
            }
            _ => {}
        }
    }

    /// Ends an event. One without data only says where the stream is.
    fn dispatch(&mut self) {
        if let Some(id) = self.id.take() {
            // An empty id clears the one to go on from.
            self.last_id = Some(id).filter(|it| !it.is_empty());
        }
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if !std::mem::take(&mut self.has_data) || data.is_empty() {
            return;
        }
        let data = match data.len() > self.limit {
            true => Line::TooLong(Ends::of(&data)),
            false => match String::from_utf8(data) {
                Ok(text) => Line::Text(text),
                Err(error) => Line::NotText(Ends::of(error.as_bytes())),
            },
        };
        let name = match name.is_empty() {
            true => "message".to_owned(),
            false => name,
        };
        self.events.push_back(Event { name, data });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events(pieces: &[&[u8]], limit: usize) -> (Vec<(String, Line)>, Parser) {
        let mut parser = Parser::new(limit);
        let mut found = Vec::new();
        for piece in pieces {
            parser.feed(piece);
            while let Some(event) = parser.next() {
                found.push((event.name, event.data));
            }
        }
        (found, parser)
    }

    fn message(text: &str) -> (String, Line) {
        ("message".to_owned(), Line::Text(text.to_owned()))
    }

    #[test]
    fn an_event_is_its_data_lines() {
        for stream in [
            "data: a\ndata:b\ndata\ndata:  c\n\n",
            "data: a\rdata:b\rdata\rdata:  c\r\r",
            "\u{feff}data: a\r\n: ping\r\ndata:b\r\nother: x\r\ndata\r\ndata:  c\r\n\r\n",
        ] {
            let (found, _) = events(&[stream.as_bytes()], 100);
            assert_eq!(found, [message("a\nb\n\n c")], "{stream:?}");
        }
        let (found, _) = events(
            &[b"event: endpoint\ndata: /m\n\nevent: x\n\ndata: 1\n\ndata: cut"],
            100,
        );
        let endpoint = ("endpoint".to_owned(), Line::Text("/m".to_owned()));
        assert_eq!(found, [endpoint, message("1")]);
        let (found, _) = events(&[b"data: a\r", b"", b"\ndata: b\r\n\r\n"], 100);
        assert_eq!(found, [message("a\nb")]);
    }

    #[test]
    fn an_event_without_data_says_where_the_stream_is() {
        let (found, parser) = events(&[b"retry: 7\nid: a-1\ndata:\n\n"], 100);
        assert!(found.is_empty());
        assert_eq!(parser.last_id(), Some("a-1"));
        assert_eq!(parser.retry(), Some(Duration::from_millis(7)));
        let (_, parser) = events(
            &[b"id: 1\n\nid: 2\0\n\nretry: x\n\nretry: -1\n\nid: 3\n"],
            100,
        );
        assert_eq!((parser.last_id(), parser.retry()), (Some("1"), None));
        let (_, parser) = events(&[b"id: 1\n\nid\ndata: x\n\nretry: 99999999\n\n"], 100);
        assert_eq!((parser.last_id(), parser.retry()), (None, Some(MAX_RETRY)));
    }

    #[test]
    fn an_event_that_is_too_long_ends_nothing() {
        let long = "x".repeat(50_000);
        let one = format!("data: {{\"id\":7,\"a\":\"{long}\",\"id\":8}}\n\ndata: b\n\n");
        let many = one.replace("xxxxxxxxxx", "x\ndata: x");
        for stream in [one, many] {
            let pieces: Vec<&[u8]> = stream.as_bytes().chunks(999).collect();
            let (mut found, parser) = events(&pieces, 1000);
            assert_eq!(found.pop(), Some(message("b")));
            let Some((_, Line::TooLong(Ends { head, tail }))) = found.pop() else {
                panic!("not too long");
            };
            assert!(head.starts_with("{\"id\":7,\"a\":\"x") && tail.ends_with("\",\"id\":8}"));
            assert!(found.is_empty());
            assert!(parser.line.capacity() < 20_000 && parser.data.capacity() < 20_000);
        }
        let (found, _) = events(
            &[b"data: 1234567890\n\ndata: \xff\n\ndata: 12345678901\n\n"],
            10,
        );
        assert_eq!(
            found[..2],
            [
                message("1234567890"),
                ("message".to_owned(), Line::NotText(Ends::of(b"\xff")))
            ]
        );
        assert!(matches!(found[2].1, Line::TooLong(_)));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_how_the_stream_is_cut(
            stream in "(data: ?[a-zü]{0,3}|data|id: ?[0-9]|event: e|:c|\r\n|\n|\r){0,30}",
            at in prop::collection::vec(0..100_usize, 0..8),
        ) {
            let whole = events(&[stream.as_bytes()], 100);
            let mut cuts: Vec<_> = at.iter().map(|it| it % (stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|it| &stream.as_bytes()[it[0]..it[1]]).collect();
            let cut = events(&pieces, 100);
            prop_assert_eq!(whole.0, cut.0);
            prop_assert_eq!(whole.1.last_id(), cut.1.last_id());
        }
    }
}
