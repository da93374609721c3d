//! What is to be done with each text of a configuration.

use std::collections::BTreeSet;

use zeroize::Zeroizing;

use super::adopt::{self, Move};
use super::reason::reason;
use super::scopes::{Scopes, scope_of};
use super::server::{Place, Server, Start, Text};
use super::{ClientConfig, elsewhere};
use mcplexer_detect::{self as detect, Reason};
use mcplexer_files::position::Position;
use mcplexer_files::reference::{Reference, SCHEME};
use mcplexer_secrets::{
    Credential, Error, InvalidName, ScopeKind, SecretName, SecretStore, SecretValue, Store,
};

/// Which credentials to move. By default all that are found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// Only those of these servers, if there are any.
    pub servers: &'a [String],
    /// Only these, if there are any; also if they do not look like credentials.
    pub only: &'a [ChosenKey],
    /// None of these.
    pub skip: &'a [ChosenKey],
}

/// A variable, of one server or of any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenKey {
    /// The server, if it must be this one.
    pub server: Option<String>,
    /// The variable.
    pub name: String,
}

impl ChosenKey {
    fn is(&self, server: &Server, name: &str) -> bool {
        self.name == name && self.server.as_ref().is_none_or(|it| *it == server.name)
    }
}

/// A text of a server's entry, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The server.
    pub server: String,
    /// What of it the text is.
    pub place: Place,
    /// Where the file has it.
    pub position: Position,
    /// Why it is taken for a credential, if it is.
    pub reason: Option<Reason>,
    /// What becomes of it.
    pub becomes: Becomes,
}

/// What becomes of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Becomes {
    /// It goes into the store, and this stands in its place.
    Secret(Reference),
    /// It stays as it is.
    Stays(Stays),
}

/// Why a text stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stays {
    /// It does not look like a credential.
    NoCredential,
    /// It refers to a secret already.
    Reference,
    /// It was not chosen.
    NotChosen,
    /// It has a variable in it, such as `${HOST}`, which the client replaces, and mcplexer would not.
    Expanded,
    /// It is not in the environment of a command, which is where `mcplexer run` puts secrets.
    NotEnvironment,
    /// The server starts no command that is understood, or its command is a line for a shell.
    NoCommand,
    /// It is a number or something else that is no string.
    NoString,
    /// The entry has several values of this name.
    SeveralOfThisName,
    /// Its name cannot be that of a secret.
    Name(InvalidName),
    /// An environment cannot hold it.
    Value,
    /// It is written with escapes that could not be put back.
    Escapes,
}

/// What adopting a configuration does.
pub struct Adoption {
    /// Every text that is or may be a credential, and each variable, in the order of the file.
    pub findings: Vec<Finding>,
    pub(super) scopes: Scopes,
    pub(super) text: Zeroizing<Vec<u8>>,
}

impl ClientConfig {
    /// What adopting does, as `store` is now. Changes nothing.
    ///
    /// Credentials are known by [`detect`], and by the redaction hints of the store's scopes. A
    /// server's credentials go into a scope that is named after it; if that has others of the same
    /// names, into one with a number behind it.
    ///
    /// # Errors
    /// If the store cannot be read; [`Error::NotUndone`] if it could not be undone to the byte.
    pub fn plan(&self, store: &Store, choice: &Choice<'_>) -> Result<Adoption, Error> {
        let infos = store.scopes()?;
        let hints = infos.iter().flat_map(|scope| &scope.redaction_hints);
        let hints: Vec<_> = hints.map(SecretName::as_str).collect();
        let mut scopes = Scopes::of(&infos);
        let (mut findings, mut moves) = (Vec::new(), Vec::new());
        for (number, server) in self.servers.iter().enumerate() {
            let mut secrets = Vec::new();
            let mut texts = Vec::new();
            for (at, text) in server.texts.iter().enumerate() {
                let reason = reason(server, at, &hints);
                let Some((reason, decision)) = self.decide(server, text, reason, choice, &hints)
                else {
                    continue;
                };
                let becomes = match decision {
                    Err(stays) => Becomes::Stays(stays),
                    Ok((name, value)) => {
                        texts.push((findings.len(), text, name.clone()));
                        secrets.push((name, value));
                        Becomes::Stays(Stays::NotChosen)
                    }
                };
                findings.push(Finding {
                    server: server.name.clone(),
                    place: text.place.clone(),
                    position: text.position,
                    reason,
                    becomes,
                });
            }
            if secrets.is_empty() {
                continue;
            }
            let scope = scopes.place(store, &server.name, secrets)?;
            for (at_finding, text, name) in texts {
                let reference = Reference {
                    scope: scope.clone(),
                    name,
                };
                let mut reason = None;
                if let Some(finding) = findings.get_mut(at_finding) {
                    finding.becomes = Becomes::Secret(reference.clone());
                    reason = finding.reason;
                }
                moves.push(Move {
                    server: number,
                    text,
                    reference,
                    reason,
                });
            }
        }
        let text = adopt::rewrite(self, &moves)?;
        let moved = moves.iter().filter_map(|it| {
            let value = it.text.value.as_deref()?;
            Some((value.as_str(), it.reason))
        });
        let moved: Vec<_> = moved.collect();
        findings.extend(elsewhere::find(&self.text, &self.servers, &moved));
        Ok(Adoption {
            findings,
            scopes,
            text,
        })
    }

