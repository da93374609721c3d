//! The search for texts that look like credentials.

use mcplexer_detect::{credential, find, find_any};

/// Searches a text; the first line is its name. Each match is a part of the text, and a search for
/// more kinds finds a match at the same place or earlier.
pub fn find_credentials(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let (name, text) = text.split_once('\n').unwrap_or(("", text));
    let (known, any) = (find(text), find_any(text));
    for (place, _) in known.iter().chain(&any) {
        assert!(text.get(place.clone()).is_some_and(|it| !it.is_empty()));
    }
    if let Some((known, _)) = known {
        assert!(any.is_some_and(|(any, _)| any.start <= known.start));
    }
    if find(text.trim()).is_some() {
        assert!(credential(name, text, &[]).is_some());
    }
    let _ = credential(name, text, &[name]);
}
