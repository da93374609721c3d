//! How many instances of a server there are: each kind of client has one, and a client can say of itself what it likes.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Alone, Class, Slot, drain, lock};

/// The most instances that clients share.
const MOST_SHARED: usize = 16;

/// The most instances that serve one request at a time.
const MOST_SEATS: usize = 64;

/// Makes room for the instance of a class, unless it has its place: the instance that was used the longest ago ends, of those
/// that have nothing to do. Returns how many there are if all have something to do.
pub(super) fn make_room(slots: &mut HashMap<Class, Arc<Slot>>, class: &Class) -> Result<(), usize> {
    let most = match class.alone {
        None => MOST_SHARED,
        Some(Alone::Seat(_)) => MOST_SEATS,
        // There are as many as there are sessions.
        Some(Alone::Session(_)) => return Ok(()),
    };
    if slots.contains_key(class) {
        return Ok(());
    }
    let is_like = |it: &Class| match it.alone {
        None => class.alone.is_none(),
        Some(Alone::Seat(_)) => class.alone.is_some(),
        Some(Alone::Session(_)) => false,
    };
    if slots.keys().filter(|it| is_like(it)).count() < most {
        return Ok(());
    }
    // A request that is starting an instance, or has a seat, holds the place as well.
    let is_free = |it: &Arc<Slot>| Arc::strong_count(it) == 1;
    slots.retain(|of, slot| {
        let is_empty = lock(&slot.current).as_ref().is_none_or(|it| it.is_gone());
        !(is_like(of) && is_free(slot) && is_empty)
    });
    let like = slots.iter().filter(|(of, _)| is_like(of));
    let count = like.clone().count();
    if count < most {
        return Ok(());
    }
    let idle = like
        .filter(|(_, slot)| is_free(slot))
        .filter_map(|(of, slot)| {
            let idle = lock(&slot.current).as_ref()?.idle()?;
            Some((idle, of.clone()))
        });
    let Some((_, oldest)) = idle.max_by_key(|(idle, _)| *idle) else {
        return Err(count);
    };
    let slot = slots.remove(&oldest);
    let instance = slot.and_then(|it| lock(&it.current).take());
    if let Some(instance) = instance {
        // Nobody finds it any more. A request that has found it before is sent again.
        tokio::spawn(drain(instance));
    }
    Ok(())
}
