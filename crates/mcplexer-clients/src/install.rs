//! The one server of a client that connects to the gateway: adds it to the client's own file, and removes it.

mod table;

use std::path::PathBuf;

use zeroize::Zeroizing;

use crate::config::ClientConfig;
use crate::document;
use crate::edit::{Edit, apply};
use crate::node::{Member, Node};
use crate::places::{Base, Directories};
use crate::syntax::Syntax;
use table::CLIENTS;

/// The name of the server.
const NAME: &str = "mcplexer";

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Where a client keeps the servers of a user.
#[derive(Debug)]
pub struct InstallPlace {
    /// The client's name, as `mcplexer connect --client` says it.
    pub id: &'static str,
    /// The client's name.
    pub client: &'static str,
    base: Base,
    file: &'static str,
    map: &'static str,
    by: By,
}

/// How the server gets into the file.
#[derive(Debug)]
enum By {
    /// As a member of a map in JSON, with these members before its command; with the command as one list or not.
    Member(&'static [(&'static str, &'static str)], bool),
    /// By hand: this text goes into the file.
    Hand(&'static str),
}

/// Why a server was not added or removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InstallError {
    /// The file is no JSON of this client: it cannot be read, or has something else where the servers are.
    #[error("it is not the configuration of this client")]
    Invalid,
    /// It has another server with this name.
    #[error("it has another server called {NAME}")]
    Taken,
    /// Its notation allows no change that could be undone.
    #[error("its notation is too unusual to be changed by a program")]
    Unusual,
    /// The server has to be added by hand.
    #[error("its servers are in TOML, YAML or a list")]
    ByHand,
}

/// What adding does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Install {
    /// The file becomes this text.
    Write(Zeroizing<Vec<u8>>),
    /// The file connects to the gateway for this client already.
    Already,
}

/// What removing does.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Uninstall {
    /// The file becomes this text.
    Write(Zeroizing<Vec<u8>>),
    /// The file is as it was created, and is deleted.
    Delete,
    /// The file has no such server.
    Absent,
}

/// Returns the place of a client by its name.
#[must_use]
pub fn install_place(id: &str) -> Option<&'static InstallPlace> {
    CLIENTS.iter().find(|it| it.id == id)
}

/// Returns the name that `mcplexer connect --client` has for a client of [`client_of`](crate::client_of), if it is one of
/// those that [`installable`] names.
#[must_use]
pub fn client_id(client: &str) -> Option<&'static str> {
    let of_client = CLIENTS.iter().find(|it| it.client == client);
    of_client.map(|it| it.id)
}

/// Returns the names of the clients, sorted.
pub fn installable() -> impl Iterator<Item = &'static str> {
    CLIENTS.iter().map(|it| it.id)
}

impl InstallPlace {
    /// Returns the file; `None` if its directory is unknown.
    #[must_use]
    pub fn path(&self, directories: &Directories) -> Option<PathBuf> {
        Some(directories.of(self.base)?.join(self.file))
    }

    /// Returns the lines to write by hand, in the notation of the client.
    #[must_use]
    pub fn snippet(&self, program: &str) -> String {
        match self.by {
            By::Hand(text) => {
                let arguments = format!("[\"connect\", \"--client\", \"{}\"]", self.id);
                text.replace("{program}", &quoted(program))
                    .replace("{arguments}", &arguments)
            }
            By::Member(..) => self.minimal(program),
        }
    }

    /// Returns whether the server has to be added by hand.
    #[must_use]
    pub fn is_by_hand(&self) -> bool {
        matches!(self.by, By::Hand(_))
    }

