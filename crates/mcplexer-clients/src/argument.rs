//! Credentials within arguments: which part of an argument is one, and the reference in its place.

use std::ops::Range;

use mcplexer_detect::{Reason, is_auth_scheme, name_before, takes_login, takes_over};
use mcplexer_files::reference::{Mark, Reference};
use mcplexer_files::template::{Syntax, Template};
use mcplexer_secrets::{ScopeKind, SecretName};
use zeroize::Zeroizing;

/// The name of a secret whose argument says none.
const NO_NAME: &str = "TOKEN";
const PASSWORD: &str = "PASSWORD";

/// Returns where in a text a part of it is.
pub(crate) fn range_of(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    text.get(range.clone()).map(|_| range)
}

/// Returns the text with a reference in the place of a part; `None` if `mcplexer run` would not fill in exactly
/// that part.
pub(crate) fn with_reference(
    text: &str,
    part: &Range<usize>,
    reference: &Reference,
    mark: Mark,
) -> Option<Zeroizing<String>> {
    let (before, value) = (text.get(..part.start)?, text.get(part.clone())?);
    let after = text.get(part.end..)?;
    let marked = format!("{reference}{mark}");
    // What follows may look like a part of the reference.
    [marked.clone(), format!("{{{marked}}}")]
        .iter()
        .map(|it| Zeroizing::new([before, it, after].concat()))
        .find(|it| filled(it, reference, value).is_some_and(|it| *it == *text))
}

fn filled(text: &str, reference: &Reference, value: &str) -> Option<Zeroizing<String>> {
    let template = Template::parse(text.as_bytes()).ok()?;
    let lookup = |it: &Reference| (it == reference).then_some(value.as_bytes());
    let filled = template.fill(Syntax::Text, lookup).ok()?;
    let filled = str::from_utf8(filled.expose()).ok()?;
    Some(Zeroizing::new(filled.to_owned()))
}

/// Returns the first reference that adopting has put into an argument, and where.
pub(crate) fn adopted_in(text: &str) -> Option<(Range<usize>, Reference, Mark)> {
    let template = Template::parse(text.as_bytes()).ok()?;
    let (range, reference, mark) = template.marked().next()?;
    Some((range, reference.clone(), mark))
}

/// Returns an argument without the references in it; `None` if it has none, or an invalid one.
pub(crate) fn without_references(text: &str) -> Option<Zeroizing<String>> {
    let template = Template::parse(text.as_bytes()).ok()?;
    template.references().next()?;
    let filled = template.fill(Syntax::Text, |_| Some(b"")).ok()?;
    let filled = str::from_utf8(filled.expose()).ok()?;
    Some(Zeroizing::new(filled.to_owned()))
}

/// Returns the name of the secret that a part of an argument becomes, by the option, the variable or the field
/// before it.
pub(crate) fn secret_name(
    before: &str,
    text: &str,
    part: &Range<usize>,
    reason: Reason,
) -> Option<SecretName> {
    let start = text.get(..part.start)?;
    let said = match reason {
        // Else it is in the query.
        Reason::Url if !start.ends_with('=') => PASSWORD,
        _ if takes_login(before) || start == "-p" => PASSWORD,
        _ if start.is_empty() && before.starts_with('-') => before,
        _ if start.is_empty() => name_at_end_of(before),
        _ => name_at_end_of(without_scheme(start)),
    };
    let said = match said {
        "-p" | "-P" => PASSWORD,
        "-k" => "KEY",
        said => said.trim_matches(['-', '_', '.']),
    };
    let name = said.to_ascii_uppercase().replace(['-', '.'], "_");
    let is_fit = |name: &SecretName| {
        name.as_str().len() > 1
            && ScopeKind::Env.check(name).is_ok()
            && takes_over(name.as_str()).is_none()
    };
    let name = name.parse().ok().filter(is_fit);
    name.or_else(|| NO_NAME.parse().ok())
}

