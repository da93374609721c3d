//! Which files are searched: ignored and tracked files, links, pipes, and files named as arguments.

use std::fs;
use std::os::unix::fs::symlink;

use test_support::tool;

use super::{TOKEN, assert_found, git, git_in, home, repository, scan, work, write};
use crate::home::finish;

#[test]
fn what_git_ignores_is_searched_if_it_is_named_or_all_is() {
    let Some(home) = repository() else { return };
    for name in [
        "seen",
        "ignored",
        ".hidden/seen",
        "sub/ignored",
        "sub/deep/ignored",
        "target/out",
        ".git/description",
    ] {
        write(&home, name, TOKEN);
    }
    write(&home, ".gitignore", "ignored\n/target/\n");
    let found = |names: &[&str]| -> String {
        names
            .iter()
            .map(|name| format!("{name}:1: github-token/TOKEN\n"))
            .collect()
    };
    assert_found(&scan(&home, &[]), &found(&[".hidden/seen", "seen"]));
    assert_found(&scan(&home, &["sub"]), "");
    assert_found(&scan(&home, &["sub/ignored"]), &found(&["sub/ignored"]));
    assert_found(
        &scan(&home, &["target", "./seen", "seen"]),
        &found(&["seen", "target/out"]),
    );
    assert_found(
        &scan(&home, &["--no-ignore"]),
        &found(&[
            ".git/description",
            ".hidden/seen",
            "ignored",
            "seen",
            "sub/deep/ignored",
            "sub/ignored",
            "target/out",
        ]),
    );
}

/// Ignore files above the top of a repository have no effect, nor have any outside a repository.
#[test]
fn ignore_files_count_from_the_top_of_their_repository() {
    if tool("git").is_none() {
        return;
    }
    let home = home();
    fs::write(home.root().join(".gitignore"), "*\n").unwrap();
    write(&home, "sub/plain", TOKEN);
    write(&home, ".gitignore", "sub\n");
    let found = "sub/plain:1: github-token/TOKEN\n";
    assert_found(&scan(&home, &[]), found);
    assert_found(&scan(&home, &["sub"]), found);
    write(&home, ".gitignore", "");
    git(&home, &["init", "-q"]).succeeded();
    assert_found(&scan(&home, &[]), found);
    assert_found(&scan(&home, &["sub"]), found);
    // The same holds for a repository within another.
    write(&home, "sub/.gitignore", "plain\n*.log\n");
    write(&home, "sub/inner/a.log", TOKEN);
    write(&home, "sub/inner/plain", "nothing");
    let inner = work(&home).join("sub/inner");
    assert_found(&scan(&home, &[]), "");
    finish(git_in(&home, &inner).args(["init", "-q"])).succeeded();
    assert_found(&scan(&home, &[]), "sub/inner/a.log:1: github-token/TOKEN\n");
    fs::write(inner.join(".git/info/exclude"), "*.log\n").unwrap();
    assert_found(&scan(&home, &[]), "");
    assert_found(&scan(&home, &["sub/inner"]), "");
}

/// A file that was added by force is in every clone, so it is searched. Each file is searched once.
#[test]
fn what_git_tracks_it_does_not_ignore() {
    let Some(home) = repository() else { return };
    write(&home, ".gitignore", "ignored\n/target/\n");
    for name in ["ignored", "sub/ignored", "target/deep/out", "seen"] {
        write(&home, name, TOKEN);
    }
    git(&home, &["add", "--force", "sub/ignored", "target", "seen"]).succeeded();
    let all = "seen:1: github-token/TOKEN\nsub/ignored:1: github-token/TOKEN\n\
        target/deep/out:1: github-token/TOKEN\n";
    let run = scan(&home, &[]);
    assert_found(&run, all);
    assert!(run.stderr.starts_with("4 files, "), "{}", run.stderr);
    assert_found(
        &scan(&home, &["sub"]),
        "sub/ignored:1: github-token/TOKEN\n",
    );
    let absolute = work(&home).join("sub");
    assert_found(
        &scan(&home, &[absolute.to_str().unwrap()]),
        &format!("{}/ignored:1: github-token/TOKEN\n", absolute.display()),
    );
    // The environment of a hook names another repository.
    let mut command = home.command();
    command.env("GIT_INDEX_FILE", "none").env("GIT_DIR", "none");
    assert_found(&finish(command.arg("scan").current_dir(work(&home))), all);
    // A repository below the directory that is searched.
    let above = finish(home.command().args(["scan", "work"]));
    assert_eq!(above.text().lines().count(), 3, "{}", above.text());
}

