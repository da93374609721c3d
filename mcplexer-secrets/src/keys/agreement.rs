//! What two identities know together, and nobody else: a way to say something to one owner that no other owner can
//! have said.

use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::Zeroizing;

use super::{Identity, Recipient};
use crate::stack;

const LEN: usize = 32;

impl Identity {
    /// Returns the secret that both this identity and that of `other` can compute, wiped when dropped: with its own
    /// recipient the private key, and else X25519 (RFC 7748) of the two keys. A key is to be derived from it.
    ///
    /// `None` if the private key is not at hand, or one of the two is not an age X25519 key.
    pub(crate) fn secret_shared_with(&self, other: &Recipient) -> Option<Zeroizing<Vec<u8>>> {
        let private = self.private_bytes()?;
        if self.recipient().as_ref() == Some(other) {
            return Some(private);
        }
        self.to_text()?;
        let public = other.x25519_bytes()?;
        stack::wiped_after(|| {
            let private = Zeroizing::new(<[u8; LEN]>::try_from(private.as_slice()).ok()?);
            let shared = StaticSecret::from(*private).diffie_hellman(&PublicKey::from(public));
            // Of another key than that of a person, anybody would know it.
            let is_of_both = shared.was_contributory();
            is_of_both.then(|| Zeroizing::new(shared.as_bytes().to_vec()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_identities_share_a_secret_that_a_third_does_not_know() {
        let [one, two, three] = [(); 3].map(|()| Identity::generate());
        let [first, second, third] = [&one, &two, &three].map(|it| it.recipient().unwrap());
        let shared = one.secret_shared_with(&second).unwrap();
        assert_eq!(two.secret_shared_with(&first), Some(shared.clone()));
        assert_ne!(three.secret_shared_with(&first), Some(shared.clone()));
        assert_ne!(one.secret_shared_with(&third), Some(shared.clone()));
        assert_eq!(one.secret_shared_with(&first), one.private_bytes());
    }

    #[test]
    fn a_key_of_another_kind_shares_nothing() {
        let identity = Identity::generate();
        let ssh =
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";
        let ssh = ssh.parse::<Recipient>().unwrap();
        assert_eq!(identity.secret_shared_with(&ssh), None);
    }
}
