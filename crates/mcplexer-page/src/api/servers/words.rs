//! How a server's configuration is shown: nothing in it that could be a credential.

use mcplexer_files::template::Template;

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

/// Returns the references in the value of a variable or a header field, and nothing else of it.
pub(super) fn references(text: &str) -> Vec<String> {
    let template = Template::parse(text.as_bytes()).ok();
    let references = template.iter().flat_map(Template::references);
    references
        .map(|(it, _)| format!("{}/{}", it.scope, it.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_quoted_for_a_shell() {
        let words = ["npx", "-y", "@a/b", "two words", "it's", ""].map(str::to_owned);
        assert_eq!(
            command_line(&words),
            r"npx -y @a/b 'two words' 'it'\''s' ''"
        );
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
