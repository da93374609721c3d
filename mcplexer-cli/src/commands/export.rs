//! `mcplexer export`

use std::io::{self, Write};

use mcplexer_durable::replace_file;
use mcplexer_files::exchange::Format;
use mcplexer_home::export::Export as Exporting;

use crate::cli::{Export, Global};
use crate::failure::Failure;
use crate::output::stdout_is_terminal;
use crate::session::Session;
use crate::text::count;
use crate::{agent, exit_code};

pub(super) fn run(export: &Export, global: Global) -> Result<(), Failure> {
    if export.output.is_none() {
        guard(export)?;
    }
    let of_path = || export.output.as_deref().and_then(Format::of_path);
    let exporting = Exporting {
        scope: export.scope.clone(),
        only: export.only.clone(),
        format: export.format.or_else(of_path).unwrap_or(Format::Dotenv),
    };
    let session = Session::open(global)?;
    let written = exporting.run(&session);
    let written = written.map_err(|error| session.explain(error))?;
    match &export.output {
        None => {
            let mut stdout = io::stdout().lock();
            let printed = stdout.write_all(written.expose());
            let printed = printed.and_then(|()| stdout.flush());
            printed.map_err(|error| Failure::of_stdout(&error))?;
        }
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
