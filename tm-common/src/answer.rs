//! From a request to its reply, in place.
//!
//! Three steps, in this order: *plan* (reads only, and refuses), *resize*, *write* (front to back). What is refused is exactly as it came.
//!
//! `WORDS` is the longest name that is looked up, in words; `OPTIONS` says which options are read ([`edns::NONE`] and those beside it), and with all of them answers of the
//! large class too. The kernel's first program is small: `answer::<SHORT, false>`. What it refuses with [`Reason::Full`] or [`Reason::LongName`] is answered by the same
//! code with larger parameters, in programs of their own; [`Reason::Options`] and [`Reason::Cookie`] are gone on with where they were left.

use crate::{
    cookie,
    dns::{self, Asked},
    edns::{self, ALL, NONE, ONLY_COOKIE, Tail},
    encloser::{self, Encloser},
    kind,
    name::{self, LONG, SHORT},
    net::{self, Bare, Headers, Start, V4, V6},
    options::Options,
    packet::Packet,
    place::Asker,
    sum::Sum,
    tables::{Answer, Aside, Block, Entry, Lookup, Meta, Names, Records, STICKY},
    verdict::{OrRefuse as _, Reason},
};

/// Answers the query in `packet`, and counts the answer; or leaves the packet as it came and says why.
#[inline(always)]
pub fn answer<const WORDS: usize, const FULL: bool>(
    packet: &mut impl Packet,
    tables: &impl Names<WORDS>,
) -> Result<(), Reason> {
    if !FULL {
        let kind = sift(packet, tables)?;
        return answer_sifted(packet, kind, tables);
    }
    let (kind, at) = net::link(packet, tables)?;
    let at = packet.blur::<32>(at);
    match kind {
        net::IPV4 => over::<V4, WORDS, ALL, false>(packet, at, tables),
        net::IPV6 => over::<V6, WORDS, ALL, false>(packet, at, tables),
        _ => Reason::NotIp.refuse(),
    }
}

/// The first part of `answer::<_, false>`: is it a datagram to the port that we serve, or are there tags to be stepped over? Tells by far most of
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

/// Answers the query in a frame that was refused for [`Reason::UnknownName`], and whose name has this encloser. What was looked at before that is not looked at again.
/// `OPTIONS` is [`edns::NONE`] or [`edns::ALL`].
#[inline(always)]
pub fn answer_below<const OPTIONS: u8>(
    packet: &mut impl Packet,
    encloser: Encloser,
    tables: &impl Names<SHORT>,
) -> Result<(), Reason> {
    let (kind, at) = net::link(packet, tables)?;
    // Where it is not read anew, what has been found to lie inside is known by its distance from the first octet.
    let at = if OPTIONS == ALL { packet.blur::<32>(at) } else { at };
    match kind {
        net::IPV4 => below::<V4, OPTIONS>(packet, at, encloser, tables),
        net::IPV6 => below::<V6, OPTIONS>(packet, at, encloser, tables),
        _ => Reason::NotIp.refuse(),
    }
}

/// The same for the message that stands behind a [`Bare`].
pub fn answer_message_below(
    packet: &mut impl Packet,
    tables: &(impl Names<SHORT> + Names<LONG>),
) -> Result<(), Reason> {
    let encloser = encloser::find_at::<{ encloser::ALL }, _>(packet, Bare::IP, tables);
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

/// What is known once the name was looked up.
struct Named<'a, const WORDS: usize> {
    entry: &'a Entry<WORDS>,
    /// Where the entry lies in its table.
    index: u32,
    /// The case bits that its whole words lack in the packet; the last octets are yet to be compared.
    capitals: Sum,
    /// Is there an additional record?
    opt: bool,
}

impl<const WORDS: usize> Named<'_, WORDS> {
    #[inline(always)]
    fn aside<H: Headers>(&self, at: usize) -> Aside {
        Aside { entry: self.index, kind: H::KIND, at: at as u16, capitals: self.capitals }
    }
}

#[inline(always)]
fn reply<H: Headers, const OPTIONS: u8>(
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

/// All that a reply needs to know of its request.
struct Plan<'a> {
    /// What stands behind the name in the request.
    tail: Tail,
    /// The options, as they are to be in the reply.
    options: Options,
    /// The sum of the name as it was asked, and of what else request and reply have in common.
    common: Sum,
    /// Octets from the UDP header to the end of the question.
    asked: usize,
    meta: &'a Meta,
    records: Records<'a>,
}

