//! `inject` replaces references in any text.

mod format;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use test_support::Running;

use super::home::{Home, finish};

fn filled() -> Home {
    let home = Home::with_secret("pa$$\\1\"&word");
    fs::write(home.root().join("bytes"), b"\xff\0\n").unwrap();
    home.run(["secret", "put", "s", "BYTES", "--file", "bytes"])
        .succeeded();
    home
}

/// F04, F05: the value's bytes replace the reference, and all other bytes stay.
#[test]
fn references_are_replaced_in_any_text() {
    let home = filled();
    let text = b"\xef\xbb\xbfa: 'mcplexer://github-token/TOKEN'\r\n\xfe mcplexer://s/BYTES.$HOME";
    let expected = b"\xef\xbb\xbfa: 'pa$$\\1\"&word'\r\n\xfe \xff\0\n.$HOME";
    assert!(home.pipe(["inject"], text).succeeded().stdout == expected);
    fs::write(home.root().join("t"), text).unwrap();
    assert!(home.run(["inject", "-i", "t"]).succeeded().stdout == expected);
    home.run(["inject", "-i", "t", "-o", "out"]).succeeded();
    assert!(fs::read(home.root().join("out")).unwrap() == expected);
    assert_eq!(
        home.pipe(["inject"], b"none\n").succeeded().text(),
        "none\n"
    );
    assert_eq!(home.pipe(["inject"], b"").succeeded().text(), "");
}

/// F31, F43, F46: a reference that cannot be resolved is an error with its position, and the old file stays.
#[test]
fn an_unknown_reference_writes_nothing() {
    let home = filled();
    fs::write(home.root().join("out"), "old").unwrap();
    for (text, code, said) in [
        (
            "x\nüü mcplexer://s/NONE",
            4,
            "t, line 2, column 4: no secret NONE in scope s",
        ),
        ("mcplexer://none/K", 4, "t, line 1, column 1: no scope none"),
        (
            "mcplexer://s/BYTES mcplexer://S/K",
            2,
            "t, line 1, column 20: invalid reference",
        ),
    ] {
        fs::write(home.root().join("t"), text).unwrap();
        home.run(["inject", "-i", "t", "-o", "out"])
            .failed(code, &[said]);
        home.run(["inject", "-i", "t"]).failed(code, &[said]);
        assert_eq!(fs::read_to_string(home.root().join("out")).unwrap(), "old");
    }
    home.run(["inject", "-i", "none"])
        .failed(1, &["cannot read none"]);
    home.pipe(["inject", "-o", "/dev/null"], b"x")
        .failed(1, &["not a regular file"]);
    home.pipe(["inject", "-o", "no/such"], b"x")
        .failed(1, &["cannot write no/such", "that you can write to"]);
    // Refuse to replace anything but a regular file, also through a link.
    for (link, leads_to, said) in [
        ("stdout", "/proc/self/fd/1", "not a regular file"),
        (
            "dangling",
            "nowhere",
            "a link to a file that does not exist",
        ),
    ] {
        symlink(leads_to, home.root().join(link)).unwrap();
        home.pipe(["inject", "-o", link], b"x").failed(1, &[said]);
        assert!(home.root().join(link).is_symlink(), "{link}");
    }
}

/// Standard output is never replaced, even if the shell redirects it to a file.
#[test]
fn a_redirected_output_is_kept() {
    let home = filled();
    fs::write(home.root().join("t"), "mcplexer://github-token/TOKEN").unwrap();
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
        let log = home.root().join("log");
        fs::write(&log, "before\n").unwrap();
        let mut command = home.command();
        let appended = fs::OpenOptions::new().append(true).open(&log).unwrap();
        command
            .args(["inject", "-i", "t", "-o", name])
            .stdout(appended);
        finish(&mut command).failed(1, &["cannot write", "not a regular file"]);
        assert_eq!(fs::read_to_string(&log).unwrap(), "before\n", "{name}");
    }
}

/// The output never replaces its own template, whatever name or link leads to it.
#[test]
fn a_template_does_not_replace_itself() {
    let home = filled();
    fs::write(home.root().join("t"), "mcplexer://github-token/TOKEN").unwrap();
    symlink("t", home.root().join("link")).unwrap();
    for output in ["t", "link", "./t"] {
        home.run(["inject", "-i", "t", "-o", output])
            .failed(2, &["is the template itself", "-o"]);
        let text = fs::read_to_string(home.root().join("t")).unwrap();
        assert_eq!(text, "mcplexer://github-token/TOKEN");
    }
}

/// F31: many processes write the same file at once. All succeed, and the file is the complete output of one.
/// Temporary files of a killed process are removed; other files stay.
#[test]
fn many_write_one_file() {
    let home = filled();
    fs::write(home.root().join(".out-abc123.mcplexer-new"), "left").unwrap();
    fs::write(home.root().join(".out-mine.new"), "mine").unwrap();
    let texts: Vec<String> = (0..20).map(|at| format!("{at}").repeat(9_000)).collect();
    let children: Vec<_> = texts
        .iter()
        .map(|text| {
            fs::write(home.root().join(&text[..9]), text).unwrap();
            let mut command = home.command();
            command.args(["-q", "inject", "-i", &text[..9], "-o", "out"]);
            Running::start(&mut command).unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert!(texts.contains(&fs::read_to_string(home.root().join("out")).unwrap()));
    let hidden = home.files().into_iter().filter_map(|(path, _)| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        name.starts_with(".out").then_some(name)
    });
    assert_eq!(hidden.collect::<Vec<_>>(), [".out-mine.new"]);
}

/// F46: only the owner can read the file, whatever was there before, and a link to it stays a link.
#[test]
fn the_file_is_private_and_replaced_in_one_step() {
    let home = filled();
    let (file, link) = (home.root().join("out"), home.root().join("link"));
    fs::write(&file, "old").unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    symlink("out", &link).unwrap();
    let before = fs::metadata(&file).unwrap().ino();
    home.pipe(["inject", "-o", "link"], b"mcplexer://github-token/TOKEN")
        .succeeded();
    let metadata = fs::metadata(&file).unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    assert_ne!(metadata.ino(), before);
    assert!(link.is_symlink());
    assert_eq!(fs::read_to_string(link).unwrap(), "pa$$\\1\"&word");
    let left = home
        .files()
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().ends_with(".mcplexer-new"));
    assert_eq!(left.count(), 0);
}
