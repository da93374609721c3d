//! Long lists: filtered, and a hundred rows at a time.

use maud::{Markup, html};
use serde::Deserialize;

use crate::pages::words::segment;

/// The rows of a page.
const ROWS: usize = 100;

/// The page and the filter that the address asks for. An invalid page means the first one.
#[derive(Debug, Default, Deserialize)]
pub(in crate::pages) struct Wanted {
    /// What the rows have to contain.
    #[serde(default)]
    q: String,
    /// Which page, from 1.
    #[serde(default)]
    page: String,
}

/// A part of a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<T> {
    pub(super) rows: Vec<T>,
    /// How many rows there are without the filter.
    all: usize,
    /// How many rows fit the filter.
    found: usize,
    q: String,
    page: usize,
    pages: usize,
}

impl<T> Part<T> {
    /// Takes what was asked for out of a list. `text` has what the filter looks at.
    pub(super) fn of(list: Vec<T>, wanted: &Wanted, text: impl Fn(&T) -> [&str; 2]) -> Self {
        let all = list.len();
        let q = wanted.q.trim().to_lowercase();
        let fits = |it: &T| {
            let mut texts = text(it).into_iter();
            q.is_empty() || texts.any(|it| it.to_lowercase().contains(&q))
        };
        let mut rows: Vec<_> = list.into_iter().filter(fits).collect();
        let found = rows.len();
        let pages = found.div_ceil(ROWS).max(1);
        let page = wanted.page.parse().unwrap_or(1).clamp(1, pages);
        rows.drain(..(page - 1) * ROWS);
        rows.truncate(ROWS);
        Self {
            rows,
            all,
            found,
            q: wanted.q.trim().to_owned(),
            page,
            pages,
        }
    }

    /// Shows the field of the filter, unless everything is seen at a glance; and a way to what is below a long list.
    pub(super) fn filter(&self, what: &str, below: &str) -> Markup {
        html! {
            @if self.all > 10 || !self.q.is_empty() {
                form .filters method="get" role="search" {
                    label { "Filter " (what) input name="q" type="search" value=(self.q) autocomplete="off" spellcheck="false"; }
                    button { "Filter" }
                }
                @if self.found == 0 {
                    p .none { "No " (what.trim_end_matches('s')) " matches." }
                } @else {
                    p .aside { (self.rows.len()) " of " (self.all) " · " a href="#below" { (below) } }
                }
            }
        }
    }

    /// Shows where in the list this part is, with links to its neighbours.
    pub(super) fn links(&self) -> Markup {
        html! {
            @if self.pages > 1 {
                p .pages {
                    @if self.page > 1 { a rel="prev" href=(self.address(self.page - 1)) { "Previous" } " " }
                    span .aside { "Page " (self.page) " of " (self.pages) ", " (self.found) " in all" }
                    @if self.page < self.pages { " " a rel="next" href=(self.address(self.page + 1)) { "Next" } }
                }
            }
        }
    }

    fn address(&self, page: usize) -> String {
        match self.q.as_str() {
            "" => format!("?page={page}"),
            q => format!("?q={}&page={page}", segment(q)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(q: &str, page: &str) -> Part<String> {
        let list = (0..250).map(|it| format!("KEY_{it}")).collect();
        let wanted = Wanted {
            q: q.to_owned(),
            page: page.to_owned(),
        };
        Part::of(list, &wanted, |it| [it, ""])
    }

    #[test]
    fn a_list_comes_in_hundreds() {
        for (page, first, rows) in [
            ("", "KEY_0", 100),
            ("1", "KEY_0", 100),
            ("2", "KEY_100", 100),
            ("3", "KEY_200", 50),
            ("4", "KEY_200", 50),
            ("0", "KEY_0", 100),
            ("-1", "KEY_0", 100),
            ("x", "KEY_0", 100),
        ] {
            let part = part("", page);
            assert_eq!(
                (part.rows[0].as_str(), part.rows.len()),
                (first, rows),
                "{page}"
            );
        }
        let links = part("", "2").links().into_string();
        assert!(links.contains("href=\"?page=1\"") && links.contains("href=\"?page=3\""));
        assert!(links.contains("Page 2 of 3, 250 in all"), "{links}");
    }

    #[test]
    fn a_filter_does_not_mind_capitals() {
        let all = part("", "").filter("keys", "Store a secret").into_string();
        assert!(
            all.contains("100 of 250 · <a href=\"#below\">Store a secret</a>"),
            "{all}"
        );
        let few = part(" key_24 ", "2");
        assert_eq!(few.found, 11);
        assert_eq!((few.page, few.rows.len()), (1, 11));
        assert_eq!(few.links().into_string(), "");
        let none = part("&\"<", "");
        let shown = none.filter("keys", "Store a secret").into_string();
        assert!(shown.contains("value=\"&amp;&quot;&lt;\""), "{shown}");
        assert!(shown.contains("No key matches."), "{shown}");
        let many = part("k", "1").links().into_string();
        assert!(many.contains("href=\"?q=k&amp;page=2\""), "{many}");
    }

    #[test]
    fn nothing_has_one_page() {
        let none = Part::of(Vec::<String>::new(), &Wanted::default(), |it| [it, ""]);
        assert_eq!((none.rows.len(), none.page, none.pages), (0, 1, 1));
        assert_eq!(none.filter("keys", "Store a secret").into_string(), "");
    }
}
