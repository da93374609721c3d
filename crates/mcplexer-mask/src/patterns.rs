//! What a masker or a scanner looks for.

use std::sync::{Arc, OnceLock};

use crate::filter::Filter;
use crate::halves::Halves;
use crate::known::Known;
use crate::needles::Needles;
use crate::parts;

/// The values, prepared for searching.
pub(crate) struct Patterns {
    pub(crate) needles: Needles,
    filter: OnceLock<Filter>,
    halves: OnceLock<Halves>,
    /// The labels of values that are too short to look for.
    pub(crate) too_short: Vec<String>,
}

impl Patterns {
    pub(crate) fn new<'a>(known: impl IntoIterator<Item = Known<'a>>) -> Self {
        let mut values = Vec::new();
        let mut parts = Vec::new();
        let mut too_short = Vec::new();
        for Known { label, value } in known {
            let Some((value, line_ends)) = parts::without_line_ends(value) else {
                too_short.push(label);
                continue;
            };
            let label: Arc<str> = label.into();
            let revealing = parts::revealing(value).into_iter();
            parts.extend(revealing.map(|part| (part, Arc::clone(&label))));
            values.push((value, line_ends, label));
        }
        // If a part is a value of its own as well, it has the label of that.
        let parts = parts.iter();
        values.extend(parts.map(|(part, label)| (&***part, &b""[..], Arc::clone(label))));
        let needles = Needles::new(values);
        Self {
            needles,
            filter: OnceLock::new(),
            halves: OnceLock::new(),
            too_short,
        }
    }

    /// Returns the parts of values, which are written out when they are first needed.
    pub(crate) fn halves(&self) -> &Halves {
        self.halves.get_or_init(|| Halves::new(&self.needles))
    }

    /// Returns the filter for positions at which a value may begin, which is made when it is first needed.
    pub(crate) fn filter(&self) -> &Filter {
        let make = || Filter::new(self.needles.values());
        self.filter.get_or_init(make)
    }
}
