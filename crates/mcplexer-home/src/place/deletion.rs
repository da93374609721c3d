//! What to run to delete a store on a server.

use super::{Engine, StoreUrl};

/// The schema of a store, and the prefix of its keys, if the URL names none.
const NAME: &str = "mcplexer";
/// The options of a URL that PostgreSQL's own programs do not know.
const OWN_OPTIONS: [&str; 2] = ["schema", "passwordfile"];
/// Under which keys of its prefix a store in etcd is, besides `head`. Another store may be under the same prefix.
const PARTS: [&str; 5] = ["data", "long", "lock", "done", "next"];

impl StoreUrl {
    /// Returns the commands that delete the store on the server, one a line, for a shell.
    #[must_use]
    pub fn deletion(&self) -> String {
        let (address, options) = self.url.split_once('?').unwrap_or((&self.url, ""));
        let options = options.split('&').filter(|it| !it.is_empty());
        let options: Vec<_> = options
            .map(|it| it.split_once('=').unwrap_or((it, "")))
            .collect();
        match self.engine {
            Engine::Postgres => from_postgres(address, &options),
            Engine::Etcd => from_etcd(address, &options),
        }
    }
}

fn value<'o>(options: &[(&'o str, &'o str)], name: &str) -> Option<&'o str> {
    let mut options = options.iter();
    let found = options.find(|(of, _)| *of == name);
    found.map(|(_, value)| *value)
}

fn from_postgres(address: &str, options: &[(&str, &str)]) -> String {
    let schema = value(options, "schema").unwrap_or(NAME);
    let others = options.iter().filter(|(it, _)| !OWN_OPTIONS.contains(it));
    let others: Vec<_> = others.map(|(it, value)| format!("{it}={value}")).collect();
    let url = match &*others.join("&") {
        "" => address.to_owned(),
        others => format!("{address}?{others}"),
    };
    format!("psql {} -c 'DROP SCHEMA {schema} CASCADE'", quoted(&url))
}

fn from_etcd(address: &str, options: &[(&str, &str)]) -> String {
    let (_, place) = address.split_once("://").unwrap_or_default();
    let (nodes, prefix) = place.split_once('/').unwrap_or((place, ""));
    let prefix = match prefix.trim_matches('/') {
        "" => NAME,
        prefix => prefix,
    };
    let scheme = match value(options, "tls") {
        Some("off") => "http",
        _ => "https",
    };
    let nodes = nodes.split(',').map(|node| {
        // The colons of an address of IPv6 are in brackets.
        let has_port = node.rsplit_once(':').is_some_and(|it| !it.1.contains(']'));
        let port = if has_port { "" } else { ":2379" };
        format!("{scheme}://{node}{port}")
    });
    let nodes: Vec<_> = nodes.collect();
    let mut etcdctl = format!("etcdctl --endpoints={}", quoted(&nodes.join(",")));
    for name in ["cacert", "cert", "key", "user"] {
        if let Some(value) = value(options, name) {
            etcdctl.push_str(&format!(" --{name}={}", quoted(value)));
        }
    }
    let parts = PARTS.map(|part| format!("{etcdctl} del --prefix {prefix}/{part}/"));
    format!("{etcdctl} del {prefix}/head\n{}", parts.join("\n"))
}

/// Formats a text as one word of a shell command.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn deletion(url: &str) -> String {
        StoreUrl::parse(OsStr::new(url)).unwrap().deletion()
    }

    #[test]
    fn the_command_that_deletes_a_store_names_its_server_and_its_schema() {
        for (url, named, schema) in [
            ("postgres://ann@db/team", "postgres://ann@db/team", NAME),
            ("postgres://db?schema=ops", "postgres://db", "ops"),
            (
                "postgres://db/it's?sslmode=disable&schema=ops&passwordfile=f&user=a",
                r"postgres://db/it'\''s?sslmode=disable&user=a",
                "ops",
            ),
        ] {
            let expected = format!("psql '{named}' -c 'DROP SCHEMA {schema} CASCADE'");
            assert_eq!(deletion(url), expected);
        }
    }

    #[test]
    fn the_commands_that_delete_a_store_leave_others_under_its_prefix() {
        for (url, etcdctl, prefix) in [
            (
                "etcd://a:2380,[::1]/team/",
                "etcdctl --endpoints='https://a:2380,https://[::1]:2379'",
                "team",
            ),
            (
                "etcd://a/team/ops?cacert=ca.pem&user=ann",
                "etcdctl --endpoints='https://a:2379' --cacert='ca.pem' --user='ann'",
                "team/ops",
            ),
            (
                "etcd://a?tls=off",
                "etcdctl --endpoints='http://a:2379'",
                NAME,
            ),
        ] {
            let deletion = deletion(url);
            let mut lines = deletion.lines();
            assert_eq!(lines.next(), Some(&*format!("{etcdctl} del {prefix}/head")));
            let lines: Vec<_> = lines.collect();
            let part = |it| format!("{etcdctl} del --prefix {prefix}/{it}/");
            assert_eq!(lines, PARTS.map(part));
        }
    }
}
