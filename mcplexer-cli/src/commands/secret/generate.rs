use mcplexer_home::config::ScopeToMake;
use mcplexer_home::generate::{self, Alphabet};
use mcplexer_secrets::Error as StoreError;

use super::put::{mode, store};
use crate::cli::{Characters, Generate, Global};
use crate::failure::Failure;
use crate::session::Session;

pub(super) fn run(arguments: &Generate, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    let new = ScopeToMake::find(&arguments.scope, &session);
    let new = new.map_err(|error| session.explain(error))?;
    let alphabet = match arguments.alphabet {
        Characters::Alnum => Alphabet::Alnum,
        Characters::Digits => Alphabet::Digits,
        Characters::Hex => Alphabet::Hex,
        Characters::Base64Url => Alphabet::Base64Url,
        Characters::Ascii => Alphabet::Ascii,
    };
    let separator = arguments.separator.as_deref().unwrap_or("-");
    let value = match arguments.words {
        Some(count) => generate::words(count, separator),
        None => generate::value(arguments.length, alphabet),
    };
    let value = value.map_err(|error| Failure::new(error.to_string()))?;
    // A value that was replaced may be in use somewhere.
    let is_new = !arguments.force && arguments.if_version.is_none();
    let mode = mode(is_new, arguments.if_version);
    let said = &arguments.said;
    store(&new, &arguments.key, &value, mode, said, &session).map_err(|failure| {
        let is_there = matches!(failure.store_error(), Some(StoreError::SecretExists { .. }));
        let hint = is_there.then(|| "--force stores a new value as its next version".to_owned());
        failure.with_hints(hint)
    })
}
