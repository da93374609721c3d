//! The header fields of a server, with its credentials in them.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use mcplexer_files::config::ServerName;
use tokio::sync::Mutex as AsyncMutex;
use zeroize::Zeroizing;

use crate::context::Context;
use crate::credentials::{Given, Needs, Refused, Used};
use crate::scrub::Scrubber;
use crate::server::{blocking, lock};
use crate::stamp::Stamp;

/// Fields that belong to the connection or to the protocol, and are not configured.
const OWN: [HeaderName; 10] = [
    header::ACCEPT,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    HeaderName::from_static("last-event-id"),
];

/// What names of the protocol's own fields begin with.
const OWN_PREFIX: &str = "mcp-";

/// The header fields of a server. They are opened for each request, and kept while the secrets are the same.
#[derive(Debug)]
pub(crate) struct Fields {
    server: ServerName,
    needs: Needs,
    context: Arc<Context>,
    kept: Mutex<Option<(Stamp, Arc<Opened>)>>,
    /// Held while they are opened.
    opening: AsyncMutex<()>,
    /// Takes the values out of what the server answers.
    pub(crate) scrubber: Arc<Scrubber>,
}

/// Opened header fields. The values are wiped when the last copy of a field is dropped.
pub(crate) struct Opened {
    pub(crate) fields: HeaderMap,
    pub(crate) used: Arc<[Used]>,
}

/// Shows names; the values are sensitive.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.fields.keys().collect();
        f.debug_struct("Opened")
            .field("fields", &names)
            .field("used", &self.used)
            .finish()
    }
}

impl Fields {
    pub(crate) fn new(server: ServerName, needs: Needs, context: Arc<Context>) -> Self {
        Self {
            server,
            needs,
            context,
            kept: Mutex::default(),
            opening: AsyncMutex::default(),
            scrubber: Arc::default(),
        }
    }

    /// Returns the fields for one request, of the newest versions of the secrets.
    ///
    /// # Errors
    /// If a secret cannot be opened, or cannot be in a header field.
    pub(crate) async fn open(self: &Arc<Self>) -> Result<Arc<Opened>, Refused> {
        if let Some(kept) = self.kept_since(&self.context.stamp().await) {
            return Ok(kept);
        }
        let _opening = self.opening.lock().await;
        // A change from here on is seen by the next request.
        let stamp = self.context.stamp().await;
        if let Some(kept) = self.kept_since(&stamp) {
            return Ok(kept);
        }
        let before = self.last();
        let fields = Arc::clone(self);
        let (opened, given) = blocking(move || fields.open_changed(before)).await?;
        if let Some(given) = given {
            self.scrubber.replace(given.masker);
        }
        let stamp = self.context.stamp_of_read(stamp);
        *lock(&self.kept) = Some((stamp, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Returns the fields that were opened last.
    pub(crate) fn last(&self) -> Option<Arc<Opened>> {
        lock(&self.kept).as_ref().map(|(_, it)| Arc::clone(it))
    }

    /// Returns the commands that store other credentials.
    pub(crate) fn hint(&self) -> String {
        let used = self.last().map(|it| Arc::clone(&it.used));
        let commands: Vec<_> = used
            .iter()
            .flat_map(|it| it.iter())
            .map(|Used { scope, name, .. }| format!("mcplexer secret put {scope} {name}"))
            .collect();
        match commands.as_slice() {
            [] => "give it a credential: mcplexer secret put SCOPE KEY stores one, and a header field of the server \
                   in config.yaml refers to it as mcplexer://SCOPE/KEY"
                .to_owned(),
            [one] => format!("{one} stores another credential"),
            [first, ..] => {
                let more = commands.len() - 1;
                format!("{first}, or that of one of {more} more, stores another credential")
            }
        }
    }

    fn kept_since(&self, stamp: &Stamp) -> Option<Arc<Opened>> {
        let kept = lock(&self.kept);
        let (seen, opened) = kept.as_ref()?;
        seen.is_same(stamp).then(|| Arc::clone(opened))
    }

    /// Opens the fields, unless the versions are still those of `before`.
    fn open_changed(
        &self,
        before: Option<Arc<Opened>>,
    ) -> Result<(Arc<Opened>, Option<Given>), Refused> {
        let used = self.needs.versions(self.context.home.store())?;
        if let Some(before) = before.filter(|it| it.used == used) {
            return Ok((before, None));
        }
        let mut given = self.needs.open(&self.context.home, self.server.as_str())?;
        let mut fields = HeaderMap::new();
        for (name, value) in given.fields.drain(..) {
            let (name, value) = field(&name, value)?;
            fields.insert(name, value);
        }
        Ok((Arc::new(Opened { fields, used }), Some(given)))
    }
}

/// Returns a header field. The value is not copied.
fn field(name: &str, value: Zeroizing<Vec<u8>>) -> Result<(HeaderName, HeaderValue), Refused> {
    let unfit = |problem: &str| Refused::Unfit {
        place: name.to_owned(),
        problem: problem.to_owned(),
    };
    let parsed = HeaderName::from_bytes(name.as_bytes());
    let parsed = parsed.map_err(|_| unfit("it is not the name of a header field"))?;
    if OWN.contains(&parsed) || parsed.as_str().starts_with(OWN_PREFIX) {
        return Err(unfit("the gateway sets this header field itself"));
    }
    let value = HeaderValue::from_maybe_shared(Bytes::from_owner(value));
    let mut value = value.map_err(|_| unfit("the value cannot be in a header field"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
        let value = Zeroizing::new(value.as_bytes().to_vec());
        field(name, value).map_err(|it| it.to_string())
    }

    #[test]
    fn a_value_is_shown_nowhere() {
        let (name, value) = of("X-Token", "hunter2").unwrap();
        assert_eq!(
            (name.as_str(), value.as_bytes()),
            ("x-token", &b"hunter2"[..])
        );
        let mut fields = HeaderMap::new();
        fields.insert(name, value);
        let used = Arc::new([]);
        let shown = format!(
            "{:?}",
            Opened {
                fields: fields.clone(),
                used
            }
        );
        assert_eq!(shown, r#"Opened { fields: ["x-token"], used: [] }"#);
        assert_eq!(format!("{fields:?}"), r#"{"x-token": Sensitive}"#);
    }

    #[test]
    fn a_value_is_wiped_with_its_last_copy() {
        let value = Zeroizing::new(b"hunter2".to_vec());
        let at = value.as_ptr();
        let (_, value) = field("X-Token", value).unwrap();
        assert_eq!(value.as_bytes().as_ptr(), at, "it was copied");
    }

    #[test]
    fn a_field_cannot_end_or_take_over_the_request() {
        for (name, value) in [
            ("X-Token", "a\r\nX-Other: b"),
            ("X-Token", "a\nb"),
            ("X-Token", "a\0"),
            ("X Token", "a"),
            ("X-Token:", "a"),
            ("", "a"),
            ("Host", "example.com"),
            ("content-length", "1"),
            ("Transfer-Encoding", "chunked"),
            ("MCP-Session-Id", "a"),
            ("Mcp-Method", "a"),
        ] {
            let error = of(name, value).unwrap_err();
            assert!(
                !error.contains("a\n") && !error.contains("X-Other"),
                "{error}"
            );
        }
    }
}
