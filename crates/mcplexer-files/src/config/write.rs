//! A configuration as YAML.

use std::fmt::{self, Write};

use super::Config;

/// Words that some readers of YAML take for something else than text, in lower case.
const RESERVED: [&str; 8] = ["null", "true", "false", "yes", "no", "on", "off", "y"];

pub(super) fn config(config: &Config, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if config.auth_scopes.is_empty() {
        return f.write_str("auth_scopes: []\n");
    }
    f.write_str("auth_scopes:\n")?;
    for scope in &config.auth_scopes {
        writeln!(f, "  - id: {}", Text(scope.id.as_str()))?;
        if let Some(name) = &scope.name {
            writeln!(f, "    name: {}", Text(name))?;
        }
        writeln!(f, "    type: {}", scope.kind)?;
        if let Some((first, rest)) = scope.redaction_hints.split_first() {
            write!(f, "    redaction_hints: [{}", Text(first.as_str()))?;
            for hint in rest {
                write!(f, ", {}", Text(hint.as_str()))?;
            }
            f.write_str("]\n")?;
        }
    }
    Ok(())
}

/// Text as a YAML scalar: plain if nothing in it could mean anything else, and else in double
/// quotes.
struct Text<'a>(&'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0;
        let begins = text.starts_with(|c: char| c.is_ascii_alphabetic());
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.');
        let reserved =
            text == "n" || text == "N" || RESERVED.contains(&text.to_ascii_lowercase().as_str());
        if begins && text.chars().all(inner) && !text.ends_with(' ') && !reserved {
            return f.write_str(text);
        }
        f.write_char('"')?;
        for character in text.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                ' ' => f.write_char(' ')?,
                // What cannot be seen, or steers a terminal, is written as what it is: YAML 1.2.2,
                // section 5.7, `ns-esc-16-bit` and `ns-esc-32-bit`.
                _ if !is_visible(character) => match u32::from(character) {
                    code @ 0..=0xFFFF => write!(f, "\\u{code:04X}")?,
                    code => write!(f, "\\U{code:08X}")?,
                },
                _ => f.write_char(character)?,
            }
        }
        f.write_char('"')
    }
}

/// Whether a character is printable, and no more than that.
fn is_visible(character: char) -> bool {
    // `escape_debug` keeps what Unicode counts as printable.
    let escaped = character.escape_debug().next() == Some('\\');
    !escaped || matches!(character, '\'' | '"' | '\\')
}
