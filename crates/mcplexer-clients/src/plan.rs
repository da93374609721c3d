//! Planning what adopting does with each text of a configuration.

mod arguments;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use mcplexer_detect::{Reason, takes_over};
use mcplexer_files::reference::{Reference, SCHEME};
use mcplexer_secrets::{Credential, ScopeKind, SecretName, SecretValue};

use crate::adoption::Adoption;
use crate::choice::{Choice, OfServer, Selection};
use crate::config::ClientConfig;
use crate::elsewhere;
use crate::error::AdoptError;
use crate::finding::{Finding, Outcome, Stays};
use crate::header::Header;
use crate::reason::Hints;
use crate::rewrite::{self, Move, rewrite};
use crate::scopes::{Destination, Placement, scope_of};
use crate::server::{Place, Server, Start, Text};

impl ClientConfig {
    /// Plans an adoption. Changes nothing.
    ///
    /// `program` is the command, or better its absolute path, that starts servers as
    /// `mcplexer run` does. [`mcplexer_detect`] tells what is a credential, and so do the redaction
    /// hints of the scopes in `destination`. A server's credentials go to a scope that is named
    /// after it, or, if that holds other values of these names, to one with a number at its end.
    ///
    /// The cost is linear in the file; a server tries at most 1000 scopes.
    ///
    /// # Errors
    /// - [`AdoptError::NotUndone`] if undoing could not restore the file to the byte.
    /// - [`AdoptError::NoFreeScope`] if all scopes of a server hold other values.
    /// - [`AdoptError::Store`] if `destination` fails.
    pub fn plan(
        &self,
        destination: &Destination<'_>,
        program: &str,
        choice: &Choice<'_>,
    ) -> Result<Adoption, AdoptError> {
        let hints = destination.scopes.iter().flat_map(|it| &it.redaction_hints);
        let hints = Hints::new(hints.map(SecretName::as_str));
        let selection = Selection::of(choice);
        let mut placement = Placement::new(destination);
        let (mut findings, mut moves) = (Vec::new(), Vec::new());
        let mut references = Vec::new();
        for (number, server) in self.servers.iter().enumerate() {
            let (decisions, secrets) = {
                let moves_headers = choice.headers_of.binary_search(&number).is_ok();
                self.decide_all(server, &selection, &hints, moves_headers)
            };
            // If something of it moves, it starts through `mcplexer run` from then on.
            let is_resolved =
                server.may_be_resolved() || (server.start == Start::Command && !secrets.is_empty());
            let (mut secrets, mut scope) = (Some(secrets), None);
            for it in decisions {
                let mut is_exposed = false;
                let outcome = match it.verdict {
                    Err(Stays::Unresolved(_)) if is_resolved && self.has_other_store(server) => {
                        Outcome::Stays(Stays::OtherStore)
                    }
                    Err(Stays::Unresolved(reference)) if is_resolved => {
                        references.push((findings.len(), reference));
                        Outcome::Stays(Stays::Reference)
                    }
                    Err(stays) => Outcome::Stays(stays),
                    Ok(Taken { name, part, header }) => {
                        is_exposed = it.text.is_argument() && header.is_none();
                        if let Some(secrets) = secrets.take() {
                            scope = Some(placement.place(&server.name, secrets)?);
                        }
                        let scope = scope.clone().ok_or(AdoptError::NotUndone)?;
                        let reference = Reference { scope, name };
                        moves.push(Move {
                            server: number,
                            text: it.text,
                            part,
                            header,
                            reference: reference.clone(),
                            reason: it.reason,
                        });
                        Outcome::Secret(reference)
                    }
                };
                findings.push(Finding {
                    server: server.name.clone(),
                    project: server.project.clone(),
                    place: it.text.place.clone(),
                    position: it.text.position,
                    reason: it.reason,
                    outcome,
                    is_exposed,
                });
            }
        }
        let text = rewrite(self, program, &moves)?;
        let moved = moves.iter().filter_map(|it| {
            let value = it.text.value.as_deref()?;
            Some((value.get(it.part.clone())?, it.reason))
        });
        let moved: Vec<_> = moved.collect();
        findings.extend(elsewhere::find(&self.text, &self.servers, &moved));
        Ok(Adoption {
            findings,
            references,
            planned: placement.into_planned(),
            text,
        })
    }

    /// Decides about each text of a server, and returns the secrets that move as well.
    fn decide_all<'a>(
        &self,
        server: &'a Server,
        selection: &Selection<'a>,
        hints: &Hints,
        moves_headers: bool,
    ) -> (Vec<Decision<'a>>, Vec<(SecretName, SecretValue)>) {
        let mut decider = Decider {
            config: self,
            server,
            selection: selection.server(server),
            hints,
            repeated: repeated(server),
            has_other_home: self.has_other_home(server),
            moves_headers,
            secrets: Vec::new(),
        };
        let texts = server.texts.iter().enumerate();
        let decisions = texts
            .filter_map(|(at, text)| decider.decide(text, at))
            .collect();
        (decisions, decider.secrets)
    }
}

/// A text that is reported, and what to do with it.
struct Decision<'a> {
    text: &'a Text,
    reason: Option<Reason>,
    verdict: Result<Taken, Stays>,
}

