//! `mcplexer export`

use mcplexer_durable::replace_file;
use mcplexer_files::exchange::Format;
use mcplexer_home::export::Export as Exporting;

use crate::cli::{Export, Global, named_file};
use crate::failure::Failure;
use crate::output::{self, stdout_is_terminal};
use crate::session::Session;
use crate::text::count;
use crate::{agent, exit_code};

pub(super) fn run(export: &Export, global: Global) -> Result<(), Failure> {
    let output = named_file(export.output.as_deref());
    if output.is_none() {
        guard(export)?;
    }
    let format = export.format.or_else(|| output.and_then(Format::of_path));
    let format = format.unwrap_or(Format::Dotenv);
    if let Some(reader) = export.reader.filter(|_| format != Format::Dotenv) {
        return Err(Failure::new(format!(
            "--for {reader} is for .env files, and this would be {format}"
        ))
        .with_hint("leave out --for, or add --format dotenv")
        .with_code(exit_code::USAGE));
    }
    let exporting = Exporting {
        scope: export.scope.clone(),
        only: export.only.clone(),
        format,
        reader: export.reader,
    };
    let session = Session::open(global)?;
    session.check_output(output)?;
    let written = exporting.run(&session);
    let written = written.map_err(|error| session.explain(error))?;
    match output {
        None => output::write(written.expose())?,
        Some(path) => {
            replace_file(path, written.expose())?;
            session.tell_written(path);
        }
    }
    if written.encoded > 0 {
        session.tell(&format!(
            "{} in base64, after mcplexer+base64:, which mcplexer import reads",
            count(written.encoded as u64, "secret"),
        ));
    }
    Ok(())
}

/// Refuses to show values to a coding agent or on a terminal, unless `--reveal` is given.
fn guard(export: &Export) -> Result<(), Failure> {
    let instead = format!(
        "mcplexer export {} -o FILE writes it to a file",
        export.scope
    );
    agent::guard(export.reveal, &instead)?;
    if stdout_is_terminal() && !export.reveal {
        return Err(
            Failure::new("standard output is a terminal, which would show every value")
                .with_hint(instead)
                .with_hint("--reveal prints it anyway")
                .with_code(exit_code::DECLINED),
        );
    }
    Ok(())
}
