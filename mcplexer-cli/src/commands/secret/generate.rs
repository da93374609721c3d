use mcplexer_home::config::ScopeToMake;
use mcplexer_home::generate::{self, Alphabet};

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
    let mode = mode(arguments.create, arguments.if_version);
    store(
        &new,
        &arguments.key,
        &value,
        mode,
        &arguments.said,
        &session,
    )
}
