//! Edits the text of a key file while its identity is replaced.
//!
//! An identity that this library creates has comments above it that say so:
//!
//! ```text
//! # mcplexer key, made 2026-11-24T10:36:50Z
//! # public key: age1…
//! # replaces: age1…
//! AGE-SECRET-KEY-1…
//! ```
//!
//! The third line is written before the store moves to the new identity and removed afterwards, so
//! that an interrupted rotation is noticed and finished. Everything else in the file stays
//! unchanged.

use zeroize::Zeroizing;

use super::Identity;
use crate::Timestamp;

const MADE: &str = "# mcplexer key, made ";
const PUBLIC: &str = "# public key: ";
const REPLACES: &str = "# replaces: ";

/// Returns a new identity's text, with the comments that say where it comes from.
pub(super) fn block(identity: &Identity, replaces: Option<&str>) -> Zeroizing<String> {
    let replaces = replaces.map_or_else(String::new, |old| format!("{REPLACES}{old}\n"));
    let text = identity.to_text().unwrap_or_default();
    Zeroizing::new(format!(
        "{MADE}{}\n{PUBLIC}{}\n{replaces}{}\n",
        Timestamp::now(),
        identity.name(),
        *text
    ))
}

/// Returns the text with a new identity before all others.
pub(super) fn with(text: &str, identity: &Identity, replaces: &str) -> Zeroizing<String> {
    let block = block(identity, Some(replaces));
    let mut new = Zeroizing::new(String::with_capacity(block.len() + text.len()));
    new.push_str(&block);
    new.push_str(text);
    new
}

/// Returns the text without the identity of `recipient`, if this library created it, and without
/// the comment that another replaces it. An identity from elsewhere stays, because it may open
/// other files.
pub(super) fn without(text: &str, recipient: &str) -> Zeroizing<String> {
    let mut new = Zeroizing::new(String::with_capacity(text.len()));
    let mut comments: Vec<&str> = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        if bare.starts_with('#') {
            if bare.strip_prefix(REPLACES) != Some(recipient) {
                comments.push(line);
            }
            continue;
        }
        let is_it = Identity::parse(bare).is_some_and(|identity| identity.name() == recipient);
        let made = comments.iter().rposition(|line| line.starts_with(MADE));
        if let (true, Some(made)) = (is_it, made) {
            comments.truncate(made);
            new.extend(comments.drain(..));
        } else {
            new.extend(comments.drain(..));
            new.push_str(line);
        }
    }
    new.extend(comments);
    new
}

/// Returns the text without the identity that the one of `recipient` replaced.
pub(super) fn without_replaced_by(text: &str, recipient: &str) -> Zeroizing<String> {
    let mut replacements = replacements(text).into_iter();
    match replacements.find(|(identity, _)| identity.name() == recipient) {
        Some((_, replaced)) => without(text, &replaced),
        None => Zeroizing::new(text.to_owned()),
    }
}

/// Returns the identity that an interrupted rotation created to replace `old`.
pub(super) fn replacement_of(text: &str, old: &str) -> Option<Identity> {
    let found = replacements(text)
        .into_iter()
        .find(|(_, replaced)| replaced == old);
    found.map(|(identity, _)| identity)
}

/// Returns the identities that are to replace others, each with the recipient that it replaces.
pub(super) fn replacements(text: &str) -> Vec<(Identity, String)> {
    let mut found = Vec::new();
    let mut replaces = None;
    for line in text.lines().map(str::trim) {
        if let Some(old) = line.strip_prefix(REPLACES) {
            replaces = Some(old.to_owned());
        }
        if let (false, Some(identity)) = (line.starts_with('#'), Identity::parse(line)) {
            found.extend(replaces.take().map(|old| (identity, old)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first three lines.
    fn block_of(text: &str) -> String {
        text.split_inclusive('\n').take(3).collect()
    }

    #[test]
    fn a_replacement_goes_there_and_back_and_leaves_the_rest_alone() {
        let [ours, theirs] = [Identity::generate(), Identity::generate()];
        let theirs_text = theirs.to_text().unwrap();
        let rest = format!("# created: 2024\n{}\n# the end\n", *theirs_text);
        let before = format!("{}{rest}", *block(&ours, None));
        let new = Identity::generate();
        let during = with(&before, &new, &ours.name());
        assert_eq!(Identity::parse_all(&during).unwrap().len(), 3);
        let pending = replacement_of(&during, &ours.name()).unwrap();
        assert_eq!(pending.name(), new.name());
        assert!(replacement_of(&during, &theirs.name()).is_none());

        // Abandoned.
        assert_eq!(*without(&during, &new.name()), before);
        // Finished.
        let after = without(&during, &ours.name());
        let mark = format!("{REPLACES}{}\n", ours.name());
        assert_eq!(
            *after,
            during.replace(&mark, "").replace(&*block_of(&before), "")
        );
        assert!(replacements(&after).is_empty());
    }

    #[test]
    fn an_identity_from_elsewhere_stays() {
        let theirs = Identity::generate();
        let before = format!("# created: 2024\n{}", *theirs.to_text().unwrap());
        let new = Identity::generate();
        let during = with(&before, &new, &theirs.name());
        let after = without(&during, &theirs.name());
        let mark = format!("{REPLACES}{}\n", theirs.name());
        assert_eq!(*after, during.replace(&mark, ""));
        assert!(after.ends_with(&before));
    }
}
