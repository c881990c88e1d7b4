//! Secrets: random ones, and people's passwords, and how they are known again without being kept.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use subtle::ConstantTimeEq as _;

/// What the password of somebody who is not known is compared with, so that it takes as long: the hash of none.
pub const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5bm9ib2R5$R4dKTYtPTdQYwkmZ0AQ1dTZAzhMbV+JKZ2MSvsIbFZA";

/// 256 random bits.
///
/// # Panics
///
/// Where the kernel has none to give: nothing could be kept secret then.
pub fn random() -> [u8; 32] {
    let mut octets = [0; 32];
    let filled = SystemRandom::new().fill(&mut octets);
    assert!(filled.is_ok(), "the kernel gives no random numbers");
    octets
}

/// Lower-case hexadecimal.
pub fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// As it can stand in a URL or a header.
pub fn url_text(octets: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(octets)
}

/// SHA-256 of a secret of high entropy, in hexadecimal.
pub fn hash(secret: &str) -> String {
    hexadecimal(digest(&SHA256, secret.as_bytes()).as_ref())
}

/// Are they the same? Takes as long whatever the answer is.
pub fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// An argon2id hash of a password, with its salt and its cost, as PHC strings have them. Takes some ten milliseconds.
pub fn hash_password(password: &str) -> anyhow::Result<String> {
    let hash = Argon2::default().hash_password(password.as_bytes());
    Ok(hash.map_err(|error| anyhow::anyhow!("the password cannot be hashed: {error}"))?.to_string())
}

/// Is it the password of this hash? Takes as long as making one.
pub fn is_password(password: &str, hash: &str) -> bool {
    let hash = PasswordHash::new(hash);
    hash.is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_by_a_slow_and_salted_hash() {
        let hash = hash_password("correct horse").unwrap();
        // The least cost that OWASP's cheat sheet on the storage of passwords has for argon2id.
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(hash, hash_password("correct horse").unwrap());
        assert!(is_password("correct horse", &hash));
        assert!(!is_password("correct horse ", &hash));
        assert!(!is_password("", "no hash at all"));
        // It costs as much.
        assert_eq!(PasswordHash::new(NOBODY).unwrap().params.to_string(), "m=19456,t=2,p=1");
    }
}
