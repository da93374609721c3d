//! Calls over time, as bars.

use std::cmp::Reverse;

use maud::{Markup, html};

use crate::api::calls::Source;
use crate::api::calls::summary::{ServerCalls, Span, Summary};
use crate::pages::words::{count, time};

/// The size of the drawing, in its own units.
const WIDTH: u64 = 720;
const HEIGHT: u64 = 196;

/// Where the bars stand, and how far they reach.
const BASE: u64 = 160;
const TOP: u64 = 24;
const LEFT: u64 = 64;

/// How many servers have a colour of their own.
const COLOURS: usize = 5;

/// Servers of one colour.
struct Series {
    name: String,
    calls: Vec<u64>,
    errors: Vec<u64>,
}

/// Draws the calls to each server, and beneath each bar how many failed; and says the same in a table.
pub(super) fn draw(summary: &Summary, is_filtered: bool) -> Markup {
    let series = series(&summary.servers);
    let parts = usize::try_from(summary.parts).unwrap_or_default();
    let at = |values: &[u64], part: usize| values.get(part).copied().unwrap_or_default();
    let total = |part| series.iter().map(|it| at(&it.calls, part)).sum::<u64>();
    let most = (0..parts).map(total).max().unwrap_or_default();
    let words = match summary.last {
        Span::Hour => "hour",
        Span::Day => "day",
    };
    html! {
        h2 { "The last " (words) }
        p .aside {
            @match summary.last {
                Span::Hour => button type="button" data-plot="day" { "Show the last day" },
                Span::Day => button type="button" data-plot="hour" { "Show the last hour" },
            }
            @if let Some(since) = &summary.counted_since { " Counted since " (time(since)) ": there were more calls than are read for this." }
            @if summary.source == Source::Memory { " Counted from the last 1,000 calls." }
            @if is_filtered { " Calls that match." }
        }
        figure {
                svg .plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(alternative(&series, words)) {
                    line .grid x1=(LEFT) x2=(WIDTH) y1=(TOP) y2=(TOP) {}
                    line .axis x1=(LEFT) x2=(WIDTH) y1=(BASE) y2=(BASE) {}
                    @if most > 0 { text x=(LEFT - 6) y=(TOP + 4) text-anchor="end" { (most) } }
                    text x=(LEFT - 6) y=(BASE + 4) text-anchor="end" { "0" }
                    text x=(LEFT) y=(HEIGHT - 8) { "1 " (words) " ago" }
                    text x=(WIDTH - 4) y=(HEIGHT - 8) text-anchor="end" { "now" }
                    @if most == 0 { text x=(WIDTH / 2) y=(BASE / 2) text-anchor="middle" { "no calls" @if is_filtered { " match" } } }
                    @for part in 0..parts { (bar(&series, part, parts, most)) }
                }
                ul .legend {
                    @for (index, it) in series.iter().enumerate() { li class=(class(index)) { span { (it.name) } } }
                    @if series.iter().any(|it| it.errors.iter().any(|it| *it > 0)) { li .bad { span { "with a problem" } } }
                }
        }
        @if most > 0 { (table(&series)) }
    }
}

/// The bar of one part of the time: the servers on top of each other, and what failed in front.
fn bar(series: &[Series], part: usize, parts: usize, most: u64) -> Markup {
    let width = (WIDTH - LEFT) / u64::try_from(parts.max(1)).unwrap_or(1);
    let x = LEFT + width * u64::try_from(part).unwrap_or_default() + 2;
    let height = |calls: u64| {
        let full = calls * (BASE - TOP);
        // What there is can be seen.
        (full / most.max(1)).max(u64::from(calls > 0) * 2)
    };
    let mut base = BASE;
    let mut boxes = Vec::new();
    for (index, it) in series.iter().enumerate() {
        let calls = it.calls.get(part).copied().unwrap_or_default();
        let high = height(calls).min(base);
        base -= high;
        if high > 0 {
            boxes.push((class(index), base, high));
        }
    }
    let errors: u64 = series.iter().filter_map(|it| it.errors.get(part)).sum();
    let failed = height(errors).min(BASE);
    // On a narrow screen, half a bar can still be told from a whole one.
    let (wide, narrow) = (width - 4, width / 2);
    html! {
        @for (class, y, high) in boxes { rect class=(class) x=(x) y=(y) width=(wide) height=(high) {} }
        @if failed > 0 { rect .bad x=(x + (wide - narrow) / 2) y=(BASE - failed) width=(narrow) height=(failed) {} }
    }
}

