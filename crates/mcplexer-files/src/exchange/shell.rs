//! Assignments for a shell (POSIX.1-2024, volume XCU, section 2).

use mcplexer_secrets::{Credential, ScopeKind};

use super::{Form, Out, encode};

/// Whether a shell variable can have this name.
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

/// Writes text between single quotes, where every shell takes everything as it is, and single quotes
/// outside of them.
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
