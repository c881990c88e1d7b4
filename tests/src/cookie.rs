//! DNS cookies as a server's with this secret are (RFC 9018, section 4), made without the engine that is judged by them.

use std::{
    hash::Hasher as _,
    net::IpAddr,
    time::{SystemTime, UNIX_EPOCH},
};

/// The number of the option.
pub const CODE: u16 = 10;

/// A client's cookie with the server's that was made then, by the standard library's hash.
#[expect(deprecated, reason = "the only SipHash-2-4 there")]
pub fn made(secret: [u8; 16], client: [u8; 8], reserved: [u8; 3], time: u32, address: IpAddr) -> Vec<u8> {
    let secret = u128::from_le_bytes(secret);
    let head = [&[1][..], &reserved, &time.to_be_bytes()].concat();
    let address = match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let mut hasher = std::hash::SipHasher::new_with_keys(secret as u64, (secret >> 64) as u64);
    hasher.write(&[&client[..], &head, &address].concat());
    [&client[..], &head, &hasher.finish().to_le_bytes()].concat()
}

/// Seconds since 1970.
pub fn now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() as u32)
}
