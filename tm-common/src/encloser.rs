//! The closest encloser of a name that is not there ([RFC 4592, section 3.3.1]): the longest name above it that is, whose entry leads to what is answered below it.
//!
//! Every name of a zone stands in the tables: its apex, what is between the apex and a profile (empty non-terminals), the names of its servers. So the first suffix that is found,
//! label by label from the left, is the encloser; and what is answered, NXDOMAIN or the records of a wildcard, is one more index away.
//!
//! [RFC 4592, section 3.3.1]: https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1

use crate::{
    dns,
    name::{self, LONG, SHORT},
    net,
    packet::Packet,
    sum::Sum,
    tables::{Lookup, Names},
    verdict::Reason,
};

/// Labels below the encloser that the kernel looks behind; names with more are left to the sockets.
pub const FEW: usize = 4;
/// More than any name has.
pub const ALL: usize = 128;

/// Octets from the UDP header to the question.
const QUESTION: usize = net::UDP + size_of::<dns::Header>();
/// Octets of the longest name.
const LONGEST: usize = 255;
/// Octets of the longest label.
const LABEL: u8 = 63;

/// What is known of a name by its encloser: in one word, so that a function of its own can find it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encloser(pub u64);

impl Encloser {
    /// None.
    pub const NOTHING: Encloser = Encloser(0);

    fn new(below: u32, length: usize, sum: Sum) -> Self {
        Encloser(u64::from(below) | (length as u64) << 32 | u64::from(sum.folded()) << 48)
    }
    /// Which of the short entries answers; 0 where none does.
    #[inline(always)]
    pub fn below(self) -> u32 {
        self.0 as u32
    }
    /// Octets of the whole name.
    #[inline(always)]
    pub(crate) fn length(self) -> usize {
        (self.0 >> 32) as usize & LONGEST
    }
    /// As [`Entry::end`](crate::tables::Entry::end), of the whole name.
    #[inline(always)]
    pub(crate) fn end(self) -> usize {
        self.length() + (QUESTION - 9)
    }
    /// The sum of the whole name.
    #[inline(always)]
    pub(crate) fn sum(self) -> Sum {
        Sum::default().and((self.0 >> 48) as u16)
    }
}

/// Whether a name that is not there may have an encloser: `false` where no name in the tables ends as it does, which tells most names of other people's zones.
///
/// Looks at what the frame ends with: the question, or an OPT without options. Behind other ends any name may stand. In a frame that only seems to end so the answer may be a wrong `false`,
/// which costs no more than that the sockets answer.
#[inline(always)]
pub fn may_be(packet: &impl Packet, tables: &impl Lookup) -> bool {
    last_octets(packet).is_none_or(|last| {
        let (word, bit) = name::ending(last);
        tables.endings(word).is_none_or(|word| word & bit != 0)
    })
}

/// The question's last eight octets before the name's zero octet.
#[inline(always)]
fn last_octets(packet: &impl Packet) -> Option<u64> {
    const INTERNET: u64 = 0x0100;
    const OPT: u64 = 41 << 16;
    let [before, middle, last]: [u64; 3] = packet.read(packet.last(24)?)?;
    if last >> 48 == INTERNET && last >> 24 & 0xff == 0 {
        return Some(middle >> 24 | last << 40);
    }
    // No octets of options; the root as owner, and the type; before that, the class and the end of the name.
    (last >> 48 == 0 && middle >> 40 == OPT && middle & 0xff == 0).then_some(before)
}

/// The encloser of the name in the message behind the UDP header at `udp`.
#[inline(always)]
pub fn find<const LABELS: usize, T: Names<SHORT> + Names<LONG>>(
    packet: &mut impl Packet,
    udp: usize,
    tables: &T,
) -> Option<Encloser> {
    let mut skip = 0;
    for _ in 0..LABELS {
        let length: u8 = packet.read(udp + QUESTION + skip)?;
        // The root has nobody above it, and what is no label is the sockets' to judge.
        if length.wrapping_sub(1) >= LABEL {
            return None;
        }
        skip = packet.blur::<512>(skip + usize::from(length) + 1);
        if skip >= LONGEST {
            return None;
        }
        packet.forget();
        let found = match name::scan::<SHORT>(packet, udp + QUESTION + skip, tables.seed()) {
            Ok(hash) => known::<SHORT, T>(packet, udp, skip, hash, tables),
            Err(reason) if reason != Reason::LongName => return None,
            Err(_) => {
                packet.forget();
                let hash = name::scan::<LONG>(packet, udp + QUESTION + skip, tables.seed()).ok()?;
                known::<LONG, T>(packet, udp, skip, hash, tables)
            }
        };
        packet.forget();
        if let Some((below, length, sum)) = found {
            let length = skip + length;
            if length > LONGEST {
                return None;
            }
            let whole = before(packet, udp, skip)?.plus(sum.shifted(skip & 1 != 0));
            return Some(Encloser::new(below, length, whole));
        }
    }
    None
}

/// What is below the name that begins behind `skip` octets of the question, if that is in the tables; with its length and its sum as it is in the packet.
#[inline(always)]
fn known<const WORDS: usize, T: Names<WORDS>>(
    packet: &mut impl Packet,
    udp: usize,
    skip: usize,
    hash: u64,
    tables: &T,
) -> Option<(u32, usize, Sum)> {
    packet.forget();
    let (_, entry) = tables.find(hash)?;
    let capitals = name::begins(packet, udp + QUESTION + skip, entry)?;
    packet.forget();
    let end = usize::from(entry.end) & 511;
    let last = packet.read(udp + skip + end + 1)?;
    let sum = name::ends(last, capitals, entry)?;
    Some((entry.below, end.wrapping_sub(QUESTION - 9), sum))
}

/// The sum of the question's first `skip` octets, below 256. Behind them stand eight more: a name, type and class.
#[inline(always)]
fn before(packet: &impl Packet, udp: usize, skip: usize) -> Option<Sum> {
    let mut sum = Sum::default();
    for i in 0..LONG {
        if 8 * i + 8 > skip {
            break;
        }
        sum = sum.and64(packet.read(udp + QUESTION + 8 * i)?);
    }
    let rest: u64 = packet.read(udp + QUESTION + (skip & 0xf8))?;
    Some(sum.and64(rest & ((1 << (8 * (skip & 7))) - 1)))
}
