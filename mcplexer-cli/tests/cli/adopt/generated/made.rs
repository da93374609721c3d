//! Values in the servers of a file, and where each is.

use serde_json::json;

use super::credentials::LISTS;
use super::files::Entry;
use super::random::Random;
use super::rows::{Row, Rows};

/// How many servers a file has.
const SERVERS: usize = 50;
/// How many ordinary values a file has, besides those of every server.
const ORDINARY_VALUES: usize = 75;
/// Programs that start servers, which the tests stand in for.
pub(super) const PROGRAMS: [&str; 4] = ["npx", "uvx", "node", "docker"];

/// A value in a file, and where the report should have it.
pub(super) struct Inserted {
    pub(super) server: String,
    pub(super) place: &'static str,
    pub(super) name: String,
    pub(super) value: String,
    pub(super) row: String,
    pub(super) is_held_out: bool,
}

/// A file that is being made.
pub(super) struct Made {
    random: Random,
    pub(super) entries: Vec<Entry>,
    pub(super) credentials: Vec<Inserted>,
    pub(super) ordinary: Vec<Inserted>,
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

    fn insert(&mut self, rows: &[Rows; 2], row: usize, is_credential: bool, style: usize) {
        // Every second is held out.
        let is_held_out = row % 2 == 1;
        let rows = &rows[usize::from(is_held_out)];
        let table = match is_credential {
            true => &rows.credentials,
            false => &rows.ordinary,
        };
        let Row { name, option, form } = &table[row / 2 % table.len()];
        let value = self.random.form(form);
        let entry = &mut self.entries[row % SERVERS];
        let is_word = !value.contains(char::is_whitespace);
        let fits_a_header = is_word && !value.contains('$') && !value.contains("://");
        let (place, found, value) = match (entry.url.is_some(), style % 9) {
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
                entry.env.push(((*name).to_owned(), value.clone()));
                ("env", (*name).to_owned(), value)
            }
            (false, 6) => {
                let variable = format!("{}_OPTIONS", name.split('_').next().unwrap());
                if entry.env.iter().any(|(it, _)| *it == variable) {
                    return;
                }
                let options = json!({"region": "eu-1", "client": {camel(name): value}}).to_string();
                entry.env.push((variable.clone(), options.clone()));
                ("env", variable, options)
            }
            (false, _) if value.contains('\n') => return,
            (false, 7) => {
                entry.command.push(format!("--env={name}={value}"));
                ("argument", (entry.command.len() - 1).to_string(), value)
            }
            (false, 8) => {
                entry.command.push(format!("{name}={value}"));
                ("argument", (entry.command.len() - 1).to_string(), value)
            }
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
                entry.command.extend([option.clone(), value.clone()]);
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

/// Returns a name as JSON has it: `apiKey` for `API_KEY`.
fn camel(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split('_').map(str::to_owned);
    let first = words.next().unwrap();
    words.fold(first, |made, mut word| {
        if let Some(letter) = word.get_mut(..1) {
            letter.make_ascii_uppercase();
        }
        made + &word
    })
}

/// Makes the values of the file of a client, given by its number.
pub(super) fn make(number: usize, rows: &[Rows; 2]) -> Made {
    let mut made = Made::new(20_261_128 + number as u64);
    let mut row = number * 37;
    while made.credentials.len() < 86 {
        made.insert(rows, row, true, row / 7 + number);
        row += 1;
    }
    let mut row = number * 41;
    while made.ordinary.len() < ORDINARY_VALUES {
        made.insert(rows, row, false, row / 5 + number);
        row += 1;
    }
    made.insert_forms(number);
    made
}
