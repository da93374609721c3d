//! The search for what looks like a credential.

use mcplexer_detect::{credential, find, find_any};

/// The first line is a name, the rest a text. What is found is a piece of the text, and a search for more
/// finds something at the same place or before.
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
