//! What is wrong with a file, all at once.

use crate::home::Home;

/// Who repairs a file wants to do it once.
#[test]
fn every_mistake_of_a_file_is_said_with_its_line() {
    let home = Home::with_secret("v");
    let import = |format: &str, text: &str| {
        let run = home.pipe(["import", "new", "--format", format], text.as_bytes());
        let run = run.failed(2, &["nothing was imported"]);
        let said = run.stderr.lines().map(str::to_owned);
        said.collect::<Vec<_>>()
    };
    let lines = |said: &[String]| -> Vec<String> {
        let errors = said
            .iter()
            .filter_map(|it| it.strip_prefix("mcplexer: error: "));
        let places = errors.filter_map(|it| it.split_once(": "));
        places.map(|(place, _)| place.to_owned()).collect()
    };
    let said = import(
        "dotenv",
        "one\nA=1\n \nA=m4rked\n m4rked = x y\nB=\nm4rked\n",
    );
    assert!(!said.concat().contains("m4rked"), "{said:?}");
    let of = |line: &str| format!("standard input, line {line}");
    assert_eq!(
        lines(&said),
        [of("1"), of("4 (A)"), of("6 (B)"), of("7")],
        "{said:?}"
    );
    let said = import("json", "{\"A\":null,\n\"B\":[],\n\"C\":\"1\"}");
    assert_eq!(
        lines(&said),
        [of("1, column 6 (A)"), of("2, column 5 (B)")],
        "{said:?}"
    );
    assert!(said.concat().contains("--skip A,B leaves out these"));
    // No file makes more than a screen of them.
    let said = import("dotenv", &"not a variable\n".repeat(1000));
    assert_eq!(lines(&said).len(), 20, "{said:?}");
    assert!(
        said.concat()
            .contains("what is wrong behind that is not listed")
    );
}
