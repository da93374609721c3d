//! Reads a value back from the forms in which programs print it, byte by byte.

mod dense;
mod json;
mod pending;
mod percent;
mod shell;
mod terminal;

use pending::Pending;

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
            Form::Escaped => shell::escaped(cursor),
            Form::Percent => percent::uri(cursor),
            Form::Query => percent::query(cursor),
            Form::Json => json::string(cursor, pending, 1),
            Form::JsonInJson => json::string(cursor, pending, 2),
            Form::Hex => dense::hex(cursor, skipped),
            Form::Base64(lost) => dense::base64(cursor, pending, skipped, lost.into()),
        }
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
        let may_be_wrapped = Form::DENSE.contains(&self.form);
        !may_be_wrapped && matches!(self.cursor.peek(0), Some(b'\r' | b'\n'))
    }

    /// Returns where a value of this length ends that was read to its last byte: after the padding, if
    /// it ends its base64 (RFC 4648, section 3.2). `None` if the buffer ends before that is clear.
    pub(crate) fn end_of_value(&self, length: usize) -> Option<usize> {
        match self.form {
            Form::Base64(lost) => dense::end_of_padding(&self.cursor, length, lost.into()),
            _ => Some(self.cursor.at()),
        }
    }
}
