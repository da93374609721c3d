//! Secrets as the masker and the scanner know them.

use mcplexer_mask::Known;
use mcplexer_secrets::Credential;

/// Labels a secret `SCOPE/KEY`.
pub(crate) fn known(secret: Credential<'_>) -> Known<'_> {
    Known {
        label: format!("{}/{}", secret.scope, secret.name),
        value: secret.value.expose(),
    }
}
