//! Times as people read them: local on a terminal, in UTC everywhere else.

use jiff::tz::TimeZone;
use mcplexer_secrets::Timestamp;

use crate::output::stdout_is_terminal;

/// What times on standard output are shown in.
pub(crate) enum Clock {
    /// The time zone of `TZ` or of the system.
    Local(TimeZone),
    /// UTC, on a terminal.
    Utc,
    /// UTC, for programs.
    Piped,
}

impl Clock {
    /// Returns local time for a terminal, unless `utc` is set.
    pub(crate) fn new(utc: bool) -> Self {
        match (stdout_is_terminal(), utc) {
            (true, false) => Self::Local(TimeZone::system()),
            (true, true) => Self::Utc,
            (false, _) => Self::Piped,
        }
    }

    /// Formats a time to the second: `2027-01-31 12:00:00 UTC`, `2027-01-31 13:00:00 +01:00`.
    pub(crate) fn seconds(&self, time: Timestamp) -> String {
        let Self::Local(zone) = self else {
            return crate::text::seconds(time);
        };
        let Some(local) = local(time, zone) else {
            return crate::text::seconds(time);
        };
        let offset = match local.offset().is_zero() {
            true => "UTC".to_owned(),
            false => local.strftime("%:z").to_string(),
        };
        format!("{} {offset}", local.strftime("%Y-%m-%d %H:%M:%S"))
    }

    /// Formats the day of a time: `2027-01-31`.
    pub(crate) fn date(&self, time: Timestamp) -> String {
        let Self::Local(zone) = self else {
            return crate::text::date(time);
        };
        let local = local(time, zone);
        local.map_or_else(
            || crate::text::date(time),
            |it| it.strftime("%Y-%m-%d").to_string(),
        )
    }

    /// Formats the time of a line in a log. A program gets it as it is, in RFC 3339.
    pub(crate) fn of_line(&self, text: &str) -> String {
        match (self, text.parse()) {
            (Self::Piped, _) | (_, Err(_)) => text.to_owned(),
            (_, Ok(time)) => self.seconds(time),
        }
    }
}

/// Returns a time in a time zone. `None` for one that cannot be shown, such as one in the year 10000.
fn local(time: Timestamp, zone: &TimeZone) -> Option<jiff::ZonedDateTime> {
    let micros = i64::try_from(time.as_micros()).ok()?;
    let time = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(time.to_zoned_datetime(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_local_or_in_utc() {
        let time: Timestamp = "2027-01-31T22:30:05.000001Z".parse().unwrap();
        let cairo = TimeZone::fixed(jiff::tz::offset(2));
        let local = Clock::Local(cairo);
        assert_eq!(local.seconds(time), "2027-02-01 00:30:05 +02:00");
        assert_eq!(local.date(time), "2027-02-01");
        assert_eq!(
            local.of_line("2027-01-31T22:30:05Z"),
            "2027-02-01 00:30:05 +02:00"
        );
        assert_eq!(local.of_line("nonsense"), "nonsense");
        for clock in [Clock::Local(TimeZone::UTC), Clock::Utc] {
            assert_eq!(clock.seconds(time), "2027-01-31 22:30:05 UTC");
            assert_eq!(clock.date(time), "2027-01-31");
        }
        assert_eq!(
            Clock::Piped.of_line("2027-01-31T22:30:05.5Z"),
            "2027-01-31T22:30:05.5Z"
        );
        let never = Timestamp::from_micros(u64::MAX);
        assert!(!Clock::Local(TimeZone::UTC).seconds(never).is_empty());
    }
}
