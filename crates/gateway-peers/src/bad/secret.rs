//! The forms in which a secret gets out.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// How a secret is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Form {
    /// As it is.
    Raw,
    /// In base64, after a word, so that its letters depend on where it begins.
    Base64,
    /// In hexadecimal digits.
    Hex,
    /// Percent-encoded, letter by letter.
    Url,
    /// With every letter as a JSON escape.
    Escaped,
    /// As it is, but in two writes or two pieces of the HTTP body.
    Pieces,
    /// Half in one message, half in the next.
    Messages,
}

impl Form {
    /// The secret as it is written inside a JSON string.
    pub(super) fn write(self, secret: &str) -> String {
        let each = |write: fn(u8) -> String| secret.bytes().map(write).collect::<String>();
        match self {
            Self::Raw | Self::Pieces | Self::Messages => quoted(secret),
            Self::Base64 => BASE64_STANDARD.encode(format!("token={secret}")),
            Self::Hex => each(|byte| format!("{byte:02x}")),
            Self::Url => each(|byte| format!("%{byte:02X}")),
            Self::Escaped => secret
                .encode_utf16()
                .map(|unit| format!("\\u{unit:04x}"))
                .collect(),
        }
    }
}

/// The text as a JSON string has it, without the quotation marks.
fn quoted(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    let inner = quoted
        .strip_prefix('"')
        .and_then(|quoted| quoted.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}
