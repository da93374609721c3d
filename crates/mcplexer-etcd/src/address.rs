//! Where a store in etcd is.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use etcd_client::{Certificate, ConnectOptions, Identity, TlsOptions};
use mcplexer_secrets::backend::{BackendError, BackendErrorKind};
use zeroize::Zeroizing;

const SCHEME: &str = "etcd://";
const PORT: &str = "2379";
const PREFIX: &str = "mcplexer";

/// Where a store in etcd is: `etcd://HOST[:PORT][,HOST[:PORT]…][/PREFIX][?OPTION=VALUE[&…]]`.
///
/// The port is 2379 by default, the prefix of all keys `mcplexer`. The options are:
///
/// * `tls=off` does without TLS, for a cluster on this machine or behind a tunnel.
/// * `cacert=FILE` has the certificates, as PEM, of who may certify the cluster. Without it, those that the system trusts.
/// * `cert=FILE` and `key=FILE` have a client's certificate and its private key, as PEM.
/// * `user=NAME` logs in, with a [`Password`], which is never in an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    nodes: Vec<String>,
    prefix: String,
    without_tls: bool,
    cacert: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    user: Option<String>,
}

/// Why a text is not the [`Address`] of a store. It quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// It begins with another scheme.
    #[error("the address does not begin with etcd://")]
    Scheme,
    /// A node is missing, or is not a host with an optional port.
    #[error("the address needs nodes as HOST or HOST:PORT, with commas between them")]
    Nodes,
    /// It has a password.
    #[error(
        "the address must not have a user or a password before the node: say user=NAME as an option"
    )]
    Password,
    /// The prefix has other characters.
    #[error("the prefix may have letters, digits and the characters - _ . / only")]
    Prefix,
    /// An option is not known, or has a value that is not.
    #[error("the options are tls=off, cacert=FILE, cert=FILE, key=FILE and user=NAME")]
    Option,
    /// Options that go together, or do not.
    #[error("cert and key go together, and tls=off with none of cacert, cert and key")]
    Together,
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.strip_prefix(SCHEME).ok_or(InvalidAddress::Scheme)?;
        let (place, options) = text.split_once('?').unwrap_or((text, ""));
        let (nodes, prefix) = place.split_once('/').unwrap_or((place, ""));
        if nodes.contains('@') {
            return Err(InvalidAddress::Password);
        }
        let nodes = nodes.split(',').map(node).collect::<Option<_>>();
        let mut address = Self {
            nodes: nodes.ok_or(InvalidAddress::Nodes)?,
            prefix: self::prefix(prefix).ok_or(InvalidAddress::Prefix)?,
            without_tls: false,
            cacert: None,
            cert: None,
            key: None,
            user: None,
        };
        for option in options.split('&').filter(|it| !it.is_empty()) {
            let (name, value) = option.split_once('=').ok_or(InvalidAddress::Option)?;
            match name {
                _ if value.is_empty() => return Err(InvalidAddress::Option),
                "tls" if value == "off" => address.without_tls = true,
                "cacert" => address.cacert = Some(value.into()),
                "cert" => address.cert = Some(value.into()),
                "key" => address.key = Some(value.into()),
                "user" => address.user = Some(value.to_owned()),
                _ => return Err(InvalidAddress::Option),
            }
        }
        let has_files = address.cacert.is_some() || address.cert.is_some() || address.key.is_some();
        if address.cert.is_some() != address.key.is_some() || (address.without_tls && has_files) {
            return Err(InvalidAddress::Together);
        }
        Ok(address)
    }
}

fn node(text: &str) -> Option<String> {
    let is_of_host = |it: char| it.is_ascii_alphanumeric() || "-_.:[]".contains(it);
    if text.is_empty() || !text.chars().all(is_of_host) {
        return None;
    }
    let (host, port) = match text.rsplit_once(':') {
        // The colons of an address of IPv6 are in brackets.
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, PORT),
    };
    let port: u16 = port.parse().ok()?;
    let is_host = !host.is_empty() && (host.starts_with('[') == host.contains(':'));
    is_host.then(|| format!("{host}:{port}"))
}

fn prefix(text: &str) -> Option<String> {
    let text = text.trim_matches('/');
    let is_of_prefix = |it: char| it.is_ascii_alphanumeric() || "-_./".contains(it);
    let prefix = if text.is_empty() { PREFIX } else { text };
    prefix.chars().all(is_of_prefix).then(|| prefix.to_owned())
}

impl fmt::Display for Address {
    /// The nodes and the prefix.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}/{}", self.nodes.join(","), self.prefix)
    }
}

