//! The credentials of a server: which secrets it needs, and how they reach it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::sync::Arc;

use mcplexer_detect::{is_everyday, takes_over};
use mcplexer_files::config::{self, Transport};
use mcplexer_files::reference::InvalidReference;
use mcplexer_files::template::{FillError, Syntax, Template};
use mcplexer_home::OpenHome;
use mcplexer_home::credentials::{Error as OpenError, Opened, Wanted};
use mcplexer_mask::{Known, MIN_MASKED_LEN, Masker};
pub(crate) use mcplexer_secrets::audit::SecretVersion as Used;
use mcplexer_secrets::keys::{KeyError, KeyFileError};
use mcplexer_secrets::{
    Credential, Credentials, Error as StoreError, ErrorKind, Purpose, ScopeId, ScopeKind,
    SecretName, Store,
};
use zeroize::Zeroizing;

/// What a server gets, opened. Wiped when dropped.
pub(crate) struct Given {
    /// Variables, or header fields, by name.
    pub(crate) fields: Vec<(String, Zeroizing<Vec<u8>>)>,
    /// Finds every secret of the scopes that the server was given.
    pub(crate) masker: Masker,
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("Given")
            .field("fields", &names)
            .finish_non_exhaustive()
    }
}

/// Why a server does not get its credentials. No message has a value in it.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Refused {
    /// A text begins like a reference and is not one.
    #[error("{place}: {source}")]
    Reference {
        place: String,
        source: InvalidReference,
    },
    /// A secret cannot be opened.
    #[error("{problem}{hint}")]
    Unopened { problem: String, hint: String },
    /// A secret cannot be passed like this.
    #[error("{place}: {problem}")]
    Unfit { place: String, problem: String },
}

/// The secrets that a server needs, as its configuration refers to them.
#[derive(Debug, Clone)]
pub(crate) struct Needs {
    /// Texts with references in them, by the name of the variable or the header field.
    texts: BTreeMap<String, String>,
    /// Scopes of which it gets every secret.
    scopes: Vec<ScopeId>,
    is_http: bool,
}

impl Needs {
    pub(crate) fn of(server: &config::Server) -> Self {
        match &server.transport {
            Transport::Stdio(stdio) => Self {
                texts: stdio.env.clone(),
                scopes: stdio.scopes.clone(),
                is_http: false,
            },
            Transport::Http(http) => Self {
                texts: http.headers.clone(),
                scopes: http.auth.iter().map(|it| it.scope.clone()).collect(),
                is_http: true,
            },
            _ => Self {
                texts: BTreeMap::new(),
                scopes: Vec::new(),
                is_http: false,
            },
        }
    }

    /// Returns the versions of the secrets that it would get now. Nothing is opened.
    pub(crate) fn versions(&self, store: &Store) -> Result<Arc<[Used]>, Refused> {
        let mut used = Vec::new();
        let mut add = |scope: &ScopeId, name: &SecretName| {
            let info = store.secret_info(scope, name);
            let info = info.map_err(|it| unopened(&it, Some(name)))?;
            used.push(Used::new(scope.clone(), name.clone(), info.version));
            Ok(())
        };
        for (place, text) in &self.texts {
            for (reference, _) in template(place, text)?.references() {
                add(&reference.scope, &reference.name)?;
            }
        }
        for scope in &self.scopes {
            let names = store
                .secret_names(scope)
                .map_err(|it| unopened(&it, None))?;
            names.iter().try_for_each(|name| add(scope, name))?;
        }
        used.sort();
        used.dedup();
        Ok(used.into())
    }

    /// Opens the secrets for a server. `program` says in the audit log who gets them.
    pub(crate) fn open(&self, home: &OpenHome, program: &str) -> Result<Given, Refused> {
        let mut wanted = Wanted::default();
        for (place, text) in &self.texts {
            for (reference, _) in template(place, text)?.references() {
                wanted.referred(reference, place.clone());
            }
        }
        self.scopes.iter().for_each(|scope| wanted.all_of(scope));
        let program = Some(program);
        let opened = wanted
            .with_all_of_each()
            .open(home.store(), Purpose::Inject { program })
            .map_err(|error| match &error {
                OpenError::Store { source, .. } => Refused::Unopened {
                    problem: error.to_string(),
                    hint: hint(source),
                },
                OpenError::NoSecrets { scope } => Refused::Unopened {
                    problem: error.to_string(),
                    hint: format!("; mcplexer secret put {scope} KEY stores one"),
                },
                _ => Refused::Unopened {
                    problem: error.to_string(),
                    hint: String::new(),
                },
            })?;
        let mut fields = Vec::new();
        for scope in &self.scopes {
            self.add_scope(scope, &opened, &mut fields)?;
        }
        for (place, text) in &self.texts {
            let value = filled(place, text, &opened)?;
            self.check(place, &value)?;
            fields.retain(|(name, _)| name != place);
            fields.push((place.clone(), value));
        }
        Ok(Given {
            fields,
            masker: masker(&opened),
        })
    }

