//! Reads a value back from the forms in which programs print it, byte by byte.

mod caret;
mod code;
mod decimal;
mod dense;
mod doubled;
mod dump;
mod entity;
mod json;
mod pending;
mod percent;
mod shell;
mod terminal;
mod utf16;
mod words;

use code::Hex;
use dump::Gap;
use pending::Pending;
use percent::Space;

pub(crate) use caret::printed as printed_by_cat;
pub(crate) use code::short_escape;
pub(crate) use entity::may_begin as may_begin_entity;
pub(crate) use utf16::Order;
pub(crate) use words::Base;

use crate::cursor::Cursor;
use crate::form::Form;
use crate::next::Next;

/// Reads the bytes of a value in one form.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    form: Form,
    pending: Pending,
    /// How many bytes of control sequences were skipped.
    skipped: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(buffer: &'a [u8], at: usize, form: Form) -> Self {
        Self {
            cursor: Cursor::new(buffer, at),
            form,
            pending: Pending::default(),
            skipped: 0,
        }
    }

    /// Reads the next byte.
    pub(crate) fn next(&mut self) -> Next {
        let Self {
            cursor,
            form,
            pending,
            skipped,
        } = self;
        match *form {
            Form::Plain => cursor.plain(),
            Form::Terminal => terminal::line_end(cursor),
            Form::Controlled => terminal::controlled(cursor, skipped),
            Form::Redrawn => terminal::redrawn(cursor, skipped),
            Form::Quoted => shell::quoted(cursor, pending),
            Form::Doubled(quote) => doubled::doubled(cursor, quote),
            Form::Escaped => code::escaped(cursor, pending, Hex::Byte),
            Form::Code => code::escaped(cursor, pending, Hex::Character),
            Form::Entity => entity::entity(cursor, pending),
            Form::Percent => percent::once(cursor, Space::Encoded),
            Form::Query => percent::once(cursor, Space::Plus),
            Form::PercentTwice => percent::twice(cursor, Space::Encoded),
            Form::QueryTwice => percent::twice(cursor, Space::Plus),
            Form::Json => json::string(cursor, pending, 1),
            Form::JsonInJson => json::string(cursor, pending, 2),
            Form::Hex => dump::hex(cursor, pending, skipped, Gap::Within),
            Form::Dump => dump::hex(cursor, pending, skipped, Gap::BeforeText),
            Form::Base64(lost) => dense::base64(cursor, pending, skipped, lost.into()),
            Form::Base32 => dense::base32(cursor, pending, skipped),
            Form::Decimal => decimal::decimal(cursor, pending, skipped),
            Form::Words(base) => words::word(cursor, pending, base),
            Form::Caret => caret::caret(cursor, pending),
            Form::Utf16(order) => utf16::character(cursor, pending, order),
        }
    }

    /// Returns whether bytes after the buffer could change what was read.
    pub(crate) fn is_unclear(&self) -> bool {
        self.pending.is_unclear
    }

    /// Returns the end of what the bytes returned so far were read from.
    pub(crate) fn read_to(&self) -> usize {
        self.cursor.at()
    }

    /// Returns the end of what was looked at.
    pub(crate) fn looked_to(&self) -> usize {
        self.cursor.looked_to()
    }

    /// Returns whether the text ends its line here. If not, an encoded line end may follow, in dense
    /// forms also in the next line.
    pub(crate) fn is_at_line_end(&self) -> bool {
        let may_be_wrapped = Form::DENSE.contains(&self.form) || self.form == Form::Base32;
        !may_be_wrapped && matches!(self.cursor.peek(0), Some(b'\r' | b'\n'))
    }

    /// Returns where a value ends that was read to its last byte:
    ///
    /// * after the padding, if it ends its base64 (RFC 4648, section 3.2)
    /// * at the end of the line, if the line shows what it has in hex once more as text
    ///
    /// `None` if the buffer ends before that is clear.
    pub(crate) fn end_of_value(&self, value: &[&[u8]]) -> Option<usize> {
        match self.form {
            Form::Base64(lost) => {
                let length = value.iter().map(|part| part.len()).sum();
                dense::end_of_padding(&self.cursor, length, lost.into())
            }
            Form::Base32 => {
                let length = value.iter().map(|part| part.len()).sum();
                dense::end_of_padding32(&self.cursor, length)
            }
            Form::Hex | Form::Dump => dump::end_of_line(&self.cursor, &self.pending, value),
            _ => Some(self.cursor.at()),
        }
    }
}