    /// Adds the server that runs `program connect --client ID` to a file, or makes a new file for it.
    ///
    /// # Errors
    /// [`InstallError`].
    pub fn install(&self, file: Option<&[u8]>, program: &str) -> Result<Install, InstallError> {
        if self.is_by_hand() {
            return Err(InstallError::ByHand);
        }
        let Some(bytes) = file else {
            return Ok(write("", &self.minimal(program)));
        };
        let (mark, text) = text_of(bytes)?;
        if text.trim().is_empty() {
            return Ok(write(
                mark,
                &(text.to_owned() + self.minimal(program).trim_end()),
            ));
        }
        let root = document::parse(text, Syntax::Json).map_err(|_| InstallError::Invalid)?;
        if ClientConfig::parse(bytes, Syntax::Json).is_ok_and(|it| it.connects(self.id)) {
            return Ok(Install::Already);
        }
        if self.member(&root)?.is_some() {
            return Err(InstallError::Taken);
        }
        let added = self.added(text, &root, program)?;
        match self.removed(&added, program) {
            Some(removed) if *removed == *text => Ok(write(mark, &added)),
            _ => Err(InstallError::Unusual),
        }
    }

    /// Removes the server from a file. What [`install`](Self::install) has written is taken back to the byte, and what
    /// the client has written anew loses that server.
    ///
    /// # Errors
    /// [`InstallError::Invalid`] if the file cannot be read.
    pub fn uninstall(&self, bytes: &[u8]) -> Result<Uninstall, InstallError> {
        if self.is_by_hand() {
            return Err(InstallError::ByHand);
        }
        let (mark, text) = text_of(bytes)?;
        if text.trim().is_empty() {
            return Ok(Uninstall::Absent);
        }
        document::parse(text, Syntax::Json).map_err(|_| InstallError::Invalid)?;
        let Ok(config) = ClientConfig::parse(bytes, Syntax::Json) else {
            return Ok(Uninstall::Absent);
        };
        // It may be another mcplexer than this one.
        let Some(program) = config.connects_by(self.id) else {
            return Ok(Uninstall::Absent);
        };
        let program = program.as_str();
        let minimal = self.minimal(program);
        if bytes == minimal.as_bytes() {
            return Ok(Uninstall::Delete);
        }
        let blank = text.strip_suffix(minimal.trim_end());
        if let Some(blank) = blank.filter(|it| it.trim().is_empty()) {
            return Ok(Uninstall::Write(bytes_of(mark, blank)));
        }
        let removed = self.removed(text, program).or_else(|| self.cut(text));
        let removed = removed.ok_or(InstallError::Unusual)?;
        Ok(Uninstall::Write(bytes_of(mark, &removed)))
    }

    /// Returns the file as it was before the server was added to make this text of it.
    fn removed(&self, text: &str, program: &str) -> Option<Zeroizing<String>> {
        let root = document::parse(text, Syntax::Json).ok()?;
        let object = root.object()?;
        let map = object.member(self.map)?;
        let server = map.node.object()?.member(NAME)?;
        [(&map.node, server), (&root, map)]
            .into_iter()
            .flat_map(|it| [(it, " }"), (it, "")])
            .find_map(|((around, member), behind)| {
                let candidate = without(text, around, member, behind)?;
                let before = document::parse(&candidate, Syntax::Json).ok()?;
                let again = self.added(&candidate, &before, program).ok()?;
                (*again == *text).then_some(candidate)
            })
    }

    /// Returns a text without the server, if the client has written it anew.
    fn cut(&self, text: &str) -> Option<Zeroizing<String>> {
        let root = document::parse(text, Syntax::Json).ok()?;
        let members = &root.object()?.member(self.map)?.node.object()?.members;
        let at = members.iter().position(|it| it.key == NAME)?;
        let server = members.get(at)?;
        let before = at.checked_sub(1).and_then(|at| members.get(at));
        let span = match (members.get(at + 1), before) {
            (Some(next), _) => server.key_span.start..next.key_span.start,
            (None, Some(before)) => before.node.span.end..server.node.span.end,
            (None, None) => server.key_span.start..server.node.span.end,
        };
        Some(apply(text, vec![Edit::remove(span)]))
    }

