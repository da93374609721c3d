//! `mcplexer export`

use std::io::{self, Write};

use mcplexer_files::exchange::{self, Format};
use mcplexer_secrets::{Select, replace_file};

use crate::cli::{Export, Global};
use crate::failure::Failure;
use crate::output::{count, shown, stdout_is_terminal};
use crate::session::Session;
use crate::{agent, exit_code};

pub(super) fn run(export: &Export, global: Global) -> Result<(), Failure> {
    if export.output.is_none() {
        guard(export)?;
    }
    let of_path = || export.output.as_deref().and_then(Format::of_path);
    let format = export.format.or_else(of_path).unwrap_or(Format::Dotenv);
    let session = Session::open(global)?;
    let mut names = export.only.clone();
    names.sort();
    names.dedup();
    let select = match names.is_empty() {
        true => Select::All,
        false => Select::Only(&names),
    };
    let opened = session.store().export(&export.scope, select);
    let opened = opened.map_err(|error| session.explain(error))?;
    if opened.is_empty() {
        return Err(Failure::from(
            mcplexer_home::credentials::Error::NoSecrets {
                scope: export.scope.clone(),
            },
        ));
    }
    let written = exchange::write(&opened, format).map_err(|error| {
        Failure::new(error.to_string())
            .with_hint("--format json and --format yaml take every name")
            .with_code(exit_code::USAGE)
    })?;
    match &export.output {
        None => {
            let mut stdout = io::stdout().lock();
            let printed = stdout.write_all(written.expose());
            let printed = printed.and_then(|()| stdout.flush());
            printed.map_err(|error| Failure::of_stdout(&error))?;
        }
        Some(path) => {
            replace_file(path, written.expose())?;
            session.tell(&format!("wrote {}, readable by you alone", shown(path)));
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

/// Refuses to show values to whoever reads along, unless told to.
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
                .with_hint("--reveal prints it all the same")
                .with_code(exit_code::DECLINED),
        );
    }
    Ok(())
}
