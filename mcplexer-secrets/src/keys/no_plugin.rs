//! Uninhabited stand-ins for the identities and recipients of age plugins, used without the feature
//! `plugin`.

use age::DecryptError;

use super::KeyError;
use super::person::Person;

#[derive(Clone)]
pub(super) enum PluginIdentity {}

impl PluginIdentity {
    pub(super) fn parse(_text: &str) -> Option<Self> {
        None
    }

    pub(super) fn set_person(&mut self, _person: Option<&Person>) {
        match *self {}
    }

    pub(super) fn plugin(&self) -> &str {
        match *self {}
    }

    pub(super) fn decrypt_with<T>(
        &self,
        _decrypt: impl FnOnce(&dyn age::Identity) -> Result<T, DecryptError>,
    ) -> Result<Option<T>, KeyError> {
        match *self {}
    }
}

#[derive(Clone)]
pub(super) enum PluginRecipient {}

impl PluginRecipient {
    pub(super) fn parse(_text: &str) -> Option<Self> {
        None
    }

    pub(super) fn plugin(&self) -> &str {
        match *self {}
    }

    pub(super) fn to_age(
        &self,
        _person: Option<Person>,
    ) -> Result<Box<dyn age::Recipient>, KeyError> {
        match *self {}
    }
}
