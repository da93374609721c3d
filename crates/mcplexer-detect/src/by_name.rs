//! Judges a value together with its name.

use crate::name::{self, Says};
use crate::reason::Reason;
use crate::{entropy, reference, scheme, value};

/// Returns why a value looks like a credential, by its name or by randomness. [`find`](crate::find()) must
/// have found nothing in it.
pub(crate) fn by_name(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    let mut value = value.trim();
    while let Some(default) = reference::default_of(value) {
        value = default;
    }
    if reference::stands_for_another(scheme::without_scheme(value)) {
        return None;
    }
    let hinted = hints.iter().any(|hint| hint.eq_ignore_ascii_case(name));
    let says = if hinted {
        Says::Secret
    } else {
        name::says(name)
    };
    // `API_KEY_ENV=MY_KEY` tells where the key is.
    let is_elsewhere = name::is_of_a_variable(name) && reference::is_variable_name(value);
    if value::fits(says, value) && !is_elsewhere {
        return Some(Reason::Name);
    }
    let is_public = says == Says::Public || value::is_in_file_system(value);
    let random = !is_public && entropy::looks_random(value);
    random.then_some(Reason::Random)
}
