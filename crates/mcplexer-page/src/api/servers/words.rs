//! How a server's configuration is shown: nothing in it that could be a credential.

use std::collections::BTreeMap;

use mcplexer_files::config::{Http, Server, Stdio, Transport};
use mcplexer_files::template::Template;

use crate::sight::Sight;

/// Returns a command as a line for a shell.
pub(super) fn command_line(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|it| quoted(it)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_./:@%+=,".contains(it);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

/// Returns a URL without what may be a credential in it: a user, a query and a fragment.
pub(super) fn public_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (shown, rest) = url.split_at(end);
    let shown = match shown.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            format!("{scheme}://{host}{path}")
        }
        None => shown.to_owned(),
    };
    match rest.is_empty() {
        true => shown,
        false => shown + "?…",
    }
}

/// Returns the path of a URL, unless it is that of the whole host.
fn path(url: &str) -> Option<&str> {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let (_, rest) = url.get(..end)?.split_once("://")?;
    let path = rest.get(rest.find('/')?..)?;
    (path.len() > 1).then_some(path)
}

/// What a client reads in the place of a text about a server over HTTP.
const UNSAID: &str = "the server cannot be used; mcplexer status says why";

/// What a client does not see of a server over HTTP: the path of its URL, which may be a credential, and every text about what it
/// answers, which may repeat the path in any form.
#[derive(Clone, Copy)]
pub(super) struct Hidden<'a>(Option<&'a str>);

impl<'a> Hidden<'a> {
    pub(super) fn of(server: &'a Server, sight: &Sight) -> Self {
        Self(match &server.transport {
            Transport::Http(http) if sight.is_of_client() => Some(&http.url),
            _ => None,
        })
    }

    pub(super) fn is_something(self) -> bool {
        self.0.and_then(path).is_some()
    }

    /// Returns a URL of the server as it is shown.
    pub(super) fn url(self, url: &str) -> String {
        let shown = public_url(url);
        match (self.0, shown.split_once("://")) {
            (Some(_), Some((scheme, rest))) => {
                let (host, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                match rest {
                    "" | "/" => shown,
                    _ => format!("{scheme}://{host}/…"),
                }
            }
            _ => shown,
        }
    }

    /// Returns why the server does not start or answer.
    pub(super) fn reason(self, text: String) -> String {
        match self.0 {
            Some(_) => UNSAID.to_owned(),
            None => text,
        }
    }

    /// Returns what stands in its log.
    pub(super) fn log(self, lines: Vec<String>) -> Vec<String> {
        match self.0 {
            Some(_) => Vec::new(),
            None => lines,
        }
    }
}

/// Returns the references in the value of a variable or a header field, and nothing else of it.
pub(super) fn references(text: &str) -> Vec<String> {
    let template = Template::parse(text.as_bytes()).ok();
    let references = template.iter().flat_map(Template::references);
    references
        .map(|(it, _)| format!("{}/{}", it.scope, it.name))
        .collect()
}

/// Returns the command that adds a server as it is. `None` if no command says all of it, or if it has something that may be a
/// credential and is not shown: then it can be changed in `config.yaml` alone.
pub(super) fn add_command(name: &str, server: &Server) -> Option<String> {
    let (option, separator) = match &server.transport {
        Transport::Http(_) => ("--header", ": "),
        _ => ("--env", "="),
    };
    let values = server.transport.values();
    if !values.values().all(|it| is_reference(it)) {
        return None;
    }
    let mut words = ["mcplexer", "server", "add", name, "--replace"]
        .map(str::to_owned)
        .to_vec();
    let (transport, rest) = match &server.transport {
        Transport::Stdio(stdio) => {
            for scope in &stdio.scopes {
                words.extend(["--scope".to_owned(), scope.to_string()]);
            }
            if let Some(directory) = &stdio.directory {
                words.extend(["--directory".to_owned(), directory.to_str()?.to_owned()]);
            }
            let told = Stdio {
                env: stdio.env.clone(),
                directory: stdio.directory.clone(),
                scopes: stdio.scopes.clone(),
                ..Stdio::new(stdio.command.clone())
            };
            let rest = [&["--".to_owned()], stdio.command.as_slice()].concat();
            (Transport::Stdio(told), rest)
        }
        Transport::Http(http) if public_url(&http.url) == http.url => {
            words.extend(["--url".to_owned(), http.url.clone()]);
            let told = Http {
                headers: http.headers.clone(),
                ..Http::new(http.url.clone())
            };
            (Transport::Http(told), Vec::new())
        }
        _ => return None,
    };
    if Server::new(transport) != *server {
        return None;
    }
    words.extend(pairs(values, option, separator));
    words.extend(rest);
    Some(command_line(&words))
}

fn pairs(values: &BTreeMap<String, String>, option: &str, separator: &str) -> Vec<String> {
    let pairs = values.iter().flat_map(|(name, value)| {
        let pair = format!("{name}{separator}{value}");
        [option.to_owned(), pair]
    });
    pairs.collect()
}

/// Whether a value has nothing in it but references, and the scheme of an authentication.
fn is_reference(text: &str) -> bool {
    let text = text.strip_prefix("Bearer ").unwrap_or(text);
    let named = references(text);
    let plain = named.iter().map(|it| format!("mcplexer://{it}"));
    !named.is_empty() && plain.collect::<String>() == text
}

#[cfg(test)]
mod tests {
    use super::*;
    use mcplexer_files::config::SearchPath;

