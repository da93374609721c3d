//! Random values of a form, the same for the same seed.

/// Passwords as people choose them. `{p}` is one of them, with random digits at its end.
const PASSWORDS: [&str; 16] = [
    "Summer2024!",
    "hunter2",
    "correct-horse-battery-staple",
    "P@ssw0rd",
    "letmein",
    "Tr0ub4dor&3",
    "qwertz123",
    "M0nday!Blues",
    "s3cr3tSauce",
    "BlueFish#42",
    "openSesame",
    "myDogRex",
    "Kx9$mQ2v",
    "w1nter-is-c0ming",
    "admin!2025",
    "iloveparis",
];

/// Words of BIP 39.
const SEED: [&str; 40] = [
    "abandon", "ability", "above", "absent", "abstract", "accident", "acoustic", "adapt", "afford",
    "alien", "banana", "beach", "bicycle", "blanket", "broken", "cactus", "canvas", "cereal",
    "chimney", "copper", "daughter", "dolphin", "eagle", "enrich", "fabric", "galaxy", "hammer",
    "jungle", "kitten", "lemon", "mango", "neutral", "orbit", "pencil", "quantum", "ribbon",
    "salmon", "tiger", "umbrella", "zebra",
];

/// A generator of random numbers (Knuth's MMIX).
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let state = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = state.wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// Returns a value of a form: text, and in braces a letter and a length.
    ///
    /// `d` digits, `h` hexadecimal, `l` small letters and digits, `u` capitals and digits, `a` both and digits,
    /// `r` base64 for URLs, `b` base64, `s` words of a seed, `U` a UUID, `p` a password.
    pub(super) fn form(&mut self, form: &str) -> String {
        let mut pieces = form.split('{');
        let mut made = pieces.next().unwrap().to_owned();
        for piece in pieces {
            let part = piece.split_once('}').and_then(|(random, text)| {
                let (kind, length) = random.split_at_checked(1)?;
                let is_form =
                    "dhluarbsUp".contains(kind) && length.bytes().all(|it| it.is_ascii_digit());
                is_form.then_some((kind, length, text))
            });
            match part {
                Some((kind, length, text)) => made += &(self.part(kind, length) + text),
                None => made += &format!("{{{piece}"),
            }
        }
        made
    }

    fn part(&mut self, kind: &str, length: &str) -> String {
        let (lower, upper) = ("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        let digits = "0123456789";
        let alphabet = match kind {
            "d" => digits.to_owned(),
            "h" => "0123456789abcdef".to_owned(),
            "l" => [lower, digits].concat(),
            "u" => [upper, digits].concat(),
            "a" => [lower, upper, digits].concat(),
            "r" => [lower, upper, digits, "_-"].concat(),
            "b" => [lower, upper, digits, "+/"].concat(),
            "s" => {
                let words = (0..length.parse().unwrap()).map(|_| *self.pick(&SEED));
                return words.collect::<Vec<_>>().join(" ");
            }
            "U" => return self.form("{h8}-{h4}-4{h3}-a{h3}-{h12}"),
            "p" => {
                let number = self.below(100);
                return format!("{}{number}", self.pick(&PASSWORDS));
            }
            _ => unreachable!("{kind}"),
        };
        let alphabet: Vec<char> = alphabet.chars().collect();
        let length: usize = length.parse().unwrap();
        // Tokens begin and end with a letter or a digit.
        let plain: Vec<char> = alphabet
            .iter()
            .copied()
            .filter(|c| c.is_alphanumeric())
            .collect();
        let character = |at| {
            if at == 0 || at + 1 == length {
                *self.pick(&plain)
            } else {
                *self.pick(&alphabet)
            }
        };
        (0..length).map(character).collect()
    }
}
