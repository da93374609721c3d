//! What the disk may hold after a power cut: at any moment, the store that is found there has every
//! change that was acknowledged, and the one in the making wholly or not at all.
//!
//! The real store does its work on real files. After each of its operations on a file, the recorder
//! takes down what has changed on the disk, and what was synced. From that, [`disk`] makes what a disk
//! may hold if the power fails there: everything synced, and of what is not, what you will.

#![cfg(test)]

mod content;
mod cuts;
mod disk;
mod lives;
mod recorder;