    /// Whether some server has such a variable.
    #[must_use]
    pub fn has_variable(&self, key: &ChosenKey) -> bool {
        let mut servers = self.servers.iter();
        servers.any(|server| {
            let mut texts = server.texts.iter();
            texts.any(|it| matches!(&it.place, Place::Env(name) if key.is(server, name)))
        })
    }

    /// Whether a text is to be told of, and if so, what is to become of it.
    #[expect(clippy::type_complexity, reason = "a name for it would say less")]
    fn decide(
        &self,
        server: &Server,
        text: &Text,
        reason: Option<Reason>,
        choice: &Choice<'_>,
        hints: &[&str],
    ) -> Option<(Option<Reason>, Result<(SecretName, SecretValue), Stays>)> {
        let value = text.value.as_deref().map(String::as_str);
        let Place::Env(name) = &text.place else {
            let is_chosen = choice.servers.is_empty() || choice.servers.contains(&server.name);
            let stays = if is_chosen {
                Stays::NotEnvironment
            } else {
                Stays::NotChosen
            };
            return reason.map(|reason| (Some(reason), Err(stays)));
        };
        let is_in = |keys: &[ChosenKey]| keys.iter().any(|key| key.is(server, name));
        let chosen = (choice.servers.is_empty() || choice.servers.contains(&server.name))
            && (choice.only.is_empty() || is_in(choice.only))
            && !is_in(choice.skip);
        let Some(value) = value else {
            // `null` and the like say that there is none.
            let literal = self.text.get(text.span.clone()).unwrap_or_default();
            if ["null", "true", "false"].contains(&literal) {
                return None;
            }
            let looks_so = detect::credential(name, "no string", hints);
            return looks_so.map(|reason| (Some(reason), Err(Stays::NoString)));
        };
        let reason = reason.filter(|_| !self.variables.is_one(value));
        let decision = if value.starts_with(SCHEME) {
            Err(Stays::Reference)
        } else if !chosen {
            Err(if reason.is_some() {
                Stays::NotChosen
            } else {
                Stays::NoCredential
            })
        } else if reason.is_none() && !is_in(choice.only) {
            Err(Stays::NoCredential)
        } else if self.variables.are_in(value) {
            Err(Stays::Expanded)
        } else {
            self.movable(server, text, name, value)
        };
        Some((reason, decision))
    }

    fn movable(
        &self,
        server: &Server,
        text: &Text,
        name: &str,
        value: &str,
    ) -> Result<(SecretName, SecretValue), Stays> {
        if !matches!(server.start, Start::Command | Start::Adopted) {
            return Err(Stays::NoCommand);
        }
        let mut same = server.texts.iter().filter(|it| it.place == text.place);
        if same.nth(1).is_some() {
            return Err(Stays::SeveralOfThisName);
        }
        let name: SecretName = name.parse().map_err(Stays::Name)?;
        ScopeKind::Env.check(&name).map_err(Stays::Name)?;
        let value = SecretValue::copy_of(value.as_bytes()).map_err(|_| Stays::Value)?;
        let scope = &scope_of(&server.name, 1).map_err(Stays::Name)?;
        Credential::new(scope, &name, &value)
            .env_value(name.as_str())
            .map_err(|_| Stays::Value)?;
        adopt::manner(self, text).ok_or(Stays::Escapes)?;
        Ok((name, value))
    }
}

impl Adoption {
    /// How many credentials go into the store.
    #[must_use]
    pub fn moved(&self) -> usize {
        let moved = self.findings.iter();
        moved
            .filter(|it| matches!(it.becomes, Becomes::Secret(_)))
            .count()
    }

    /// How many credentials stay in the file.
    #[must_use]
    pub fn left(&self) -> usize {
        let left = self.findings.iter().filter(|it| {
            let stays = matches!(&it.becomes, Becomes::Stays(stays) if *stays != Stays::Reference);
            stays && it.reason.is_some()
        });
        left.count()
    }

    /// Of how many servers they are.
    #[must_use]
    pub fn servers(&self) -> usize {
        let moved = self.findings.iter();
        let moved = moved.filter(|it| matches!(it.becomes, Becomes::Secret(_)));
        let servers: BTreeSet<_> = moved.map(|it| &it.server).collect();
        servers.len()
    }

    /// The file as it is to be.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Puts the credentials into the store, one commit for each scope, and reads each of them back.
    ///
    /// # Errors
    /// If one cannot be stored, or does not come back as it was. Those that were stored stay.
    pub fn store(&self, store: &Store) -> Result<(), Error> {
        self.scopes.store(store)
    }
}

impl std::fmt::Debug for Adoption {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Adoption")
            .field("findings", &self.findings)
            .finish_non_exhaustive()
    }
}
