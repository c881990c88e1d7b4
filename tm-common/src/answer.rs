//! From a request to its reply, in place.
//!
//! Three steps, in this order: *plan* (reads only, and refuses), *resize*, *write* (front to back). What is refused is exactly as it came.
//!
//! `WORDS` is the longest name that is looked up, in words; `FULL` says whether options and answers of the large class are read too. The
//! kernel's first program is small: `answer::<SHORT, false>`. What it refuses with [`Reason::Full`] or [`Reason::LongName`] is answered by the same
//! code with larger parameters, in programs of their own.

use crate::{
    dns,
    edns::{self, Tail},
    name::Name,
    net::{self, Bare, Headers, V4, V6},
    packet::Packet,
    sum::Sum,
    tables::{Answer, Meta, Names, Records},
    verdict::{OrRefuse as _, Reason},
};

/// Answers the query in `packet`, or leaves it as it came.
#[inline(always)]
pub fn answer<const WORDS: usize, const FULL: bool>(
    packet: &mut impl Packet,
    tables: &impl Names<WORDS>,
) -> Reason {
    let (kind, at) = match net::link::<FULL>(packet, tables) {
        Ok(link) => link,
        Err(reason) => return reason,
    };
    match kind {
        net::IPV4 => over::<V4, WORDS, FULL>(packet, at, tables),
        net::IPV6 => over::<V6, WORDS, FULL>(packet, at, tables),
        _ => Reason::NotIp,
    }
}

/// Answers the message that stands behind a [`Bare`] at the start of `packet`, or leaves it as it came: what a socket received.
pub fn answer_message<const WORDS: usize>(packet: &mut impl Packet, tables: &impl Names<WORDS>) -> Reason {
    over::<Bare, WORDS, true>(packet, 0, tables)
}

#[inline(always)]
fn over<H: Headers, const WORDS: usize, const FULL: bool>(
    packet: &mut impl Packet,
    at: usize,
    tables: &impl Names<WORDS>,
) -> Reason {
    let plan = match plan::<H, WORDS, FULL>(packet, at, tables) {
        Ok(plan) => plan,
        Err(reason) => return reason,
    };
    if packet.resize(at + H::IP + plan.payload()).is_none() {
        return Reason::NoRoom;
    }
    if write::<H>(packet, at, &plan).is_none() {
        return Reason::Broken;
    }
    tables.count(plan.meta.counter);
    Reason::Answered
}

/// All that a reply needs to know of its request.
struct Plan<'a> {
    /// Does an OPT stand behind the question?
    opt: bool,
    /// What stands behind the name in the request.
    tail: Tail,
    /// The sum of the name as it was asked.
    name_sum: Sum,
    /// Octets from the UDP header to the end of the question.
    asked: usize,
    meta: Meta,
    records: Records<'a>,
}

impl Plan<'_> {
    /// Octets of the reply's UDP datagram.
    #[inline(always)]
    fn payload(&self) -> usize {
        let opt = if self.opt { edns::LEN } else { 0 };
        self.asked + self.last() + 8 + opt
    }
    /// Where the last eight octets of the records begin, from their first.
    #[inline(always)]
    fn last(&self) -> usize {
        usize::from(self.meta.tail) & 1023
    }
    /// The sum of all that follows the reply's DNS header: the name at an even place, the rest at the parity of the name's length.
    #[inline(always)]
    fn sum(&self) -> Sum {
        let mut records = Sum::of(u64::from(self.tail.fixed)).and(self.meta.sum);
        if self.opt {
            records = records.plus(self.tail.reply_sum().shifted(self.meta.tail & 1 != 0));
        }
        self.name_sum.plus(records.shifted(self.asked & 1 != 0))
    }
}

