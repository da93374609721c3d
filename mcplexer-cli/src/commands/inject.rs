//! `mcplexer inject`

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mcplexer_durable::replace_file;
use mcplexer_files::reference::Template;
use mcplexer_home::credentials::Wanted;

use mcplexer_secrets::Purpose;

use crate::cli::{Global, Inject, named_file};
use crate::failure::Failure;
use crate::session::Session;
use crate::text::shown;
use crate::{agent, exit_code, input, output};

pub(super) fn run(inject: &Inject, global: Global) -> Result<(), Failure> {
    let input = named_file(inject.input.as_deref());
    let output = named_file(inject.output.as_deref());
    if output.is_none() {
        agent::guard(
            inject.reveal,
            "mcplexer inject -o FILE writes it to a file, mcplexer run --env-file FILE -- COMMAND gives it to a command",
        )?;
    }
    if let (Some(input), Some(output)) = (input, output)
        && is_same_file(input, output)
    {
        let output = shown(output);
        let failure = Failure::new(format!("{output} is the template itself"));
        return Err(failure
            .with_hint("name another file with -o: the references would be gone")
            .with_code(exit_code::USAGE));
    }
    let (name, text) = input::text(input)?;
    let session = Session::open(global)?;
    let template = Template::parse(&text).map_err(|(at, error)| {
        Failure::new(error.to_string())
            .at(&format!("{name}, {at}"))
            .with_hint("scope ids are lower case: mcplexer scope list")
            .with_code(exit_code::USAGE)
    })?;
    let mut wanted = Wanted::default();
    for (reference, at) in template.references() {
        wanted.referred(reference, format!("{name}, {at}"));
    }
    let opened = session.credentials(&wanted, Purpose::Inject { program: None })?;
    let filled = template.fill(|reference| {
        opened
            .value(reference)
            .map(mcplexer_secrets::SecretValue::expose)
    });
    let filled = filled.ok_or_else(Failure::of_missing_reference)?;
    match output {
        None => output::print_bytes(filled.expose()),
        Some(path) => {
            replace_file(path, filled.expose())?;
            session.tell_written(path);
            Ok(())
        }
    }
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
