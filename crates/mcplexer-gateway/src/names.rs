//! The names under which clients see the tools and prompts of all servers.

use std::collections::{BTreeMap, HashMap};

use mcplexer_files::config::ServerName;
use sha2::{Digest, Sha256};

/// How many characters of a digest end a name that is cut.
const DIGEST_LEN: usize = 6;

/// The alphabet of base32 (RFC 4648, section 6), in lower case.
const BASE32: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Which server has what, and under which name, by the exposed name.
#[derive(Debug, Default)]
pub(crate) struct Table {
    by_exposed: HashMap<String, (ServerName, String)>,
    /// Names that would be the same, each with what is left out.
    pub(crate) collisions: Vec<String>,
}

/// Returns the name under which clients see something of a server: `server__name`, of the characters that every client
/// takes, at most `most` of them. A longer one is cut, and ends with a digest of the whole.
pub(crate) fn exposed(server: &ServerName, name: &str, most: usize) -> String {
    let whole = format!("{server}__{name}");
    let allowed = allowed(&whole);
    if allowed.len() <= most && allowed == whole {
        return allowed;
    }
    let digest = Sha256::digest(whole.as_bytes());
    let letter = |byte: &u8| {
        let index = usize::from(byte & 31);
        char::from(BASE32.get(index).copied().unwrap_or(b'a'))
    };
    let digest: String = digest.iter().take(DIGEST_LEN).map(letter).collect();
    let kept = kept(most);
    let cut = allowed.get(..kept.min(allowed.len())).unwrap_or_default();
    format!("{cut}_{digest}")
}

/// Returns the characters of a name that is cut.
fn kept(most: usize) -> usize {
    most.saturating_sub(DIGEST_LEN + 1)
}

fn allowed(name: &str) -> String {
    let is_allowed = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-');
    let each = name.chars();
    each.map(|it| if is_allowed(it) { it } else { '_' })
        .collect()
}

/// Whether something of a server can have this name.
pub(crate) fn can_be_of(server: &ServerName, exposed: &str, most: usize) -> bool {
    let prefix = allowed(&format!("{server}__"));
    let cut = prefix.get(..kept(most).min(prefix.len()));
    exposed.starts_with(cut.unwrap_or_default())
}

/// Returns a name without that of its server: what it is called there, unless it is a name that was cut.
pub(crate) fn without_server<'a>(server: &ServerName, exposed: &'a str) -> &'a str {
    let prefix = allowed(&format!("{server}__"));
    exposed.strip_prefix(prefix.as_str()).unwrap_or(exposed)
}

impl Table {
    /// Names everything that the servers have. What depends on nothing but the names does not depend on the order
    /// in which servers start. Two things of the same name are both left out.
    pub(crate) fn of<'a>(
        lists: impl IntoIterator<Item = (&'a ServerName, Vec<&'a str>)>,
        most: usize,
    ) -> Self {
        let mut found: BTreeMap<String, Vec<(ServerName, String)>> = BTreeMap::new();
        for (server, names) in lists {
            for name in names {
                let exposed = exposed(server, name, most);
                let same = found.entry(exposed).or_default();
                let one = (server.clone(), name.to_owned());
                if !same.contains(&one) {
                    same.push(one);
                }
            }
        }
        let mut table = Self::default();
        for (exposed, same) in found {
            match <[_; 1]>::try_from(same) {
                Ok([one]) => {
                    table.by_exposed.insert(exposed, one);
                }
                Err(same) => table.collisions.extend(
                    same.iter()
                        .map(|(server, name)| format!("{name} of {server} ({exposed})")),
                ),
            }
        }
        table
    }

    /// Returns the server, and the name that it knows.
    pub(crate) fn get(&self, exposed: &str) -> Option<(&ServerName, &str)> {
        let (server, name) = self.by_exposed.get(exposed)?;
        Some((server, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(name: &str) -> ServerName {
        name.parse().unwrap()
    }

    #[test]
    fn a_name_that_fits_is_only_prefixed() {
        assert_eq!(exposed(&server("git"), "git_log", 60), "git__git_log");
        assert_eq!(exposed(&server("a"), &"b".repeat(57), 60).len(), 60);
    }

    #[test]
    fn other_names_are_cut_and_stay_apart() {
        let a = server("a");
        let long = |end: &str| exposed(&a, &format!("{}{end}", "b".repeat(100)), 49);
        assert_eq!(long("1").len(), 49);
        assert_ne!(long("1"), long("2"));
        let dotted = exposed(&a, "x.y", 60);
        assert!(
            dotted.starts_with("a__x_y_") && dotted.len() == 13,
            "{dotted}"
        );
        assert_ne!(dotted, exposed(&a, "x y", 60));
        assert!(exposed(&a, "ü", 20).is_ascii());
    }

    #[test]
    fn what_a_name_begins_with_says_which_servers_it_can_be_of() {
        let (a, ab) = (server("a"), server("a-b"));
        assert!(can_be_of(&a, "a__b", 60) && !can_be_of(&ab, "a__b", 60));
        assert!(!can_be_of(&a, "a-b__c", 60) && can_be_of(&ab, "a-b__c", 60));
        for name in ["c", "c.d", &"c".repeat(100)] {
            for most in [16, 60] {
                let long = server("a-server-with-a-long-name");
                for server in [&a, &ab, &long] {
                    let exposed = exposed(server, name, most);
                    assert!(can_be_of(server, &exposed, most), "{exposed}");
                }
            }
        }
        assert_eq!(without_server(&a, "a__b__c"), "b__c");
    }

    #[test]
    fn the_table_does_not_take_names_apart() {
        let (a, b) = (server("a"), server("a-b"));
        let table = Table::of([(&a, vec!["b__c", "c"]), (&b, vec!["c"])], 60);
        assert_eq!(table.get("a__b__c"), Some((&a, "b__c")));
        assert_eq!(table.get("a-b__c"), Some((&b, "c")));
        assert_eq!(table.get("a__d"), None);
        assert!(table.collisions.is_empty());
    }
}