impl Address {
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        let scheme = if self.without_tls { "http" } else { "https" };
        let nodes = self.nodes.iter();
        nodes.map(|node| format!("{scheme}://{node}")).collect()
    }

    pub(crate) fn options(
        &self,
        password: Option<&Password>,
    ) -> Result<ConnectOptions, BackendError> {
        let mut options = ConnectOptions::new();
        if !self.without_tls {
            let mut tls = TlsOptions::new();
            tls = match &self.cacert {
                Some(file) => tls.ca_certificate(Certificate::from_pem(&*read(file)?)),
                None => tls.with_native_roots(),
            };
            if let (Some(cert), Some(key)) = (&self.cert, &self.key) {
                tls = tls.identity(Identity::from_pem(&*read(cert)?, &*read(key)?));
            }
            options = options.with_tls(tls);
        }
        match (&self.user, password) {
            (Some(user), Some(password)) => Ok(options.with_user(user, &**password.0)),
            (None, None) => Ok(options),
            (Some(_), None) => {
                let message = "the address names a user: a password is needed";
                Err(BackendError::new(BackendErrorKind::Denied, message))
            }
            (None, Some(_)) => Err(refused(
                "there is a password: the address needs the option user=NAME",
            )),
        }
    }
}

fn refused(message: &str) -> BackendError {
    BackendError::new(BackendErrorKind::Invalid, message)
}

fn read(file: &Path) -> Result<Zeroizing<Vec<u8>>, BackendError> {
    let read = fs::read(file).map(Zeroizing::new);
    read.map_err(|error| refused(&format!("cannot read {}", file.display())).with_source(error))
}

/// The password of a user of etcd.
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a password.
    #[must_use]
    pub fn new(password: String) -> Self {
        Self(Zeroizing::new(password))
    }

    /// Reads a password from a file: its first line.
    ///
    /// # Errors
    /// [`BackendError`] if the file cannot be read, or has no text.
    pub fn from_file(file: &Path) -> Result<Self, BackendError> {
        let bytes = read(file)?;
        let line = bytes.split(|byte| *byte == b'\n').next();
        let line = line.and_then(|it| std::str::from_utf8(it).ok());
        let line = line.map(|it| it.trim_end_matches('\r'));
        let line = line.filter(|it| !it.is_empty());
        let line = line.ok_or_else(|| refused(&format!("no password in {}", file.display())))?;
        Ok(Self::new(line.to_owned()))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<Address, InvalidAddress> {
        text.parse()
    }

    #[test]
    fn an_address_names_nodes_a_prefix_and_options() {
        let full = address("etcd://a,b:1,[::1]:2,[::1]/team/x/?cacert=/c&cert=/d&key=/k&user=u");
        let full = full.unwrap();
        let nodes = "etcd://a:2379,b:1,[::1]:2,[::1]:2379/team/x";
        assert_eq!(full.to_string(), nodes);
        assert_eq!(full.urls()[0], "https://a:2379");
        assert_eq!(full.user.as_deref(), Some("u"));
        let plain = address("etcd://localhost?tls=off").unwrap();
        assert_eq!(plain.to_string(), "etcd://localhost:2379/mcplexer");
        assert_eq!(plain.urls(), ["http://localhost:2379"]);
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_the_address() {
        use InvalidAddress as Wrong;
        for (text, wrong) in [
            ("http://a", Wrong::Scheme),
            ("etcd://", Wrong::Nodes),
            ("etcd://a,,b", Wrong::Nodes),
            ("etcd://a:port", Wrong::Nodes),
            ("etcd://:1", Wrong::Nodes),
            ("etcd://::1", Wrong::Nodes),
            ("etcd://user:hunter2@a", Wrong::Password),
            ("etcd://a/pre fix", Wrong::Prefix),
            ("etcd://a?password=hunter2", Wrong::Option),
            ("etcd://a?tls=no", Wrong::Option),
            ("etcd://a?user=", Wrong::Option),
            ("etcd://a?cert=/c", Wrong::Together),
            ("etcd://a?tls=off&cacert=/c", Wrong::Together),
        ] {
            assert_eq!(address(text), Err(wrong), "{text}");
            assert!(!format!("{wrong} {wrong:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_password_and_a_user_go_together() {
        let password = Password::new("hunter2".into());
        let plain = address("etcd://a?tls=off").unwrap();
        let user = address("etcd://a?tls=off&user=u").unwrap();
        assert!(plain.options(None).is_ok());
        assert!(user.options(Some(&password)).is_ok());
        for refused in [plain.options(Some(&password)), user.options(None)] {
            assert!(!format!("{:?}", refused.map(drop).unwrap_err()).contains("hunter2"));
        }
        assert_eq!(format!("{password:?}"), "Password");
    }

    #[test]
    fn a_password_is_the_first_line_of_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("password");
        fs::write(&file, "hunter2\r\nnot this\n").unwrap();
        assert_eq!(&**Password::from_file(&file).unwrap().0, "hunter2");
        fs::write(&file, "\n").unwrap();
        assert!(Password::from_file(&file).is_err());
        assert!(Password::from_file(&directory.path().join("none")).is_err());
    }
}
