//! Deciding about arguments: references in them, and variables for header fields. Also about the header fields of a
//! server that goes behind the gateway.

use std::ops::Range;

use mcplexer_detect::{Reason, is_auth_scheme};
use mcplexer_files::reference::{Mark, Reference};
use mcplexer_secrets::{SecretName, SecretValue};
use zeroize::Zeroizing;

use super::{Decider, Taken};
use crate::argument::{adopted_in, range_of, secret_name, with_reference};
use crate::environment::Environment;
use crate::finding::Stays;
use crate::header::{Header, is_for_mcp_remote};
use crate::reason::before;
use crate::rewrite;
use crate::scopes::scope_of;
use crate::server::{Place, Text};

/// How many names are tried for the credential in an argument.
const MAX_NUMBER: usize = 100;

impl Decider<'_> {
    /// Decides about an argument; `None` if there is nothing to report.
    pub(super) fn argument(
        &mut self,
        text: &Text,
        at: usize,
        reason: Option<Reason>,
    ) -> Option<Result<Taken, Stays>> {
        let value = text.value.as_deref()?;
        if reason.is_none() {
            let reference = adopted_in(value).map(|(_, reference, _)| reference)?;
            return Some(Err(Stays::Unresolved(reference)));
        }
        if !self.selection.is_chosen() {
            return Some(Err(Stays::NotChosen));
        }
        let before = before(self.server, at);
        Some(match self.header(text, value, at, before) {
            Some(header) => self.take_header(text, value, before, header),
            None => self.take_argument(text, value, before),
        })
    }

    /// Returns the header field that an argument is, if a variable can take its place.
    fn header(&self, text: &Text, value: &str, at: usize, before: &str) -> Option<Header> {
        let environment = self.server.environment.as_ref();
        let can_add = |it: &Environment| it.add(&self.config.text, &[("NAME", "")]).is_some();
        let is_ours = is_for_mcp_remote(self.server, at, before)
            && !self.config.variables.are_named()
            && environment.is_some_and(can_add);
        let header = Header::of(value).filter(|_| is_ours)?;
        let written = header.with_variable(value, "NAME")?;
        rewrite::can_be_undone(self.config, text, &written).then_some(header)
    }

    /// Takes the value of a header field for the store.
    fn take_header(
        &mut self,
        text: &Text,
        value: &str,
        before: &str,
        header: Header,
    ) -> Result<Taken, Stays> {
        let part = header.value.clone();
        let name = secret_name(before, value, &part, Reason::Name).ok_or(Stays::Argument)?;
        if !self.selection.has(name.as_str()) {
            return Err(Stays::NotChosen);
        }
        self.check(text)?;
        let found = value.get(part.clone()).ok_or(Stays::Argument)?;
        if self.config.variables.are_in(found) {
            return Err(Stays::Expanded);
        }
        let secret = SecretValue::copy_of(found.as_bytes()).map_err(|_| Stays::Value)?;
        // Each field has a variable of its own.
        let is_taken = |name: &SecretName| self.secrets.iter().any(|(it, _)| it == name);
        let name = self.free_name(name, &secret)?;
        if is_taken(&name) {
            return Err(Stays::SeveralOfThisName);
        }
        self.secrets.push((name.clone(), secret));
        let header = Some(header);
        Ok(Taken { name, part, header })
    }

    /// Takes the credential in an argument for the store, if it can be stored and put back.
    fn take_argument(&mut self, text: &Text, value: &str, before: &str) -> Result<Taken, Stays> {
        let (reason, found) = self
            .hints
            .in_argument(before, value)
            .ok_or(Stays::Argument)?;
        let part = range_of(value, found).ok_or(Stays::Argument)?;
        let name = secret_name(before, value, &part, reason).ok_or(Stays::Argument)?;
        if !self.selection.has_argument(name.as_str()) {
            return Err(Stays::Argument);
        }
        self.check(text)?;
        let rest = [value.get(..part.start), value.get(part.end..)];
        let rest = Zeroizing::new(rest.map(Option::unwrap_or_default).concat());
        if self.hints.in_argument(before, &rest).is_some() {
            return Err(Stays::SeveralInArgument);
        }
        if self.config.variables.are_in(found) {
            return Err(Stays::Expanded);
        }
        self.take_part(text, value, part, name)
    }

    /// Takes the credential in a header field for the store: all of it, or what is behind `Bearer` and the like.
    pub(super) fn header_field(&mut self, text: &Text, field: &str) -> Result<Taken, Stays> {
        if !self.selection.is_chosen() {
            return Err(Stays::NotChosen);
        }
        if text.is_shared {
            return Err(Stays::Shared);
        }
        let value = text.value.as_deref().ok_or(Stays::NoString)?;
        if self.config.variables.are_in(value) {
            return Err(Stays::Expanded);
        }
        let start = match value.split_once(' ') {
            Some((scheme, rest)) if is_auth_scheme(scheme) => value.len() - rest.trim_start().len(),
            _ => 0,
        };
        let before = format!("{field}:");
        let name = secret_name(&before, "", &(0..0), Reason::Name).ok_or(Stays::Header)?;
        self.take_part(text, value, start..value.len(), name)
    }

    /// Takes a part of a text, if a reference can take its place.
    fn take_part(
        &mut self,
        text: &Text,
        value: &str,
        part: Range<usize>,
        name: SecretName,
    ) -> Result<Taken, Stays> {
        let found = value.get(part.clone()).ok_or(Stays::Value)?;
        let secret = SecretValue::copy_of(found.as_bytes()).map_err(|_| Stays::Value)?;
        let name = self.free_name(name, &secret)?;
        let scope = scope_of(&self.server.name).map_err(Stays::Name)?;
        let reference = Reference {
            scope,
            name: name.clone(),
        };
        let written = with_reference(value, &part, &reference, Mark::Adopted);
        let written = written.ok_or(Stays::Escapes)?;
        if !rewrite::can_be_undone(self.config, text, &written) {
            return Err(Stays::Escapes);
        }
        // The same value may be there twice.
        if !self.secrets.iter().any(|(it, _)| *it == name) {
            self.secrets.push((name.clone(), secret));
        }
        let header = None;
        Ok(Taken { name, part, header })
    }

    /// Returns a name that no variable of the server has, and no other value of it.
    fn free_name(&self, name: SecretName, value: &SecretValue) -> Result<SecretName, Stays> {
        let is_free = |name: &SecretName| {
            let mut texts = self.server.texts.iter();
            let is_variable =
                texts.any(|it| matches!(&it.place, Place::Env(it) if it == name.as_str()));
            let mut secrets = self.secrets.iter();
            let other = |(it, other): &(SecretName, SecretValue)| {
                it == name && other.expose() != value.expose()
            };
            !is_variable && !secrets.any(other)
        };
        if is_free(&name) {
            return Ok(name);
        }
        let numbered = (2..MAX_NUMBER).map(|number| format!("{name}_{number}").parse());
        let mut numbered = numbered.filter_map(Result::ok);
        numbered.find(is_free).ok_or(Stays::SeveralOfThisName)
    }
}
