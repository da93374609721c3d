//! Values of secrets on their way to a server that was not given them.

use std::sync::Arc;

use crate::instance::Instance;

/// Returns the secret whose value is in the JSON that a server would get, if that is one of another running server's and not one
/// of its own. A model that was shown a value, or made to pass one on, must not carry it from one server to another.
pub(crate) fn secret_of_another(
    running: &[Arc<Instance>],
    own: &Instance,
    said: &str,
) -> Option<String> {
    let mut others = running.iter().filter(|it| it.server != own.server);
    // A value that is in the scopes of both is its own.
    let mut rest: Option<String> = None;
    others.find_map(|other| {
        if other.used.is_empty() {
            return None;
        }
        let rest = rest.get_or_insert_with(|| match own.used.is_empty() {
            true => said.to_owned(),
            false => own.scrubber().json(said.to_owned()).0,
        });
        other.scrubber().finds(rest)
    })
}

/// Returns a text without the values of the secrets that these have.
pub(crate) fn hidden<'a>(from: impl IntoIterator<Item = &'a Instance>, text: &str) -> String {
    from.into_iter().fold(text.to_owned(), |text, instance| {
        match instance.used.is_empty() {
            true => text,
            false => instance.scrubber().text(text).0,
        }
    })
}
