//! Who opens the store, and whether that is likely to last.

use mcplexer_secrets::keys::Ask;
use mcplexer_secrets::{SlotKind, Timestamp};

use super::{DAY_MICROS, Report, Severity};
use crate::open::OpenHome;

/// A key in use for longer is worth a note.
const OLD_KEY_DAYS: u64 = 365;

pub(super) fn examine(open: &OpenHome, is_locked: bool, fix: bool, report: &mut Report) {
    let Ok(slots) = open.store().slots() else {
        // The store cannot be read, and that has been reported.
        return;
    };
    // Without a key, no recovery code can be created.
    if slots.len() == 1 && !is_locked {
        report.add(
            Severity::Warning,
            "one-owner",
            "only one key opens this store, and there is no recovery code",
            "mcplexer key recovery",
        );
    }
    for slot in slots.iter().filter(|slot| slot.kind == SlotKind::Key) {
        if let Some(days) = old(slot.created, Timestamp::now()) {
            let what = format!("the key of {} is {days} days old", slot.label);
            report.add(Severity::Note, "old-key", what, "mcplexer key rotate");
        }
    }
    let writer = open.keys().writer();
    let unfinished = writer.and_then(|keys| keys.unfinished(Ask::Never).ok());
    if unfinished.is_some_and(|unfinished| !unfinished.is_empty()) {
        report.add(
            Severity::Warning,
            "rotation-unfinished",
            "a key rotation was interrupted: the key file holds one key too many",
            "mcplexer key rotate",
        );
        if fix && open.store().tidy_keys().is_ok_and(|tidied| tidied) {
            report.fixed("removed the key that is not in use from the key file");
        }
    }
}

/// The age of a key in days, if it is worth a note.
fn old(created: Timestamp, now: Timestamp) -> Option<u64> {
    let age = now.as_micros().saturating_sub(created.as_micros());
    (age > OLD_KEY_DAYS * DAY_MICROS).then_some(age / DAY_MICROS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_old_after_a_year() {
        let day = |day: u64| Timestamp::from_micros(day * DAY_MICROS);
        assert_eq!(old(day(1), day(367)), Some(366));
        assert_eq!(old(day(1), day(366)), None);
        assert_eq!(old(day(2), day(1)), None, "the clock was set back");
    }
}
