//! YAML's literal block scalar: `|`, and lines that are indented (YAML 1.2.2, section 8.1.2).

use zeroize::Zeroizing;

/// How a block is written. Whether its header is `|` or `|-` follows from the text, which ends with a
/// line feed or does not: so a reference, which is one line, can stand in a block and show its style.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    indent: usize,
    line_ending: &'static str,
}

impl Block {
    /// Returns the style that a literal has if it is a block.
    pub(super) fn of(literal: &str) -> Option<Self> {
        let (header, lines) = literal.split_once('\n')?;
        if !header.starts_with('|') {
            return None;
        }
        Some(Self {
            indent: lines.len() - lines.trim_start_matches(' ').len(),
            line_ending: if header.ends_with('\r') { "\r\n" } else { "\n" },
        })
    }

    pub(super) fn write(self, text: &str) -> Option<Zeroizing<String>> {
        let (header, lines) = match text.strip_suffix('\n') {
            Some(lines) => ("|", lines),
            None => ("|-", text),
        };
        let count = text.matches('\n').count() + 2;
        let length = text.len() + count * (self.indent + self.line_ending.len()) + header.len();
        // A string that grows leaves copies behind.
        let mut literal = Zeroizing::new(String::with_capacity(length));
        literal.push_str(header);
        for line in lines.split('\n') {
            literal.push_str(self.line_ending);
            if !line.is_empty() {
                literal.extend(std::iter::repeat_n(' ', self.indent));
            }
            literal.push_str(line);
        }
        Some(literal)
    }
}
