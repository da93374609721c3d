//! Credentials and ordinary values in files of every client: which are found, and which are taken for some.

mod credentials;
mod files;
mod held_out;
mod ordinary;
mod random;

use std::collections::HashSet;
use std::fs;

use serde_json::Value;

use crate::home::{Home, finish, write_program};
use credentials::{CREDENTIALS, LISTS};
use files::{CLIENTS, Entry};
use ordinary::ORDINARY;
use random::Random;

/// How many servers a file has.
const SERVERS: usize = 50;
/// How many ordinary values a file has, besides those of every server.
const ORDINARY_VALUES: usize = 75;
/// Programs that start servers, which the tests stand in for.
const PROGRAMS: [&str; 4] = ["npx", "uvx", "node", "docker"];

/// A value in a file, and where the report should have it.
struct Inserted {
    server: String,
    place: &'static str,
    name: String,
    value: String,
    row: String,
    is_held_out: bool,
}

/// A file that is being made.
struct Made {
    random: Random,
    entries: Vec<Entry>,
    credentials: Vec<Inserted>,
    ordinary: Vec<Inserted>,
}

impl Made {
    fn new(seed: u64) -> Self {
        let mut made = Self {
            random: Random(seed),
            entries: Vec::new(),
            credentials: Vec::new(),
            ordinary: Vec::new(),
        };
        for at in 0..SERVERS {
            // Every fifth is remote.
            let program = PROGRAMS[at % PROGRAMS.len()];
            let command: &[&str] = match program {
                "npx" => &["npx", "-y", "@acme/mcp-server-shop@1.4.2"],
                "uvx" => &[
                    "uvx",
                    "--from",
                    "git+https://github.com/acme/mcp-shop",
                    "mcp-shop",
                ],
                "node" => &["node", "/home/jane/src/mcp-shop/build/index.js"],
                _ => &["docker", "run", "-i", "--rm", "ghcr.io/acme/mcp-shop:v2"],
            };
            let is_remote = at % 5 == 4;
            made.entries.push(Entry {
                name: format!("shop-{at}"),
                command: match is_remote {
                    true => Vec::new(),
                    false => command.iter().map(|&it| it.to_owned()).collect(),
                },
                env: Vec::new(),
                headers: Vec::new(),
                url: is_remote.then(|| "https://mcp.example.com/v1/sse".to_owned()),
            });
        }
        made
    }

    fn insert(&mut self, at: usize, row: usize, is_credential: bool, style: usize) {
        // Every second is held out.
        let is_held_out = row % 2 == 1;
        let table = match (is_credential, is_held_out) {
            (true, false) => CREDENTIALS,
            (true, true) => held_out::CREDENTIALS,
            (false, false) => ORDINARY,
            (false, true) => held_out::ORDINARY,
        };
        let (name, option, form) = table[row / 2 % table.len()];
        let value = self.random.form(form);
        let entry = &mut self.entries[at % SERVERS];
        let is_word = !value.contains(char::is_whitespace);
        let fits_a_header = is_word && !value.contains('$') && !value.contains("://");
        let (place, found, value) = match (entry.url.is_some(), style % 6) {
            (true, 0..=3) if !fits_a_header => return,
            (true, 0) if is_credential && entry.headers.is_empty() => {
                entry
                    .headers
                    .push(("Authorization".to_owned(), format!("Bearer {value}")));
                ("header", "Authorization".to_owned(), value)
            }
            (true, 0..=3) => {
                let header = format!("X-{}", name.replace('_', "-"));
                if entry.headers.iter().any(|(it, _)| *it == header) {
                    return;
                }
                entry.headers.push((header.clone(), value.clone()));
                ("header", header, value)
            }
            (true, _) => {
                let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
                if entry.url.as_ref().unwrap().contains('?') || !value.chars().all(is_plain) {
                    return;
                }
                let parameter = name.to_ascii_lowercase();
                let url = entry.url.take().unwrap();
                entry.url = Some(format!("{url}?region=eu&{parameter}={value}"));
                ("url", String::new(), value)
            }
            (false, 0..=2) => {
                if entry.env.iter().any(|(it, _)| it == name) {
                    return;
                }
                entry.env.push((name.to_owned(), value.clone()));
                ("env", name.to_owned(), value)
            }
            (false, _) if value.contains('\n') => return,
            (false, 3) if option.starts_with("--") => {
                entry.command.push(format!("{option}={value}"));
                ("argument", (entry.command.len() - 1).to_string(), value)
            }
            (false, 4) if is_credential && fits_a_header => {
                let header = format!(
                    "{}: {value}",
                    ["X-Api-Key", "Authorization", "X-Auth-Token"][row % 3]
                );
                entry.command.extend(["--header".to_owned(), header]);
                ("argument", (entry.command.len() - 1).to_string(), value)
            }
            (false, _) => {
                entry.command.extend([option.to_owned(), value.clone()]);
                ("argument", (entry.command.len() - 1).to_string(), value)
            }
        };
        let inserted = Inserted {
            server: entry.name.clone(),
            place,
            name: found,
            value,
            row: format!("{name} {option} {form} in {place}"),
            is_held_out,
        };
        match is_credential {
            true => self.credentials.push(inserted),
            false => self.ordinary.push(inserted),
        }
    }

