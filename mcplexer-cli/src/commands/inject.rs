//! `mcplexer inject`

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use mcplexer_durable::replace_file;
use mcplexer_files::template::{FillError, Syntax, Template};
use mcplexer_home::credentials::Wanted;
use mcplexer_secrets::{Purpose, SecretValue};

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
    session.check_output(output)?;
    let template = Template::parse(&text).map_err(|(at, error)| {
        Failure::new(error.to_string())
            .at(&format!("{name}, {at}"))
            .with_hint("scope ids are lower case: mcplexer scope list")
            .with_hint("to write about references, spell mcplexer:// as {mcplexer://}")
            .with_code(exit_code::USAGE)
    })?;
    let mut wanted = Wanted::default();
    for (reference, at) in template.references() {
        wanted.referred(reference, format!("{name}, {at}"));
    }
    let opened = session.credentials(&wanted, Purpose::Inject { program: None })?;
    let of_path = output.into_iter().chain(input).find_map(Syntax::of_path);
    let syntax = inject.format.or(of_path).unwrap_or(Syntax::Text);
    let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
    let filled = template.fill(syntax, lookup);
    let filled = filled.map_err(|error| unfilled(&name, &error))?;
    match output {
        None => output::write(filled.expose()),
        Some(path) => {
            replace_file(path, filled.expose())?;
            session.tell_written(path);
            Ok(())
        }
    }
}

fn unfilled(name: &str, error: &FillError) -> Failure {
    let hint = match error {
        FillError::Missing { .. } => return Failure::of_missing_reference(),
        FillError::NotThis { .. } => {
            "nothing was written; --format names another format, and text is any"
        }
        _ => "nothing was written; --format text writes values as they are",
    };
    Failure::new(format!("{name}, {error}"))
        .with_hint(hint)
        .with_code(exit_code::USAGE)
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    match (fs::metadata(a), fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}
