//! `export`, and importing what was exported.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use super::home::{Home, Run, finish};
use super::terminal::{end, start_at};

const MARKED: &str = "m4rked-S3cret-value-0123456789";

/// Each format, a file whose name says so, and the secrets that it takes.
const FORMATS: [(&str, &str, &str); 4] = [
    ("dotenv", "out.env", "A_TOKEN,BYTES,PREFIX"),
    ("json", "out.json", ALL),
    ("yaml", "out.yaml", ALL),
    ("shell", "out.sh", ALL),
];

const ALL: &str = "A_TOKEN,BYTES,DOLLAR,LINES,PREFIX,SPACES";

/// A home with text values, one of them with several lines, and a binary value.
fn filled() -> Home {
    let home = Home::new();
    for (key, value) in VALUES {
        fs::write(home.root().join("value"), value).unwrap();
        home.run(["secret", "put", "s", key, "--file", "value"])
            .succeeded();
    }
    fs::remove_file(home.root().join("value")).unwrap();
    home
}

const VALUES: [(&str, &[u8]); 6] = [
    ("A_TOKEN", b"m4rked-S3cret-value-0123456789"),
    ("BYTES", b"\xff\xfe\0m4rked"),
    ("DOLLAR", b"pa$$w0rd ${HOME} `id`"),
    ("LINES", b"-----BEGIN-----\na'b\"c\n-----END-----\n"),
    ("PREFIX", b"mcplexer+base64:AAAA"),
    ("SPACES", b"  \t"),
];

fn assert_has(home: &Home, scope: &str, keys: &str) {
    for (key, value) in VALUES.iter().filter(|(key, _)| keys.contains(key)) {
        assert!(home.get(scope, key) == *value, "{scope}/{key}");
    }
}

/// F04, F05: bytes go to a file of each format and come back unchanged.
#[test]
fn what_was_exported_is_imported_again() {
    let home = filled();
    let after = "2 secrets in base64, after mcplexer+base64:, which mcplexer import reads\n";
    for (format, file, keys) in FORMATS {
        let count = keys.split(',').count();
        let export = ["export", "s", "--only", keys];
        let exported = home.run(export.iter().chain(&["-o", file])).succeeded();
        assert_eq!(
            exported.stderr,
            format!("wrote {file} (mode 0600)\n{after}")
        );
        assert_eq!(exported.stdout, b"");
        let text = fs::read(home.root().join(file)).unwrap();
        let printed = home
            .run(export.iter().chain(&["--format", format]))
            .succeeded();
        assert!(printed.stdout == text && printed.stderr == after);
        fs::remove_file(home.root().join(file)).unwrap();
        home.assert_no_trace_of(MARKED);

        // Shell scripts are not read; the library's tests run them in shells.
        if format == "shell" {
            continue;
        }
        // Import from a file whose name gives the format, from another file with --format, and from a pipe.
        let other = Home::new();
        fs::write(other.root().join(file), &text).unwrap();
        let imported = other.run(["import", format, file]).succeeded();
        assert!(
            imported
                .stderr
                .contains(&format!("created scope {format} (env)\n"))
        );
        let told = format!("imported {count} secrets into {format} ({count} new)\n");
        assert!(imported.stderr.ends_with(&told), "{}", imported.stderr);
        assert_eq!(imported.stdout, b"");
        fs::rename(other.root().join(file), other.root().join("any.txt")).unwrap();
        other
            .run(["import", "any", "any.txt", "--format", format])
            .succeeded();
        fs::remove_file(other.root().join("any.txt")).unwrap();
        other
            .pipe(["import", "piped", "--format", format], &text)
            .succeeded();
        for scope in [format, "any", "piped"] {
            assert_has(&other, scope, keys);
        }
        other.assert_no_trace_of(MARKED);
    }
}

#[test]
fn header_fields_are_exported_and_imported_where_a_format_has_their_names() {
    let home = Home::new();
    home.run(["scope", "create", "api", "--kind", "header"])
        .succeeded();
    home.pipe(
        ["import", "api", "--format", "json"],
        br#"{"X-Api-Key": "k", "a!b": "v"}"#,
    )
    .succeeded();
    for format in ["json", "yaml"] {
        let text = home
            .run(["export", "api", "--format", format])
            .succeeded()
            .stdout;
        let again = home
            .pipe(["import", "api", "--format", format], &text)
            .succeeded();
        assert_eq!(again.stderr, "imported 0 secrets into api (2 unchanged)\n");
    }
    let only = home
        .run(["export", "api", "--only", "X-Api-Key", "--for", "docker"])
        .succeeded();
    assert_eq!(only.text(), "X-Api-Key=k\n");
    home.run(["export", "api", "--for", "node"]).failed(
        2,
        &[
            "the name of api/a!b is not valid in a .env file",
            "--format json",
        ],
    );
    home.run(["export", "api", "-o", "out.sh"]).failed(
        2,
        &["the name of api/X-Api-Key is not valid as a shell variable"],
    );
    assert!(!home.root().join("out.sh").exists());
}

