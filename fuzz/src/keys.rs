//! Key files.

use std::io::Write;

use mcplexer_secrets::keys::{Ask, FileKeys, Identity, KeyProvider, KeyWriter, Recipient};

/// Parses a key file. Its identities do not show their private keys when printed. A new identity
/// can be inserted and removed again. Also parses a line as a recipient.
pub fn key_file(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("there is room");
    file.write_all(bytes).expect("there is room");
    let keys = FileKeys::new(file.path());
    let identities = keys.identities(Ask::Never);
    let _ = keys.unfinished(Ask::Never);
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    for line in text.lines() {
        if let Ok(recipient) = line.parse::<Recipient>() {
            let again = recipient.to_string().parse::<Recipient>();
            let again = again.expect("is a recipient").to_string();
            assert_eq!(again, recipient.to_string());
        }
    }
    mcplexer_secrets::fuzzing::edit_key_text(text);
    let parsed = Identity::parse_all(text);
    if let (Ok(identities), Ok(parsed)) = (&identities, &parsed) {
        assert_eq!(format!("{identities:?}"), format!("{parsed:?}"));
    }
    for identity in parsed.iter().flatten() {
        let shown = format!("{identity:?} {}", identity.name()).to_uppercase();
        assert!(!shown.contains("AGE-SECRET-KEY-1") && !shown.contains("PRIVATE KEY"));
    }
}
