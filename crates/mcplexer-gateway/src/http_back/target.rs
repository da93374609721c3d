//! The URL of a server, to whose origin its credentials are bound.

use std::net::IpAddr;

use hyper::Uri;

/// A URL that credentials may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) uri: Uri,
}

impl Target {
    /// Reads a configured URL: `https`, or `http` on this machine.
    ///
    /// # Errors
    /// What is wrong with it. The URL is not repeated.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        // What comes after `#` stays in the client.
        let url = url.split('#').next().unwrap_or_default();
        let uri: Uri = url.parse().map_err(|_| "its url is not a URL".to_owned())?;
        let authority = uri.authority().map(hyper::http::uri::Authority::as_str);
        if authority.is_some_and(|it| it.contains('@')) {
            return Err(
                "its url has a user name or a password in it; use a header field instead"
                    .to_owned(),
            );
        }
        let host = uri.host().ok_or("its url names no host")?;
        match uri.scheme_str() {
            Some("https") => Ok(Self { uri }),
            Some("http") if is_this_machine(host) => Ok(Self { uri }),
            Some("http") => Err(format!(
                "credentials do not go over the network in the clear: use https for {host}"
            )),
            _ => Err("its url is neither https nor http".to_owned()),
        }
    }

    /// Returns a URL that the server names, if it has the same scheme, host and port. A relative one belongs to
    /// `base`.
    pub(crate) fn same_origin(&self, base: &Uri, url: &str) -> Option<Uri> {
        let found = resolve(base, url)?;
        (origin(&found) == origin(&self.uri)).then_some(found)
    }
}

/// Returns a URL as messages show it: without a user name, a query and a fragment.
pub(crate) fn shown(uri: &Uri) -> String {
    let (scheme, host, port) = origin(uri);
    let port = match (scheme.as_str(), port) {
        ("https", 443) | ("http", 80) => String::new(),
        _ => format!(":{port}"),
    };
    format!("{scheme}://{host}{port}{}", uri.path())
}

/// Returns the scheme, the host and the port.
fn origin(uri: &Uri) -> (String, String, u16) {
    let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
    let host = uri.host().unwrap_or_default().to_ascii_lowercase();
    let usual = if scheme == "http" { 80 } else { 443 };
    (scheme, host, uri.port_u16().unwrap_or(usual))
}

/// Resolves a reference (RFC 3986, section 5.2). Dots in its path are left to the server.
fn resolve(base: &Uri, url: &str) -> Option<Uri> {
    let url = url.split('#').next().unwrap_or_default();
    let scheme = base.scheme_str()?;
    let authority = base.authority()?;
    let path = base.path();
    let whole = if url.starts_with("//") {
        format!("{scheme}:{url}")
    } else if url.starts_with('/') {
        format!("{scheme}://{authority}{url}")
    } else if has_scheme(url) {
        url.to_owned()
    } else if url.starts_with('?') || url.is_empty() {
        format!("{scheme}://{authority}{path}{url}")
    } else {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        format!("{scheme}://{authority}{directory}/{url}")
    };
    let uri: Uri = whole.parse().ok()?;
    uri.authority().filter(|it| !it.as_str().contains('@'))?;
    Some(uri)
}

fn has_scheme(url: &str) -> bool {
    let is_of_scheme = |it: char| it.is_ascii_alphanumeric() || matches!(it, '+' | '-' | '.');
    url.split_once(':')
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.chars().all(is_of_scheme))
}

/// Whether a host is the machine itself. Names below `localhost` are left to some name servers, so they are not.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(|it: IpAddr| it.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_stay_on_the_machine_or_go_over_tls() {
        for good in [
            "https://mcp.example.com/mcp",
            "https://10.0.0.1:8443",
            "http://127.0.0.1:3000/mcp?x=1#y",
            "http://[::1]:3000/mcp",
            "http://LOCALHOST/mcp",
        ] {
            assert!(Target::parse(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("http://example.com/mcp", "use https for example.com"),
            ("http://127.0.0.1.example.com/", "use https"),
            ("http://localhost.example.com/", "use https"),
            ("http://a.localhost/", "use https"),
            ("http://192.168.0.1/", "use https"),
            ("https://ann:pw@example.com/", "user name"),
            ("http://localhost@example.com/", "user name"),
            ("ftp://localhost/", "neither"),
            ("/mcp", "no host"),
            ("http://a b/", "not a URL"),
            ("", "not a URL"),
        ] {
            let problem = Target::parse(bad).unwrap_err();
            assert!(problem.contains(why), "{bad}: {problem}");
            assert!(!problem.contains("pw"), "{problem}");
        }
    }

    #[test]
    fn a_url_is_of_the_same_origin_if_scheme_host_and_port_are() {
        let target = Target::parse("https://Mcp.example.com/a/mcp?k=1").unwrap();
        let same = |url: &str| Some(target.same_origin(&target.uri, url)?.to_string());
        for (url, whole) in [
            ("/m?s=1", "https://Mcp.example.com/m?s=1"),
            ("m", "https://Mcp.example.com/a/m"),
            ("?s=1#x", "https://Mcp.example.com/a/mcp?s=1"),
            ("//mcp.EXAMPLE.com/b", "https://mcp.EXAMPLE.com/b"),
            (
                "https://mcp.example.com:443/b",
                "https://mcp.example.com:443/b",
            ),
        ] {
            assert_eq!(same(url).as_deref(), Some(whole), "{url}");
        }
        for other in [
            "http://mcp.example.com/b",
            "https://mcp.example.com:8443/b",
            "https://example.com/b",
            "//evil.example/b",
            "https://mcp.example.com@evil.example/b",
            "https://ann@mcp.example.com/b",
            "javascript:alert(1)",
            "https:///b",
        ] {
            assert_eq!(same(other), None, "{other}");
        }
    }

    #[test]
    fn what_is_shown_has_no_query() {
        for (url, text) in [
            ("https://a.example/mcp?token=1", "https://a.example/mcp"),
            ("https://a.example:443", "https://a.example/"),
            ("http://[::1]:3000/mcp#x", "http://[::1]:3000/mcp"),
        ] {
            assert_eq!(shown(&Target::parse(url).unwrap().uri), text);
        }
    }
}
