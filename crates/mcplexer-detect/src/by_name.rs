//! Judges a value together with its name.

use crate::name::{self, Says};
use crate::reason::Reason;
use crate::{entropy, json, reference, scheme, value};

/// Returns why a value looks like a credential, by its name or by randomness. [`find`](crate::find()) must
/// have found nothing in it.
pub(crate) fn by_name(name: &str, value: &str, hints: &[&str]) -> Option<Reason> {
    let mut value = value.trim();
    while let Some(default) = reference::default_of(value) {
        value = default;
    }
    if json::is_key_of_bytes(value) {
        return Some(Reason::Random);
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
    if value::is_id_of_pgp(value) && name::is_of_pgp(name) {
        return None;
    }
    if value::fits(says, value) && !is_elsewhere {
        return Some(Reason::Name);
    }
    let is_public = says == Says::Public
        || value::is_in_file_system(value)
        || says == Says::Hash && value::is_digest(value);
    let is_key = says != Says::Hash && value::is_key_in_hex(value);
    let looks_random = || entropy::looks_random(value) || entropy::has_random_part(value);
    let random = !is_public && (is_key || looks_random());
    random.then_some(Reason::Random)
}
