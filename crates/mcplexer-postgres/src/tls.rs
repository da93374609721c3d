//! How the server proves who it is, and this program to the server.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

/// A connection's encryption.
#[derive(Clone)]
pub(crate) enum Tls {
    /// None: the server is on this machine.
    None,
    /// The certificate is checked, and the name in it.
    Verified(Arc<MakeRustlsConnect>),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Verified(_) => "Verified",
        })
    }
}

/// Files that TLS needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) roots: Option<PathBuf>,
    /// The certificate of this program, and its private key.
    pub(crate) client: Option<(PathBuf, PathBuf)>,
}

impl Files {
    /// Says what `~` stands for.
    pub(crate) fn expand(&mut self, home: &Path) {
        let client = self.client.iter_mut();
        let client = client.flat_map(|(certificate, key)| [certificate, key]);
        self.roots
            .iter_mut()
            .chain(client)
            .for_each(|path| expand(path, home));
    }

    /// Reads the files, for a connection that does not use them.
    pub(crate) fn check(&self) -> Result<(), TlsError> {
        if let Some(file) = &self.roots {
            certificates(file)?;
        }
        if let Some((certificate, key)) = &self.client {
            certificates(certificate)?;
            private_key(key)?;
        }
        Ok(())
    }
}

/// Says what `~` at the beginning of a path stands for.
pub(crate) fn expand(path: &mut PathBuf, home: &Path) {
    if let Ok(rest) = path.strip_prefix("~") {
        *path = home.join(rest);
    }
}

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsError {
    #[error("cannot read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} has no certificate in PEM")]
    NoCertificate { path: PathBuf },
    #[error("{path} has no private key in PEM")]
    NoKey { path: PathBuf },
    #[error("this system has no root certificates; name a file with sslrootcert=FILE")]
    NoRoots,
    #[error("the certificates cannot be used")]
    Unusable(#[from] rustls::Error),
}

impl Tls {
    /// Reads the files.
    pub(crate) fn verified(files: &Files) -> Result<Self, TlsError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots(files.roots.as_deref())?);
        let config = match &files.client {
            Some((certificate, key)) => {
                config.with_client_auth_cert(certificates(certificate)?, private_key(key)?)?
            }
            None => config.with_no_client_auth(),
        };
        Ok(Self::Verified(Arc::new(MakeRustlsConnect::new(config))))
    }
}

fn roots(file: Option<&Path>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match file {
        Some(file) => {
            for certificate in certificates(file)? {
                roots.add(certificate)?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // Systems ship certificates that no longer parse. The others are enough.
            roots.add_parsable_certificates(found.certs);
        }
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    Ok(roots)
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    let mut bytes = Vec::new();
    let opened = File::open(path);
    let read = opened.and_then(|file| BufReader::new(file).read_to_end(&mut bytes));
    read.map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(bytes)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(TlsError::NoCertificate {
            path: path.to_owned(),
        }),
    }
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = zeroize::Zeroizing::new(read(path)?);
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey {
        path: path.to_owned(),
    })
}
