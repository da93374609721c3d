//! Putting a configuration back as it was.

use zeroize::Zeroizing;

use super::ClientConfig;
use super::edit::{Edit, apply};
use super::literal::Manner;
use super::server::{Place, Server, Start};
use crate::Error;
use crate::reference::{Position, Reference, SCHEME};

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
    /// Every reference to a secret in the environment of a server, with its place; of these servers,
    /// or of all if none is named.
    ///
    /// # Errors
    /// [`Error::NotUndone`] if one is none that could be.
    pub fn references(&self, servers: &[String]) -> Result<Vec<(Reference, Position)>, Error> {
        let mut references = Vec::new();
        for text in self.chosen(servers).flat_map(|server| &server.texts) {
            let value = text.value.as_deref().map(String::as_str);
            let is_one = |value: &&str| value.starts_with(SCHEME);
            if matches!(text.place, Place::Env(_))
                && let Some(value) = value.filter(is_one)
            {
                let reference = value.parse().map_err(|_| Error::NotUndone)?;
                references.push((reference, text.position));
            }
        }
        Ok(references)
    }

    /// Puts back the values of the references, and lets each server start by itself.
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
            let launch = server.launch.as_ref();
            match launch.and_then(|launch| launch.unwrap(&self.text)) {
                Some(unwrap) => {
                    edits.extend(unwrap);
                    started.push(server.name.clone());
                }
                None if server.start == Start::Adopted => kept.push(server.name.clone()),
                None => {}
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
        let mut edits = Vec::new();
        for text in &server.texts {
            let Some(value) = text.value.as_deref().filter(|it| it.starts_with(SCHEME)) else {
                continue;
            };
            if !matches!(text.place, Place::Env(_)) {
                continue;
            }
            let reference: Reference = value.parse().map_err(|_| Error::NotUndone)?;
            let value_of_it = lookup(&reference).ok_or(Error::NotUndone)?;
            let literal = self.text.get(text.span.clone()).unwrap_or_default();
            let manner = Manner::of_reference(literal, value, self.syntax)
                .unwrap_or_else(|| Manner::plain(self.syntax));
            edits.push(Edit {
                span: text.span.clone(),
                text: manner.write_text(value_of_it),
            });
        }
        Ok(edits)
    }

    fn chosen<'a>(&'a self, servers: &'a [String]) -> impl Iterator<Item = &'a Server> {
        let is_chosen = |server: &&Server| servers.is_empty() || servers.contains(&server.name);
        self.servers.iter().filter(is_chosen)
    }
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