    /// Returns the server with this name in a document.
    fn member<'n>(&self, root: &'n Node) -> Result<Option<&'n Member>, InstallError> {
        let object = root.object().ok_or(InstallError::Invalid)?;
        let Some(map) = object.member(self.map) else {
            return Ok(None);
        };
        let map = map.node.object().ok_or(InstallError::Invalid)?;
        Ok(map.member(NAME))
    }

    /// Returns a text with the server.
    fn added(&self, text: &str, root: &Node, program: &str) -> Result<String, InstallError> {
        let object = root.object().ok_or(InstallError::Invalid)?;
        let entry = self.entry(program);
        let (node, member) = match object.member(self.map) {
            Some(map) => (&map.node, entry),
            // Without the spaces that a map gets which was there.
            None => (root, format!("\"{}\": {{{entry}}}", self.map)),
        };
        let object = node.object().ok_or(InstallError::Invalid)?;
        let begin = node.span.start + 1;
        let rest = text.get(begin..).ok_or(InstallError::Unusual)?;
        let space = space(rest);
        let inserted = match object.members.is_empty() {
            true if rest.starts_with('}') => format!(" {member} "),
            // Otherwise it could not be told from `{}`.
            true if rest.starts_with(" }") => format!("  {member}"),
            true => format!(" {member}"),
            false => format!("{space}{member},"),
        };
        Ok(apply(text, vec![Edit::insert(begin, inserted)]).to_string())
    }

    /// Returns the member of the map of servers, as it is written into the file; empty if it has to be added by hand.
    #[must_use]
    pub fn entry(&self, program: &str) -> String {
        let By::Member(before, is_line) = self.by else {
            return String::new();
        };
        let before = before
            .iter()
            .map(|(key, value)| format!("\"{key}\": {value}, "));
        let before: String = before.collect();
        let (program, arguments) = (
            quoted(program),
            format!("\"connect\", \"--client\", \"{}\"", self.id),
        );
        let command = match is_line {
            true => format!("\"command\": [{program}, {arguments}], \"enabled\": true"),
            false => format!("\"command\": {program}, \"args\": [{arguments}]"),
        };
        format!("\"{NAME}\": {{ {before}{command} }}")
    }

    /// Returns a file with this server only.
    fn minimal(&self, program: &str) -> String {
        let (map, entry) = (self.map, self.entry(program));
        format!("{{\n  \"{map}\": {{\n    {entry}\n  }}\n}}\n")
    }
}

/// Returns a text without what [`InstallPlace::added`] may have put around a member at the beginning of a map. `behind` is what
/// follows it, if it is alone there; all but the last character of that goes as well.
fn without(text: &str, around: &Node, member: &Member, behind: &str) -> Option<Zeroizing<String>> {
    let begin = around.span.start + 1;
    let (start, end) = (member.key_span.start, member.node.span.end);
    let between = text.get(begin..start)?;
    if !between.trim().is_empty() {
        return None;
    }
    let is_alone = around.object()?.members.len() == 1;
    let rest = text.get(end..)?;
    let end = match is_alone {
        true => {
            end + rest
                .starts_with(behind)
                .then_some(behind.len().saturating_sub(1))?
        }
        false => end + rest.starts_with(',').then_some(1)?,
    };
    Some(apply(text, vec![Edit::remove(begin..end)]))
}

/// Returns the space at the beginning of a text.
fn space(text: &str) -> &str {
    let rest = text.trim_start();
    text.strip_suffix(rest).unwrap_or_default()
}

fn text_of(bytes: &[u8]) -> Result<(&'static str, &str), InstallError> {
    let text = str::from_utf8(bytes).map_err(|_| InstallError::Invalid)?;
    Ok(match text.strip_prefix(BYTE_ORDER_MARK) {
        Some(rest) => (BYTE_ORDER_MARK, rest),
        None => ("", text),
    })
}

fn bytes_of(mark: &str, text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([mark.as_bytes(), text.as_bytes()].concat())
}

fn write(mark: &str, text: &str) -> Install {
    Install::Write(bytes_of(mark, text))
}

/// Returns a text as JSON, TOML and YAML read it between quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
