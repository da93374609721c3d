//! Who may use the HTTP side: programs of this machine that have a token, and no web page.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use hyper::http::Uri;
use hyper::http::uri::Authority;

use crate::session::Peer;
use crate::site::Entrance;

/// Finds out which client has a token; `None` if none has.
type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Who may connect.
#[derive(Clone)]
pub struct Access(Option<Arc<Lookup>>);

impl Access {
    /// Only clients with a token (RFC 6750, section 2.1). `lookup` returns the name of the client that has it.
    pub fn with_tokens(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(lookup)))
    }

    /// Every program of this machine, of every user. For tests.
    #[must_use]
    pub fn open() -> Self {
        Self(None)
    }

    /// Returns who sends a request.
    pub(crate) fn peer(&self, headers: &HeaderMap) -> Result<Peer, &'static str> {
        let Some(lookup) = &self.0 else {
            return Ok(Peer::named(None));
        };
        let token = headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let token = token.and_then(|it| {
            let (scheme, token) = it.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
        });
        let Some(token) = token else {
            return Err("a token is missing; mcplexer client add NAME makes one\n");
        };
        match lookup(token) {
            Some(name) => Ok(Peer::named(Some(name))),
            None => Err("the token is not known; mcplexer client add NAME makes one\n"),
        }
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Some(_) => "Access(with tokens)",
            None => "Access(open)",
        })
    }
}

/// What a request has to say of where it comes from and goes to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    entrance: Entrance,
    address: SocketAddr,
}

impl Origin {
    pub(crate) fn of(entrance: Entrance, address: SocketAddr) -> Self {
        Self { entrance, address }
    }

    /// Refuses what a web page of another origin sends, and what was meant for another host: a name that a page has rebound
    /// to this machine.
    ///
    /// # Errors
    /// What is wrong.
    pub(crate) fn check(&self, headers: &HeaderMap, uri: &Uri) -> Result<(), &'static str> {
        let mut hosts = headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|it| it.to_str().ok());
        let host = host.filter(|_| hosts.next().is_none()).unwrap_or_default();
        let is_foreign = |it: &Authority| !self.is_own(it.as_str());
        if !self.is_own(host) || uri.authority().is_some_and(is_foreign) {
            return Err(match self.entrance {
                Entrance::Page => "this host is not served here; mcplexer ui opens the page\n",
                Entrance::Clients => "this host is not served here; use 127.0.0.1 with the port\n",
            });
        }
        for origin in headers.get_all(ORIGIN) {
            let origin = origin.to_str().unwrap_or_default();
            let host = origin.strip_prefix("http://");
            if !host.is_some_and(|it| self.is_own(it)) {
                return Err("web pages are not served here\n");
            }
        }
        let mut sites = headers.get_all("sec-fetch-site").iter();
        match sites.all(|it| it == "same-origin" || it == "none") {
            true => Ok(()),
            false => Err("web pages of other sites are not served here\n"),
        }
    }

    /// Whether this is the address. Clients of this machine may write it in other ways, too; the page has one origin.
    fn is_own(&self, host: &str) -> bool {
        let address = self.address;
        if self.entrance == Entrance::Page {
            return host == address.to_string();
        }
        let Some((name, port)) = host.rsplit_once(':') else {
            return false;
        };
        let is_loopback = matches!(name, "127.0.0.1" | "[::1]")
            || name.eq_ignore_ascii_case("localhost")
            || name.trim_matches(['[', ']']) == address.ip().to_string();
        is_loopback && port == address.port().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fields: &[(&'static str, &str)]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let address = "127.0.0.1:8123".parse().unwrap();
        let origin = Origin::of(Entrance::Clients, address);
        origin.check(&headers, &Uri::from_static("/mcp")).is_ok()
    }

    #[test]
    fn the_page_has_one_host() {
        let origin = Origin::of(Entrance::Page, "127.9.8.7:8123".parse().unwrap());
        let check = |host: &str, from: Option<&str>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, host.parse().unwrap());
            if let Some(from) = from {
                headers.insert(ORIGIN, from.parse().unwrap());
            }
            origin.check(&headers, &Uri::from_static("/")).is_ok()
        };
        let own = "127.9.8.7:8123";
        assert!(check(own, None));
        assert!(check(own, Some("http://127.9.8.7:8123")));
        for other in [
            "127.0.0.1:8123",
            "localhost:8123",
            "[::1]:8123",
            "[127.9.8.7]:8123",
            "127.9.8.7:08123",
            "127.9.8.7",
        ] {
            assert!(!check(other, None), "{other}");
            assert!(!check(own, Some(&format!("http://{other}"))), "{other}");
        }
    }

    #[test]
    fn only_this_host_and_no_other_page() {
        for host in [
            "127.0.0.1:8123",
            "localhost:8123",
            "LOCALHOST:8123",
            "[::1]:8123",
        ] {
            assert!(check(&[("host", host)]), "{host}");
            let origin = format!("http://{host}");
            assert!(check(&[
                ("host", host),
                ("origin", &origin),
                ("sec-fetch-site", "same-origin")
            ]));
        }
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:80",
            "evil.example:8123",
            "localhost.evil.example:8123",
            "127.0.0.1:8123.",
            "127.0.0.2:8123",
            "x@127.0.0.1:8123",
        ] {
            assert!(!check(&[("host", host)]), "{host}");
        }
        assert!(!check(&[]));
        assert!(!check(&[
            ("host", "localhost:8123"),
            ("host", "localhost:8123")
        ]));
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:3000",
            "https://localhost:8123",
            "http://evil.example:8123",
            "file://",
        ] {
            assert!(
                !check(&[("host", "localhost:8123"), ("origin", origin)]),
                "{origin}"
            );
        }
        assert!(!check(&[
            ("host", "localhost:8123"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(!check(&[
            ("host", "localhost:8123"),
            ("sec-fetch-site", "same-site")
        ]));
        assert!(!check(&[
            ("host", "localhost:8123"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site")
        ]));
    }

    #[test]
    fn a_token_names_its_client() {
        let access = Access::with_tokens(|token| (token == "good").then(|| "claude".to_owned()));
        let peer = |value: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(AUTHORIZATION, value.parse().unwrap());
            }
            access.peer(&headers).ok().and_then(|it| it.name)
        };
        assert_eq!(peer(Some("Bearer good")).as_deref(), Some("claude"));
        assert_eq!(peer(Some("bearer good")).as_deref(), Some("claude"));
        for bad in [
            None,
            Some("good"),
            Some("Basic good"),
            Some("Bearer bad"),
            Some("Bearer "),
        ] {
            assert_eq!(peer(bad), None, "{bad:?}");
        }
    }
}
