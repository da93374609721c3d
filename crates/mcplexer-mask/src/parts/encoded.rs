//! Members in base64, such as those of a secret of Kubernetes.

use zeroize::Zeroizing;

use crate::alphabet::sextet;

/// Length of the shortest text in base64 that is decoded. Shorter ones may be words.
const MIN_LEN: usize = 8;

/// Decodes base64, if it is that and encodes a text.
pub(super) fn base64(value: &str) -> Option<Zeroizing<String>> {
    let characters = value.trim_end_matches('=');
    if characters.len() < MIN_LEN || !value.len().is_multiple_of(4) {
        return None;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(value.len()));
    let (mut bits, mut count) = (0_u32, 0);
    for &character in characters.as_bytes() {
        bits = bits << 6 | u32::from(sextet(character)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., byte] = (bits >> count).to_be_bytes();
            bytes.push(byte);
        }
    }
    let text = str::from_utf8(&bytes).ok()?;
    let is_text = !text.contains(|c: char| c.is_control() && !c.is_whitespace());
    is_text.then(|| Zeroizing::new(text.to_owned()))
}