/// Without git, mcplexer cannot know which ignored files are tracked.
#[test]
fn a_search_without_git_is_not_whole() {
    let Some(home) = repository() else { return };
    write(&home, "a", "nothing");
    let without = |arguments: &[&str]| {
        let mut command = home.command();
        command.arg("scan").args(arguments).current_dir(work(&home));
        finish(command.env("PATH", home.root()))
    };
    let run = without(&[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let told = "cannot read the files that git tracks in .: cannot start git: ";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    without(&["--no-ignore"]).succeeded();
    without(&["a"]).succeeded();
}

/// Standard input, pipes and links are read if they are named.
#[test]
fn what_is_named_and_no_plain_file_is_read() {
    let home = home();
    let piped = |name: &str| home.pipe(["scan", name], format!("\n{TOKEN}\n").as_bytes());
    for name in ["-", "/dev/stdin", "/dev/fd/0"] {
        assert_found(&piped(name), &format!("{name}:2: github-token/TOKEN\n"));
        let clean = home.pipe(["scan", name], b"nothing").succeeded();
        assert_eq!(clean.stderr, "1 file, 2 secrets: no match\n");
    }
    let made = finish(home.command_of("mkfifo".as_ref()).arg("work/pipe"));
    made.succeeded();
    // A pipe that the walk finds is skipped.
    assert_found(&scan(&home, &[]), "");
    let pipe = work(&home).join("pipe");
    let writer = std::thread::spawn(move || fs::write(pipe, TOKEN).unwrap());
    assert_found(&scan(&home, &["pipe"]), "pipe:1: github-token/TOKEN\n");
    writer.join().unwrap();
    write(&home, "sub/file", TOKEN);
    symlink("sub/file", work(&home).join("link")).unwrap();
    symlink("sub", work(&home).join("directory")).unwrap();
    assert_found(
        &scan(&home, &["link", "directory"]),
        "directory/file:1: github-token/TOKEN\nlink:1: github-token/TOKEN\n",
    );
    symlink("nowhere", work(&home).join("broken")).unwrap();
    let run = scan(&home, &["broken"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("cannot read broken"), "{}", run.stderr);
}

/// A directory that git tracks was replaced by a link since: its files are not those of the repository.
#[test]
fn a_link_in_the_place_of_a_tracked_directory_is_not_followed() {
    let Some(home) = repository() else { return };
    for place in ["elsewhere", "elsewhere/deep"] {
        fs::create_dir(home.root().join(place)).unwrap();
        fs::write(home.root().join(place).join("file"), TOKEN).unwrap();
    }
    for name in ["sub/file", "sub/deep/file", "kept/file"] {
        write(&home, name, TOKEN);
    }
    write(&home, ".gitignore", "kept\n");
    git(&home, &["add", "--force", "."]).succeeded();
    fs::remove_dir_all(work(&home).join("sub")).unwrap();
    symlink("../elsewhere", work(&home).join("sub")).unwrap();
    assert_found(&scan(&home, &[]), "kept/file:1: github-token/TOKEN\n");
}

#[test]
fn a_symbolic_link_is_not_followed() {
    let home = home();
    fs::create_dir(home.root().join("elsewhere")).unwrap();
    fs::write(home.root().join("elsewhere/file"), TOKEN).unwrap();
    symlink("../elsewhere/file", work(&home).join("link")).unwrap();
    symlink("../elsewhere", work(&home).join("directory")).unwrap();
    symlink("nowhere", work(&home).join("broken")).unwrap();
    assert_found(&scan(&home, &[]), "");
}
