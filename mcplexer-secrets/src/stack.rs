//! What calls leave behind on the stack: the dead frames of key derivations and ciphers hold copies of
//! the keys they worked with, which nobody else wipes.

use std::hint::black_box;

/// More than the calls into the `age` crate take, in a debug build as well; see
/// `tests/memory/main.rs`.
const DEPTH: usize = 16 * 1024;

/// Does work that handles keys or values, and then wipes the stack that it used. What it returns should
/// own them on the heap: a value that is itself on the stack is copied at each move.
pub(crate) fn wiped_after<T>(work: impl FnOnce() -> T) -> T {
    let result = called(work);
    wipe();
    result
}

/// Not inlined, so that its frames lie where [`wipe`]'s will.
#[inline(never)]
fn called<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn wipe() {
    let mut stack = [0_u8; DEPTH];
    // The array is observed, so it has to be there.
    black_box(&mut stack);
}
