//! redb trusts the file it reads and panics on some damage, and so does age with SSH keys. Here a
//! panic becomes a value.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic inside it is `None`, and prints nothing.
///
/// The process's panic hook is wrapped once, so that it stays silent for panics that are caught
/// here and is what it was for all others.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                previous(info);
            }
        }));
    });
    let outer = CAUGHT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    CAUGHT.set(outer);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_the_next_call_works() {
        assert_eq!(catch(|| -> u8 { panic!("damaged page") }), None);
        assert_eq!(catch(|| 7), Some(7));
        assert!(!CAUGHT.get());
    }
}
