//! From a request to its reply, in place.
//!
//! Three steps, in this order: *plan* (reads only, and refuses), *resize*, *write* (front to back). What is refused is exactly as it came.
//!
//! `WORDS` is the longest name that is looked up, in words; `OPTIONS` says which options are read ([`NONE`] and those beside it), and with all of them answers of the
//! large class too. A socket's message is answered by one function, [`answer_message`]; a frame by several, which [`programs`](crate::programs) goes through: what the first
//! refuses with [`Reason::Full`], [`Reason::LongName`], [`Reason::Options`] or [`Reason::Cookie`] is gone on with where it was left.

mod plan;
mod reply;
mod slip;

use crate::{
    aside::Aside,
    dns,
    edns::{ALL, NONE, ONLY_COOKIE},
    encloser::{self, Encloser},
    name::{LONG, SHORT},
    net::{self, Bare, Headers, Start, V4, V6},
    packet::Packet,
    tables::{Lookup, Names},
    verdict::{OrRefuse as _, Reason},
};
use plan::{Named, find, plan, settle};
use reply::reply;

pub use slip::{Slip, slip};

/// The first part: is it a datagram to the port that we serve, or are there tags to be stepped over? Tells by far most of
/// what is not ours, in few instructions, and refuses for no reason that is rare. Gives the Ethernet type.
#[inline(always)]
pub fn sift<P: Packet>(packet: &P, tables: &impl Lookup) -> Result<u16, Reason> {
    // Of the two kinds of headers, the shorter one: any question is longer.
    let (kind, start): (u16, <V4 as Headers>::Start) =
        packet.read_both(net::KIND, net::LINK).ok_or_else(|| P::hide(Reason::Short))?;
    if kind == net::IPV4 {
        return sifted::<P>(&start, kind, tables);
    }
    // Hidden: else the compiler makes one search of all comparisons, and begins with one that IPv4 has to pass too.
    let kind = P::hide(kind);
    if kind == net::IPV6 {
        let start: <V6 as Headers>::Start = packet.read(net::LINK).ok_or_else(|| P::hide(Reason::Short))?;
        return sifted::<P>(&start, kind, tables);
    }
    match net::is_tag(kind) {
        true if tables.has_vlans() => Ok(kind),
        true => Err(P::hide(Reason::Vlan)),
        false => Err(P::hide(Reason::NotIp)),
    }
}

#[inline(always)]
fn sifted<P: Packet>(start: &impl Start, kind: u16, tables: &impl Lookup) -> Result<u16, Reason> {
    if !start.is_plain() {
        return Err(P::hide(Reason::NotUdp));
    }
    if start.target_port() != tables.port() {
        return Err(P::hide(Reason::NotDns));
    }
    Ok(kind)
}

/// The second part: answers what [`sift`] let through.
#[inline(always)]
pub fn answer_sifted<const WORDS: usize>(
    packet: &mut impl Packet,
    kind: u16,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    match kind {
        net::IPV4 => over::<V4, WORDS, NONE, true>(packet, net::LINK, tables),
        net::IPV6 => over::<V6, WORDS, NONE, true>(packet, net::LINK, tables),
        _ => Reason::Full.refuse(),
    }
}

/// Looks up what a frame asks for, and puts it aside for [`answer_aside`].
#[inline(always)]
pub fn put_aside<const WORDS: usize>(
    packet: &mut impl Packet,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    let (kind, at) = net::link(packet, tables)?;
    let at = packet.blur::<32>(at);
    match kind {
        net::IPV4 => tables.put_aside(find::<V4, WORDS, false>(packet, at, tables)?.aside::<V4>(at)),
        net::IPV6 => tables.put_aside(find::<V6, WORDS, false>(packet, at, tables)?.aside::<V6>(at)),
        _ => return Reason::NotIp.refuse(),
    }
    Ok(())
}

/// Goes on with what was put aside: with [`edns::ALL`] options or, where there are no tags, [`edns::ONLY_COOKIE`].
#[inline(always)]
pub fn answer_aside<const WORDS: usize, const OPTIONS: u8>(
    packet: &mut impl Packet,
    aside: Aside,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    match aside.kind {
        net::IPV4 => go_on::<V4, WORDS, OPTIONS>(packet, aside, tables),
        _ => go_on::<V6, WORDS, OPTIONS>(packet, aside, tables),
    }
}

/// Answers the message that stands behind a [`Bare`] at the start of `packet`, or leaves it as it came: what a socket received.
pub fn answer_message<const WORDS: usize>(
    packet: &mut impl Packet,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    over::<Bare, WORDS, ALL, false>(packet, 0, tables)
}

/// Where the UDP header begins in a frame that was refused for [`Reason::UnknownName`]: all up to the question has been looked at.
#[inline(always)]
pub fn udp(packet: &impl Packet, tables: &impl Lookup) -> Result<usize, Reason> {
    let (kind, at) = net::link(packet, tables)?;
    Ok(at + if kind == net::IPV4 { V4::IP } else { V6::IP })
}

