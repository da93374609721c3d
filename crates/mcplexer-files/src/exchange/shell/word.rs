//! Words: quoted, escaped, and put together of pieces.

use crate::exchange::Out;

/// A place, and what is wrong there.
pub(super) type Problem = (usize, &'static str);

const EXPANDS: &str = "a shell would put something else here; between single quotes it would not";
const COMMAND: &str = "a shell would run something here; between quotes it would not";
const RETURN: &str = "a carriage return that is not quoted; lines end in LF alone";
const NUL: &str = "a NUL byte, which a shell cannot have";
const OPEN: &str = "this quote is not closed";
const ESCAPE: &str = "no escape of bash follows this backslash";

/// Gives what the word at a place stands for to `out`, and says where it ends.
pub(super) fn word(
    text: &[u8],
    begin: usize,
    exports: bool,
    out: Out<'_>,
) -> Result<usize, Problem> {
    let mut at = begin;
    // A tilde is a home directory at the beginning, and after each colon.
    let mut begins = true;
    loop {
        let begun = std::mem::take(&mut begins);
        at += match text.get(at..).unwrap_or_default() {
            [] | [b' ' | b'\t' | b'\n' | b';', ..] => return Ok(at),
            [b'\\', b'\n', ..] => {
                begins = begun;
                2
            }
            [b'\\'] => return Err((at, ESCAPE)),
            [b'\r', ..] => return Err((at, RETURN)),
            [0, ..] | [b'\\', 0, ..] => return Err((at, NUL)),
            [b'\\', byte, ..] => {
                out(&[*byte]);
                2
            }
            [b'\'', rest @ ..] => {
                let inside = single(rest).map_err(|problem| (at, problem))?;
                out(inside);
                inside.len() + 2
            }
            [b'"', rest @ ..] => 1 + double(rest, at, out)?,
            [b'$', b'\'', rest @ ..] => 2 + ansi_c(rest, at, out)?,
            [b'$' | b'`', ..] => return Err((at, EXPANDS)),
            [b'~', ..] if begun => return Err((at, EXPANDS)),
            // Of the arguments of `export`, bash expands the braces.
            [b'{', ..] if exports => return Err((at, EXPANDS)),
            [b'&' | b'|' | b'<' | b'>' | b'(' | b')', ..] => return Err((at, COMMAND)),
            [byte, ..] => {
                out(&[*byte]);
                begins = *byte == b':';
                1
            }
        };
    }
}

/// What stands before the closing single quote.
fn single(rest: &[u8]) -> Result<&[u8], &'static str> {
    let end = rest.iter().position(|&byte| byte == b'\'').ok_or(OPEN)?;
    let inside = rest.get(..end).unwrap_or_default();
    match inside.contains(&0) {
        true => Err(NUL),
        false => Ok(inside),
    }
}

/// POSIX, section 2.2.3; gives the length with the closing quote.
fn double(rest: &[u8], begin: usize, out: Out<'_>) -> Result<usize, Problem> {
    let mut at = 0;
    loop {
        at += match rest.get(at..).unwrap_or_default() {
            [] => return Err((begin, OPEN)),
            [b'"', ..] => return Ok(at + 1),
            [b'$' | b'`', ..] => return Err((begin + 1 + at, EXPANDS)),
            [0, ..] => return Err((begin + 1 + at, NUL)),
            [b'\\', b'\n', ..] => 2,
            [b'\\', byte @ (b'$' | b'`' | b'"' | b'\\'), ..] => {
                out(&[*byte]);
                2
            }
            [byte, ..] => {
                out(&[*byte]);
                1
            }
        };
    }
}

/// `$'…'` as bash has it, and POSIX since 2024 (section 2.2.4); gives the length with the closing
/// quote.
fn ansi_c(rest: &[u8], begin: usize, out: Out<'_>) -> Result<usize, Problem> {
    let mut at = 0;
    loop {
        at += match rest.get(at..).unwrap_or_default() {
            [] => return Err((begin, OPEN)),
            [b'\'', ..] => return Ok(at + 1),
            [0, ..] => return Err((begin + 2 + at, NUL)),
            [b'\\', escape @ ..] => {
                1 + escaped(escape, out).map_err(|problem| (begin + 2 + at, problem))?
            }
            [byte, ..] => {
                out(&[*byte]);
                1
            }
        };
    }
}

/// What follows a backslash; gives its length.
fn escaped(escape: &[u8], out: Out<'_>) -> Result<usize, &'static str> {
    let (length, code) = match escape {
        [b'0'..=b'7', ..] => {
            let (length, code) = digits(escape, 3, 8)?;
            (length, code & 0xFF)
        }
        [b'x', rest @ ..] => {
            let (length, code) = digits(rest, 2, 16)?;
            (1 + length, code)
        }
        [kind @ (b'u' | b'U'), rest @ ..] => {
            let (length, code) = digits(rest, if *kind == b'u' { 4 } else { 8 }, 16)?;
            let character = char::from_u32(code)
                .filter(|it| *it != '\0')
                .ok_or(ESCAPE)?;
            out(character.encode_utf8(&mut [0; 4]).as_bytes());
            return Ok(1 + length);
        }
        [letter, ..] => {
            let byte = match letter {
                b'a' => 0x07,
                b'b' => 0x08,
                b'e' | b'E' => 0x1B,
                b'f' => 0x0C,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'v' => 0x0B,
                b'\\' | b'\'' | b'"' | b'?' => *letter,
                _ => return Err(ESCAPE),
            };
            out(&[byte]);
            return Ok(1);
        }
        [] => return Err(OPEN),
    };
    match u8::try_from(code) {
        Ok(0) => Err(NUL),
        Ok(byte) => {
            out(&[byte]);
            Ok(length)
        }
        Err(_) => Err(ESCAPE),
    }
}

/// The number that at most so many digits at the beginning make, and how many they are.
fn digits(text: &[u8], most: usize, radix: u32) -> Result<(usize, u32), &'static str> {
    let digit = |byte: &u8| char::from(*byte).to_digit(radix);
    let digits: Vec<u32> = text.iter().take(most).map_while(digit).collect();
    match digits.len() {
        0 => Err(ESCAPE),
        length => Ok((length, digits.iter().fold(0, |code, it| code * radix + it))),
    }
}