#[test]
fn a_terminal_gives_no_file_and_is_shown_no_values() {
    let home = Home::with_secret(MARKED);
    let (text, code) = end(start_at(&home, &["import", "s"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("standard input is a terminal"), "{text}");
    assert!(text.contains("hint: mcplexer import s FILE"), "{text}");
    let (text, code) = end(start_at(&home, &["export", "github-token"]));
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("mcplexer export github-token -o FILE"),
        "{text}"
    );
    assert!(text.contains("--reveal prints it anyway"), "{text}");
    assert!(!text.contains("m4rked"), "{text}");
    let (text, code) = end(start_at(&home, &["export", "github-token", "--reveal"]));
    assert_eq!(
        (text.as_str(), code),
        (format!("TOKEN={MARKED}\r\n").as_str(), 0)
    );
    let (text, code) = end(start_at(&home, &["export", "github-token", "-o", ".env"]));
    assert_eq!(code, 0, "{text}");
}

#[test]
fn a_coding_agent_is_shown_no_values() {
    let home = Home::with_secret(MARKED);
    let run = |arguments: &[&str]| finish(home.command().env("CLAUDECODE", "1").args(arguments));
    run(&["export", "github-token"]).failed(
        3,
        &[
            "is running this command (CLAUDECODE is set)",
            "mcplexer export github-token -o FILE",
        ],
    );
    assert_eq!(
        run(&["export", "github-token", "--reveal"])
            .succeeded()
            .text(),
        format!("TOKEN={MARKED}\n")
    );
    run(&["export", "github-token", "-o", ".env"]).succeeded();
}

/// F31: a failed export leaves the existing file unchanged. F34: a missing scope or secret is exit 4.
#[test]
fn an_export_that_fails_leaves_the_old_file() {
    let home = Home::with_secret(MARKED);
    home.run(["scope", "create", "empty"]).succeeded();
    let file = home.root().join(".env");
    fs::write(&file, "old").unwrap();
    for (arguments, code, said) in [
        (&["none"][..], 4, "no scope none"),
        (&["empty"], 4, "scope empty has no secrets"),
        (
            &["github-token", "--only", "TOKEN,NONE"],
            4,
            "no secret NONE in scope github-token",
        ),
        (
            &["github-token", "--format", "toml"],
            2,
            "dotenv, json, yaml, shell",
        ),
    ] {
        let command = [&["export", "-o", ".env"], arguments].concat();
        home.run(command).failed(code, &[said]);
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
    home.run(["export", "github-token", "-o", "no/such.env"])
        .failed(1, &["cannot write no/such.env"]);
    home.run(["export", "github-token", "-o", "/dev/null"])
        .failed(1, &["not a regular file"]);
    let audit = home.path("audit.log");
    fs::remove_file(&audit).unwrap();
    fs::create_dir(&audit).unwrap();
    home.run(["export", "github-token", "-o", ".env"])
        .failed(1, &["cannot write the audit log"]);
    assert_eq!(fs::read(&file).unwrap(), b"old");
    home.assert_no_trace_of(MARKED);
}

/// F46: only the owner can read the file, whatever was there before, and a link to it stays a link.
#[test]
fn an_exported_file_is_private_and_replaced_in_one_step() {
    let home = Home::with_secret(MARKED);
    let mode = |name: &str| {
        fs::metadata(home.root().join(name))
            .unwrap()
            .permissions()
            .mode()
            & 0o777
    };
    home.run(["export", "github-token", "-o", "new.env"])
        .succeeded();
    assert_eq!(mode("new.env"), 0o600);
    let (file, link) = (home.root().join("old.env"), home.root().join("link.env"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    symlink("old.env", &link).unwrap();
    let before = fs::metadata(&file).unwrap().ino();
    home.run(["export", "github-token", "-o", "link.env"])
        .succeeded();
    assert_eq!(mode("old.env"), 0o600);
    assert_ne!(fs::metadata(&file).unwrap().ino(), before);
    assert!(link.is_symlink());
    assert_eq!(
        fs::read_to_string(&file).unwrap(),
        format!("TOKEN={MARKED}\n")
    );
    // No other file contains the value.
    fs::remove_file(&link).unwrap();
    fs::remove_file(&file).unwrap();
    fs::remove_file(home.root().join("new.env")).unwrap();
    home.assert_no_trace_of(MARKED);
}

/// F24: each import and export writes one line, even if it fails.
#[test]
fn each_import_and_export_is_one_line_of_the_log() {
    let home = Home::new();
    let import =
        |text: &str| -> Run { home.pipe(["import", "s", "--format", "dotenv"], text.as_bytes()) };
    import("A=1\nB=2\n").succeeded();
    import("A=other\n").failed(8, &["s already has other values for A"]);
    home.run(["export", "s"]).succeeded();
    home.run(["export", "s", "--only", "A,A"]).succeeded();
    home.run(["export", "s", "--only", "X"])
        .failed(4, &["no secret X"]);
    let lines = home.run(["audit", "show", "--json"]).succeeded();
    let lines: serde_json::Value = serde_json::from_str(lines.text()).unwrap();
    let told = lines["lines"].as_array().unwrap().iter().map(|line| {
        let text = |member: &str| line[member].as_str().unwrap_or("-");
        format!("{} {} {}", text("operation"), text("name"), text("outcome"))
    });
    let mut told: Vec<_> = told.collect();
    // The listing that a hint is made from.
    told.retain(|line| !line.starts_with("list"));
    assert_eq!(
        told,
        [
            "import - ok",
            "committed - ok",
            "import - conflict",
            "export - ok",
            "export A ok",
            "export X not-found"
        ]
    );
    home.run(["audit", "verify"]).succeeded();
}