/// Reads only. Cheap and common refusals come first; what makes a reply safe to send is checked once the name is known to be ours.
#[inline(always)]
fn plan<'a, H: Headers, const WORDS: usize, const FULL: bool>(
    packet: &mut impl Packet,
    at: usize,
    tables: &'a impl Names<WORDS>,
) -> Result<Plan<'a>, Reason> {
    let headers: H = packet.read(at).or_refuse(Reason::Short)?;
    if !headers.is_plain() {
        return Reason::NotUdp.refuse();
    }
    if H::CHECKED && net::target_port(headers.udp()) != tables.port() {
        return Reason::NotDns.refuse();
    }
    if H::CHECKED && !(headers.has_target() && tables.is_served(&headers.target())) {
        return Reason::NotServed.refuse();
    }
    let size = packet.size();
    if !headers.fills(size.wrapping_sub(at)) {
        return Reason::Length.refuse();
    }
    let opt = dns::query(headers.dns()).or_refuse(Reason::NotQuery)?;
    let question = at + size_of::<H>();
    let name = Name::read::<WORDS>(packet, question, tables.seed())?;
    packet.forget();
    let entry = tables.find(name.hash).or_refuse(Reason::UnknownName)?;
    let name_sum = name.is(packet, question, entry).or_refuse(Reason::UnknownName)?;
    packet.forget();
    let end = usize::from(entry.end) & 511;
    let tail = match opt {
        true => edns::with::<FULL>(packet, at + H::IP + end)?,
        false => edns::without(packet, at + H::IP + end)?,
    };
    let asked = end + 1 + dns::FIXED;
    if at + H::IP + asked + tail.len != packet.size() {
        return Reason::Length.refuse();
    }
    // Read again, which is cheaper than to keep the words all along.
    let headers: H = packet.read(at).or_refuse(Reason::Short)?;
    // What stands behind the name was summed from its zero octet on, whose place is odd where `asked` is even.
    if !headers.is_intact(name_sum.plus(tail.sum.shifted(asked & 1 == 0))) {
        return Reason::Checksum.refuse();
    }
    if H::CHECKED
        && (net::source_port(headers.udp()) == 0
            || headers.is_martian()
            || H::is_group(packet)
            || tables.is_own(&headers.source()))
    {
        return Reason::Source.refuse();
    }
    let kind = dns::asked(tail.fixed).or_refuse(Reason::Type)?;
    let records = tables.pick::<WORDS, FULL>(entry, kind)?;
    let meta = match records {
        Records::Small(answer) => answer.meta,
        Records::Medium(answer) => answer.meta,
        Records::Large(answer) => answer.meta,
    };
    let plan = Plan { opt, tail, name_sum, asked, meta, records };
    // A short name with a small or medium answer is always below the smallest limit.
    const { assert!(net::UDP + 12 + 8 * crate::name::SHORT + 4 + 8 * crate::tables::MEDIUM + 8 + edns::LEN < 512) };
    if FULL && plan.payload() - net::UDP > headers.limit(tail.limit) {
        tables.unpick(entry, kind);
        return Reason::TooLarge.refuse();
    }
    Ok(plan)
}

/// Writes front to back.
#[inline(always)]
fn write<H: Headers>(packet: &mut impl Packet, at: usize, plan: &Plan) -> Option<()> {
    H::turn_link(packet)?;
    let request: H = packet.read(at)?;
    packet.write(at, request.reply(plan.payload(), dns::reply(request.dns(), &plan.meta), plan.sum()))?;
    let records = at + H::IP + plan.asked;
    match plan.records {
        Records::Small(answer) => write_records(packet, records, plan, answer),
        Records::Medium(answer) => write_records(packet, records, plan, answer),
        Records::Large(answer) => write_records(packet, records, plan, answer),
    }
}

/// Writes what follows the question: whole words, over the last of which come the last eight octets, then the OPT.
#[inline(always)]
fn write_records<const WORDS: usize>(
    packet: &mut impl Packet,
    at: usize,
    plan: &Plan,
    answer: &Answer<WORDS>,
) -> Option<()> {
    let last = plan.last();
    for (i, word) in answer.records.iter().enumerate() {
        if 8 * i >= last {
            break;
        }
        packet.write(at + 8 * i, *word)?;
    }
    packet.write(at + last, answer.last)?;
    if plan.opt {
        plan.tail.write(packet, at + last + 8)?;
    }
    Some(())
}
