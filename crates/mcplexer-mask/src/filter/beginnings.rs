//! The beginnings of all forms of a value, as a filter looks them up.

use zeroize::Zeroizing;

use super::{Filter, RUN, ends_run, mark, word_of};
use crate::alphabet::{base32_characters, base64_characters};
use crate::reader::printed_by_cat;

impl Filter {
    /// Adds the beginnings of all forms of a value.
    pub(super) fn add_forms(&mut self, value: &[u8]) {
        self.add_plain(value);
        self.add_before_control(value);
        self.add_quoted(value);
        self.add_hex(value);
        self.add_separated_hex(value);
        for skipped in [0, 2, 4] {
            self.add_base64(value, skipped);
        }
        self.add_base32(value);
        self.add_decimal(value);
        self.add_words(value);
        self.add_utf16(value);
        self.add_caret(value);
    }

    /// Adds every beginning of 1 to 4 bytes that has one of these bytes at each place.
    fn add(&mut self, choices: &[&[u8]]) {
        for length in 1..=choices.len().min(RUN) {
            self.add_whole(choices.get(..length).unwrap_or_default());
        }
    }

    /// Adds every beginning of this length that has one of these bytes at each place.
    fn add_whole(&mut self, choices: &[&[u8]]) {
        let mut beginnings: Vec<Zeroizing<Vec<u8>>> = vec![Zeroizing::default()];
        for choice in choices {
            let longer = beginnings.iter().flat_map(|beginning| {
                choice.iter().map(move |byte| {
                    let mut longer = Vec::with_capacity(RUN);
                    longer.extend_from_slice(beginning);
                    longer.push(*byte);
                    Zeroizing::new(longer)
                })
            });
            beginnings = longer.collect();
        }
        for beginning in &beginnings {
            let (word, bit) = self.place(word_of(beginning));
            if let Some(word) = self.bits.get_mut(word) {
                *word |= 1 << bit;
            }
        }
    }

    /// Adds the beginning of a form that nothing interrupts.
    fn add_uninterrupted(&mut self, choices: &[&[u8]]) {
        self.add_whole(choices.get(..RUN).unwrap_or(choices));
        for &first in choices.first().copied().unwrap_or_default() {
            mark(&mut self.whole, first);
        }
    }

    /// Adds the value as it is, and with `+` for spaces.
    fn add_plain(&mut self, value: &[u8]) {
        let run = value.iter().take_while(|&&byte| !ends_run(byte));
        let choices: Vec<_> = run
            .take(RUN)
            .map(|byte| match byte {
                b' ' => &b" +"[..],
                byte => std::slice::from_ref(byte),
            })
            .collect();
        self.add(&choices);
    }

    /// Adds the first bytes of the value before a control sequence, which a space or a repeated byte may
    /// precede: see `Form`.
    fn add_before_control(&mut self, value: &[u8]) {
        for length in 1..RUN {
            let Some((beginning, [last])) = value.get(..length).map(|it| it.split_at(length - 1))
            else {
                continue;
            };
            let mut choices: Vec<_> = beginning.iter().map(std::slice::from_ref).collect();
            let before = [b' ', *last];
            choices.extend([std::slice::from_ref(last), &before]);
            self.add(&choices);
        }
    }

    /// Adds the value quoted for a shell with `'"'"'` for a single quote, and with quotes written twice. Other
    /// quoting begins with an escape.
    fn add_quoted(&mut self, value: &[u8]) {
        let beginning = value.get(..RUN).unwrap_or(value);
        let ways: [(u8, &[u8]); 3] = [(b'\'', b"'\"'\"'"), (b'\'', b"''"), (b'"', b"\"\"")];
        for (quote, written) in ways {
            if beginning.contains(&quote) {
                let mut quoted = Zeroizing::new(Vec::with_capacity(5 * RUN));
                for byte in beginning {
                    match *byte {
                        byte if byte == quote => quoted.extend_from_slice(written),
                        byte => quoted.push(byte),
                    }
                }
                self.add_plain(&quoted);
            }
        }
    }

    /// Adds the first byte of the value in hex, with what may be between it and the next one.
    fn add_separated_hex(&mut self, value: &[u8]) {
        let &[first, second, ..] = value else {
            return;
        };
        let [a, b, next] = [first >> 4, first & 15, second >> 4].map(hex_digits);
        self.add(&[a, b, b" :-,", &[next, b" 0"].concat()]);
    }

