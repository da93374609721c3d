//! References in the arguments of a command.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use mcplexer_files::template::{Syntax, Template};
use mcplexer_secrets::SecretValue;

use super::Error;
use crate::credentials::{Opened, Wanted};

/// The arguments of a command, in which references stand for secrets.
///
/// On most systems every user can see the arguments of a process:
/// [`others_see_arguments`](crate::others_see_arguments).
#[derive(Debug)]
pub struct Arguments(Vec<OsString>);

impl Arguments {
    /// Takes the arguments, without the name of the program.
    #[must_use]
    pub fn new(arguments: Vec<OsString>) -> Self {
        Self(arguments)
    }

    /// Asks for the secrets that the arguments refer to to be opened. Returns whether there are any.
    ///
    /// # Errors
    ///
    /// Fails with `Reference` if a reference is invalid.
    pub fn want(&self, wanted: &mut Wanted) -> Result<bool, Error> {
        let mut refers = false;
        for (place, template) in self.templates() {
            for (reference, _) in template?.references() {
                wanted.referred(reference, place.clone());
                refers = true;
            }
        }
        Ok(refers)
    }

    /// Returns the arguments with each reference replaced by its secret.
    ///
    /// # Errors
    ///
    /// * `Reference` if a reference is invalid.
    /// * `NulInArgument` if a value has a NUL byte, where an argument ends.
    pub fn fill(&self, opened: &Opened) -> Result<Vec<OsString>, Error> {
        let lookup = |reference: &_| opened.value(reference).map(SecretValue::expose);
        let filled = self.templates().map(|(place, template)| {
            let Ok(filled) = template?.fill(Syntax::Text, lookup) else {
                return Err(Error::NotOpened { place });
            };
            if filled.expose().contains(&0) {
                return Err(Error::NulInArgument { place });
            }
            Ok(OsString::from_vec(filled.expose().to_vec()))
        });
        filled.collect()
    }

    /// Returns the place of each argument, and the argument with its references found.
    fn templates(&self) -> impl Iterator<Item = (String, Result<Template<'_>, Error>)> {
        self.0.iter().zip(1..).map(|(argument, number)| {
            let place = format!("argument {number}");
            let parsed = Template::parse(argument.as_bytes());
            let template = parsed.map_err(|(_, source)| Error::Reference {
                place: place.clone(),
                source,
            });
            (place, template)
        })
    }
}
