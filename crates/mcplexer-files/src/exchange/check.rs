//! Whether a file can hold secrets.

use mcplexer_secrets::{Credentials, ScopeId, SecretName};

use super::{ENCODED, Form, Format, Reader, is_read_alike};

/// Secrets that a file cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// A name is not valid in the format: some names of header fields cannot be in `.env` files or name shell
    /// variables.
    #[error("the name of {scope}/{name} is not valid {}", .format.of_names(*.reader))]
    Name {
        /// The scope of the secret.
        scope: ScopeId,
        /// Its name.
        name: SecretName,
        /// The format of the file.
        format: Format,
        /// The only reader of the file, if there is one.
        reader: Option<Reader>,
        /// The readers that can read all of the secrets.
        others: Vec<Reader>,
    },
    /// A `.env` file has no notation for values that its readers take for these values.
    #[error("no notation for {} in a .env file is read {}", secrets(.scope, .names), by(*.reader))]
    Value {
        /// The scope of the secrets.
        scope: ScopeId,
        /// Their names, at least one.
        names: Vec<SecretName>,
        /// The only reader of the file, if there is one.
        reader: Option<Reader>,
        /// The readers that can read all of the secrets.
        others: Vec<Reader>,
    },
}

/// Checks that a file can hold secrets.
pub(super) fn check(
    credentials: &Credentials,
    items: &[(&SecretName, Form<'_>)],
    format: Format,
    reader: Option<Reader>,
) -> Result<(), WriteError> {
    let takes_name = |name: &SecretName| match format {
        Format::Dotenv => match reader {
            Some(reader) => reader.takes_name(name),
            None => Reader::ALL.into_iter().all(|it| it.takes_name(name)),
        },
        Format::Shell => Reader::Sh.takes_name(name),
        Format::Json | Format::Yaml => true,
    };
    let takes_value = |name: &SecretName, form: &Form<'_>| match (format, form) {
        (Format::Dotenv, Form::Plain(value)) => match reader {
            Some(reader) => reader.takes_value(name, value),
            None => is_read_alike(value) && Reader::Docker.takes_value(name, value),
        },
        (Format::Dotenv, Form::Encoded(value)) => {
            Reader::Docker.takes_length(name, ENCODED.len() + value.len().div_ceil(3) * 4)
        }
        _ => true,
    };
    let others = || {
        let all = Reader::ALL.into_iter().filter(|_| format == Format::Dotenv);
        let takes_all = |other: &Reader| {
            let mut all = credentials.iter();
            all.all(|it| other.takes_name(it.name) && other.takes_value(it.name, it.value.expose()))
        };
        all.filter(takes_all).collect()
    };
    if let Some((name, _)) = items.iter().find(|(name, _)| !takes_name(name)) {
        return Err(WriteError::Name {
            scope: credentials.scope().clone(),
            name: (*name).clone(),
            format,
            reader,
            others: others(),
        });
    }
    let refused = items.iter().filter(|(name, form)| !takes_value(name, form));
    let names: Vec<_> = refused.map(|(name, _)| (*name).clone()).collect();
    match names.is_empty() {
        true => Ok(()),
        false => Err(WriteError::Value {
            scope: credentials.scope().clone(),
            names,
            reader,
            others: others(),
        }),
    }
}

fn secrets(scope: &ScopeId, names: &[SecretName]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("{scope}/{name}"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn by(reader: Option<Reader>) -> String {
    match reader {
        Some(reader) => format!("by {reader}"),
        None => "alike by node, python, docker and sh".to_owned(),
    }
}