    /// Adds the value in hex of either case.
    fn add_hex(&mut self, value: &[u8]) {
        let digits = value.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let choices = digits.take(RUN).map(hex_digits);
        self.add(&choices.collect::<Vec<_>>());
    }

    /// Adds base64 in which the value begins after `skipped` bits of the first character.
    fn add_base64(&mut self, value: &[u8], skipped: u32) {
        let &[a, b, c, ..] = value else {
            return;
        };
        let bits = u32::from_be_bytes([0, a, b, c]);
        let mut choices = Vec::with_capacity(RUN);
        for at in 0..4_u32 {
            // The character encodes the bits `begin..end` of the value, and other bits before them.
            let (begin, end) = ((6 * at).saturating_sub(skipped), 6 * (at + 1) - skipped);
            if end > 24 {
                break;
            }
            let known = bits >> (24 - end) & ((1 << (end - begin)) - 1);
            let unknown = 6 - (end - begin);
            let sextets = (0..1_u32 << unknown).map(|it| it << (end - begin) | known);
            let characters = sextets.flat_map(|sextet| {
                let [.., sextet] = sextet.to_be_bytes();
                base64_characters(sextet)
            });
            choices.push(characters.copied().collect::<Vec<_>>());
        }
        let choices: Vec<_> = choices.iter().map(Vec::as_slice).collect();
        self.add(&choices);
    }

    /// Adds base32 of either case in which the value begins with the first character.
    fn add_base32(&mut self, value: &[u8]) {
        let &[a, b, c, ..] = value else {
            return;
        };
        let bits = u32::from_be_bytes([0, a, b, c]);
        for is_small in [false, true] {
            let character = |at: u32| {
                let [.., quintet] = (bits >> (19 - 5 * at) & 31).to_be_bytes();
                let [small, capital] = base32_characters(quintet);
                if is_small { small } else { capital }
            };
            let beginning = Zeroizing::new([0, 1, 2, 3].map(character));
            let choices: Vec<_> = beginning.iter().map(std::slice::from_ref).collect();
            self.add_uninterrupted(&choices);
        }
    }

    /// Adds the first byte of the value in decimal, with what may be between it and the next one.
    fn add_decimal(&mut self, value: &[u8]) {
        let [first, ..] = value else {
            return;
        };
        let digits = Zeroizing::new(first.to_string());
        let mut choices: Vec<_> = digits.as_bytes().iter().map(std::slice::from_ref).collect();
        choices.push(b",");
        // A line may end after the comma.
        self.add_uninterrupted(&choices);
        if let Some(separator) = choices.last_mut() {
            *separator = b", ";
        }
        choices.resize(RUN.max(choices.len()), b" 0123456789");
        self.add_uninterrupted(&choices);
    }

    /// Adds the first two bytes of the value as a word, in hex and in octal.
    fn add_words(&mut self, value: &[u8]) {
        let &[first, second, ..] = value else {
            return;
        };
        let word = u16::from_le_bytes([first, second]);
        for text in [format!("{word:04x}"), format!("{word:06o}")] {
            let text = Zeroizing::new(text);
            let choices: Vec<_> = text.as_bytes().iter().map(std::slice::from_ref).collect();
            self.add_uninterrupted(&choices);
        }
    }

    /// Adds the value in UTF-16, from the lower byte of its first character on.
    fn add_utf16(&mut self, value: &[u8]) {
        let text = value.utf8_chunks().next().map_or("", |it| it.valid());
        let mut units = text.encode_utf16();
        let (Some(first), Some(second)) = (units.next(), units.next()) else {
            return;
        };
        if let ([first, 0], [low, high]) = (first.to_le_bytes(), second.to_le_bytes()) {
            self.add_uninterrupted(&[&[first], &[0], &[low], &[high]]);
        }
    }

    /// Adds the value as `cat -v` prints it.
    fn add_caret(&mut self, value: &[u8]) {
        let beginning = value.get(..RUN).unwrap_or(value);
        let mut printed = Zeroizing::new(Vec::with_capacity(4 * RUN));
        printed_by_cat(beginning, &mut printed);
        if *printed != beginning {
            self.add_plain(&printed);
        }
    }
}

/// Returns the one or two hexadecimal digits that have this value.
fn hex_digits(digit: u8) -> &'static [u8] {
    const DIGITS: [&[u8]; 16] = [
        b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9", b"aA", b"bB", b"cC", b"dD",
        b"eE", b"fF",
    ];
    DIGITS.get(usize::from(digit)).copied().unwrap_or_default()
}
