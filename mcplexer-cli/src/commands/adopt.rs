//! `mcplexer adopt`

mod report;
mod undo;

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use mcplexer_secrets::client::{
    Adoption, Choice, ChosenKey, ClientConfig, InvalidConfig, MAX_CONFIG_LEN, Syntax,
    standard_places,
};
use mcplexer_secrets::{Error, FileReplacement, HOME_VARIABLE, IDENTITY_VARIABLE, KEY_VARIABLE};
use zeroize::Zeroizing;

use crate::cli::{Adopt, Global};
use crate::exit_code;
use crate::failure::Failure;
use crate::output::{count, print, print_json, say, shown};
use crate::session::Session;

pub(super) fn run(adopt: &Adopt, global: Global) -> Result<(), Failure> {
    let session = Session::open(global)?;
    match &adopt.file {
        None => everywhere(adopt, &session),
        Some(path) if adopt.undo => undo::run(path, adopt, &session),
        Some(path) => one(path, adopt, &session),
    }
}

fn one(path: &Path, adopt: &Adopt, session: &Session) -> Result<(), Failure> {
    // What cannot be replaced is known before anything is stored.
    let replacement = match adopt.write {
        true => Some(FileReplacement::begin(path)?),
        false => None,
    };
    let file = ConfigFile::read(path)?;
    let adoption = file.plan(adopt, session)?;
    let written = replacement.filter(|_| adoption.moved() > 0);
    let is_written = written.is_some();
    if let Some(replacement) = written {
        adoption
            .store(&session.store)
            .map_err(|error| session.explain(error))?;
        session.tell_what_was_made();
        replacement.write_over(&file.bytes, adoption.text())?;
    }
    if adopt.json {
        return print_json(&report::Document::of(vec![
            file.report(None, &adoption, is_written),
        ]));
    }
    print(&report::table(&adoption))?;
    session.tell(&summary(&adoption, is_written));
    let name = shown(path);
    if adoption.left() > 0 {
        session.tell(&format!(
            "{} in plaintext in {name}",
            match adoption.left() {
                1 => "1 credential stays".to_owned(),
                several => format!("{} stay", count(several as u64, "credential")),
            }
        ));
    }
    if adoption.moved() > 0 {
        for variable in [HOME_VARIABLE, KEY_VARIABLE, IDENTITY_VARIABLE] {
            if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
                session.hint(&format!(
                    "{variable} is set here; the client must have it, too, to find the secrets"
                ));
            }
        }
    }
    if is_written {
        session.hint(&format!("mcplexer adopt --undo {name} puts it back"));
        session.hint("the file had them in plaintext: if it was ever backed up, synced or committed, replace the tokens, too");
    } else if adoption.moved() > 0 {
        session.hint(&format!("mcplexer adopt {name} --write"));
    }
    Ok(())
}

fn summary(adoption: &Adoption, is_written: bool) -> String {
    let moved = adoption.moved();
    let end = match (is_written, moved) {
        (true, _) => "moved into the store",
        (false, 0) => "to move; nothing changed",
        (false, _) => "found; nothing changed",
    };
    let servers = match moved {
        0 => String::new(),
        _ => format!(" in {}", count(adoption.servers() as u64, "server")),
    };
    format!("{}{servers} {end}", count(moved as u64, "credential"))
}

/// Looks where clients keep their configuration. What cannot be read is told, and the others are looked
/// at.
fn everywhere(adopt: &Adopt, session: &Session) -> Result<(), Failure> {
    let mut files = Vec::new();
    let mut text = String::new();
    let mut seen = HashSet::new();
    for place in standard_places(|name| std::env::var_os(name)) {
        // The working directory may be the home directory.
        let path = place.path.canonicalize();
        if !path.is_ok_and(|path| seen.insert(path)) {
            continue;
        }
        let name = shown(&place.path);
        let file = match ConfigFile::read_if_config(&place.path) {
            Ok(None) => continue,
            Ok(Some(file)) => file,
            Err(failure) => {
                failure.report();
                continue;
            }
        };
        let adoption = file.plan(adopt, session)?;
        text.push_str(&format!("{name} ({})\n", place.client));
        text.push_str(&report::table(&adoption));
        text.push_str(&format!("{}\n\n", summary(&adoption, false)));
        files.push((file, place.client, adoption));
    }
    if adopt.json {
        let reports = files.iter();
        let reports = reports.map(|(file, client, it)| file.report(Some(client), it, false));
        return print_json(&report::Document::of(reports.collect()));
    }
    print(text.trim_end_matches('\n'))?;
    if files.is_empty() {
        session.tell("no client has tool servers where clients keep their configuration");
        session.hint("mcplexer adopt FILE looks at another file");
        return Ok(());
    }
    say("");
    for (file, _, adoption) in &files {
        if adoption.moved() > 0 {
            session.hint(&format!("mcplexer adopt {} --write", file.name));
        }
    }
    Ok(())
}

