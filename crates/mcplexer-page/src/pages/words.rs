//! How times and names are shown.

use maud::{Markup, html};

/// A time, which the script shows as people say it. It is given in RFC 3339.
pub(super) fn time(time: &str) -> Markup {
    let short = time.get(..10).unwrap_or(time);
    html! { time datetime=(time) title=(time) { (short) } }
}

/// A time that may be missing.
pub(super) fn maybe(time_or_none: Option<&str>) -> Markup {
    html! {
        @match time_or_none {
            Some(it) => (time(it)),
            None => span .none { "–" },
        }
    }
}

/// A number of things: `1 secret`, `2 secrets`.
pub(super) fn count(number: usize, thing: &str) -> String {
    match number {
        1 => format!("1 {thing}"),
        _ => format!("{number} {thing}s"),
    }
}

/// The server of a call, with a way to its page. A call can be to none that there is.
pub(super) fn server(name: &str) -> Markup {
    html! {
        @if name.is_empty() {
            span .none { "–" }
        } @else {
            a href={ "/servers/" (segment(name)) } { (name) }
        }
    }
}

/// A part of an address.
pub(crate) fn segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                segment.push(char::from(byte));
            }
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}
