//! What all tests in a browser begin with.

use super::driver::Browser;
use super::place::{Opened, Place};

/// A browser at the page, with a session. The browser ends before its home does.
pub(crate) struct Visit {
    pub(crate) browser: Browser,
    pub(crate) opened: Opened,
    pub(crate) place: Place,
}

impl Visit {
    /// Opens the page of a home; `None`, which is reported, if there is no browser.
    pub(crate) fn to(place: Place) -> Option<Self> {
        let browser = Browser::start(&place)?;
        let opened = place.ui();
        browser.open(&opened.address());
        browser.settled();
        Some(Self {
            browser,
            opened,
            place,
        })
    }

    /// Goes to a page as a person does who types its address.
    #[track_caller]
    pub(crate) fn at(&self, path: &str) {
        self.browser.open(&format!("{}{path}", self.opened.origin));
        self.browser.settled();
    }

    /// Returns the path that the address bar shows.
    #[track_caller]
    pub(crate) fn path(&self) -> String {
        let address = self.browser.address();
        address
            .strip_prefix(&self.opened.origin)
            .unwrap()
            .to_owned()
    }
}
