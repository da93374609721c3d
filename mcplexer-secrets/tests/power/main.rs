//! What the disk may hold after a power cut. At any moment, the store has every change that was
//! acknowledged, and an unfinished one completely or not at all.
//!
//! The real store works on real files. After each of its operations on a file, the recorder notes
//! what has changed on the disk and what was synced. From that, [`disk`] derives what a disk may
//! hold if the power fails there: everything that was synced, and any part of the rest.

#![cfg(test)]

mod content;
mod cuts;
mod disk;
mod lives;
mod recorder;
