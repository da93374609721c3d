//! Whether the key is where `git add` would take it.

use std::path::Path;

use super::{Report, Severity};
use crate::exposed::word;
use crate::git;
use crate::home::{Home, KeySource};

pub(super) fn examine(home: &Home, report: &mut Report) {
    let KeySource::File(key) = home.key() else {
        return;
    };
    let Some(tree) = git::tree_of(key) else {
        return;
    };
    if git::is_tracked(tree, key) {
        let fix = format!(
            "git -C {} rm --cached {}; mcplexer key rotate",
            word(tree),
            word(key)
        );
        let (tree, key) = (tree.display(), key.display());
        report.add(
            Severity::Error,
            "key-in-git",
            format!("{key} is in the git repository {tree}: everyone who has it has the key"),
            fix,
        );
    } else if !git::succeeds(tree, &["check-ignore", "--quiet", "--"], key) {
        let (place, ignored) = ignored(key, tree);
        report.add(
            Severity::Warning,
            "in-git",
            format!("{} lies in a git work tree", place.display()),
            format!(
                "echo {} >> {}",
                word(Path::new(&ignored)),
                word(&tree.join(".gitignore"))
            ),
        );
    }
}

/// What git should ignore, and the line of `.gitignore` for it: the key's directory, or the key
/// itself if that directory is the work tree.
fn ignored<'a>(key: &'a Path, tree: &Path) -> (&'a Path, String) {
    match key
        .parent()
        .map(|parent| (parent, parent.strip_prefix(tree)))
    {
        Some((parent, Ok(inside))) if !inside.as_os_str().is_empty() => {
            (parent, format!("{}/", inside.display()))
        }
        _ => {
            let name = key.file_name().map(Path::new);
            (key, name.unwrap_or(key).display().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_directory_of_the_key_is_ignored_unless_it_is_the_tree() {
        let of = |key, tree| {
            let (place, line) = ignored(Path::new(key), Path::new(tree));
            (place.display().to_string(), line)
        };
        assert_eq!(of("/h/.m/age.key", "/h"), ("/h/.m".into(), ".m/".into()));
        assert_eq!(
            of("/h/age.key", "/h"),
            ("/h/age.key".into(), "age.key".into())
        );
    }
}
