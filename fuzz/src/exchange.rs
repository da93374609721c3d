//! Files of secrets in the formats for import and export.

use std::collections::BTreeMap;

use mcplexer_files::exchange::{Format, Reader, read, write};
use mcplexer_secrets::{Credentials, ScopeKind, SecretName, SecretValue};

fn format(byte: u8) -> Format {
    Format::READ[usize::from(byte) % Format::READ.len()]
}

/// Reads a file in the format given by the first byte. If it is valid, its secrets survive being
/// written and read in every format.
pub fn read_exchange(bytes: &[u8]) {
    let Some((&first, file)) = bytes.split_first() else {
        return;
    };
    match read(file, format(first)) {
        Ok(entries) => {
            let secrets = entries.iter().filter_map(|entry| entry.secret().ok());
            comes_back(secrets.collect());
        }
        Err(error) => assert!(error.line > 0 && !error.to_string().is_empty()),
    }
}

/// Writes secrets and reads them back unchanged. The first byte separates the secrets that follow,
/// each of them a name, `=`, and a value.
pub fn write_exchange(bytes: &[u8]) {
    let Some((&end, lines)) = bytes.split_first() else {
        return;
    };
    let secrets = lines.split(|&byte| byte == end).filter_map(|line| {
        let at = line.iter().position(|&byte| byte == b'=')?;
        let name = str::from_utf8(&line[..at]).ok()?.parse().ok()?;
        Some((name, SecretValue::copy_of(&line[at + 1..]).ok()?))
    });
    comes_back(secrets.collect());
}

fn comes_back(secrets: BTreeMap<SecretName, SecretValue>) {
    let secrets: Vec<_> = secrets.into_iter().collect();
    let scope = "s".parse().expect("is an id");
    let credentials = Credentials::new(scope, ScopeKind::Header, secrets);
    let for_all = Format::ALL.map(|format| (format, None));
    let for_one = Reader::ALL.map(|reader| (Format::Dotenv, Some(reader)));
    for (format, reader) in for_all.into_iter().chain(for_one) {
        match write(&credentials, format, reader) {
            // Only the programs that these files are for read them. What one of them is given as it is, is
            // base64 here.
            Ok(_) if reader.is_some() || !Format::READ.contains(&format) => {}
            Ok(written) => {
                let entries = read(written.expose(), format).expect("reads what it writes");
                let read = entries.iter().map(|it| (it.name.as_str(), it.value()));
                let stored = credentials.iter();
                let stored = stored.map(|it| (it.name.as_str(), it.value.expose()));
                assert!(read.eq(stored), "{format} changes it");
            }
            // The format or the reader may not allow the name of a header field, or the value.
            Err(_) => {}
        }
    }
}
