//! The other steps: makes room, and writes the reply over the request, front to back.

use super::plan::Plan;
use crate::{
    dns,
    edns::{self, NONE, ONLY_COOKIE},
    net::Headers,
    packet::Packet,
    tables::{Answer, Lookup, Records, SMALL},
    verdict::{OrRefuse as _, Reason},
};

/// Does what was planned, and counts it.
#[inline(always)]
pub(super) fn reply<H: Headers, const OPTIONS: u8>(
    packet: &mut impl Packet,
    at: usize,
    plan: &Plan<'_>,
    tables: &impl Lookup,
) -> Result<(), Reason> {
    packet.resize(at + H::IP + plan.payload()).or_refuse(Reason::NoRoom)?;
    write::<H, OPTIONS>(packet, at, plan).or_refuse(Reason::Broken)?;
    if plan.meta.one_in != 0 {
        packet.sample(plan.meta.counter, plan.meta.one_in);
    }
    tables.count(plan.meta.counter);
    Ok(())
}

/// Writes front to back.
#[inline(always)]
fn write<H: Headers, const OPTIONS: u8>(packet: &mut impl Packet, at: usize, plan: &Plan) -> Option<()> {
    H::turn_link(packet)?;
    let request: H = packet.read(at)?;
    packet.write(at, request.reply(plan.payload(), dns::reply(request.dns(), plan.meta), plan.sum()))?;
    let records = at + H::IP + plan.asked;
    match plan.records {
        Records::Small(answer) => write_records(packet, records, plan, answer),
        Records::Medium(answer) => write_records(packet, records, plan, answer),
        Records::Large(answer) => write_records(packet, records, plan, answer),
    }?;
    if OPTIONS == NONE {
        return Some(());
    }
    // Else the verifier follows what is left from every turn at which the loop over the records may have ended.
    let last = packet.blur::<1024>(plan.last());
    let options = records + last + 16 + edns::LEN;
    match OPTIONS {
        ONLY_COOKIE => plan.options.cookie.write(packet, options),
        _ => plan.options.write(packet, options),
    }
}

/// Writes what follows the question: whole words, over the last of which come the last sixteen octets, then the OPT but for its options.
#[inline(always)]
fn write_records<const WORDS: usize>(
    packet: &mut impl Packet,
    at: usize,
    plan: &Plan,
    answer: &Answer<WORDS>,
) -> Option<()> {
    let last = plan.last();
    // Four at a time while all of them lie before the end: what is past the records comes under the last sixteen octets.
    let (few, many) = match WORDS {
        SMALL => (answer.records.as_chunks::<2>().0, [].as_slice()),
        _ => ([].as_slice(), answer.records.as_chunks::<4>().0),
    };
    for (i, words) in few.iter().enumerate() {
        if 16 * i >= last {
            break;
        }
        packet.write(at + 16 * i, *words)?;
    }
    for (i, words) in many.iter().enumerate() {
        let (begin, [first, second, ..]) = (32 * i, *words);
        if begin >= last {
            break;
        }
        if begin + 16 >= last {
            packet.write(at + begin, [first, second])?;
            break;
        }
        packet.write(at + begin, *words)?;
    }
    plan.tail.write(packet, at + last, answer.last, plan.options.reply_len())
}
