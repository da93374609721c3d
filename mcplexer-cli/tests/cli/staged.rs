//! `scan --staged`: finds values in what git is about to commit.

use std::fs;
use std::os::unix::fs::symlink;

use super::home::{BINARY, Home, Run, finish, write_program};
use super::scan::{
    TOKEN, assert_found, assert_silent, git, git_in, home, repository, scan, work, write,
};

fn staged(home: &Home) -> Run {
    scan(home, &["--staged"])
}

#[test]
fn what_is_staged_is_searched_and_not_the_working_copy() {
    let Some(home) = repository() else { return };
    assert_found(&staged(&home), "");
    write(&home, "a", TOKEN);
    assert_found(&staged(&home), "");
    git(&home, &["add", "a"]).succeeded();
    write(&home, "a", "clean");
    // This also works before the first commit.
    assert_found(&staged(&home), "a:1: github-token/TOKEN\n");
    git(&home, &["add", "a"]).succeeded();
    write(&home, "a", TOKEN);
    let run = staged(&home);
    assert_found(&run, "");
    assert_eq!(run.stderr, "1 file, 2 secrets: no match\n");
    git(&home, &["add", "a"]).succeeded();
    git(&home, &["commit", "-qm", "with a value"]).succeeded();
    // Only what the next commit adds: a renamed file is searched, a deleted one is not.
    assert_found(&staged(&home), "");
    git(&home, &["mv", "a", "b"]).succeeded();
    assert_found(&staged(&home), "b:1: github-token/TOKEN\n");
    git(&home, &["commit", "-qm", "renamed"]).succeeded();
    git(&home, &["rm", "-q", "b"]).succeeded();
    assert_found(&staged(&home), "");
}

#[test]
fn staged_files_may_have_any_name_and_be_anywhere() {
    let Some(home) = repository() else { return };
    let names = ["-n\n\"q\" 'x'", "sub/deep/ü", "sub/\u{1b}[2J", ":(top)x"];
    for name in names {
        write(&home, name, format!("\n{TOKEN}\n"));
    }
    write(&home, "link-target", "x");
    symlink("link-target", work(&home).join("link")).unwrap();
    write(&home, ".gitignore", "sub/\n");
    git(&home, &["add", "--force", "."]).succeeded();
    // A submodule is a commit that this repository does not contain.
    let commit = "160000,1111111111111111111111111111111111111111,module";
    git(&home, &["update-index", "--add", "--cacheinfo", commit]).succeeded();
    let expected = "-n\\n\"q\" 'x':2: github-token/TOKEN\n:(top)x:2: github-token/TOKEN\n\
        sub/\\u{1b}[2J:2: github-token/TOKEN\nsub/deep/ü:2: github-token/TOKEN\n";
    assert_found(&staged(&home), expected);
    let mut command = home.command();
    let below = command
        .args(["scan", "--staged"])
        .current_dir(work(&home).join("sub/deep"));
    assert_found(&finish(below), expected);
}

/// A replacement of the staged object (`git replace`) is ignored, and programs that the repository names
/// are not run.
#[test]
fn git_shows_what_is_there() {
    let Some(home) = repository() else { return };
    write(&home, "a", TOKEN);
    write(&home, "b", "clean");
    git(&home, &["add", "a"]).succeeded();
    let object = |name: &str| {
        let run = git(&home, &["hash-object", "-w", name]).succeeded();
        run.text().trim().to_owned()
    };
    git(&home, &["replace", &object("a"), &object("b")]).succeeded();
    let monitor = work(&home).join("monitor");
    write_program(&monitor, "#!/bin/sh\ntouch ran\n");
    git(&home, &["config", "core.fsmonitor", "./monitor"]).succeeded();
    assert_found(&staged(&home), "a:1: github-token/TOKEN\n");
    assert_found(&scan(&home, &[]), "a:1: github-token/TOKEN\n");
    assert!(!work(&home).join("ran").exists());
}