    /// Adds every secret of a scope, as its kind has it.
    fn add_scope(
        &self,
        scope: &ScopeId,
        opened: &Opened,
        fields: &mut Vec<(String, Zeroizing<Vec<u8>>)>,
    ) -> Result<(), Refused> {
        let Some(credentials) = opened.scope(scope) else {
            return Ok(());
        };
        let unfit = |error: StoreError| Refused::Unfit {
            place: scope.to_string(),
            problem: error.to_string(),
        };
        if self.is_http {
            for (name, value) in credentials.header_fields().map_err(unfit)? {
                let value = Zeroizing::new(value.expose().to_vec());
                fields.push((name.to_owned(), value));
            }
            return Ok(());
        }
        // What has no variable is left out, as `run --scope` leaves it out.
        if credentials.kind() != ScopeKind::Env {
            return Ok(());
        }
        for Credential { name, value, .. } in credentials.iter() {
            if let Some(does) = takes_over(name.as_str()) {
                return Err(Refused::Unfit {
                    place: format!("{scope}/{name}"),
                    problem: format!(
                        "a server that gets it as a variable is taken over: it {does}"
                    ),
                });
            }
            self.check(name.as_str(), value.expose())?;
            let value = Zeroizing::new(value.expose().to_vec());
            fields.push((name.to_string(), value));
        }
        Ok(())
    }

    /// Refuses what a variable, or a header field (RFC 9110, section 5.5), cannot carry.
    fn check(&self, place: &str, value: &[u8]) -> Result<(), Refused> {
        let problem = if self.is_http {
            let is_wrong = |&byte: &u8| (byte < b' ' && byte != b'\t') || byte == 0x7f;
            let is_spaced = value.trim_ascii().len() != value.len();
            (is_spaced || value.iter().any(is_wrong)).then_some(
                "the value has a line end or another control character, or a space at an end",
            )
        } else {
            value.contains(&0).then_some("the value has a NUL byte")
        };
        match problem {
            None => Ok(()),
            Some(problem) => Err(Refused::Unfit {
                place: place.to_owned(),
                problem: problem.to_owned(),
            }),
        }
    }
}

/// Returns a value as the system takes it.
pub(crate) fn os_string(value: &[u8]) -> OsString {
    OsString::from_vec(value.to_vec())
}

fn template<'a>(place: &str, text: &'a str) -> Result<Template<'a>, Refused> {
    Template::parse(text.as_bytes()).map_err(|(_, source)| Refused::Reference {
        place: place.to_owned(),
        source,
    })
}

fn filled(place: &str, text: &str, opened: &Opened) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let lookup = |reference: &_| {
        let value = opened.value(reference)?;
        Some(value.expose())
    };
    let filled = template(place, text)?.fill(Syntax::Text, lookup);
    let filled = filled.map_err(|error: FillError| Refused::Unfit {
        place: place.to_owned(),
        problem: error.to_string(),
    })?;
    Ok(Zeroizing::new(filled.expose().to_vec()))
}

/// `name` is that of the secret, if one is meant.
fn unopened(error: &StoreError, name: Option<&SecretName>) -> Refused {
    let hint = match (error, name) {
        (StoreError::ScopeNotFound { scope }, Some(name)) => {
            format!("; mcplexer secret put {scope} {name} stores it")
        }
        _ => hint(error),
    };
    Refused::Unopened {
        problem: error.to_string(),
        hint,
    }
}

/// Returns the command that makes a secret available.
fn hint(error: &StoreError) -> String {
    match error {
        StoreError::ScopeNotFound { scope } => {
            format!("; mcplexer secret put {scope} KEY stores a secret in it")
        }
        StoreError::SecretNotFound { scope, name } => {
            format!("; mcplexer secret put {scope} {name} stores it")
        }
        StoreError::Key(reason) | StoreError::Locked { reason, .. } if needs_passphrase(reason) => {
            "; mcplexer serve --http in a terminal asks for the passphrase once: if a gateway runs in the background, mcplexer serve --stop ends it first".to_owned()
        }
        error if error.kind() == ErrorKind::Key => {
            "; mcplexer doctor says what is wrong with the key".to_owned()
        }
        _ => "; mcplexer doctor says what is wrong".to_owned(),
    }
}

/// Whether the key was not opened because nobody could be asked.
fn needs_passphrase(error: &KeyError) -> bool {
    let reason = error.reason::<KeyFileError>();
    matches!(reason, Some(KeyFileError::PassphraseNeeded { .. }))
}

/// Returns a masker of every opened secret but those that every text has anyway.
fn masker(opened: &Opened) -> Masker {
    let secrets = opened.iter().flat_map(Credentials::iter);
    let known = secrets.filter_map(
        |Credential {
             scope, name, value, ..
         }| {
            let value = value.expose();
            let text = str::from_utf8(value).unwrap_or_default();
            let is_searched = value.len() >= MIN_MASKED_LEN && !is_everyday(name.as_str(), text);
            is_searched.then(|| Known {
                label: format!("{scope}/{name}"),
                value,
            })
        },
    );
    Masker::new(known)
}
