//! Paths that lead to no configuration, a link, a pipe, or a file that cannot be replaced.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use test_support::skip;

use super::{config, tokens};
use crate::home::{Home, finish};

/// A file that cannot be parsed is an error with its position. The error repeats no value, and nothing changes.
#[test]
fn what_is_no_configuration_is_told_and_left_alone() {
    let mark_16: Vec<u8> = "\u{feff}{}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    for (name, bytes, code, said) in [
        (
            "broken.json",
            config("broken.json").into_bytes(),
            2,
            "broken.json, line 3, column 96: expected comma",
        ),
        (
            "unterminated.json",
            config("unterminated.json").into_bytes(),
            2,
            "line 1, column 66: a string that is not JSON",
        ),
        (
            "broken.toml",
            config("broken.toml").into_bytes(),
            2,
            "broken.toml, line 3",
        ),
        (
            "no-servers.json",
            config("no-servers.json").into_bytes(),
            2,
            "it has no tool servers",
        ),
        (
            "list.json",
            config("list.json").into_bytes(),
            2,
            "it has no tool servers",
        ),
        ("empty.json", Vec::new(), 2, "it has no tool servers"),
        ("utf-16.json", mark_16, 2, "it is not UTF-8 text"),
        (
            "latin.json",
            b"{\"mcpServers\": {\"\xe4\": {}}}".to_vec(),
            2,
            "it is not UTF-8 text",
        ),
        ("deep.json", deep.into_bytes(), 2, "deep.json, line 1"),
    ] {
        let home = Home::new();
        fs::write(home.root().join(name), &bytes).unwrap();
        for arguments in [
            &["adopt", name][..],
            &["adopt", name, "--write"],
            &["adopt", "--undo", name],
        ] {
            let run = home.run(arguments).failed(code, &[said]);
            assert!(!run.stderr.contains(&tokens()["github"]), "{name}");
        }
        assert!(fs::read(home.root().join(name)).unwrap() == bytes, "{name}");
        assert!(!home.path("secrets.redb").exists(), "{name}");
    }
    let home = Home::new();
    home.run(["adopt", "none.json"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "none.json", "--write"])
        .failed(1, &["cannot read none.json"]);
    home.run(["adopt", "--write"]).failed(2, &["<FILE>"]);
    fs::write(home.root().join("nothing.json"), config("nothing.json")).unwrap();
    let run = home.run(["adopt", "nothing.json", "--write"]).succeeded();
    assert!(
        run.stderr
            .contains("0 credentials to move; nothing changed"),
        "{}",
        run.stderr
    );
    let named = ["adopt", "nothing.json", "--server", "x"];
    home.run(named).failed(4, &["no server x in nothing.json"]);
}

#[test]
fn a_link_is_followed_and_stays_one() {
    let home = Home::new();
    let text = config("claude-desktop.json");
    fs::create_dir(home.root().join("dotfiles")).unwrap();
    let file = home.root().join("dotfiles/config.json");
    fs::write(&file, &text).unwrap();
    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    symlink("dotfiles/config.json", home.root().join("link.json")).unwrap();
    home.run(["adopt", "link.json", "--write"]).succeeded();
    assert!(home.root().join("link.json").is_symlink());
    assert!(
        fs::read_to_string(&file)
            .unwrap()
            .contains("mcplexer://github/")
    );
    assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
    home.run(["adopt", "--undo", "link.json"]).succeeded();
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert!(home.root().join("link.json").is_symlink());
}

/// A file that cannot be replaced is an error before anything is stored. (Root may
/// write nearly everywhere, so these are special files.)
#[test]
fn a_file_that_cannot_be_replaced_keeps_its_values() {
    let home = Home::new();
    for place in ["/dev/null", "/proc/self/status"] {
        home.run(["adopt", place, "--write"])
            .failed(1, &["cannot write"]);
    }
    assert!(!home.path("secrets.redb").exists());
}

#[test]
fn a_file_in_a_directory_that_may_not_be_written_keeps_its_values() {
    if rustix::process::geteuid().is_root() {
        return skip("a user", "root is not refused to write");
    }
    let home = Home::new();
    let directory = home.root().join("closed");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("config.json"), config("claude-desktop.json")).unwrap();
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o500)).unwrap();
    home.run(["adopt", "closed/config.json", "--write"])
        .failed(1, &["cannot write"]);
    assert!(!home.path("secrets.redb").exists());
    fs::set_permissions(&directory, PermissionsExt::from_mode(0o700)).unwrap();
}

/// The command does not wait for a pipe, neither as the file itself nor next to it.
#[test]
fn a_pipe_is_no_configuration() {
    let home = Home::new();
    let pipe = |name: &str| {
        let made = finish(home.command_of("mkfifo".as_ref()).arg(name));
        made.succeeded();
    };
    pipe(".mcp.json");
    home.run(["adopt", ".mcp.json"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt", ".mcp.json", "--write"])
        .failed(1, &["not a regular file"]);
    home.run(["adopt"]).failed(1, &["cannot read .mcp.json"]);
    fs::write(home.root().join("c.json"), config("minified.json")).unwrap();
    pipe(".c.json-abcdef.mcplexer-new");
    fs::create_dir(home.root().join(".c.json-ghijkl.mcplexer-new")).unwrap();
    home.run(["adopt", "c.json", "--write"]).succeeded();
}