/// A configuration file that was read.
struct ConfigFile {
    name: String,
    path: String,
    bytes: Zeroizing<Vec<u8>>,
    config: ClientConfig,
}

impl ConfigFile {
    fn read(path: &Path) -> Result<Self, Failure> {
        Self::parse(path)?.map_err(|error| explain(path, &error))
    }

    /// The same; `None` if it has no tool servers, as the settings of an editor may.
    fn read_if_config(path: &Path) -> Result<Option<Self>, Failure> {
        match Self::parse(path)? {
            Ok(file) => Ok(Some(file)),
            Err(InvalidConfig::NoServers) => Ok(None),
            Err(error) => Err(explain(path, &error)),
        }
    }

    fn parse(path: &Path) -> Result<Result<Self, InvalidConfig>, Failure> {
        let bytes = read(path)?;
        Ok(
            ClientConfig::parse(&bytes, Syntax::of(path)).map(|config| Self {
                name: shown(path),
                path: path.display().to_string(),
                bytes,
                config,
            }),
        )
    }

    fn plan(&self, adopt: &Adopt, session: &Session) -> Result<Adoption, Failure> {
        self.check_names(adopt)?;
        let keys = |variables: &[crate::cli::Variable]| -> Vec<ChosenKey> {
            variables.iter().map(|it| it.0.clone()).collect()
        };
        let choice = Choice {
            servers: &adopt.server,
            only: &keys(&adopt.only),
            skip: &keys(&adopt.skip),
        };
        let planned = self.config.plan(&session.store, &choice);
        planned.map_err(|error| session.explain(error).at(&self.name))
    }

    /// A server that was named and is not there is a mistake, where one file was.
    fn check_names(&self, adopt: &Adopt) -> Result<(), Failure> {
        let is_there = |name: &&String| self.config.servers().iter().any(|it| it.name == **name);
        let keys = adopt.only.iter().chain(&adopt.skip);
        let servers = keys.filter_map(|key| key.0.server.as_ref());
        let mut named = adopt.server.iter().chain(servers);
        match named
            .find(|name| !is_there(name))
            .filter(|_| adopt.file.is_some())
        {
            None => Ok(()),
            Some(name) => Err(Failure::new(format!(
                "no server {} in {}",
                crate::output::sanitized(name),
                self.name
            ))
            .with_hint(format!("mcplexer adopt {} lists what is there", self.name))
            .with_code(exit_code::NOT_FOUND)),
        }
    }
}

fn explain(path: &Path, error: &InvalidConfig) -> Failure {
    let place = match error {
        InvalidConfig::Syntax { .. } => format!("{}, {error}", shown(path)),
        _ => format!("{}: {error}", shown(path)),
    };
    let hint = match error {
        InvalidConfig::NotUtf8 => "save it as UTF-8",
        InvalidConfig::NoServers => {
            "mcplexer adopt without a file looks where clients keep their configuration"
        }
        _ => "a client could not read it either; nothing was changed",
    };
    Failure::new(place)
        .with_hint(hint)
        .with_code(exit_code::USAGE)
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let read = || {
        let file = File::open(path)?;
        let length = file.metadata()?.len().min(MAX_CONFIG_LEN);
        let mut bytes =
            Zeroizing::new(Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1));
        file.take(MAX_CONFIG_LEN + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().map_err(|source| Error::Io {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    if bytes.len() as u64 > MAX_CONFIG_LEN {
        return Err(
            Failure::new(format!("{} is larger than 64 MiB", shown(path)))
                .with_hint("name the configuration file of an AI client")
                .with_code(exit_code::USAGE),
        );
    }
    Ok(bytes)
}
