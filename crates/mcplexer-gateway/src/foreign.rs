//! Values of secrets on their way to a server that was not given them.

use std::borrow::Cow;
use std::sync::Arc;

use crate::instance::Instance;
use crate::length::{at_length_of, search_len};

/// Returns the secret whose value is in the JSON that a server would get, if that is one of another running server's and not one
/// of its own. A model that was shown a value, or made to pass one on, must not carry it from one server to another.
pub(crate) async fn secret_of_another(
    running: &[Arc<Instance>],
    own: &Instance,
    said: &str,
) -> Option<String> {
    let others = running.iter().filter(|it| it.server != own.server);
    search(others, Some(own), said).await
}

/// Returns the secret whose value is in a JSON text, if that is one of a running server's.
pub(crate) async fn secret_of_any(running: &[Arc<Instance>], said: &str) -> Option<String> {
    search(running.iter(), None, said).await
}

/// Returns the secret of others whose value is in a JSON text.
async fn search(
    others: impl Iterator<Item = &Arc<Instance>>,
    own: Option<&Instance>,
    said: &str,
) -> Option<String> {
    let others = others.filter(|it| !it.used.is_empty());
    let others: Vec<_> = others.map(|it| Arc::clone(it.scrubber())).collect();
    if others.is_empty() {
        return None;
    }
    let own = own.filter(|it| !it.used.is_empty());
    let own = own.map(|it| Arc::clone(it.scrubber()));
    let find = move |said: &str| {
        // A value that is in the scopes of both is its own.
        let rest = match own {
            Some(own) => Cow::Owned(own.json(said.to_owned()).0),
            None => Cow::Borrowed(said),
        };
        others.iter().find_map(|other| other.finds(&rest))
    };
    at_length_of(search_len(said), said, find).await
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
