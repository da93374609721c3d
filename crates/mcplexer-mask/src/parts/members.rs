//! Values after names, in a text of any syntax: JSON, `.env`, YAML, TOML, INI, XML, source code.

use mcplexer_detect::name_before;
use zeroize::Zeroizing;

use super::quoted;

/// Length of the longest value without quotes, in bytes.
const MAX_LEN: usize = 4 << 10;
const QUOTES: [char; 3] = ['"', '\'', '`'];

/// A value, and the name before it.
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) value: Zeroizing<String>,
    /// Whether it was between quotes, or a block. Others end with their line at the latest.
    pub(super) is_text: bool,
}

/// Returns the members of a text, until `left` bytes are read. Where the syntax leaves open what a value is, each
/// value that it may be is a member.
pub(super) fn of<'a>(text: &'a str, left: &mut usize) -> Vec<Member<'a>> {
    let mut members = Members {
        found: Vec::new(),
        left,
    };
    for (at, separator) in text.match_indices([':', '=', '>']) {
        let (Some(before), Some(after)) = (text.get(..at), text.get(at + separator.len()..)) else {
            continue;
        };
        // `:=`, `?=` and `+=` in a makefile.
        let name = name_before(before.strip_suffix([':', '?', '+']).unwrap_or(before));
        if separator == ">" {
            if let Some(value) = in_element(before, name, after) {
                members.add(name, value, false);
            }
        } else if !after.starts_with("//") {
            members.read(name, after);
        }
        if *members.left == 0 {
            break;
        }
    }
    members.found
}

/// Returns the text of an XML element.
fn in_element<'a>(before: &str, name: &str, after: &'a str) -> Option<&'a str> {
    if !before.strip_suffix(name)?.ends_with('<') {
        return None;
    }
    let (value, _) = beginning(after, MAX_LEN).split_once("</")?;
    let value = value.trim();
    let inner = value
        .strip_prefix("<![CDATA[")
        .and_then(|it| it.strip_suffix("]]>"));
    Some(inner.unwrap_or(value))
}

struct Members<'a, 'b> {
    found: Vec<Member<'a>>,
    left: &'b mut usize,
}

impl<'a> Members<'a, '_> {
    fn add(&mut self, name: &'a str, value: &str, is_text: bool) {
        *self.left = self.left.saturating_sub(value.len() + 1);
        self.found.push(Member {
            name,
            value: Zeroizing::new(value.to_owned()),
            is_text,
        });
    }

    /// Reads what follows a name and a separator.
    fn read(&mut self, name: &'a str, after: &str) {
        // `=>` in Ruby and PHP, `$'…'` in a shell.
        let value = after
            .trim_start_matches('>')
            .trim_start_matches([' ', '\t']);
        let value = match value.strip_prefix('$') {
            Some(rest) if rest.starts_with(QUOTES) => rest,
            _ => value,
        };
        if value.starts_with(QUOTES) {
            self.quoted(name, value);
            return;
        }
        if let Some(list) = value.strip_prefix('[') {
            self.list(one_of(name), list);
            return;
        }
        let near = beginning(value, MAX_LEN);
        let line = near
            .split(['\n', '\r'])
            .next()
            .unwrap_or_default()
            .trim_end();
        if line.starts_with(['|', '>']) && line.len() <= 3 {
            let rest = value.split_once('\n').map(|(_, rest)| rest);
            let block = block(rest.unwrap_or_default(), self.left);
            self.add(name, &block, true);
        } else if line.is_empty() {
            // In a list of YAML, each value has a line of its own.
            let items = value
                .lines()
                .skip(1)
                .map_while(|it| it.trim_start().strip_prefix("- "));
            items.for_each(|item| self.bare(one_of(name), item.trim().trim_matches(QUOTES)));
        } else {
            self.bare(name, line);
        }
    }

    /// Reads a text between quotes. Returns its length with them, if they are closed.
    fn quoted(&mut self, name: &'a str, text: &str) -> Option<usize> {
        let (values, length) = quoted::read(text, self.left)?;
        values.iter().for_each(|value| self.add(name, value, true));
        Some(length)
    }

    /// Reads the texts in a list, with or without quotes: `"…", '…', …]`.
    fn list(&mut self, name: &'a str, list: &str) {
        let mut rest = list;
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            let length = match rest.chars().next() {
                Some(quote) if QUOTES.contains(&quote) => self.quoted(name, rest),
                // A comment.
                Some('#') => rest.find('\n'),
                Some('{' | '[' | ']') | None => None,
                Some(_) => {
                    let near = beginning(rest, MAX_LEN);
                    let end = near.find([',', ']', '\n']);
                    let item = end.and_then(|end| near.get(..end)).unwrap_or_default();
                    self.add(name, item.trim_end(), false);
                    end
                }
            };
            let Some(length) = length.filter(|_| *self.left > 0) else {
                break;
            };
            rest = rest.get(length..).unwrap_or_default();
        }
    }

    /// Reads a value without quotes, to the end of its line or to what may end it before.
    fn bare(&mut self, name: &'a str, line: &str) {
        let line = beginning(line, MAX_LEN);
        let first = line.find(char::is_whitespace).filter(|&end| {
            let next = line.get(end..).unwrap_or_default();
            next.split_whitespace()
                .next()
                .is_some_and(|word| word.contains('='))
        });
        let one_word = |end: &usize| {
            !line
                .get(..*end)
                .unwrap_or_default()
                .trim_end()
                .contains(' ')
        };
        let ends = [
            Some(line.len()),
            // A comment.
            line.find(" #"),
            line.find(" //"),
            // The rest of a command.
            line.find([';', '"', '\'', '`']),
            first,
            // The next member of an object, or of a list.
            line.find([',', '}', ']']).filter(one_word),
        ];
        for end in ends.into_iter().flatten() {
            let value = line.get(..end).unwrap_or_default();
            self.add(name, value.trim_end(), false);
        }
    }
}

/// Returns the beginning of a text, of at most this many bytes.
fn beginning(text: &str, most: usize) -> &str {
    let ends = (0..=most.min(text.len())).rev();
    ends.take(4)
        .find_map(|end| text.get(..end))
        .unwrap_or_default()
}

/// Returns the name of one of several values.
fn one_of(name: &str) -> &str {
    name.strip_suffix(['s', 'S']).unwrap_or(name)
}

/// Reads a block of YAML: the lines that are indented like the first one.
fn block(lines: &str, left: &mut usize) -> Zeroizing<String> {
    let indent = lines.len() - lines.trim_start_matches(' ').len();
    let inner = lines.lines().map_while(|line| {
        let (indented, rest) = line.split_at_checked(indent).unwrap_or(("", line));
        let belongs = indent > 0 && indented.trim().is_empty() && indented.len() == indent;
        (belongs || line.trim().is_empty()).then_some(rest)
    });
    let enough = inner.take_while(|line| {
        *left = left.saturating_sub(line.len() + 1);
        *left > 0
    });
    let inner = Zeroizing::new(enough.collect::<Vec<_>>().join("\n"));
    Zeroizing::new(inner.trim_end().to_owned())
}
