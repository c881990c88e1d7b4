//! What is said to who is given no more answers: question and OPT as in any reply, nothing else, and TC, so that it comes back over TCP. No longer than the query.

use super::plan::Plan;
use crate::{
    dns, edns, limit,
    net::{self, Headers},
    packet::Packet,
    sum::Sum,
    tables::{Lookup, Meta},
    verdict::{OrRefuse as _, Reason},
};

/// TC, in the second word of the header's flags.
const TRUNCATED: u16 = u16::from_le_bytes([0x02, 0]);

/// All that it is made of: what one program leaves to the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Slip {
    /// The sum of all that follows the DNS header, and of what request and reply have in common.
    sum: Sum,
    /// The OPT's first eight octets.
    opt: u64,
    /// The Ethernet type behind the tags, and where what follows it begins.
    kind: u16,
    at: u16,
    /// Octets from the UDP header to the end of the question.
    asked: u16,
    /// Octets of the OPT, or 0.
    opt_len: u16,
}

/// Why an answer is not given, where its client's prefix has had enough of them; nothing where it is given. A reply that is slipped is written, or left to who writes it.
#[inline(always)]
pub(super) fn limit<H: Headers>(
    packet: &mut impl Packet,
    at: usize,
    plan: &Plan<'_>,
    tables: &impl Lookup,
) -> Option<Reason> {
    // First, and read anew behind it: where there is no limit, nobody keeps anything for it.
    if plan.options.cookie.is_right || tables.most() == 0 {
        return None;
    }
    let headers: H = packet.read(at)?;
    if !headers.is_anybodys() {
        return None;
    }
    let over = limit::over(tables, headers.prefix(), plan.meta.kind(), tables.seed())?;
    let reason = tables.judge(over, &headers.source())?;
    if reason == Reason::Slipped {
        let slip = Slip {
            sum: plan.bare_sum(),
            opt: plan.tail.opt(),
            kind: H::KIND,
            at: at as u16,
            asked: plan.asked as u16,
            opt_len: plan.tail.reply_len as u16,
        };
        if !tables.leave_slip(&slip) {
            return Some(write::<H>(packet, &slip).err().unwrap_or(reason));
        }
    }
    Some(reason)
}

/// Writes over a frame what was left to be written.
#[inline(always)]
pub fn slip(packet: &mut impl Packet, slip: &Slip) -> Result<(), Reason> {
    match slip.kind {
        net::IPV4 => write::<net::V4>(packet, slip),
        _ => write::<net::V6>(packet, slip),
    }
}

#[inline(always)]
fn write<H: Headers>(packet: &mut impl Packet, slip: &Slip) -> Result<(), Reason> {
    let at = packet.blur::<32>(slip.at.into());
    let asked = packet.blur::<512>(slip.asked.into());
    let payload = asked + usize::from(slip.opt_len & 15);
    let end = at + H::IP + payload;
    // Options stay behind; where there are none it is as long as it was.
    if end != packet.size() {
        packet.resize(end).or_refuse(Reason::NoRoom)?;
    }
    put::<H>(packet, at, asked, payload, slip).or_refuse(Reason::Broken)
}

#[inline(always)]
fn put<H: Headers>(
    packet: &mut impl Packet,
    at: usize,
    asked: usize,
    payload: usize,
    slip: &Slip,
) -> Option<()> {
    H::turn_link(packet)?;
    let request: H = packet.read(at)?;
    let meta = Meta { flags: TRUNCATED, ..Meta::default() };
    packet.write(at, request.reply(payload, dns::reply(request.dns(), &meta), slip.sum))?;
    if slip.opt_len == 0 {
        return Some(());
    }
    const { assert!(edns::LEN == 7 + 4) };
    packet.write_both(at + H::IP + asked, slip.opt, 7, (slip.opt >> 56) as u32)
}
