//! What calls leave behind on the stack: the dead frames of key derivations and ciphers hold copies of
//! the keys they worked with, which nobody else wipes.

use std::hint::black_box;

/// Twice what the calls into the `age` crate take, in a debug build as well; see
/// `tests/memory/main.rs`.
const DEPTH: usize = 16 * 1024;
/// What a copy leaves in registers: it goes through eight of at most 64 bytes each.
const REGISTERS: usize = 8 * 64;

/// What the frames of the wiping itself take at most: of these it does not wipe all.
const OWN: usize = 512;

/// Does work that handles keys or values, and then wipes the stack that it used. What it returns should
/// own them on the heap: a value that is itself on the stack is copied at each move.
pub(crate) fn wiped_after<T>(work: impl FnOnce() -> T) -> T {
    let result = lower(work);
    wipe_stack();
    result
}

/// Does the work below where the frames of [`wipe_stack`] will lie, so that what is wiped by them has all
/// of its frames.
#[inline(never)]
fn lower<T>(work: impl FnOnce() -> T) -> T {
    let mut room = [0_u8; OWN];
    black_box(&mut room);
    let result = called(work);
    black_box(&mut room);
    result
}

#[inline(never)]
fn called<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Wipes 16 KiB of the stack below the caller, and the registers through which memory is copied.
///
/// The library does so wherever it had a key or a value there. A program may want to when it has done its
/// part with a [`SecretValue`](crate::SecretValue): the registers hold the end of what was copied last,
/// and a thread that is started may inherit them, and a signal that arrives puts them on the stack.
#[inline(never)]
pub fn wipe_stack() {
    wipe_frames();
    wipe_registers();
}

#[inline(never)]
fn wipe_frames() {
    let mut stack = [0_u8; DEPTH];
    // The array is observed, so it has to be there.
    black_box(&mut stack);
}

#[inline(never)]
fn wipe_registers() {
    let (from, mut to) = ([0_u8; REGISTERS], [0_u8; REGISTERS]);
    // Copies of every class of length, none of them known to the compiler.
    for length in [8, 16, 32, 64, 128, 256, REGISTERS] {
        let length = black_box(length);
        if let (Some(from), Some(to)) = (from.get(..length), to.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        black_box(&mut to);
    }
}

#[cfg(target_os = "linux")]
#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use super::*;

    const LEN: usize = 64;

    /// A text that is nowhere as a whole until it is made.
    fn letter(at: usize) -> u8 {
        u8::try_from(at * 37 % 251).unwrap() ^ 0x5A
    }

    /// Leaves the text in a dead frame of `SIZE` bytes.
    #[inline(never)]
    fn leave<const SIZE: usize>() {
        let mut frame = [0_u8; SIZE];
        for (at, byte) in frame.iter_mut().enumerate().take(LEN) {
            *byte = letter(at);
        }
        black_box(&mut frame);
    }

    /// How often the text is in 32 KiB of the stack below the caller.
    fn left() -> usize {
        let mut stack = vec![0; 32 * 1024];
        let here = std::ptr::from_ref(&stack).addr() as u64;
        let memory = File::open("/proc/self/mem").unwrap();
        let from = here - stack.len() as u64;
        memory.read_exact_at(&mut stack, from).unwrap();
        let is_it = |text: &[u8]| text.iter().enumerate().all(|(at, it)| *it == letter(at));
        stack.windows(LEN).filter(|text| is_it(text)).count()
    }

    #[test]
    fn what_a_call_leaves_on_the_stack_is_wiped() {
        leave::<4096>();
        assert_eq!(left(), 1, "the search does not find");
        leave::<12288>();
        assert!(left() > 0, "the search does not find");
        wiped_after(leave::<4096>);
        wiped_after(leave::<12288>);
        assert_eq!(left(), 0);
    }
}
