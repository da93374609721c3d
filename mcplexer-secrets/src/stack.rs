//! Wipes the stack: the dead frames of key derivations and ciphers hold copies of their keys, and
//! nothing else wipes them.

use std::hint::black_box;

/// Twice the depth of the calls into the `age` crate, even in a debug build; see
/// `tests/memory/main.rs`.
const DEPTH: usize = 16 * 1024;
/// The length of a copy that passes through all vector registers: eight of at most 64 bytes each.
const REGISTERS: usize = 8 * 64;

/// The maximum size of the wiping functions' own frames, part of which stays unwiped.
const OWN: usize = 512;

/// Does work that handles keys or values, and then wipes the stack that it used. The result should
/// own its secrets on the heap, because a value on the stack is copied at each move.
pub(crate) fn wiped_after<T>(work: impl FnOnce() -> T) -> T {
    let result = lower(work);
    wipe_stack();
    result
}

/// Does the work further down the stack than the frames of [`wipe_stack`] will be, so that wiping
/// covers all of its frames.
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
/// The library calls this wherever it had a key or a value on the stack. A program may want to call
/// it after its own work with a [`SecretValue`](crate::SecretValue): the registers hold the end of
/// what was copied last, a new thread may inherit them, and a signal puts them on the stack.
#[inline(never)]
pub fn wipe_stack() {
    wipe_frames();
    wipe_registers();
}

#[inline(never)]
fn wipe_frames() {
    let mut stack = [0_u8; DEPTH];
    // Observing the array prevents the compiler from removing it.
    black_box(&mut stack);
}

#[inline(never)]
fn wipe_registers() {
    let (from, mut to) = ([0_u8; REGISTERS], [0_u8; REGISTERS]);
    // Copies of every class of length, hidden from the compiler so that none is optimized away.
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

    /// Computes a letter of the text, which exists nowhere as a whole until [`leave`] assembles it.
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

    /// Counts the occurrences of the text in 32 KiB of the stack below the caller.
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
