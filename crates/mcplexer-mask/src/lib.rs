//! Finds known secret values in streams and files, in every form in which programs print them.
//!
//! * A [`Masker`] replaces them in a stream with `[label]`.
//! * A [`Scanner`] reports the line and column at which each of them begins in a file.
//!
//! Both take [`Known`] values: bytes, and the label to show in their place. They do not need to know
//! where the values come from.
//!
//! # Forms
//!
//! A value is found as it is, and in these forms:
//!
//! * base64 (RFC 4648, sections 4 and 5): at every alignment within a longer text, in one line or
//!   several, its characters escaped for JSON or a URL or not
//! * hex (RFC 4648, section 8): also with something between the bytes, and as `xxd`, `od` and `hexdump` print it
//! * percent-encoding (RFC 3986, section 2.1), also twice, and `+` for a space as HTML forms write it
//! * JSON strings (RFC 8259, section 7), also JSON within a JSON string
//! * escapes of programming languages: `\xNN`, `\u{NN}`
//! * character references of HTML and XML
//! * quotes written twice, as in YAML, SQL and CSV
//! * quoted for a shell (POSIX.1-2024, XCU 2.2), also as zsh writes bytes that are not ASCII
//! * as it is written to a terminal: with CR LF for LF, and with control sequences (ECMA-48) between its
//!   bytes
//!
//! The scanner does not look for values in the quotes of a shell, with control sequences, or in hex with `0x`
//! before each byte, which files rarely contain. It reads UTF-16.
//!
//! A masker also finds the larger part of a value at the edge of a word: see [`Masker::halves`].
//!
//! Of a value that is a file, both also find the members and lines that are credentials by themselves: by their
//! shape, by the name before them, or because they are lines of base64 as in PEM.

mod alphabet;
mod bits;
mod control;
mod cursor;
mod escape;
mod filter;
mod form;
mod halves;
mod json_unit;
mod known;
mod masker;
mod needles;
mod next;
mod parts;
mod patterns;
mod reader;
mod scanner;

pub use halves::{Half, Halves};
pub use known::{Known, MIN_MASKED_LEN};
pub use masker::Masker;
pub use scanner::{Occurrence, Scanner};
