//! Putting a configuration back as it was.

use zeroize::Zeroizing;

use super::ClientConfig;
use super::edit::{Edit, apply};
use super::literal::Manner;
use super::server::{Place, Server, Text};
use mcplexer_files::position::Position;
use mcplexer_files::reference::{Mark, Reference};
use mcplexer_secrets::Error;

/// What undoing an adoption does.
pub struct Undone {
    pub(super) text: Zeroizing<String>,
    bytes: Zeroizing<Vec<u8>>,
    /// How many values are put back.
    pub values: usize,
    /// Servers that start by themselves again.
    pub servers: Vec<String>,
    /// Servers that still start through `mcplexer run`, since it has options that they would lose.
    pub kept: Vec<String>,
}

impl ClientConfig {
    /// Every reference that adopting has put into the environment of a server, with its place; of these
    /// servers, or of all if none is named.
    ///
    /// # Errors
    /// [`Error::NotUndone`] if one was changed so that it refers to nothing.
    pub fn references(&self, servers: &[String]) -> Result<Vec<(Reference, Position)>, Error> {
        let chosen = self.chosen(servers).flat_map(adopted);
        chosen
            .map(|text| Ok((reference(text)?, text.position)))
            .collect()
    }

    /// Puts back the values that adopting has moved, and lets each server start by itself that it has
    /// let start through `mcplexer run`. References and commands that were written by hand stay.
    ///
    /// # Errors
    /// [`Error::NotUndone`] if `lookup` lacks a value, or it is no text.
    pub fn undo<'v>(
        &self,
        servers: &[String],
        lookup: &dyn Fn(&Reference) -> Option<&'v [u8]>,
    ) -> Result<Undone, Error> {
        let texts = |reference: &Reference| str::from_utf8(lookup(reference)?).ok();
        self.undone(servers, &texts)
    }

    pub(super) fn undone<'v>(
        &self,
        servers: &[String],
        lookup: &dyn Fn(&Reference) -> Option<&'v str>,
    ) -> Result<Undone, Error> {
        let (mut edits, mut values) = (Vec::new(), 0);
        let (mut started, mut kept) = (Vec::new(), Vec::new());
        for server in self.chosen(servers) {
            let put_back = self.values(server, lookup)?;
            values += put_back.len();
            edits.extend(put_back);
            if !adopted(server).any(|text| mark(text) == Some(Mark::Adopted)) {
                continue;
            }
            let launch = server.launch.as_ref();
            match launch.and_then(|launch| launch.unwrap(&self.text)) {
                Some(unwrap) => {
                    edits.extend(unwrap);
                    started.push(server.name.clone());
                }
                None => kept.push(server.name.clone()),
            }
        }
        let text = apply(&self.text, edits);
        Ok(Undone {
            bytes: self.bytes(&text),
            text,
            values,
            servers: started,
            kept,
        })
    }

    fn values<'v>(
        &self,
        server: &Server,
        lookup: &dyn Fn(&Reference) -> Option<&'v str>,
    ) -> Result<Vec<Edit>, Error> {
        let edit = |text: &Text| {
            let value = lookup(&reference(text)?).ok_or(Error::NotUndone)?;
            let literal = self.text.get(text.span.clone()).unwrap_or_default();
            let marked = text.value.as_deref().map_or("", |it| it);
            let manner = Manner::of_reference(literal, marked, self.syntax)
                .unwrap_or_else(|| Manner::plain(self.syntax));
            Ok(Edit {
                span: text.span.clone(),
                text: manner.write_text(value),
            })
        };
        adopted(server).map(edit).collect()
    }

    fn chosen<'a>(&'a self, servers: &'a [String]) -> impl Iterator<Item = &'a Server> {
        let is_chosen = |server: &&Server| servers.is_empty() || servers.contains(&server.name);
        self.servers.iter().filter(is_chosen)
    }
}

/// The variables of a server that adopting has put references into.
fn adopted(server: &Server) -> impl Iterator<Item = &Text> {
    server
        .texts
        .iter()
        .filter(|text| matches!(text.place, Place::Env(_)) && mark(text).is_some())
}

fn mark(text: &Text) -> Option<Mark> {
    Mark::of_value(text.value.as_deref()?)
}

fn reference(text: &Text) -> Result<Reference, Error> {
    let value = text.value.as_deref().map_or("", |it| it);
    Reference::of_value(value).map_err(|_| Error::NotUndone)
}

impl Undone {
    /// The file as it is to be.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl std::fmt::Debug for Undone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Undone")
            .field("values", &self.values)
            .field("servers", &self.servers)
            .field("kept", &self.kept)
            .finish_non_exhaustive()
    }
}
