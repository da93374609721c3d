//! A position in a buffer.
//!
//! Its methods are always inlined: every byte of a candidate passes through them, and without that masking
//! takes a tenth longer.

use crate::next::Next;

/// Where a value begins in a buffer, and up to where it has been read.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    buffer: &'a [u8],
    start: usize,
    at: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(crate) fn new(buffer: &'a [u8], at: usize) -> Self {
        Self {
            buffer,
            start: at,
            at,
        }
    }

    #[inline(always)]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline(always)]
    pub(crate) fn is_at_start(&self) -> bool {
        self.at == self.start
    }

    /// Returns the end of what has been read; at least one byte counts as read.
    #[inline(always)]
    pub(crate) fn looked_to(&self) -> usize {
        self.at.max(self.start + 1)
    }

    /// Returns what follows.
    #[inline(always)]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Returns the last byte that was read.
    #[inline(always)]
    pub(crate) fn last(&self) -> Option<&'a u8> {
        self.buffer.get(self.start..self.at).and_then(<[u8]>::last)
    }

    #[inline(always)]
    pub(crate) fn peek(&self, ahead: usize) -> Option<u8> {
        self.buffer.get(self.at + ahead).copied()
    }

    #[inline(always)]
    pub(crate) fn skip(&mut self, length: usize) {
        self.at += length;
    }

    /// Steps over `length` bytes that stand for `byte`.
    #[inline(always)]
    pub(crate) fn take(&mut self, length: usize, byte: u8) -> Next {
        self.at += length;
        Next::Byte(byte)
    }

    /// Reads a byte as it is.
    #[inline(always)]
    pub(crate) fn plain(&mut self) -> Next {
        match self.peek(0) {
            Some(byte) => self.take(1, byte),
            None => Next::End,
        }
    }
}
