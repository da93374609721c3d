//! Turns panics of dependencies into errors: redb trusts the file it reads and panics on some
//! damage, and age panics on some SSH keys.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

thread_local! {
    static CATCHING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this library would catch a panic of the current thread.
///
/// This library turns some panics of its dependencies into errors: `redb` panics on some damaged
/// files, and `age` on some SSH keys. The process's panic hook still runs for them and, by default,
/// prints their message. A program that shows only the error can set a hook that calls this
/// function:
///
/// ```
/// let default = std::panic::take_hook();
/// std::panic::set_hook(Box::new(move |info| {
///     if !mcplexer_secrets::is_catching_panic() {
///         default(info);
///     }
/// }));
/// ```
///
/// The library itself never sets a hook.
#[must_use]
pub fn is_catching_panic() -> bool {
    CATCHING.get()
}

/// Runs `work`. Returns `None` if it panics.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Option<T> {
    let outer = CATCHING.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work)).ok();
    CATCHING.set(outer);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_caught_and_the_next_call_works() {
        assert_eq!(catch(|| -> u8 { panic!("damaged page") }), None);
        assert_eq!(catch(is_catching_panic), Some(true));
        assert!(!is_catching_panic());
    }

    #[test]
    fn a_catch_inside_another_leaves_the_outer_one_in_place() {
        let outer = catch(|| {
            let inner = catch(|| -> u8 { panic!("bad key") });
            (inner, is_catching_panic())
        });
        assert_eq!(outer, Some((None, true)));
        assert!(!is_catching_panic());
    }
}
