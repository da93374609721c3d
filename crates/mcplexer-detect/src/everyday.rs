//! Recognises values that are in everybody's files: settings, not secrets.

use crate::name::{Says, says};
use crate::value::lower;

mod words;

use words::{AREAS, UNITS, WORDS};

/// Most digits of a number that is ordinary whatever it counts: ports have up to five.
const DIGITS: usize = 5;

/// Returns whether a value is one that most projects have in their files, such as `true`, `8080`,
/// `production` or `us-east-1`. To search for it, or to hide it, would hit every file and every log.
///
/// A password or a key may be any word or number. So under a name that announces one, only `true`, `false`
/// and the like are everyday values.
///
/// ```
/// use mcplexer_detect::is_everyday;
/// assert!(is_everyday("PORT", "8080"));
/// assert!(!is_everyday("PIN", "8080"));
/// assert!(!is_everyday("DB_PASSWORD", "production"));
/// ```
#[must_use]
pub fn is_everyday(name: &str, value: &str) -> bool {
    let value = lower(value.trim());
    if matches!(
        value.as_str(),
        "true" | "false" | "null" | "none" | "undefined"
    ) {
        return true;
    }
    if matches!(
        says(name),
        Says::Password | Says::Secret | Says::Perhaps | Says::Pin
    ) {
        return false;
    }
    WORDS.contains(&value.as_str())
        || is_ordinary_number(&value)
        || is_own_address(&value)
        || is_region(&value)
        || is_locale(&value)
        || AREAS.iter().any(|area| is_time_zone(&value, area))
}

/// Recognises `8080`, `600000`, `0.25`, `1.2.3`, `v2`, `30s` and `512mb`.
fn is_ordinary_number(value: &str) -> bool {
    let value = value.strip_prefix(['-', 'v']).unwrap_or(value);
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%');
    let unit = value.get(number.len()..).unwrap_or_default();
    let is_unit = unit.is_empty() || UNITS.contains(&unit);
    let parts = number.split(['.', '_']);
    let is_part = |part: &str| {
        let round = part.trim_end_matches('0');
        let few = part.len() <= DIGITS || round.len() <= 2;
        !part.is_empty() && few && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    is_unit && parts.clone().count() <= 3 && parts.clone().all(is_part)
}

/// Recognises the addresses by which a host calls itself, also in a URL without a path.
fn is_own_address(value: &str) -> bool {
    let after_scheme = value.split_once("://").map_or(value, |(_, rest)| rest);
    let address = after_scheme.strip_suffix('/').unwrap_or(after_scheme);
    let (host, port) = match address.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && !host.ends_with(':') => (host, port),
        _ => (address, ""),
    };
    let hosts = [
        "localhost",
        "127.0.0.1",
        "0.0.0.0",
        "::1",
        "[::1]",
        "host.docker.internal",
    ];
    hosts.contains(&host) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Recognises a region of a cloud: `us-east-1`, `eu-west-2`, `europe-west1`.
fn is_region(value: &str) -> bool {
    let (place, number) =
        value.split_at(value.trim_end_matches(|c: char| c.is_ascii_digit()).len());
    let mut words = place.trim_end_matches('-').split('-');
    let first = words.next().unwrap_or_default();
    let places = [
        "us",
        "eu",
        "ap",
        "sa",
        "ca",
        "me",
        "af",
        "il",
        "mx",
        "europe",
        "asia",
        "australia",
        "northamerica",
        "southamerica",
        "africa",
    ];
    let directions = [
        "east",
        "west",
        "north",
        "south",
        "central",
        "northeast",
        "northwest",
        "southeast",
        "southwest",
    ];
    places.contains(&first)
        && words.next().is_some_and(|it| directions.contains(&it))
        && words.next().is_none()
        && matches!(number.len(), 1 | 2)
}

/// Recognises `en_us`, `de-ch` and `en_us.utf-8`.
fn is_locale(value: &str) -> bool {
    let (place, encoding) = value.split_once('.').unwrap_or((value, "utf-8"));
    let two = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_place = place
        .split_once(['_', '-'])
        .is_some_and(|(a, b)| two(a) && two(b));
    (is_place || place == "c") && matches!(encoding, "utf-8" | "utf8")
}

fn is_time_zone(value: &str, area: &str) -> bool {
    let city = value.strip_prefix(area).and_then(|it| it.strip_prefix('/'));
    city.is_some_and(|city| {
        !city.is_empty()
            && city
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || b"_/".contains(&byte))
    })
}

#[cfg(test)]
mod tests {
    use super::is_everyday;

    #[test]
    fn settings_are_everyday_values() {
        for value in [
            "true",
            "FALSE",
            "yes",
            "8080",
            "5432",
            "65535",
            "300000",
            "0.25",
            "1.2.3",
            "v1.2",
            "30s",
            "512MB",
            "production",
            "Development",
            "staging",
            "localhost",
            "localhost:3000",
            "http://localhost:3000",
            "https://127.0.0.1:8443/",
            "0.0.0.0",
            "::1",
            "debug",
            "INFO",
            "us-east-1",
            "europe-west1",
            "en_US.UTF-8",
            "de-CH",
            "UTC",
            "Europe/Berlin",
            "utf-8",
            "application/json",
            "postgres",
            "root",
            "default",
            "disabled",
            "3000\n",
        ] {
            assert!(is_everyday("SETTING", value), "{value}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_none() {
        for value in [
            "sunshine",
            "hunter2",
            "123456",
            "20240117",
            "4711-0815",
            "monkey",
            "letmein",
            "10.12.7.33",
            "http://localhost:3000/hook/x7",
            "http://me:pw@localhost",
            "db.internal",
            "a1b2",
            "1a2b3c",
            "0xdeadbeef",
            "correct horse",
            "us-east-prod-1",
            "europe/x9",
            "1.2.3.4",
            "",
        ] {
            assert!(!is_everyday("SETTING", value), "{value}");
        }
    }

    /// A word of the dictionary is a password where its name says so.
    #[test]
    fn no_word_is_an_everyday_value_under_a_secret_name() {
        for name in [
            "DB_PASSWORD",
            "dbPass",
            "API_TOKEN",
            "PIN",
            "SIGNING_KEY",
            "OTP",
        ] {
            for value in ["production", "8080", "root", "localhost", "info"] {
                assert!(!is_everyday(name, value), "{name}={value}");
            }
            assert!(is_everyday(name, "true"), "{name}");
        }
    }
}