impl Plan<'_> {
    /// Octets of the reply's UDP datagram.
    #[inline(always)]
    fn payload(&self) -> usize {
        self.asked + self.last() + 16 + self.tail.reply_len + self.options.reply_len()
    }
    /// Where the last sixteen octets of the records begin, from their first.
    #[inline(always)]
    fn last(&self) -> usize {
        usize::from(self.meta.tail) & 1023
    }
    /// The sum of what is common and of all that follows the reply's DNS header: the name at an even place, the rest at the parity of the name's length.
    #[inline(always)]
    fn sum(&self) -> Sum {
        let opt = self.tail.reply_sum(self.options.reply_len()).plus(self.options.reply_sum());
        let opt = opt.shifted(self.meta.tail & 1 != 0);
        let records = Sum::default().and(self.tail.fixed).and(self.meta.sum).plus(opt);
        self.common.plus(records.shifted(self.asked & 1 != 0))
    }
}

/// Reads only, as [`plan`] does. Cheap and common refusals come first; what makes a reply safe to send is checked once the name is known to be ours.
#[inline(always)]
fn find<'a, H: Headers, const WORDS: usize, const SIFTED: bool>(
    packet: &mut impl Packet,
    at: usize,
    tables: &'a impl Names<WORDS>,
) -> Result<Named<'a, WORDS>, Reason> {
    let start: H::Start = packet.read(at).or_refuse(Reason::Short)?;
    if H::CHECKED && !SIFTED && !start.is_plain() {
        return Reason::NotUdp.refuse();
    }
    if H::CHECKED && !SIFTED && start.target_port() != tables.port() {
        return Reason::NotDns.refuse();
    }
    if H::CHECKED && !(start.has_target() && tables.is_served(&start.target())) {
        return Reason::NotServed.refuse();
    }
    let message: dns::Header = packet.read(at + H::IP + net::UDP).or_refuse(Reason::Short)?;
    let opt = dns::query(&message).or_refuse(Reason::NotQuery)?;
    let question = at + size_of::<H>();
    let hash = name::scan::<WORDS>(packet, question, tables.seed())?;
    packet.forget();
    let (index, entry) = tables.find(hash).or_refuse(Reason::UnknownName)?;
    let capitals = name::begins(packet, question, entry).or_refuse(Reason::UnknownName)?;
    packet.forget();
    Ok(Named { entry, index, capitals, opt })
}

/// Reads what stands behind the name, and the rest.
#[inline(always)]
fn plan<'a, H: Headers, const WORDS: usize, const OPTIONS: u8>(
    packet: &mut impl Packet,
    at: usize,
    named: &Named<'a, WORDS>,
    tables: &'a impl Names<WORDS>,
) -> Result<Plan<'a>, Reason> {
    let put_aside = || tables.put_aside(named.aside::<H>(at));
    let Named { entry, capitals, opt, .. } = *named;
    let end = usize::from(entry.end) & 511;
    settle::<H, WORDS, OPTIONS>(
        packet,
        at,
        end,
        opt,
        put_aside,
        |last| name::ends(last, capitals, entry),
        entry,
        tables,
    )
}

