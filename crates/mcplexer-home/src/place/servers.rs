//! Stores on servers, as far as this program was built with them.

use std::sync::Arc;

use mcplexer_secrets::StoreOptions;
use mcplexer_secrets::backend::{Backend, BackendError, BackendErrorKind};

use super::{Engine, StoreUrl};

impl StoreUrl {
    /// Prepares to use the store. Connects when it is used first.
    pub(super) fn backend(&self, options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
        match self.engine {
            Engine::Postgres => postgres(&self.url, options),
            Engine::Etcd => etcd(&self.url, options),
        }
    }
}

#[cfg(feature = "postgres")]
fn postgres(url: &str, options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
    use mcplexer_postgres::{Address, PostgresBackend};

    let address: Address = url.parse().map_err(invalid)?;
    let own = std::env::var_os(super::STORE_PASSWORD_VARIABLE).filter(|it| !it.is_empty());
    let address = address.with_environment(|name| match name {
        "PGPASSWORD" if own.is_some() => own.clone(),
        name => std::env::var_os(name),
    });
    let backend = PostgresBackend::with_options(address, options)?;
    Ok(Arc::new(backend))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_url: &str, _options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
    Err(missing("PostgreSQL", "postgres"))
}

#[cfg(feature = "etcd")]
fn etcd(url: &str, options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
    use mcplexer_etcd::{Address, EtcdBackend, Password};

    let address: Address = url.parse().map_err(invalid)?;
    let password = std::env::var(super::STORE_PASSWORD_VARIABLE);
    let password = password.ok().map(Password::new);
    let backend = EtcdBackend::new(address, password.as_ref())?;
    Ok(Arc::new(backend.with_options(options)))
}

#[cfg(not(feature = "etcd"))]
fn etcd(_url: &str, _options: &StoreOptions) -> Result<Arc<dyn Backend>, BackendError> {
    Err(missing("etcd", "etcd"))
}

#[cfg(any(feature = "postgres", feature = "etcd"))]
fn invalid(error: impl std::error::Error) -> BackendError {
    let message = format!("the URL of the store is invalid: {error}");
    BackendError::new(BackendErrorKind::Invalid, message)
}

#[cfg(not(all(feature = "postgres", feature = "etcd")))]
fn missing(engine: &str, feature: &str) -> BackendError {
    let message = format!("this program was built without {engine}");
    BackendError::new(BackendErrorKind::Invalid, message)
        .with_advice(format!("build it with cargo install --features {feature}"))
}
