//! The first step: reads the request, and settles what the reply will be, or why there is none.

use super::slip::limit;
use crate::{
    aside::Aside,
    cookie,
    dns::{self, Asked},
    edns::{self, ALL, ONLY_COOKIE, Tail},
    kind,
    name::{self, SHORT},
    net::{self, Headers, Start as _},
    options::Options,
    packet::Packet,
    place::Asker,
    sum::Sum,
    tables::{Block, Entry, Lookup, Meta, Names, Records, STICKY},
    verdict::{OrRefuse as _, Reason},
};

/// What is known once the name was looked up.
pub(super) struct Named<'a, const WORDS: usize> {
    pub(super) entry: &'a Entry<WORDS>,
    /// Where the entry lies in its table.
    pub(super) index: u32,
    /// The case bits that its whole words lack in the packet; the last octets are yet to be compared.
    pub(super) capitals: Sum,
    /// Is there an additional record?
    pub(super) opt: bool,
}

impl<const WORDS: usize> Named<'_, WORDS> {
    #[inline(always)]
    pub(super) fn aside<H: Headers>(&self, at: usize) -> Aside {
        Aside { entry: self.index, kind: H::KIND, at: at as u16, capitals: self.capitals }
    }
}

/// All that a reply needs to know of its request.
pub(super) struct Plan<'a> {
    /// What stands behind the name in the request.
    pub(super) tail: Tail,
    /// The options, as they are to be in the reply.
    pub(super) options: Options,
    /// The sum of the name as it was asked, and of what else request and reply have in common.
    pub(super) common: Sum,
    /// Octets from the UDP header to the end of the question.
    pub(super) asked: usize,
    pub(super) meta: &'a Meta,
    pub(super) records: Records<'a>,
}

impl Plan<'_> {
    /// Octets of the reply's UDP datagram.
    #[inline(always)]
    pub(super) fn payload(&self) -> usize {
        self.asked + self.last() + 16 + self.tail.reply_len + self.options.reply_len()
    }
    /// Where the last sixteen octets of the records begin, from their first.
    #[inline(always)]
    pub(super) fn last(&self) -> usize {
        usize::from(self.meta.tail) & 1023
    }
    /// The sum of what is common and of question and OPT, without options, where nothing stands between the two.
    #[inline(always)]
    pub(super) fn bare_sum(&self) -> Sum {
        let rest = self.tail.reply_sum(0).and(self.tail.fixed);
        self.common.plus(rest.shifted(self.asked & 1 != 0))
    }
    /// The sum of what is common and of all that follows the reply's DNS header: the name at an even place, the rest at the parity of the name's length.
    #[inline(always)]
    pub(super) fn sum(&self) -> Sum {
        let opt = self.tail.reply_sum(self.options.reply_len()).plus(self.options.reply_sum());
        let opt = opt.shifted(self.meta.tail & 1 != 0);
        let records = Sum::default().and(self.tail.fixed).and(self.meta.sum).plus(opt);
        self.common.plus(records.shifted(self.asked & 1 != 0))
    }
}

/// Reads only, as [`plan`] does. Cheap and common refusals come first; what makes a reply safe to send is checked once the name is known to be ours.
#[inline(always)]
pub(super) fn find<'a, H: Headers, const WORDS: usize, const SIFTED: bool>(
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
    let (index, entry) = tables.find(hash)?;
    let capitals = name::begins(packet, question, entry).or_refuse(Reason::UnknownName)?;
    packet.forget();
    Ok(Named { entry, index, capitals, opt })
}

/// Reads what stands behind the name, and the rest.
#[inline(always)]
pub(super) fn plan<'a, H: Headers, const WORDS: usize, const OPTIONS: u8>(
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
pub(super) fn settle<'a, H: Headers, const WORDS: usize, const OPTIONS: u8>(
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
        true => edns::with::<OPTIONS>(packet, at + H::IP + end, tables.opt(), leave)?,
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
    let mut scope = 0;
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
                scope = found.scope().max(least);
            }
            match is_sticky {
                true => {
                    Block { first: block.first.wrapping_add(client.seat(block.count)), count: 1, turn: 0 }
                }
                false => block,
            }
        }
    };
    let records = match OPTIONS {
        ALL => tables.pick::<true>(&block, scope > 0),
        _ => tables.pick::<false>(&block, false),
    }?;
    let meta = match records {
        Records::Small(answer) => &answer.meta,
        Records::Medium(answer) => &answer.meta,
        Records::Large(answer) => &answer.meta,
    };
    if OPTIONS == ALL {
        // RFC 7871, section 7.4: that there is nothing is kept for everybody.
        options.subnet = options.subnet.with_scope(if meta.answers == 0 { 0 } else { scope });
    }
    if OPTIONS == ALL {
        // An OPT has an odd number of octets.
        options.stale = meta.stale() & tail.reply_len;
    }
    let plan = Plan { tail, options, common, asked, meta, records };
    // A short name with a small or medium answer is always below the smallest limit.
    const {
        assert!(
            net::UDP + 12 + 8 * SHORT + 4 + 8 * crate::tables::MEDIUM + 16 + edns::LEN + cookie::LEN < 512
        )
    };
    if OPTIONS == ALL {
        let limit = tables.payload().limit(tail.asked, options.cookie.is_right);
        if plan.payload() - net::UDP > headers.limit(limit) {
            tables.unpick(&block);
            return Reason::TooLarge.refuse();
        }
    }
    if let Some(reason) = limit::<H>(packet, at, &plan, tables) {
        tables.unpick(&block);
        return reason.refuse();
    }
    Ok(plan)
}
