//! What is said about a secret besides its value, as people and programs give it.

use mcplexer_secrets::{Change, Note, RotateEvery, Timestamp};
use serde::{Deserialize, Deserializer};

use super::{invalid, parsed};
use crate::problem::Problem;

/// Reads a field that is there: `null` removes what it stands for.
pub(super) fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// Returns the change that a field asks for, which may be missing or `null`.
pub(super) fn change<T, U>(
    field: Option<Option<T>>,
    read: impl FnOnce(T) -> Result<U, Problem>,
) -> Result<Change<U>, Problem> {
    Ok(match field {
        None => Change::Keep,
        Some(None) => Change::Remove,
        Some(Some(it)) => Change::Set(read(it)?),
    })
}

/// Reads a note.
#[expect(clippy::needless_pass_by_value, reason = "it reads a field of a body")]
pub(super) fn note(text: String) -> Result<Note, Problem> {
    parsed(&text).map_err(|it| it.of("note"))
}

/// Reads a number of days after which to replace a value.
pub(super) fn interval(days: u32) -> Result<RotateEvery, Problem> {
    RotateEvery::try_from(days).map_err(|it| invalid(it).of("rotate_every_days"))
}

/// Reads a moment that has not passed: a date, which stands for its first moment in UTC, or a time as RFC 3339 has it.
#[expect(clippy::needless_pass_by_value, reason = "it reads a field of a body")]
pub(super) fn future(text: String) -> Result<Timestamp, Problem> {
    let is_date = text.len() == 10 && text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    let moment = match is_date {
        true => format!("{text}T00:00:00Z").parse(),
        false => text.parse(),
    };
    let moment: Timestamp = moment.map_err(|_| {
        Problem::invalid("expires takes a date (2027-01-31) or a time (2027-01-31T12:00:00Z)")
            .of("expires")
    })?;
    match moment > Timestamp::now() {
        true => Ok(moment),
        false => Err(Problem::invalid("expires takes a time that has not passed").of("expires")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expiry_is_a_date_or_a_time_that_has_not_passed() {
        for (text, expected) in [
            ("9998-01-31", "9998-01-31T00:00:00.000000Z"),
            ("9998-01-31T12:00:00Z", "9998-01-31T12:00:00.000000Z"),
            ("9998-01-31T12:00:00.5+02:00", "9998-01-31T10:00:00.500000Z"),
        ] {
            assert_eq!(future(text.to_owned()).unwrap().to_string(), expected);
        }
        for passed in ["2026-01-31", "1970-01-01T00:00:00Z"] {
            let refused = future(passed.to_owned()).unwrap_err();
            assert!(refused.title.contains("not passed"), "{passed}");
        }
        for bad in [
            "",
            "tomorrow",
            "9998-13-01",
            "9998-02-30",
            "9998-1-1",
            "1969-01-01",
            "30d",
            "hunter2-01",
            "99999-01-01",
        ] {
            let refused = future(bad.to_owned()).unwrap_err();
            assert_eq!(
                refused.title,
                "expires takes a date (2027-01-31) or a time (2027-01-31T12:00:00Z)"
            );
        }
    }

    #[test]
    fn a_missing_field_is_not_null() {
        #[derive(Deserialize)]
        struct Body {
            #[serde(default, deserialize_with = "given")]
            days: Option<Option<u32>>,
        }
        let changed = |text: &str| {
            let body: Body = serde_json::from_str(text).unwrap();
            change(body.days, interval)
        };
        assert_eq!(changed("{}").unwrap(), Change::Keep);
        assert_eq!(changed("{\"days\":null}").unwrap(), Change::Remove);
        let set = Change::Set(RotateEvery::try_from(90).unwrap());
        assert_eq!(changed("{\"days\":90}").unwrap(), set);
        assert!(changed("{\"days\":0}").is_err());
    }
}
