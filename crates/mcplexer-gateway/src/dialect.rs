//! What a client, or a server, speaks: the revision of the protocol, and what it is able to do.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use crate::json::Value;
use crate::message::Message;
use crate::server::lock;

/// Whether the protocol has sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Era {
    /// Revisions up to 2025-11-25: a session begins with `initialize`.
    Legacy,
    /// From 2026-07-28 on: each request says what its client is.
    Modern,
}

/// The protocol that a client speaks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dialect {
    pub(crate) era: Era,
    pub(crate) version: String,
    /// Its capabilities, as it wrote them.
    pub(crate) capabilities: String,
    /// Its name and version, as it wrote them.
    pub(crate) info: String,
}

/// The revisions of the protocol with sessions that the gateway speaks, newest first.
pub(crate) const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The revisions without sessions that the gateway speaks, newest first.
pub(crate) const MODERN: [&str; 1] = ["2026-07-28"];

/// What clients speak: those that speak the same share it.
#[derive(Debug, Default)]
pub(crate) struct Dialects(Mutex<HashSet<Arc<Dialect>>>);

impl Dialects {
    /// Returns a dialect that a session keeps.
    pub(crate) fn shared(&self, dialect: Dialect) -> Arc<Dialect> {
        let mut dialects = lock(&self.0);
        if let Some(known) = dialects.get(&dialect) {
            return Arc::clone(known);
        }
        if dialects.len() == dialects.capacity() {
            dialects.retain(|it| Arc::strong_count(it) > 1);
        }
        let dialect = Arc::new(dialect);
        dialects.insert(Arc::clone(&dialect));
        dialect
    }
}

impl Dialect {
    /// Returns how many bytes it takes.
    pub(crate) fn len(&self) -> usize {
        let parts = [&self.version, &self.capabilities, &self.info];
        parts.iter().map(|it| it.len()).sum()
    }

    /// What the gateway says of itself to a server that no client waits for.
    pub(crate) fn own() -> Self {
        Self {
            era: Era::Legacy,
            version: LEGACY[0].to_owned(),
            capabilities: "{}".to_owned(),
            info: own_info(),
        }
    }
}

/// Returns the name and version of the gateway, as `clientInfo` and `serverInfo` have them.
pub(crate) fn own_info() -> String {
    format!(
        r#"{{"name":"mcplexer","version":"{}"}}"#,
        env!("CARGO_PKG_VERSION")
    )
}

/// The members of `_meta` in which a client without a session says what it is (MCP 2026-07-28, "_meta").
pub(crate) const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(crate) const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(crate) const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";

/// Reads what a request says of its client; `None` if the client has a session.
pub(crate) fn modern_dialect(message: &Message) -> Option<Dialect> {
    let meta = message.param(&["_meta"])?;
    let version = meta.get(PROTOCOL_VERSION)?.as_str()?.into_owned();
    let object = |name| {
        let value = meta.get(name).filter(|it| it.is_object());
        value.map(|it| it.text().to_owned())
    };
    let own = Dialect::own();
    Some(Dialect {
        era: Era::Modern,
        version,
        capabilities: object(CLIENT_CAPABILITIES).unwrap_or(own.capabilities),
        info: object(CLIENT_INFO).unwrap_or(own.info),
    })
}

/// The member of `_meta` that says which log messages a client without a session wants.
pub(crate) const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

/// Whether a client wants what servers log while they answer a request.
pub(crate) fn wants_log(message: &Message) -> bool {
    match message.param(&["_meta"]) {
        Some(meta) if meta.get(PROTOCOL_VERSION).is_some() => meta.get(LOG_LEVEL).is_some(),
        _ => true,
    }
}

/// Returns the answer to `server/discover` for a server that has only said what it is at the beginning of a session.
pub(crate) fn as_discovered(hello: &str) -> String {
    let hello = Value::new(hello);
    let capabilities = hello.get("capabilities").map_or("{}", Value::text);
    let info = hello.get("serverInfo").map_or("{}", Value::text);
    let instructions = hello.get("instructions");
    let instructions = instructions.map_or_else(String::new, |it| {
        format!(r#","instructions":{}"#, it.text())
    });
    let versions: Vec<String> = MODERN.iter().map(|it| format!("\"{it}\"")).collect();
    format!(
        r#"{{"resultType":"complete","supportedVersions":[{}],"capabilities":{capabilities}{instructions},"ttlMs":0,"cacheScope":"private","_meta":{{"io.modelcontextprotocol/serverInfo":{info}}}}}"#,
        versions.join(",")
    )
}

/// Reads what a client says of itself at the beginning of its session.
pub(crate) fn legacy_dialect(message: &Message) -> Dialect {
    let text = |name: &str| message.param(&[name]).and_then(Value::as_str);
    let object = |name: &str| {
        let value = message.param(&[name]).filter(|it| it.is_object());
        value.map(|it| it.text().to_owned())
    };
    let own = Dialect::own();
    Dialect {
        era: Era::Legacy,
        version: text("protocolVersion").map_or(own.version, Cow::into_owned),
        capabilities: object("capabilities").unwrap_or(own.capabilities),
        info: object("clientInfo").unwrap_or(own.info),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_speaks_the_same_shares_it_until_nobody_does() {
        let dialects = Dialects::default();
        let of = |info: String| {
            dialects.shared(Dialect {
                info,
                ..Dialect::own()
            })
        };
        let kept = of("{}".to_owned());
        assert!(Arc::ptr_eq(&kept, &of("{}".to_owned())));
        for number in 0..10_000 {
            of(number.to_string());
        }
        assert!(Arc::ptr_eq(&kept, &of("{}".to_owned())));
        assert!(lock(&dialects.0).len() < 10);
    }
}
