//! Colour and weight, for a terminal that shows them.
//!
//! The variables `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and `TERM` decide together with the stream: standard output
//! may be a pipe where standard error is a terminal.

use std::io;

use anstream::{AutoStream, ColorChoice};
use clap::builder::styling::{AnsiColor, Style, Styles};

/// The styles of clap's help.
pub(crate) const HELP: Styles = Styles::plain()
    .header(Look::Heading.style())
    .usage(Look::Heading.style())
    .literal(AnsiColor::Cyan.on_default())
    .error(Look::Error.style());

/// What a text is, which decides how it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The label of an error.
    Error,
    /// The label of a warning.
    Warning,
    /// The label of a hint.
    Hint,
    /// The head of a table or of a part of the help.
    Heading,
    /// A state as it should be.
    Good,
    /// A state that needs attention.
    Bad,
}

impl Look {
    const fn style(self) -> Style {
        match self {
            Self::Error => AnsiColor::Red.on_default().bold(),
            Self::Warning => AnsiColor::Yellow.on_default().bold(),
            Self::Hint => AnsiColor::Cyan.on_default().bold(),
            Self::Heading => Style::new().bold(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
        }
    }
}

/// Styles texts for one stream, or leaves them as they are.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paint {
    is_on: bool,
}

impl Paint {
    /// Returns what standard output shows.
    pub(crate) fn stdout() -> Self {
        let choice = AutoStream::choice(&io::stdout());
        Self {
            is_on: choice != ColorChoice::Never,
        }
    }

    /// Returns what standard error shows.
    pub(crate) fn stderr() -> Self {
        let choice = AutoStream::choice(&io::stderr());
        Self {
            is_on: choice != ColorChoice::Never,
        }
    }

    /// Styles a text.
    pub(crate) fn text(self, look: Look, text: &str) -> String {
        let style = look.style();
        match self.is_on {
            true => format!("{style}{text}{style:#}"),
            false => text.to_owned(),
        }
    }

    /// Renders a text of clap, in which the headings of examples and notes are plain.
    pub(crate) fn help(self, error: &clap::Error) -> String {
        let rendered = error.render();
        match self.is_on {
            true => self.headings(&rendered.ansi().to_string()),
            false => rendered.to_string(),
        }
    }

    /// Styles the lines that are headings: not indented, and with a colon at the end.
    fn headings(self, text: &str) -> String {
        let lines = text.split_inclusive('\n').map(|line| {
            let heading = line.trim_end();
            let is_heading = heading.starts_with(|c: char| c.is_ascii_uppercase());
            match heading.strip_suffix(':') {
                Some(_) if is_heading => {
                    line.replacen(heading, &self.text(Look::Heading, heading), 1)
                }
                _ => line.to_owned(),
            }
        });
        lines.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_styled_or_stays() {
        let (on, off) = (Paint { is_on: true }, Paint::default());
        assert_eq!(on.text(Look::Heading, "KEY"), "\x1b[1mKEY\x1b[0m");
        assert_eq!(off.text(Look::Heading, "KEY"), "KEY");
    }

    #[test]
    fn headings_stand_out() {
        let on = Paint { is_on: true };
        let text = "Says what:\n  a: b\n\nExamples:\n  x:\nend.\n";
        let styled = "\x1b[1mSays what:\x1b[0m\n  a: b\n\n\x1b[1mExamples:\x1b[0m\n  x:\nend.\n";
        assert_eq!(on.headings(text), styled);
    }
}
