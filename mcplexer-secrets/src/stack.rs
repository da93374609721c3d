//! What calls leave behind on the stack: the dead frames of key derivations and ciphers hold copies of
//! the keys they worked with, which nobody else wipes.

use std::hint::black_box;

/// Twice what the calls into the `age` crate take, in a debug build as well; see
/// `tests/memory/main.rs`.
const DEPTH: usize = 16 * 1024;
/// What a copy leaves in registers: it goes through eight of at most 64 bytes each.
const REGISTERS: usize = 8 * 64;

/// Does work that handles keys or values, and then wipes the stack that it used. What it returns should
/// own them on the heap: a value that is itself on the stack is copied at each move.
pub(crate) fn wiped_after<T>(work: impl FnOnce() -> T) -> T {
    let result = called(work);
    wipe_stack();
    result
}

/// Not inlined, so that its frames lie where those of [`wipe_stack`] will.
#[inline(never)]
fn called<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Wipes 16 KiB of the stack below the caller, and the registers through which memory is copied.
///
/// The library does so wherever it had a key or a value there. A program may want to when it has done its
/// part with a [`SecretValue`](crate::SecretValue): the registers hold the end of what was copied last,
/// and a thread that is started inherits them, and a signal that arrives puts them on the stack.
#[inline(never)]
pub fn wipe_stack() {
    let mut stack = [0_u8; DEPTH];
    // The array is observed, so it has to be there.
    let stack = black_box(&mut stack);
    // Copies of every length class, none of them known to the compiler.
    for length in [8, 16, 32, 64, 128, 256, REGISTERS] {
        let (from, to) = stack.split_at_mut(REGISTERS);
        let (from, to) = (from.get(..black_box(length)), to.get_mut(..length));
        if let (Some(from), Some(to)) = (from, to) {
            to.copy_from_slice(from);
        }
        black_box(&mut *stack);
    }
}
