//! What is told of some of the answers: the reply as it leaves, and whom it counts for.
//!
//! [`Meta::one_in`](crate::tables::Meta::one_in) says of how many replies with an answer one is told of, so what is told of nobody costs a look at a word that is read anyway. What that
//! one costs is paid in a function of its own. What is told is octets that left for the network: no client learns of it, and nothing waits for who reads it.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Octets of the longest frame that is told of in full: replies over UDP have at most 1,232, and headers before them.
pub const MOST: usize = 1536;

/// What stands before the frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C)]
pub struct Head {
    /// What counted the answer: [`Meta::counter`](crate::tables::Meta::counter).
    pub counter: u32,
    /// It stands for so many answers; not zero.
    pub one_in: u32,
    /// Samples of this CPU for which there was no room since the last one.
    pub lost: u32,
    /// Octets of the frame.
    pub length: u32,
}

/// A sample as it is made: of the frame as many octets follow as `head.length` says.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Sample {
    /// What is known of it.
    pub head: Head,
    /// The reply, from its Ethernet header on.
    pub frame: [u8; MOST],
}

const _: () = assert!(size_of::<Head>() == 16 && size_of::<Sample>() == 16 + MOST, "what userspace reads");

impl Head {
    /// What stands before the frame, and the frame, in what the ring holds.
    pub fn split(octets: &[u8]) -> Option<(Head, &[u8])> {
        let (head, rest) = Head::read_from_prefix(octets).ok()?;
        Some((head, rest.get(..head.length as usize)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_its_head_and_as_much_of_a_frame() {
        let head = Head { counter: 7, one_in: 100, lost: 2, length: 3 };
        let octets = [head.as_bytes(), b"abcd"].concat();
        assert_eq!(Head::split(&octets), Some((head, &b"abc"[..])));
        assert_eq!(Head::split(&octets[..18]), None, "less than it says");
        assert_eq!(Head::split(&octets[..15]), None);
    }
}
