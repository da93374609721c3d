//! Assignments for a shell (POSIX.1-2024, volume XCU, section 2).

use mcplexer_secrets::{ScopeKind, SecretName};

use super::notation::write_shell;
use super::{Form, Out, encode};

/// Whether a shell variable can have this name.
pub(super) fn is_name(name: &SecretName) -> bool {
    ScopeKind::Env.check(name).is_ok()
}

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