fn class(index: usize) -> String {
    format!("s{}", index + 1)
}

/// Names a server. A call can be to none that there is.
fn named(server: &str) -> &str {
    match server {
        "" => "no such server",
        server => server,
    }
}

/// The servers with the most calls, by name so that they keep their colours, and the others together.
fn series(servers: &[ServerCalls]) -> Vec<Series> {
    let mut sorted: Vec<_> = servers.iter().collect();
    sorted.sort_by_key(|it| Reverse(it.calls.iter().sum::<u64>()));
    let own = match servers.len() <= COLOURS + 1 {
        true => servers.len(),
        false => COLOURS,
    };
    let others = sorted.split_off(own);
    sorted.sort_by_key(|it| &it.server);
    let of = |name: &str, it: &ServerCalls| Series {
        name: name.to_owned(),
        calls: it.calls.clone(),
        errors: it.errors.clone(),
    };
    let mut series: Vec<_> = sorted
        .into_iter()
        .map(|it| of(named(&it.server), it))
        .collect();
    if let Some((first, more)) = others.split_first() {
        let mut together = of("others", first);
        let add = |to: &mut Vec<u64>, more: &[u64]| {
            to.iter_mut().zip(more).for_each(|(to, more)| *to += more);
        };
        for it in more {
            add(&mut together.calls, &it.calls);
            add(&mut together.errors, &it.errors);
        }
        series.push(together);
    }
    series
}

fn alternative(series: &[Series], words: &str) -> String {
    let sum = |values: fn(&Series) -> &[u64]| -> u64 { series.iter().flat_map(values).sum() };
    let (calls, errors) = (sum(|it| &it.calls), sum(|it| &it.errors));
    let calls = count(usize::try_from(calls).unwrap_or(usize::MAX), "call");
    format!("{calls} in the last {words}, {errors} with a problem. The table has them by server.")
}

fn table(series: &[Series]) -> Markup {
    html! {
        details {
            summary { "As a table" }
            table {
                thead { tr { th { "Server" } th .number { "Calls" } th .number { "With a problem" } } }
                tbody {
                    @for it in series {
                        tr {
                            th scope="row" { (it.name) }
                            td .number { (it.calls.iter().sum::<u64>()) }
                            td .number { (it.errors.iter().sum::<u64>()) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(servers: usize) -> Summary {
        let server = |it: usize| ServerCalls {
            server: format!("<b>{it}"),
            calls: vec![u64::try_from(it).unwrap(), 0, 5],
            errors: vec![0, 0, 1],
        };
        Summary {
            last: Span::Hour,
            from: "2026-01-01T00:00:00Z".to_owned(),
            part_seconds: 120,
            parts: 3,
            counted_since: None,
            source: Source::Log,
            servers: (0..servers).map(server).collect(),
        }
    }

    #[test]
    fn many_servers_share_the_last_colour_and_no_call_is_lost() {
        for servers in [1, 5, 6, 7, 20] {
            let summary = summary(servers);
            let series = series(&summary.servers);
            assert_eq!(series.len(), servers.min(COLOURS + 1));
            let sum = |it: &[u64]| it.iter().sum::<u64>();
            let drawn: u64 = series.iter().map(|it| sum(&it.calls)).sum();
            let counted: u64 = summary.servers.iter().map(|it| sum(&it.calls)).sum();
            assert_eq!(drawn, counted);
            let names = series.iter().take(COLOURS).map(|it| &it.name);
            assert!(names.is_sorted());
            let is_others = series.last().unwrap().name == "others";
            assert_eq!(is_others, servers > COLOURS + 1);
        }
    }

    #[test]
    fn what_is_foreign_is_text_and_nothing_is_inline() {
        let drawn = draw(&summary(7), false).into_string();
        assert!(drawn.contains("&lt;b&gt;6") && !drawn.contains("<b>"));
        assert!(!drawn.contains("style="));
        let none = draw(&summary(0), false).into_string();
        assert!(none.contains("no calls") && none.contains("<svg"));
    }
}
