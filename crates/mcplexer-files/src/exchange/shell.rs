//! Assignments for a shell (POSIX.1-2024, volume XCU, section 2).

use super::notation::write_shell;
use super::{Form, Out, encode};

pub(super) fn write(items: &[(&str, Form<'_>)], out: Out<'_>) {
    for (name, form) in items {
        out(b"export ");
        out(name.as_bytes());
        out(b"=");
        match form {
            Form::Encoded(bytes) => encode(bytes, out),
            Form::Plain(bytes) => write_shell(bytes, out),
        }
        out(b"\n");
    }
}
