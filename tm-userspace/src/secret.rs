//! Secrets: random ones, and how they are known again without being kept.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom as _, SystemRandom},
};
use subtle::ConstantTimeEq as _;

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
