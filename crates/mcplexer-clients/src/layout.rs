//! How a text is laid out in lines.

/// Where the lines of a text begin, and how they end.
pub(crate) struct Layout {
    /// The index after each line feed.
    starts: Vec<usize>,
    /// The index after the first carriage return with a line feed.
    after_first_crlf: Option<usize>,
}

impl Layout {
    pub(crate) fn of(text: &str) -> Self {
        Self {
            starts: text.match_indices('\n').map(|(at, _)| at + 1).collect(),
            after_first_crlf: text.find("\r\n").map(|at| at + 2),
        }
    }

    /// Returns where the line of an index begins; `None` in the first line.
    pub(crate) fn line_start(&self, at: usize) -> Option<usize> {
        let line = self.starts.partition_point(|&start| start <= at);
        self.starts.get(line.checked_sub(1)?).copied()
    }

    /// Returns the line ending that the text uses before an index.
    pub(crate) fn line_ending(&self, at: usize) -> &'static str {
        match self.after_first_crlf {
            Some(after) if after <= at => "\r\n",
            _ => "\n",
        }
    }
}