#[test]
fn outside_a_repository_nothing_is_staged() {
    let home = home();
    staged(&home).failed(2, &["cannot list the staged files", "not a git repository"]);
    let mut command = home.command();
    let no_git = command.args(["scan", "--staged"]).env("PATH", home.root());
    finish(no_git).failed(1, &["cannot start git"]);
}

/// F19: git and its children do not get the key.
#[test]
fn git_does_not_get_the_identity() {
    let Some(home) = repository() else { return };
    let seen = home.root().join("seen");
    let script = format!(
        "#!/bin/sh\nexport PATH=\"$REAL\"\nenv >> '{}'\nexec git \"$@\"\n",
        seen.display()
    );
    let bin = home.root().join("bin");
    fs::create_dir(&bin).unwrap();
    write_program(&bin.join("git"), &script);
    write(&home, "a", TOKEN);
    git(&home, &["add", "a"]).succeeded();
    let key = fs::read_to_string(home.path("age.key")).unwrap();
    let identity = key
        .lines()
        .find(|line| line.starts_with("AGE-SECRET-KEY-"))
        .unwrap();
    let mut command = home.command();
    command
        .args(["scan", "--staged"])
        .env("MCPLEXER_AGE_IDENTITY", identity)
        .env("REAL", std::env::var_os("PATH").unwrap())
        .env("PATH", &bin)
        .current_dir(work(&home));
    assert_found(&finish(&mut command), "a:1: github-token/TOKEN\n");
    let seen = fs::read_to_string(seen).unwrap();
    assert!(
        seen.contains("HOME=") && !seen.contains("MCPLEXER_"),
        "{seen}"
    );
}

/// The hook stops a commit with a value in it, from any directory and with any index.
#[test]
fn a_pre_commit_hook_keeps_a_value_out() {
    let Some(home) = repository() else { return };
    let hook = work(&home).join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    write_program(&hook, &format!("#!/bin/sh\nexec {BINARY} scan --staged\n"));
    write(&home, "clean", "nothing\n");
    git(&home, &["add", "clean"]).succeeded();
    git(&home, &["commit", "-qm", "clean"]).succeeded();
    let count = || {
        git(&home, &["rev-list", "--count", "HEAD"])
            .succeeded()
            .text()
            .to_owned()
    };
    let refused = |run: Run| {
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_silent(&run);
        assert!(
            run.stderr.contains("sub/conf:2: github-token/TOKEN\n"),
            "{}",
            run.stderr
        );
    };

    write(&home, "sub/conf", format!("\n{TOKEN}\n"));
    git(&home, &["add", "."]).succeeded();
    refused(git(&home, &["commit", "-qm", "no"]));
    let below = work(&home).join("sub");
    refused(finish(git_in(&home, &below).args(["commit", "-qm", "no"])));
    // These two commits use an index of their own.
    write(&home, "sub/conf", "clean");
    git(&home, &["add", "."]).succeeded();
    git(&home, &["commit", "-qm", "yes"]).succeeded();
    write(&home, "sub/conf", format!("\n{TOKEN}\n"));
    refused(git(&home, &["commit", "-qam", "no"]));
    write(&home, "clean", "changed\n");
    refused(git(&home, &["commit", "-qm", "no", "--", "sub/conf"]));
    assert_eq!(count(), "2\n");
    // A value that is not part of the commit does not stop it.
    git(&home, &["commit", "-qm", "yes", "--", "clean"]).succeeded();
    assert_eq!(count(), "3\n");
    // The hook also runs in another work tree of the repository.
    let tree = home.root().join("tree");
    git(&home, &["worktree", "add", "-q", tree.to_str().unwrap()]).succeeded();
    fs::write(tree.join("sub/conf"), format!("\n{TOKEN}\n")).unwrap();
    refused(finish(git_in(&home, &tree).args(["commit", "-qam", "no"])));
}
