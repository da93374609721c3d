//! Identities and recipients of age plugins: <https://c2sp.org/age-plugin>.

use std::env;
use std::fmt;
use std::slice::from_ref;

use age::DecryptError;
use age::plugin::{IdentityPluginV1, RecipientPluginV1};
use age::secrecy::SecretString;

use super::KeyError;
use super::error::one_line;
use super::person::{About, Asking, PassphraseRequest, Person};

/// An identity for the program `age-plugin-NAME`.
#[derive(Clone)]
pub(super) struct PluginIdentity {
    identity: age::plugin::Identity,
    person: Option<Person>,
}

impl PluginIdentity {
    /// Parses `AGE-PLUGIN-…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let identity = text.parse().ok()?;
        Some(Self {
            identity,
            person: None,
        })
    }

    /// Lets the plugin ask `person`.
    pub(super) fn set_person(&mut self, person: Option<&Person>) {
        self.person = person.cloned();
    }

    /// Returns the name of the plugin.
    pub(super) fn plugin(&self) -> &str {
        self.identity.plugin()
    }

    /// Calls `decrypt` with the identity. Returns `None` if it is not the right identity.
    pub(super) fn decrypt_with<T>(
        &self,
        decrypt: impl FnOnce(&dyn age::Identity) -> Result<T, DecryptError>,
    ) -> Result<Option<T>, KeyError> {
        let name = self.plugin();
        refuse_debugging(name)?;
        let questions = Questions(self.person.clone());
        let plugin = IdentityPluginV1::new(name, from_ref(&self.identity), questions);
        let plugin = plugin.map_err(|_| missing(name))?;
        match decrypt(&plugin) {
            Ok(opened) => Ok(Some(opened)),
            Err(DecryptError::NoMatchingKeys) => Ok(None),
            Err(error) => Err(KeyError::Plugin {
                name: name.to_owned(),
                reason: one_line(&error),
            }),
        }
    }
}

/// A recipient for the program `age-plugin-NAME`.
#[derive(Clone)]
pub(super) struct PluginRecipient(age::plugin::Recipient);

impl PluginRecipient {
    /// Parses `age1NAME1…`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }

    /// Returns the name of the plugin.
    pub(super) fn plugin(&self) -> &str {
        self.0.plugin()
    }

    /// Returns the recipient in the age crate's type. The plugin may ask `person`.
    pub(super) fn to_age(
        &self,
        person: Option<Person>,
    ) -> Result<Box<dyn age::Recipient>, KeyError> {
        let name = self.plugin();
        refuse_debugging(name)?;
        let plugin = RecipientPluginV1::new(name, from_ref(&self.0), &[], Questions(person));
        Ok(Box::new(plugin.map_err(|_| missing(name))?))
    }
}

/// The age crate prints all that it exchanges with a plugin if this variable is set, file keys included. Nothing
/// else in this crate reads a variable, and nothing in it can unset one.
fn refuse_debugging(name: &str) -> Result<(), KeyError> {
    match env::var_os("AGEDEBUG").is_some_and(|value| !value.is_empty()) {
        false => Ok(()),
        true => Err(KeyError::PluginDebug {
            name: name.to_owned(),
        }),
    }
}

fn missing(name: &str) -> KeyError {
    KeyError::NoPlugin {
        name: name.to_owned(),
    }
}

/// Answers the questions of a plugin, as the age crate asks them.
#[derive(Clone)]
struct Questions(Option<Person>);

impl age::Callbacks for Questions {
    fn display_message(&self, message: &str) {
        if let Some(person) = &self.0 {
            person.tell(message);
        }
    }

    fn confirm(&self, _message: &str, _yes: &str, _no: Option<&str>) -> Option<bool> {
        None
    }

    fn request_public_string(&self, _description: &str) -> Option<String> {
        None
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let request = PassphraseRequest {
            about: About::Plugin(description),
            retry: false,
        };
        let asking = Asking(&**self.0.as_ref()?);
        let answer = asking.0.passphrase(&request)?;
        let text = str::from_utf8(answer.expose()).ok()?;
        Some(SecretString::from(text.to_owned()))
    }
}

impl fmt::Debug for Questions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Questions")
    }
}