    #[test]
    fn a_command_says_all_of_a_server_or_is_missing() {
        let mut stdio = Stdio::new(vec!["npx".to_owned(), "two words".to_owned()]);
        stdio.scopes.push("web".parse().unwrap());
        let of = |stdio: &Stdio| add_command("a", &Server::new(Transport::Stdio(stdio.clone())));
        assert_eq!(
            of(&stdio).unwrap(),
            "mcplexer server add a --replace --scope web -- npx 'two words'"
        );
        let token = "mcplexer://web/TOKEN".to_owned();
        stdio.env.insert("TOKEN".to_owned(), token.clone());
        assert_eq!(
            of(&stdio).unwrap(),
            "mcplexer server add a --replace --scope web --env TOKEN=mcplexer://web/TOKEN -- npx 'two words'"
        );
        // It may be a credential.
        let mut other = stdio.clone();
        other.env.insert("A".to_owned(), "hunter2".to_owned());
        assert_eq!(of(&other), None);
        let mut other = stdio.clone();
        other.directory = Some("/srv".into());
        let command = of(&other).unwrap();
        assert!(command.contains(" --directory /srv "), "{command}");
        other.directory = None;
        other.path = SearchPath::Login;
        assert_eq!(of(&other), None);
        let mut http = Http::new("https://a.example/mcp".to_owned());
        http.headers
            .insert("Authorization".to_owned(), format!("Bearer {token}"));
        let of = |http: &Http| add_command("a", &Server::new(Transport::Http(http.clone())));
        assert_eq!(
            of(&http).unwrap(),
            "mcplexer server add a --replace --url https://a.example/mcp --header 'Authorization: Bearer mcplexer://web/TOKEN'"
        );
        http.url.push_str("?key=hunter2");
        assert_eq!(of(&http), None);
    }

    #[test]
    fn a_command_is_quoted_for_a_shell() {
        let words = ["npx", "-y", "@a/b", "two words", "it's", ""].map(str::to_owned);
        assert_eq!(
            command_line(&words),
            r"npx -y @a/b 'two words' 'it'\''s' ''"
        );
    }

    /// However it is worded: what the server says may be in any text about it.
    #[test]
    fn a_text_for_a_client_has_nothing_that_the_server_said() {
        let url = "https://a.example/p4th/mcp?key=hunter2";
        let said = || "it answers initialize with an error: no /p%34th/mcp".to_owned();
        let hidden = Hidden(Some(url));
        assert_eq!(hidden.reason(said()), UNSAID);
        assert!(hidden.log(vec![said()]).is_empty());
        let shown = Hidden(None);
        assert_eq!(shown.reason(said()), said());
        assert_eq!(shown.log(vec![said()]), [said()]);
        for (url, of_client, of_person) in [
            (url, "https://a.example/…", "https://a.example/p4th/mcp?…"),
            (
                "https://u:p@a.example:8/p",
                "https://a.example:8/…",
                "https://a.example:8/p",
            ),
            (
                "https://a.example/",
                "https://a.example/",
                "https://a.example/",
            ),
            (
                "https://a.example",
                "https://a.example",
                "https://a.example",
            ),
            (
                "https://a.example?q=1",
                "https://a.example/…",
                "https://a.example?…",
            ),
        ] {
            assert_eq!(hidden.url(url), of_client);
            assert_eq!(shown.url(url), of_person);
        }
    }

    #[test]
    fn nothing_of_a_value_but_its_references_is_shown() {
        for (url, shown) in [
            ("https://a.example/mcp", "https://a.example/mcp"),
            (
                "https://ann:pw@a.example/mcp?key=1#x",
                "https://a.example/mcp?…",
            ),
            ("https://a.example#@b", "https://a.example?…"),
            ("https://a.example/@b", "https://a.example/@b"),
        ] {
            assert_eq!(public_url(url), shown);
        }
        assert_eq!(references("Bearer mcplexer://a/TOKEN"), ["a/TOKEN"]);
        assert!(references("hunter2").is_empty());
    }
}