/// Answers the query in such a frame, whose name has this encloser. What was looked at before that is not looked at again.
/// `OPTIONS` is [`edns::NONE`], which leaves tags to the other, or [`edns::ALL`].
#[inline(always)]
pub fn answer_below<const OPTIONS: u8>(
    packet: &mut impl Packet,
    encloser: Encloser,
    tables: &impl Names<SHORT>,
) -> Result<(), Reason> {
    // Without tags, every position is one that is known when this is compiled.
    let (kind, at) = match OPTIONS {
        ALL => {
            let (kind, at) = net::link(packet, tables)?;
            (kind, packet.blur::<32>(at))
        }
        _ => (packet.read(net::KIND).or_refuse(Reason::Short)?, net::LINK),
    };
    match kind {
        net::IPV4 => below::<V4, OPTIONS>(packet, at, encloser, tables),
        net::IPV6 => below::<V6, OPTIONS>(packet, at, encloser, tables),
        _ => Reason::Full.refuse(),
    }
}

/// Answers the query in a frame without tags that was refused for [`Reason::UnknownName`], where how its name ends tells what is answered below the names above it.
/// [`Reason::Full`] where it does not.
#[inline(always)]
pub fn deny(packet: &mut impl Packet, tables: &impl Names<SHORT>) -> Result<(), Reason> {
    // Read again: to keep it costs every packet that is not ours two instructions.
    match packet.read(net::KIND) {
        Some(net::IPV4) => denied::<V4>(packet, tables),
        Some(net::IPV6) => denied::<V6>(packet, tables),
        _ => Reason::Full.refuse(),
    }
}

#[inline(always)]
fn denied<H: Headers>(packet: &mut impl Packet, tables: &impl Names<SHORT>) -> Result<(), Reason> {
    let udp = net::LINK + H::IP;
    let (entry, length, sum) = encloser::find_above(packet, udp, tables)?;
    // As in `below`, which has room for it.
    if length > 8 * SHORT {
        return Reason::Full.refuse();
    }
    packet.forget();
    let [.., counts]: dns::Header = packet.read(udp + net::UDP).or_refuse(Reason::Short)?;
    let end = packet.blur::<512>(encloser::end_of(length));
    let name = |_| Some(sum);
    let plan = settle::<H, SHORT, NONE>(packet, net::LINK, end, counts != 0, || (), name, entry, tables)?;
    reply::<H, NONE>(packet, net::LINK, &plan, tables)
}

/// The same for the message that stands behind a [`Bare`].
pub fn answer_message_below(
    packet: &mut impl Packet,
    tables: &(impl Names<SHORT> + Names<LONG>),
) -> Result<(), Reason> {
    let encloser = encloser::find::<{ encloser::ALL }, _>(packet, Bare::IP, tables);
    below::<Bare, ALL>(packet, 0, encloser.or_refuse(Reason::UnknownName)?, tables)
}

#[inline(always)]
fn below<H: Headers, const OPTIONS: u8>(
    packet: &mut impl Packet,
    at: usize,
    encloser: Encloser,
    tables: &impl Names<SHORT>,
) -> Result<(), Reason> {
    if encloser.below() == 0 {
        return Reason::UnknownName.refuse();
    }
    // With a longer name, a medium answer may be above the smallest limit, which is looked at where options are read.
    if OPTIONS != ALL && encloser.length() > 8 * SHORT {
        return Reason::Full.refuse();
    }
    let entry = tables.entry(encloser.below()).or_refuse(Reason::NoAnswer)?;
    let message: dns::Header = packet.read(at + H::IP + net::UDP).or_refuse(Reason::Short)?;
    let opt = dns::query(&message).or_refuse(Reason::NotQuery)?;
    let end = packet.blur::<512>(encloser.end());
    let plan =
        settle::<H, SHORT, OPTIONS>(packet, at, end, opt, || (), |_| Some(encloser.sum()), entry, tables)?;
    reply::<H, OPTIONS>(packet, at, &plan, tables)
}

#[inline(always)]
fn over<H: Headers, const WORDS: usize, const OPTIONS: u8, const SIFTED: bool>(
    packet: &mut impl Packet,
    at: usize,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    let named = find::<H, WORDS, SIFTED>(packet, at, tables)?;
    let plan = plan::<H, WORDS, OPTIONS>(packet, at, &named, tables)?;
    reply::<H, OPTIONS>(packet, at, &plan, tables)
}

#[inline(always)]
fn go_on<H: Headers, const WORDS: usize, const OPTIONS: u8>(
    packet: &mut impl Packet,
    aside: Aside,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    let entry = tables.entry(aside.entry).or_refuse(Reason::UnknownName)?;
    let (at, opt) = match OPTIONS {
        ONLY_COOKIE => (net::LINK, true),
        _ => {
            let at = packet.blur::<32>(aside.at.into());
            let [.., counts]: dns::Header = packet.read(at + H::IP + net::UDP).or_refuse(Reason::Short)?;
            (at, counts != 0)
        }
    };
    let named = Named { entry, index: aside.entry, capitals: aside.capitals, opt };
    let plan = plan::<H, WORDS, OPTIONS>(packet, at, &named, tables)?;
    reply::<H, OPTIONS>(packet, at, &plan, tables)
}
