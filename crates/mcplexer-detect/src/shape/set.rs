//! The sets of characters that tokens consist of.

/// A set of characters.
#[derive(Clone, Copy)]
pub(crate) enum Set {
    /// `0-9`
    Digit,
    /// `0-9a-f`
    Hex,
    /// `0-9a-fA-F`
    AnyHex,
    /// `0-9a-f-`, for UUIDs
    Uuid,
    /// `0-9a-z`
    Lower,
    /// `0-9A-Z`
    Upper,
    /// The upper-case letters and digits of Bech32 (BIP 173).
    Bech32,
    /// `0-9a-zA-Z`
    Alnum,
    /// `0-9a-zA-Z_`
    Word,
    /// `0-9a-zA-Z_-`
    Url,
    /// `0-9a-zA-Z_.~=-`
    UrlDot,
    /// `0-9a-zA-Z+/`
    Base64,
    /// `0-9a-zA-Z./$=,+-`, for what `crypt` makes of a password
    Crypt,
    /// The characters of tokens whose set is not documented: `0-9a-zA-Z_.~+/=,-`
    Any,
}

impl Set {
    /// Returns whether the set contains a byte.
    pub(crate) fn has(self, byte: u8) -> bool {
        let more: &[u8] = match self {
            Self::Digit => return byte.is_ascii_digit(),
            Self::Hex => return byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'),
            Self::AnyHex => return byte.is_ascii_hexdigit(),
            Self::Uuid => return byte == b'-' || Self::Hex.has(byte),
            Self::Lower => return byte.is_ascii_digit() || byte.is_ascii_lowercase(),
            Self::Upper => return byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            Self::Bech32 => return b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L".contains(&byte),
            Self::Alnum => b"",
            Self::Word => b"_",
            Self::Url => b"_-",
            Self::UrlDot => b"_.~=-",
            Self::Base64 => b"+/",
            Self::Crypt => b"./$=,+-",
            Self::Any => b"_.~+/=,-",
        };
        byte.is_ascii_alphanumeric() || more.contains(&byte)
    }
}
