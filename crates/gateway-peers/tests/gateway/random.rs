//! Random JSON, reproducible, in every spelling that the grammar allows (RFC 8259).

/// A source of random numbers: SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub(crate) fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// White space between tokens. A line end would end the message.
    pub(crate) fn space(&mut self) -> &'static str {
        self.one(&["", "", "", "", " ", "\t", "  \t "])
    }

    /// A string, with its quotation marks: any character, as itself or escaped, and halves of surrogate pairs.
    pub(crate) fn string(&mut self) -> String {
        let length = self.below(12);
        let mut text = "\"".to_owned();
        for _ in 0..length {
            match self.below(8) {
                0..=2 => text.push(char::from(b'a' + u8::try_from(self.below(26)).unwrap())),
                3 => text.push_str(self.one(&[
                    "\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "/", "%", "@", "[",
                    "\u{2028}", "\u{7f}", "\u{feff}",
                ])),
                4 => text.push_str(&format!("\\u{:04x}", self.below(0x1_0000))),
                5 => text.push_str(&format!(
                    "\\uD8{:02X}\\uDC{:02X}",
                    self.below(256),
                    self.below(256)
                )),
                6 => text.push_str(self.one(&["\\ud800", "\\uDfFf", "\\u0000"])),
                _ => text.extend(
                    u32::try_from(self.below(0x10_ffff - 0x20))
                        .ok()
                        .and_then(|it| char::from_u32(it + 0x20))
                        .filter(|it| !"\"\\".contains(*it)),
                ),
            }
        }
        text.push('"');
        text
    }

    fn number(&mut self) -> String {
        let odd = [
            "0",
            "-0",
            "1.0",
            "1e400",
            "-1E-400",
            "0.1e+05",
            "123456789012345678901234567890",
            "0.000000000000000000000000000001",
            "9007199254740993",
            "18446744073709551616",
        ];
        match self.below(2) {
            0 => self.one(&odd).to_owned(),
            _ => self.next().to_string(),
        }
    }

    /// A value that is at most so deep.
    pub(crate) fn value(&mut self, depth: usize) -> String {
        match self.below(if depth == 0 { 4 } else { 8 }) {
            0 => self.one(&["true", "false", "null"]).to_owned(),
            1 => self.number(),
            2 | 3 => self.string(),
            4 | 5 => {
                let length = self.below(5);
                let elements: Vec<_> = (0..length).map(|_| self.value(depth - 1)).collect();
                self.joined(&elements, ['[', ']'])
            }
            _ => {
                let members = self.members(depth - 1);
                self.joined(&members, ['{', '}'])
            }
        }
    }

    /// Members of an object, with names that may be there more than once.
    pub(crate) fn members(&mut self, depth: usize) -> Vec<String> {
        let length = self.below(5);
        let mut names = vec!["\"twice\"".to_owned()];
        (0..length)
            .map(|_| {
                let (old, new) = (self.below(names.len()), self.name());
                let name = if self.below(3) == 0 {
                    names[old].clone()
                } else {
                    new
                };
                names.push(name.clone());
                let value = self.value(depth);
                self.member(&name, &value)
            })
            .collect()
    }

    /// A name, with its quotation marks, that says nothing to a reader of messages.
    fn name(&mut self) -> String {
        loop {
            let name = self.string();
            if !serde_json::from_str(&name).is_ok_and(|name: String| name == "id") {
                return name;
            }
        }
    }

    /// A member; its name has its quotation marks.
    pub(crate) fn member(&mut self, name: &str, value: &str) -> String {
        format!("{name}{}:{}{value}", self.space(), self.space())
    }

    /// An object of these members, in any order, and an unknown one or more.
    pub(crate) fn object(&mut self, mut members: Vec<String>) -> String {
        members.extend(self.members(2));
        for at in (1..members.len()).rev() {
            let other = self.below(at + 1);
            members.swap(at, other);
        }
        self.joined(&members, ['{', '}'])
    }

    fn joined(&mut self, parts: &[String], [open, close]: [char; 2]) -> String {
        let mut text = String::from(open);
        text.push_str(self.space());
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                text.push(',');
                text.push_str(self.space());
            }
            text.push_str(part);
            text.push_str(self.space());
        }
        text.push(close);
        text
    }
}