/// Returns a text without the scheme of authentication at its end, as of `Authorization: Bearer `.
fn without_scheme(text: &str) -> &str {
    let trimmed = text.trim_end();
    let word = trimmed.rsplit([' ', ':', '=']).next().unwrap_or_default();
    match trimmed.len() < text.len() && is_auth_scheme(word) {
        true => trimmed.strip_suffix(word).unwrap_or(trimmed),
        false => text,
    }
}

/// Returns the name before the `=` or `:` at the end of a text, or an empty string.
fn name_at_end_of(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '"', '\'', '\\']);
    text.strip_suffix(['=', ':']).map_or("", name_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_is_that_of_the_option_the_variable_or_the_field() {
        let url = Reason::Url;
        for (before, text, value, reason, name) in [
            ("--api-key", "V-1", "V-1", Reason::Name, "API_KEY"),
            ("-y", "--token=V-1", "V-1", Reason::Name, "TOKEN"),
            (
                "-e",
                "GITHUB_TOKEN=V-1",
                "V-1",
                Reason::Name,
                "GITHUB_TOKEN",
            ),
            ("-H", "X-Api-Key: V-1", "V-1", Reason::Name, "X_API_KEY"),
            (
                "--header",
                "Authorization: Bearer V-1",
                "V-1",
                Reason::Name,
                "AUTHORIZATION",
            ),
            (
                "--header",
                "Authorization:Bearer V-1",
                "V-1",
                Reason::Name,
                "AUTHORIZATION",
            ),
            ("Authorization:", "Bearer V-1", "V-1", Reason::Name, "TOKEN"),
            (
                "Authorization:",
                "V-1",
                "V-1",
                Reason::Name,
                "AUTHORIZATION",
            ),
            ("-c", "curl -H 'X-Key: V-1' x", "V-1", Reason::Name, "X_KEY"),
            (
                "x",
                "https://h/mcp?apiKey=V-1&a=b",
                "V-1",
                Reason::Name,
                "APIKEY",
            ),
            ("x", "https://h/mcp?a=b&apiKey=V-1", "V-1", url, "APIKEY"),
            ("x", "postgres://me:V-1@h/db", "V-1", url, "PASSWORD"),
            ("-u", "me:V-1", "V-1", Reason::Name, "PASSWORD"),
            ("-x", "-pV-1", "V-1", Reason::Name, "PASSWORD"),
            ("-p", "V-1", "V-1", Reason::Name, "PASSWORD"),
            ("-t", "V-1", "V-1", Reason::Name, "TOKEN"),
            ("server", "V-1", "V-1", Reason::Random, "TOKEN"),
            ("./a/b", "V-1", "V-1", Reason::Random, "TOKEN"),
            ("--path", "V-1", "V-1", Reason::Random, "TOKEN"),
        ] {
            let at = text.find(value).unwrap();
            let found = secret_name(before, text, &(at..at + value.len()), reason);
            assert_eq!(found.unwrap().as_str(), name, "{before} {text}");
        }
    }

    #[test]
    fn a_reference_is_filled_in_with_exactly_the_part() {
        let reference: Reference = "mcplexer://s/K".parse().unwrap();
        for (text, with) in [
            ("V-1", "mcplexer://s/K?adopted"),
            ("--token=V-1", "--token=mcplexer://s/K?adopted"),
            ("a=V-1&b=c", "a={mcplexer://s/K?adopted}&b=c"),
            ("u:V-1@h", "u:mcplexer://s/K?adopted@h"),
            ("'V-1'", "'mcplexer://s/K?adopted'"),
            ("{V-1}", "{{mcplexer://s/K?adopted}}"),
            ("{mcplexer://} V-1", "-"),
            ("mcplexer://no V-1", "-"),
        ] {
            let at = text.find("V-1").unwrap();
            let found = with_reference(text, &(at..at + 3), &reference, Mark::Adopted);
            assert_eq!(found.map_or("-".to_owned(), |it| it.to_string()), with);
        }
    }
}