    /// Inserts credentials of which the form is not only that of one value.
    fn insert_forms(&mut self, row: usize) {
        let password = self.random.form("{a12}");
        let (list, form) = LISTS[row % LISTS.len()];
        let list_value = [0; 3].map(|_| self.random.form(form)).join(",");
        let token = self.random.form("{a32}");
        let accounts = format!(r#"[{{"user": "me", "password": "{password}"}}]"#);
        let headers = format!("X-API-Key={password}");
        let settings = format!(r#"{{"region": "eu-1", "auth": {{"apiKey": "{token}"}}}}"#);
        let fields =
            format!(r#"{{"Authorization": "Bearer {token}", "Notion-Version": "2022-06-28"}}"#);
        let env = [
            (list, list_value),
            ("ACCOUNTS", accounts),
            ("EXTRA_HEADERS", headers),
            ("SETTINGS", settings),
            ("OPENAPI_MCP_HEADERS", fields),
            ("BASIC_AUTH", format!("me:{password}")),
        ];
        let first = |made: &Self, command: bool| {
            let is_it = |it: &&Entry| it.command.is_empty() != command;
            made.entries
                .iter()
                .rev()
                .filter(is_it)
                .nth(row % 20)
                .unwrap()
                .name
                .clone()
        };
        let server = first(self, true);
        let entry = self
            .entries
            .iter_mut()
            .find(|it| it.name == server)
            .unwrap();
        let mut found = Vec::new();
        for (name, value) in env {
            if !entry.env.iter().any(|(it, _)| it == name) {
                entry.env.push((name.to_owned(), value.clone()));
                found.push(("env", name.to_owned(), value));
            }
        }
        let login = format!("me:{password}");
        let arguments = [
            ("-u", login.clone()),
            ("--basic-auth", login),
            ("-e", format!("SHOP_API_KEY={token}")),
            ("-H", format!("Authorization: Bearer {token}")),
            ("", format!("-p{password}1")),
            ("", format!("--headers={{\"X-Api-Key\": \"{token}\"}}")),
            ("", format!("https://mcp.example.com/{token}/sse")),
            ("", format!("https://mcp.example.com/sse#{token}")),
        ];
        for (option, value) in arguments {
            if !option.is_empty() {
                entry.command.push(option.to_owned());
            }
            entry.command.push(value.clone());
            found.push(("argument", (entry.command.len() - 1).to_string(), value));
        }
        for (place, name, value) in found {
            self.credentials.push(Inserted {
                row: format!("{name} {value} in {place}"),
                server: server.clone(),
                place,
                name,
                value,
                is_held_out: false,
            });
        }
    }
}

fn make(number: usize) -> Made {
    let mut made = Made::new(20_261_128 + number as u64);
    let mut row = number * 37;
    while made.credentials.len() < 86 {
        made.insert(row, row, true, row / 7 + number);
        row += 1;
    }
    let mut row = number * 41;
    while made.ordinary.len() < ORDINARY_VALUES {
        made.insert(row, row, false, row / 5 + number);
        row += 1;
    }
    made.insert_forms(number);
    made
}

/// Returns the findings that are, or are taken for, credentials: server, place and name.
fn reported(document: &Value) -> HashSet<(String, String, String)> {
    let findings = document["files"][0]["findings"].as_array().unwrap().iter();
    let reported = findings.filter(|it| !it["reason"].is_null());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let member = |it: &Value| {
        let (place, name) = (text(&it["place"]), text(&it["name"]));
        (text(&it["server"]), place, name)
    };
    reported.map(member).collect()
}

fn is_in(reported: &HashSet<(String, String, String)>, it: &Inserted) -> bool {
    reported.contains(&(it.server.clone(), it.place.to_owned(), it.name.clone()))
}

/// Starts adopted servers as a client does, and compares their environment.
fn assert_started(home: &Home, made: &Made, document: &Value) {
    let findings = document["files"][0]["findings"].as_array().unwrap();
    let others = ["HOME", "PATH"];
    let is_started = |it: &&Entry| {
        let moves = |finding: &Value| finding["server"] == *it.name && finding["scope"].is_string();
        findings.iter().any(moves) && !it.env.iter().any(|(name, _)| others.contains(&&**name))
    };
    for entry in made.entries.iter().filter(is_started).step_by(13) {
        let mut server = home.command();
        server.arg("run").args(&entry.command);
        server.env("PATH", home.root().join("bin"));
        let mut expected = Vec::new();
        for (name, value) in &entry.env {
            let finding = findings
                .iter()
                .find(|it| it["server"] == entry.name.as_str() && it["name"] == name.as_str());
            let finding = finding.unwrap();
            let given = match (finding["scope"].as_str(), finding["key"].as_str()) {
                (Some(scope), Some(key)) => format!("mcplexer://{scope}/{key}?adopted"),
                _ => value.clone(),
            };
            server.env(name, given);
            expected.push(format!("{name}={value}\0"));
        }
        finish(&mut server).succeeded();
        let environment = fs::read_to_string(home.root().join("env")).unwrap();
        for variable in expected {
            assert!(environment.contains(&variable), "{}", entry.name);
        }
    }
}

#[test]
fn credentials_are_found_and_ordinary_values_are_not_in_files_of_every_client() {
    let (mut credentials, mut ordinary) = (0, 0);
    let (mut missed, mut taken) = ([0; 2], [0; 2]);
    let shows_held_out = std::env::var_os("MCPLEXER_TEST_SHOW_HELD_OUT").is_some();
    let mut shown = String::new();
    for (number, &(name, format)) in CLIENTS.iter().enumerate() {
        let made = make(number);
        let home = Home::new();
        fs::create_dir(home.root().join("bin")).unwrap();
        for program in PROGRAMS {
            let script = "#!/bin/sh\n/usr/bin/env -0 > \"$HOME/env\"\n";
            write_program(&home.root().join("bin").join(program), script);
        }
        let path = home.root().join(name);
        let text = files::write(format, &made.entries);
        fs::write(&path, &text).unwrap();
        let run = home.run(["adopt", "--json", name, "--write"]).succeeded();
        let document: Value = serde_json::from_str(run.text()).unwrap();
        let reported = reported(&document);
        assert_eq!(
            document["files"][0]["written"], true,
            "{name}: {}",
            run.stderr
        );
        credentials += made.credentials.len();
        ordinary += made.ordinary.len();
        for it in made.credentials.iter().filter(|it| !is_in(&reported, it)) {
            missed[usize::from(it.is_held_out)] += 1;
            if shows_held_out || !it.is_held_out {
                shown += &format!("missed in {name}: {}: {}\n", it.row, it.value);
            }
        }
        for it in made.ordinary.iter().filter(|it| is_in(&reported, it)) {
            taken[usize::from(it.is_held_out)] += 1;
            if shows_held_out || !it.is_held_out {
                shown += &format!("taken in {name}: {}: {}\n", it.row, it.value);
            }
        }
        assert_started(&home, &made, &document);
        let adopted = fs::read_to_string(&path).unwrap();
        for finding in document["files"][0]["findings"].as_array().unwrap() {
            if let (Some(scope), Some(key)) = (finding["scope"].as_str(), finding["key"].as_str()) {
                assert!(
                    adopted.contains(&format!("mcplexer://{scope}/{key}?adopted")),
                    "{name}"
                );
            }
        }
        home.run(["adopt", "--undo", name]).succeeded();
        assert!(fs::read_to_string(&path).unwrap() == text, "{name}");
    }
    eprintln!(
        "{shown}{credentials} credentials, missed {missed:?}; {ordinary} ordinary values, taken {taken:?}"
    );
    assert!(
        credentials >= 2_600 && ordinary >= 1_900,
        "{credentials} {ordinary}"
    );
    assert!(missed[0] + missed[1] <= 5 && taken[0] + taken[1] <= 5);
}