/// What of a text moves.
struct Taken {
    /// The name of its secret.
    name: SecretName,
    part: Range<usize>,
    /// The header field that the text is, if a variable is to take its place.
    header: Option<Header>,
}

/// Returns the variables that a server's entry has more than once.
fn repeated(server: &Server) -> HashSet<&str> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for text in &server.texts {
        if let Place::Env(name) = &text.place {
            *counts.entry(name).or_default() += 1;
        }
    }
    counts.retain(|_, count| *count > 1);
    counts.into_keys().collect()
}

struct Decider<'a> {
    config: &'a ClientConfig,
    server: &'a Server,
    selection: OfServer<'a, 'a>,
    hints: &'a Hints,
    repeated: HashSet<&'a str>,
    has_other_home: bool,
    moves_headers: bool,
    secrets: Vec<(SecretName, SecretValue)>,
}

impl Decider<'_> {
    /// Decides about a text; `None` if there is nothing to report.
    fn decide<'t>(&mut self, text: &'t Text, at: usize) -> Option<Decision<'t>> {
        let reason = self.hints.reason(self.server, at);
        let decision = |reason, verdict| Decision {
            text,
            reason,
            verdict,
        };
        if let Place::Argument(_) = text.place {
            let verdict = self.argument(text, at, reason)?;
            return Some(decision(reason, verdict));
        }
        if let (Place::Header(name), true) = (&text.place, self.moves_headers) {
            let verdict = reason.map(|_| self.header_field(text, name))?;
            return Some(decision(reason, verdict));
        }
        let Place::Env(name) = &text.place else {
            let stays = match self.selection.is_chosen() {
                true if text.place == Place::EnvFile => {
                    return Some(decision(reason, Err(Stays::OtherFile)));
                }
                true => match text.place {
                    Place::Header(_) => Stays::Header,
                    Place::Url => Stays::Url,
                    _ => Stays::Member,
                },
                false => Stays::NotChosen,
            };
            return reason.map(|reason| decision(Some(reason), Err(stays)));
        };
        let Some(value) = text.value.as_deref() else {
            // Clients take these for no value, or for a switch.
            let literal = self.config.text.get(text.span.clone()).unwrap_or_default();
            if ["", "~", "null", "true", "false"].contains(&literal) {
                return None;
            }
            let reason = self.hints.credential(name, "no string");
            let stays = if text.is_shared {
                Stays::Shared
            } else {
                Stays::NoString
            };
            return reason.map(|reason| decision(Some(reason), Err(stays)));
        };
        let is_credential = !value.starts_with(SCHEME) && !self.config.variables.is_one(value);
        let reason = reason.filter(|_| is_credential);
        Some(decision(reason, self.verdict(text, name, value, reason)))
    }

    fn verdict(
        &mut self,
        text: &Text,
        name: &str,
        value: &str,
        reason: Option<Reason>,
    ) -> Result<Taken, Stays> {
        if value.starts_with(SCHEME) {
            let reference = Reference::of_value(value);
            return Err(reference.map_or(Stays::InvalidReference, Stays::Unresolved));
        }
        match (self.selection.has(name), reason) {
            (false, Some(_)) => return Err(Stays::NotChosen),
            (false, None) => return Err(Stays::NoCredential),
            (true, None) if !self.selection.asks_for(name) => return Err(Stays::NoCredential),
            (true, _) => {}
        }
        if self.config.variables.are_in(value) {
            return Err(Stays::Expanded);
        }
        self.take(text, name, value)
    }

    /// Checks that a text can be put back, and that its server finds the store.
    fn check(&self, text: &Text) -> Result<(), Stays> {
        // Such an entry has a command, but none that could be changed.
        if text.is_shared {
            return Err(Stays::Shared);
        }
        if self.server.has_shared_command {
            return Err(Stays::SharedCommand);
        }
        if !matches!(self.server.start, Start::Command | Start::Adopted) {
            return Err(Stays::NoCommand);
        }
        match self.has_other_home {
            true => Err(Stays::OtherHome),
            false => Ok(()),
        }
    }

    /// Takes a value for the store, if it can be stored and put back.
    fn take(&mut self, text: &Text, name: &str, value: &str) -> Result<Taken, Stays> {
        self.check(text)?;
        if self.repeated.contains(name) {
            return Err(Stays::SeveralOfThisName);
        }
        let name: SecretName = name.parse().map_err(Stays::Name)?;
        ScopeKind::Env.check(&name).map_err(Stays::Name)?;
        if let Some(does) = takes_over(name.as_str()) {
            return Err(Stays::TakesOver(does));
        }
        let value = SecretValue::copy_of(value.as_bytes()).map_err(|_| Stays::Value)?;
        let scope = &scope_of(&self.server.name).map_err(Stays::Name)?;
        Credential::new(scope, &name, &value)
            .env_value(name.as_str())
            .map_err(|_| Stays::Value)?;
        rewrite::style(self.config, text).ok_or(Stays::Escapes)?;
        let part = 0..value.expose().len();
        self.secrets.push((name.clone(), value));
        let header = None;
        Ok(Taken { name, part, header })
    }
}
