//! `mcplexer adopt --undo`

use std::path::Path;

use mcplexer_home::credentials::Wanted;
use mcplexer_secrets::{FileReplacement, SecretValue};

use super::client_file::ClientFile;
use crate::cli::Adopt;
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{count, print_json, sanitized, shown};
use crate::session::Session;

#[derive(serde::Serialize)]
struct Document<'a> {
    file: String,
    values: usize,
    servers: &'a [String],
    kept: &'a [String],
}

pub(super) fn run(path: &Path, adopt: &Adopt, session: &Session) -> Result<(), Failure> {
    let replacement = FileReplacement::begin(path)?;
    let file = ClientFile::read(path)?;
    file.check_names(adopt)?;
    let name = shown(path);
    let references = file.config.references(&adopt.server);
    let references = references.map_err(|error| session.explain(error).at(&name))?;
    let mut wanted = Wanted::default();
    for (reference, at) in &references {
        wanted.referred(reference, format!("{name}, {at}"));
    }
    let opened = session.credentials(&wanted)?;
    for (reference, at) in &references {
        let value = opened.value(reference).map(SecretValue::expose);
        if value.is_none_or(|value| str::from_utf8(value).is_err()) {
            return Err(Failure::new(format!(
                "{}/{} is not UTF-8, and cannot be written into it",
                reference.scope, reference.name
            ))
            .at(&format!("{name}, {at}"))
            .with_hint("nothing was changed")
            .with_code(exit_code::USAGE));
        }
    }
    let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
    let undone = file.config.undo(&adopt.server, &lookup)?;
    let changed = undone.bytes() != file.bytes.as_slice();
    if changed {
        replacement.write_over(&file.bytes, undone.bytes())?;
    }
    if adopt.json {
        return print_json(&Document {
            file: path.display().to_string(),
            values: undone.values,
            servers: &undone.servers,
            kept: &undone.kept,
        });
    }
    if !changed {
        session.tell(&format!("nothing in {name} was adopted; nothing changed"));
        return Ok(());
    }
    session.tell(&format!(
        "put {} back into {name}, in plaintext; {}",
        count(undone.values as u64, "value"),
        match undone.servers.len() {
            1 => "1 server starts by itself".to_owned(),
            several => format!("{} start by themselves", count(several as u64, "server")),
        }
    ));
    for server in &undone.kept {
        session.tell(&format!(
            "{} still starts through mcplexer run, which has options of its own there",
            sanitized(server)
        ));
    }
    session.hint("the secrets stay in the store as well; mcplexer secret delete removes one");
    Ok(())
}
