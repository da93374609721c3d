//! Known secret values in streams and files, in every form in which programs print them.
//!
//! A [`Masker`] replaces them in a stream by `[scope/KEY]`; a [`Scanner`] says where a file has them.

mod mask;
mod scan;

pub use mask::{MIN_MASKED_LEN, Masker};
pub use scan::{Occurrence, Scanner};