/// The rest of the plan, from the question's type on: what `entry` answers to the name whose last octets begin at `end`, as [`Entry::end`] has it. `name` gives its sum,
/// where its last eight octets are right; `make_known` is called before options are left to another program.
///
/// What stands behind the name is read here and not by who calls: else what is compiled takes the verifier half as long again.
#[expect(clippy::too_many_arguments, reason = "a struct of them would only be taken apart again")]
#[inline(always)]
fn settle<'a, H: Headers, const WORDS: usize, const OPTIONS: u8>(
    packet: &mut impl Packet,
    at: usize,
    end: usize,
    opt: bool,
    make_known: impl FnOnce(),
    name: impl FnOnce(u64) -> Option<Sum>,
    entry: &'a Entry<WORDS>,
    tables: &'a impl Lookup,
) -> Result<Plan<'a>, Reason> {
    let options_at = at + H::IP + end + 8 + 1 + dns::FIXED + edns::LEN;
    let leave = |len| {
        make_known();
        if let (Some(len), Some(headers)) = (len, packet.read::<H>(at)) {
            tables.leave_options(options_at, len, &headers.source());
        }
    };
    let (last, mut tail) = match opt {
        true => edns::with::<OPTIONS>(packet, at + H::IP + end, leave)?,
        false => edns::without(packet, at + H::IP + end)?,
    };
    let (mut options, mut asked_cookie) = (Options::NONE, None);
    if OPTIONS == ONLY_COOKIE {
        let asked = cookie::Asked::alone(packet, options_at, tail.len - edns::LEN)?;
        tail.sum = tail.sum.plus(asked.sum());
        asked_cookie = Some(asked);
    }
    if OPTIONS == ALL && tail.len > edns::LEN {
        packet.forget();
        let headers: H = packet.read(at).or_refuse(Reason::Short)?;
        options = tables.options(packet, options_at, tail.len - edns::LEN, &headers.source())?;
        tail.sum = tail.sum.plus(options.sum);
        packet.forget();
    }
    let name_sum = name(last).or_refuse(Reason::UnknownName)?;
    let asked = end + 8 + 1 + dns::FIXED;
    let size = packet.size();
    // Read again, which is cheaper than to keep the words all along.
    let headers: H = packet.read(at).or_refuse(Reason::Short)?;
    if at + H::IP + asked + tail.len != size || !headers.fills(size - at) {
        return Reason::Length.refuse();
    }
    // What stands behind the name was summed from its zero octet on, whose place is odd where `asked` is even.
    let common = name_sum.plus(headers.common());
    if !headers.is_intact(common.plus(tail.sum.shifted(asked & 1 == 0))) {
        return Reason::Checksum.refuse();
    }
    if H::CHECKED
        && (headers.source_port() == 0
            || headers.is_martian()
            || !H::is_for_us(packet, tables)
            || tables.is_own(&headers.source()))
    {
        return Reason::Source.refuse();
    }
    if let Some(asked) = asked_cookie {
        // Where cookies are off it is an option like any other.
        options.cookie = asked.answer(tables, &headers.source()).or_refuse(Reason::Full)?;
    }
    let kind = dns::asked(tail.fixed).or_refuse(Reason::Type)?;
    // Looked at here alone, so that the first program is what it is without.
    let of_type = match kind {
        Asked::Other if OPTIONS == ALL => {
            let kind = (tail.fixed as u16).swap_bytes();
            Some(kind::block(tables, entry.block(Asked::Other), kind).or_refuse(Reason::NoAnswer)?)
        }
        _ => None,
    };
    let all = || of_type.unwrap_or(entry.block(kind));
    let block = match entry.root_bits {
        0 => *all(),
        _ => {
            let asker = Asker { subnet: options.subnet.client(), sender: headers.client() };
            let found = match OPTIONS {
                ALL => tables.find_asker::<true>(entry.root(), &asker),
                _ => tables.find_asker::<false>(entry.root(), &asker),
            };
            let found = found.or_refuse(Reason::NoAnswer)?;
            let first = all().first;
            let block = tables.placed(first.wrapping_add(found.place())).or_refuse(Reason::NoAnswer)?.block;
            let is_sticky = block.turn == STICKY;
            let mut client = asker.sender;
            if OPTIONS == ALL {
                let is_sender = found.is_sender();
                client = if is_sender { client } else { asker.subnet };
                let least = if is_sticky && !is_sender { client.prefix() } else { 0 };
                options.subnet = options.subnet.with_scope(found.scope().max(least));
            }
            match is_sticky {
                true => Block { first: block.first + client.seat(block.count), count: 1, turn: 0 },
                false => block,
            }
        }
    };
    let records = match OPTIONS {
        ALL => tables.pick::<true>(&block),
        _ => tables.pick::<false>(&block),
    }?;
    let meta = match records {
        Records::Small(answer) => &answer.meta,
        Records::Medium(answer) => &answer.meta,
        Records::Large(answer) => &answer.meta,
    };
    let plan = Plan { tail, options, common, asked, meta, records };
    // A short name with a small or medium answer is always below the smallest limit.
    const {
        assert!(
            net::UDP + 12 + 8 * SHORT + 4 + 8 * crate::tables::MEDIUM + 16 + edns::LEN + cookie::LEN < 512
        )
    };
    if OPTIONS == ALL && plan.payload() - net::UDP > headers.limit(tail.limit) {
        tables.unpick(&block);
        return Reason::TooLarge.refuse();
    }
    Ok(plan)
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
    // Two at a time: the second one may be past them, but not past the octets that come over them.
    for (i, words) in answer.records.as_chunks::<2>().0.iter().enumerate() {
        if 16 * i >= last {
            break;
        }
        packet.write(at + 16 * i, *words)?;
    }
    plan.tail.write(packet, at + last, answer.last, plan.options.reply_len())
}
