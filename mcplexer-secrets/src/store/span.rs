//! Which page of a list a name belongs on. A page that has grown is split in two.

use crate::record::{self, Listed, PageRef, Span};

/// The number of elements beyond which a page is split, unless it has the narrowest span.
pub(super) const MAX_PAGE_LEN: usize = 32;
/// The number of bits of the narrowest span.
const MAX_BITS: u8 = 8;

impl Span {
    const ALL: Self = Self { number: 0, bits: 0 };

    /// Returns the span on which the name is listed, or would be: the one of a page, or else the widest that overlaps
    /// none. `taken` are the spans of the pages.
    pub(super) fn of(name: &str, taken: &(impl Iterator<Item = Self> + Clone)) -> Self {
        let [first, ..] = record::digest(name.as_bytes());
        let mut spans = taken.clone();
        if let Some(span) = spans.find(|span| span.has(first)) {
            return span;
        }
        let mut span = Self::ALL;
        while span.bits < MAX_BITS && taken.clone().any(|other| span.has(other.number)) {
            span = span.half_with(first);
        }
        span
    }

    /// Returns every span on which the name may be listed, each number once.
    pub(super) fn candidates(name: &str) -> Vec<Self> {
        let [first, ..] = record::digest(name.as_bytes());
        let mut spans = vec![Self::ALL];
        for bits in 0..MAX_BITS {
            let narrower = Self { number: 0, bits }.half_with(first);
            // Its key is that of the span before it if the further bit is 0.
            if spans.last().is_none_or(|it| it.number != narrower.number) {
                spans.push(narrower);
            }
        }
        spans
    }

    /// Returns the spans of pages.
    pub(super) fn of_pages(pages: &[PageRef]) -> impl Iterator<Item = Self> + Clone {
        pages.iter().map(|page| page.span)
    }

    fn mask(self) -> u8 {
        u8::MAX
            .checked_shl(u32::from(MAX_BITS - self.bits.min(MAX_BITS)))
            .unwrap_or(0)
    }

    fn has(self, first: u8) -> bool {
        first & self.mask() == self.number
    }

    /// The half of the span that has this byte.
    fn half_with(self, first: u8) -> Self {
        let bits = self.bits + 1;
        let half = Self { number: 0, bits };
        Self {
            number: first & half.mask(),
            bits,
        }
    }

    /// Splits a page that has grown too long into the pages of narrower spans.
    pub(super) fn split<T: Listed>(self, page: Vec<T>) -> Vec<(Self, Vec<T>)> {
        if page.len() <= MAX_PAGE_LEN || self.bits >= MAX_BITS {
            return vec![(self, page)];
        }
        let upper = self.half_with(u8::MAX >> self.bits | self.number);
        let is_upper = |it: &T| upper.has(first_byte(it));
        let (high, low): (Vec<T>, Vec<T>) = page.into_iter().partition(is_upper);
        let lower = self.half_with(self.number);
        let mut pages = lower.split(low);
        pages.extend(upper.split(high));
        pages.retain(|(_, page)| !page.is_empty());
        pages
    }
}

fn first_byte<T: Listed>(element: &T) -> u8 {
    let [first, ..] = record::digest(element.name().as_bytes());
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::ScopeRef;

    #[test]
    fn the_page_of_a_name_is_one_of_its_candidates() {
        for count in [1, 100, 20_000] {
            let pages = Span::ALL.split((0..count).map(scope).collect());
            for (span, page) in pages {
                for listed in page {
                    let candidates = Span::candidates(listed.name());
                    assert!(candidates.iter().any(|it| it.number == span.number));
                    let mut numbers: Vec<_> = candidates.iter().map(|it| it.number).collect();
                    numbers.dedup();
                    assert_eq!(numbers.len(), candidates.len());
                }
            }
        }
    }

    fn scope(number: usize) -> ScopeRef {
        ScopeRef {
            id: format!("s{number}").parse().unwrap(),
            digest: [0; 32],
        }
    }

    #[test]
    fn a_page_is_split_where_it_has_grown_and_every_name_stays_on_its_page() {
        for count in [0, 1, MAX_PAGE_LEN, MAX_PAGE_LEN + 1, 1_000, 20_000] {
            let pages = Span::ALL.split((0..count).map(scope).collect());
            let spans = || pages.iter().map(|(span, _)| *span);
            let mut listed = 0;
            for (span, page) in &pages {
                assert!(page.len() <= MAX_PAGE_LEN || span.bits == MAX_BITS);
                assert_eq!(span.number & !span.mask(), 0);
                for element in page {
                    assert_eq!(Span::of(element.name(), &spans()), *span);
                    listed += 1;
                }
            }
            assert_eq!(listed, count);
            assert!(pages.len() <= 256);
            assert_eq!(pages.len() > 1, count > MAX_PAGE_LEN);
        }
    }

    #[test]
    fn a_name_on_no_page_gets_the_widest_span_that_is_free() {
        let name = "s1";
        assert_eq!(Span::of(name, &[].into_iter()), Span::ALL);
        let first = first_byte(&scope(1));
        let other = Span::ALL.half_with(!first);
        assert_eq!(
            Span::of(name, &[other].into_iter()),
            Span::ALL.half_with(first)
        );
        let near = Span {
            number: first ^ 1,
            bits: 8,
        };
        let narrow = Span {
            number: first,
            bits: 8,
        };
        assert_eq!(Span::of(name, &[other, near].into_iter()), narrow);
    }
}
