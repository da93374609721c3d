//! `config.yaml`.

use mcplexer_files::config::parse;

/// A text that stands for a value in the wrong place.
const MARKER: &str = "zqMARKERqz";

/// Parses a file with a marker inserted at the place given by the first two bytes. A valid
/// configuration is read again as written; an error does not repeat the marker.
pub fn parse_config(bytes: &[u8]) {
    let Some((&at, file)) = bytes.split_first_chunk::<2>() else {
        return;
    };
    let (before, after) = file.split_at(usize::from(u16::from_be_bytes(at)) % (file.len() + 1));
    for file in [file.to_vec(), [before, MARKER.as_bytes(), after].concat()] {
        match parse(&file) {
            Ok(config) => assert_eq!(parse(config.to_string().as_bytes()), Ok(config)),
            Err(problems) => {
                assert!((1..=100).contains(&problems.len()));
                for problem in problems {
                    assert!(problem.line > 0 && problem.column > 0);
                    assert!(!problem.to_string().contains(MARKER), "repeated");
                }
            }
        }
    }
}
