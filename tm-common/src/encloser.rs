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
    tables::{Above, Entry, Lookup, Names},
    verdict::{OrRefuse as _, Reason},
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
    /// As [`Entry::end`], of the whole name.
    #[inline(always)]
    pub(crate) fn end(self) -> usize {
        end_of(self.length())
    }
    /// The sum of the whole name.
    #[inline(always)]
    pub(crate) fn sum(self) -> Sum {
        Sum::default().and((self.0 >> 48) as u16)
    }
}

/// As [`Entry::end`], of a name of so many octets.
#[inline(always)]
pub(crate) fn end_of(length: usize) -> usize {
    length + (QUESTION - 9)
}

/// Whether a name that is not there may have an encloser: `false` where no name in the tables ends as it does, which tells most names of other people's zones.
///
/// Behind other ends than those of [`end`] any name may stand. In a frame that only seems to end so the answer may be a wrong `false`, which costs no more than that the sockets answer.
#[inline(always)]
pub fn may_be(packet: &impl Packet, tables: &impl Lookup) -> bool {
    end(packet).is_none_or(|(_, last)| tables.ending(name::ending(last)) != Some(Above::NOTHING))
}

/// Where the last eight octets before the name's zero octet begin, and which they are, if the frame ends with the question or with an OPT without options.
#[inline(always)]
fn end(packet: &impl Packet) -> Option<(usize, u64)> {
    const INTERNET: u64 = 0x0100;
    const OPT: u64 = 41 << 16;
    let at = packet.last(24)?;
    let [before, middle, last]: [u64; 3] = packet.read(at)?;
    // No octets of options; the root as owner, and the type; before that, the class and the end of the name.
    if last >> 48 == 0 && middle >> 40 == OPT && middle & 0xff == 0 {
        return Some((at, before));
    }
    (last >> 48 == INTERNET && last >> 24 & 0xff == 0).then_some((at + 11, middle >> 24 | last << 40))
}

/// What is above the name in the message behind the UDP header at `udp`, by how that ends and without looking its names up: an entry that answers it, the octets of the whole name, and
/// their sum. [`Reason::UnknownName`] where there is nothing, and [`Reason::Full`] where this does not tell.
#[inline(always)]
pub(crate) fn find_above<'a>(
    packet: &mut impl Packet,
    udp: usize,
    tables: &'a impl Names<SHORT>,
) -> Result<(&'a Entry<SHORT>, usize, Sum), Reason> {
    let (at, last) = end(packet).or_refuse(Reason::Full)?;
    let above = tables.ending(name::ending(last)).or_refuse(Reason::Full)?;
    if above == Above::NOTHING {
        return Reason::UnknownName.refuse();
    }
    let entry = tables.entry(above.0).or_refuse(Reason::Full)?;
    let (length, sum) = stands_above(packet, udp, at, entry).or_refuse(Reason::Full)?;
    Ok((entry, length, sum))
}

/// Octets of the label behind `skip` octets of the question, with the one that tells its length.
#[inline(always)]
fn label(packet: &impl Packet, udp: usize, skip: usize) -> Option<usize> {
    let length: u8 = packet.read(udp + QUESTION + skip)?;
    (length.wrapping_sub(1) < LABEL).then_some(usize::from(length) + 1)
}

/// Does a label end behind `skip` octets of the question, below 256?
#[inline(always)]
fn ends_label(packet: &impl Packet, udp: usize, skip: usize) -> bool {
    let mut behind = 0;
    for _ in 0..ALL {
        let Some(length) = label(packet, udp, behind) else { return false };
        behind += length;
        if behind >= skip {
            break;
        }
    }
    behind == skip
}

/// Is the name in the packet, whose last eight octets before its zero octet begin at `at`, one below this entry's? Gives its length, and its sum.
#[inline(always)]
fn stands_above<P: Packet>(
    packet: &mut P,
    udp: usize,
    at: usize,
    entry: &Entry<SHORT>,
) -> Option<(usize, Sum)> {
    let skip = P::hide(at.wrapping_sub(udp + usize::from(entry.end)));
    if skip >= LONGEST {
        return None;
    }
    let capitals = name::begins(packet, udp + QUESTION + skip, entry)?;
    packet.forget();
    let sum = name::ends(packet.read(at + 1)?, capitals, entry)?;
    // Mostly there is one label more.
    if skip != label(packet, udp, 0)? && !ends_label(packet, udp, skip) {
        return None;
    }
    packet.forget();
    let sum = before(packet, udp, skip)?.plus(sum.shifted(skip & 1 != 0));
    Some((skip + usize::from(entry.end).wrapping_sub(QUESTION - 9), sum))
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
        // The root has nobody above it, and what is no label is the sockets' to judge.
        skip = packet.blur::<512>(skip + label(packet, udp, skip)?);
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
        let (below, length, sum) = match found {
            Ok(known) => known,
            Err(Reason::UnknownName) => continue,
            Err(_) => return None,
        };
        let length = skip + length;
        if length > LONGEST {
            return None;
        }
        let whole = before(packet, udp, skip)?.plus(sum.shifted(skip & 1 != 0));
        return Some(Encloser::new(below, length, whole));
    }
    None
}

/// What is below the name that begins behind `skip` octets of the question, with its length and its sum as it is in the packet; [`Reason::UnknownName`] where it is not in the tables.
#[inline(always)]
fn known<const WORDS: usize, T: Names<WORDS>>(
    packet: &mut impl Packet,
    udp: usize,
    skip: usize,
    hash: u64,
    tables: &T,
) -> Result<(u32, usize, Sum), Reason> {
    packet.forget();
    let (_, entry) = tables.find(hash)?;
    let capitals = name::begins(packet, udp + QUESTION + skip, entry).or_refuse(Reason::UnknownName)?;
    packet.forget();
    let end = usize::from(entry.end) & 511;
    let last = packet.read(udp + skip + end + 1).or_refuse(Reason::UnknownName)?;
    let sum = name::ends(last, capitals, entry).or_refuse(Reason::UnknownName)?;
    Ok((entry.below, end.wrapping_sub(QUESTION - 9), sum))
}

/// The sum of the question's first `skip` octets, below 256. Behind them stand eight more: a name, type and class.
#[inline(always)]
fn before<P: Packet>(packet: &P, udp: usize, skip: usize) -> Option<Sum> {
    // Hidden: knowing its bound, the compiler leaves the loop's away, which Linux 6.1 needs.
    let skip = P::hide(skip);
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
