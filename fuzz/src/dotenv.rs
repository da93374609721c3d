//! `.env` files.

use mcplexer_files::dotenv::parse;

/// Parses bytes as a `.env` file. The variables have names and valid line numbers, or the error
/// names a line of the file.
pub fn parse_dotenv(bytes: &[u8]) {
    let ends = bytes.iter().filter(|byte| b"\r\n".contains(byte));
    let last_line = 1 + ends.count();
    match parse(bytes) {
        Ok(variables) => {
            assert!(variables.is_sorted_by_key(|it| it.line));
            for it in &variables {
                assert!(!it.name.is_empty() && (1..=last_line).contains(&it.line));
                // Removing escapes and quotes only shortens a value.
                assert!(it.name.len() + it.value().len() < bytes.len());
            }
        }
        Err(error) => assert!((1..=last_line).contains(&error.line)),
    }
}
