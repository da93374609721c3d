//! Times as people type them.

use mcplexer_secrets::Timestamp;

const MICROS_PER_SECOND: u64 = 1_000_000;

/// The rule, for errors.
const RULE: &str =
    "takes a date (2027-01-31), a time (2027-01-31T12:00:00Z) or a time from now (30d, 12h)";

/// Parses a moment: a date, which stands for its first moment in UTC, a time as RFC 3339 has it, or a number of
/// weeks, days or hours from now.
pub(super) fn moment(text: &str) -> Result<Timestamp, &'static str> {
    parse(text, Timestamp::now(), u64::checked_add).ok_or(RULE)
}

/// Parses a moment that has not passed.
pub(super) fn future(text: &str) -> Result<Timestamp, &'static str> {
    let moment = moment(text)?;
    match moment > Timestamp::now() {
        true => Ok(moment),
        false => Err("takes a time that has not passed"),
    }
}

/// Parses a moment in the past: as [`moment`] does, but a number of weeks, days or hours counts back from now.
pub(super) fn past(text: &str) -> Result<Timestamp, &'static str> {
    let moment = parse(text, Timestamp::now(), u64::checked_sub);
    moment
        .ok_or("takes a date (2027-01-31), a time (2027-01-31T12:00:00Z) or a time ago (30d, 12h)")
}

/// Parses a moment. `from_now` adds a duration to now or takes it away, in microseconds.
fn parse(text: &str, now: Timestamp, from_now: fn(u64, u64) -> Option<u64>) -> Option<Timestamp> {
    let is_date = text.len() == 10 && text.bytes().all(|it| it.is_ascii_digit() || it == b'-');
    if is_date {
        return format!("{text}T00:00:00Z").parse().ok();
    }
    let (number, hours) = [('h', 1), ('d', 24), ('w', 24 * 7)]
        .into_iter()
        .find_map(|(unit, hours)| Some((text.strip_suffix(unit)?, hours)))
        .unwrap_or_default();
    if number.is_empty() || !number.bytes().all(|it| it.is_ascii_digit()) {
        return text.parse().ok();
    }
    let seconds = number.parse::<u64>().ok()?.checked_mul(hours * 3600)?;
    let micros = seconds.checked_mul(MICROS_PER_SECOND)?;
    let moment = Timestamp::from_micros(from_now(now.as_micros(), micros)?);
    // A time that cannot be shown, such as one in the year 10000.
    (moment.to_string().parse() == Ok(moment)).then_some(moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_date_a_time_or_a_number_of_hours_days_or_weeks() {
        let now = "2026-05-28T20:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2027-01-31", "2027-01-31T00:00:00.000000Z"),
            ("2027-01-31T12:00:00Z", "2027-01-31T12:00:00.000000Z"),
            ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00.000000Z"),
            ("12h", "2026-05-29T08:00:00.000000Z"),
            ("30d", "2026-06-27T20:00:00.000000Z"),
            ("2w", "2026-06-11T20:00:00.000000Z"),
            ("0d", "2026-05-28T20:00:00.000000Z"),
        ] {
            let moment = parse(text, now, u64::checked_add).map(|it| it.to_string());
            assert_eq!(moment.as_deref(), Some(expected), "{text}");
        }
        for bad in [
            "",
            "d",
            "30",
            "-1d",
            "+1d",
            "1.5d",
            "30m",
            "2027-13-01",
            "2027-02-30",
            "tomorrow",
            "99999999d",
            "99999999999999999999d",
            "2027-01-31 12:00",
        ] {
            assert_eq!(parse(bad, now, u64::checked_add), None, "{bad}");
        }
    }

    #[test]
    fn a_duration_counts_back_where_the_past_is_meant() {
        let now = "2026-05-28T20:00:00Z".parse().unwrap();
        let ago = |text| parse(text, now, u64::checked_sub).map(|it| it.to_string());
        assert_eq!(ago("12h").as_deref(), Some("2026-05-28T08:00:00.000000Z"));
        assert_eq!(ago("2w").as_deref(), Some("2026-05-14T20:00:00.000000Z"));
        assert_eq!(
            ago("2026-05-28").as_deref(),
            Some("2026-05-28T00:00:00.000000Z")
        );
        assert_eq!(ago("99999d"), None, "before 1970");
        assert!(past("yesterday").is_err());
    }

    #[test]
    fn what_has_passed_is_no_time_to_come() {
        assert!(future("2020-01-01").is_err());
        assert!(future("0d").is_err());
        assert!(future("1h").is_ok());
    }
}
