//! The OPT record ([RFC 6891, section 6.1.2]): one in the query, one in its reply.
//!
//! ```text
//!  octet 0     root name
//!        1-2   type 41
//!        3-4   payload size the sender takes
//!        5     upper RCODE bits
//!        6     version
//!        7-8   DO | Z
//!        9-10  octets of options that follow
//! ```
//!
//! [RFC 6891, section 6.1.2]: https://www.rfc-editor.org/rfc/rfc6891#section-6.1.2

use crate::{
    cookie, dns,
    packet::Packet,
    sum::Sum,
    verdict::{OrRefuse as _, Reason},
};

/// Octets of an OPT without options.
pub const LEN: usize = 11;
/// The largest reply over UDP and the payload size we announce, where nothing else is said: fits every path without fragments
/// ([RFC 9715](https://www.rfc-editor.org/rfc/rfc9715), and the flag day of 2020).
pub const PAYLOAD: u16 = 1232;
/// The most that may be said: with its headers it fits Ethernet in a tunnel or two (RFC 9715, section 3).
pub const LARGEST: u16 = 1400;
/// What a client takes that says nothing, or less ([RFC 6891, section 6.2.3](https://www.rfc-editor.org/rfc/rfc6891#section-6.2.3)).
pub const SMALLEST: u16 = 512;

/// What options are read: none; a cookie, if that is all; all that we know.
pub const NONE: u8 = 0;
/// As said there.
pub const ONLY_COOKIE: u8 = 1;
/// As said there.
pub const ALL: u8 = 2;

/// How long replies over UDP may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Payload {
    /// At most, and what our OPT announces: octets, [`SMALLEST`] to [`LARGEST`].
    pub most: u16,
    /// For whoever has no right cookie, and so may not be who it says: octets, [`SMALLEST`] to `most`. What is longer is given over TCP.
    pub without_cookie: u16,
}

impl Default for Payload {
    fn default() -> Self {
        Payload { most: PAYLOAD, without_cookie: SMALLEST }
    }
}

impl Payload {
    /// Octets of the longest reply to a client that takes `asked`, as its OPT says.
    #[inline(always)]
    pub fn limit(self, asked: u16, has_right_cookie: bool) -> u16 {
        let most = if has_right_cookie { self.most } else { self.without_cookie };
        asked.max(SMALLEST).min(most)
    }
}

/// What the OPT of every reply begins with: root name, type 41, our payload size, no upper RCODE bits, version 0, no flags. The three octets after these eight are zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opt(pub u64);

impl Opt {
    /// One that announces this payload size, in octets.
    pub const fn new(payload: u16) -> Self {
        let [high, low] = payload.to_be_bytes();
        Opt(u64::from_le_bytes([0, 0, 41, high, low, 0, 0, 0]))
    }
}

/// DO, in the eighth octet.
const DNSSEC_OK: u64 = 0x80 << 56;

/// What stands behind the name in a query: type, class and perhaps an OPT.
#[derive(Clone, Copy)]
pub struct Tail {
    /// Type and class, in memory order.
    pub fixed: u32,
    /// Their sum and the OPT's but for its options, at the parity of the name's zero octet.
    pub sum: Sum,
    /// Octets after type and class.
    pub len: usize,
    /// Octets that the client says it takes; 0 where it says nothing.
    pub asked: u16,
    /// Octets of the reply's OPT but for its options; 0 where there is to be none.
    pub reply_len: usize,
    /// Its first eight octets.
    opt: u64,
}

/// Reads a question without an OPT: from `at`, the last nine octets of the name, then type and class. Gives the last eight octets of the name too.
#[inline(always)]
pub fn without(packet: &impl Packet, at: usize) -> Result<(u64, Tail), Reason> {
    let [low, high, fixed]: [u32; 3] = packet.read(at + 1).or_refuse(Reason::Short)?;
    let last = u64::from(low) | u64::from(high) << 32;
    Ok((last, Tail { fixed, sum: Sum::of(u64::from(fixed) << 8), len: 0, asked: 0, reply_len: 0, opt: 0 }))
}

/// Reads a question with an OPT behind it, likewise, but for its options, which whoever wants them reads. Where `OPTIONS` says none and there are some, that is made known: for a cookie
/// at their beginning without more, and is [`Reason::Cookie`], else by their octets, and is [`Reason::Options`].
///
/// The name's zero octet, type, class and OPT are sixteen octets: with those before them, one read of three words.
#[inline(always)]
pub fn with<const OPTIONS: u8>(
    packet: &impl Packet,
    at: usize,
    reply: Opt,
    make_known: impl FnOnce(Option<usize>),
) -> Result<(u64, Tail), Reason> {
    const OPT: u64 = u64::from_le_bytes([0, 0, 0, 0, 0, 0, 0, 41]) >> 40;
    const CLEAR: u64 = u64::from_le_bytes([0, 0, 0xff, 0xff, 0, 0, 0, 0]);
    const LENGTH: u64 = u64::from_le_bytes([0, 0, 0, 0, 0, 0, 0xff, 0xff]);
    let [before, first, second]: [u64; 3] = packet.read(at).or_refuse(Reason::Edns)?;
    if first >> 40 != OPT || second & CLEAR != 0 {
        return Reason::Edns.refuse();
    }
    let sum = Sum::of(first).and64(second);
    let mut len = LEN;
    if second & LENGTH != 0 {
        let options = usize::from(((second >> 48) as u16).swap_bytes());
        if OPTIONS == NONE {
            let code: u16 = packet.read(at + 8 + 1 + dns::FIXED + LEN).or_refuse(Reason::Edns)?;
            if code == cookie::CODE {
                make_known(None);
                return Reason::Cookie.refuse();
            }
            make_known(Some(options));
            return Reason::Options.refuse();
        }
        len += options;
    }
    // DO is the fifth octet's top bit in the second word, and the eighth's in the reply.
    let opt = reply.0 | (second << 24) & DNSSEC_OK;
    let tail = Tail {
        fixed: (first >> 8) as u32,
        sum,
        len,
        asked: (second as u16).swap_bytes(),
        reply_len: LEN,
        opt,
    };
    Ok((before >> 8 | first << 56, tail))
}

impl Tail {
    /// The sum of the reply's OPT but for its options, if any, at an even place. `options` is their length.
    #[inline(always)]
    pub fn reply_sum(&self, options: usize) -> Sum {
        // The second octet of the length stands at an even place.
        Sum::of(self.opt).and(options as u16)
    }

    /// The reply's first eight octets of it.
    #[inline(always)]
    pub(crate) fn opt(&self) -> u64 {
        self.opt
    }

    /// Writes the last octets of the records, and behind them the reply's OPT, if there is to be one, but for its options, of which there are so many octets.
    #[inline(always)]
    pub fn write(&self, packet: &mut impl Packet, at: usize, last: [u64; 2], options: usize) -> Option<()> {
        if self.reply_len == 0 {
            return packet.write(at, last);
        }
        let [first, second] = last;
        packet.write_both(
            at,
            [first, second, self.opt],
            16 + 7,
            (self.opt >> 56) as u32 | (options as u32) << 24,
        )
    }
}
