//! The rows that values are made of: the name of a variable, its option, and the form of the value.

use super::credentials::CREDENTIALS;
use super::held_out;
use super::ordinary::ORDINARY;

pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) option: String,
    pub(super) form: String,
}

/// Rows of credentials and rows of ordinary values.
pub(super) struct Rows {
    pub(super) credentials: Vec<Row>,
    pub(super) ordinary: Vec<Row>,
}

impl Rows {
    /// Returns the rows that the rules were made with, and the ones that were written after them.
    pub(super) fn of_the_rules() -> [Self; 2] {
        let rows = |table: &'static [(&str, &str, &str)]| {
            let row = |&(name, option, form): &(&'static str, &str, &str)| Row {
                name,
                option: option.to_owned(),
                form: form.to_owned(),
            };
            table.iter().map(row).collect()
        };
        [
            Self {
                credentials: rows(CREDENTIALS),
                ordinary: rows(ORDINARY),
            },
            Self {
                credentials: rows(held_out::CREDENTIALS),
                ordinary: rows(held_out::ORDINARY),
            },
        ]
    }

    /// Returns the rows that were written without a look at the rules, which were then fixed for the first of them, and
    /// after that for the second.
    pub(super) fn unseen() -> [Self; 2] {
        [
            Self::read(
                include_str!("unseen/first_credentials.txt"),
                include_str!("unseen/first_ordinary.txt"),
            ),
            Self::read(
                include_str!("unseen/second_credentials.txt"),
                include_str!("unseen/second_ordinary.txt"),
            ),
        ]
    }

    /// Returns the rows that were written after that, of other services and kinds, in two halves.
    pub(super) fn unseen_later() -> [Self; 2] {
        Self::halves(
            include_str!("unseen/third_credentials.txt"),
            include_str!("unseen/third_ordinary.txt"),
        )
    }

    /// Returns the rows of public tool servers, which were written before a look at the rules, and the rows of what
    /// people host themselves and of services of other countries, after the rules were fixed for those.
    pub(super) fn unseen_last() -> [Self; 2] {
        [
            Self::read(
                include_str!("unseen/fourth_credentials.txt"),
                include_str!("unseen/fourth_ordinary.txt"),
            ),
            Self::read(
                include_str!("unseen/fifth_credentials.txt"),
                include_str!("unseen/fifth_ordinary.txt"),
            ),
        ]
    }

    /// Returns the rows of public tool servers that were written after that, again before a look at the rules, in two
    /// halves.
    pub(super) fn unseen_sixth() -> [Self; 2] {
        Self::halves(
            include_str!("unseen/sixth_credentials.txt"),
            include_str!("unseen/sixth_ordinary.txt"),
        )
    }

    /// Returns the rows of many kinds of servers that were written after that, in two halves.
    pub(super) fn unseen_seventh() -> [Self; 2] {
        Self::halves(
            include_str!("unseen/seventh_credentials.txt"),
            include_str!("unseen/seventh_ordinary.txt"),
        )
    }

    fn halves(credentials: &'static str, ordinary: &'static str) -> [Self; 2] {
        let mut first = Self::read(credentials, ordinary);
        let second = Self {
            credentials: first.credentials.split_off(first.credentials.len() / 2),
            ordinary: first.ordinary.split_off(first.ordinary.len() / 2),
        };
        [first, second]
    }

    fn read(credentials: &'static str, ordinary: &'static str) -> Self {
        Self {
            credentials: credentials.lines().map(row).collect(),
            ordinary: ordinary.lines().map(row).collect(),
        }
    }
}

/// Returns the row of a line: the name, a space, and the form, in which `\n` is a line feed.
fn row(line: &'static str) -> Row {
    let (name, form) = line.split_once(' ').unwrap();
    let option = format!("--{}", name.to_ascii_lowercase().replace('_', "-"));
    let form = match form.contains("-----BEGIN") && !form.starts_with('{') {
        true => form.replace("\\n", "\n"),
        false => form.to_owned(),
    };
    Row { name, option, form }
}
