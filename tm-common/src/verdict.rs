//! What became of a packet, and why: one closed list that is counter index, log word and metric label at once.

use core::hint::black_box;

/// What the caller is to do with the packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Hand it up, unchanged.
    Pass,
    /// Send it back: it now holds the reply.
    Reply,
    /// Throw it away: its sender has had enough.
    Drop,
    /// Throw it away and raise the alarm: it was half written, which cannot happen.
    Abort,
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $label:literal,)+) => {
        /// Why.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Reason { $($(#[doc = $doc])+ $name,)+ }

        impl Reason {
            /// Every reason, in the order of its index.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)+];

            /// Its name in logs and metrics.
            pub const fn label(self) -> &'static str {
                match self { $(Reason::$name => $label,)+ }
            }
        }
    };
}

reasons! {
    /// The reply is in place.
    Answered = "answered",
    /// The reply is in place, and says that there is no such name. A counter of such answers alone: a packet's outcome is [`Reason::Answered`].
    NoSuchName = "no_such_name",
    /// Neither IPv4 nor IPv6 follows the Ethernet header.
    NotIp = "not_ip",
    /// A VLAN tag that is not listed, or more than two.
    Vlan = "vlan",
    /// Too short for the headers it announces.
    Short = "short",
    /// Not plain UDP: another protocol, a fragment, IPv4 options or IPv6 extension headers.
    NotUdp = "not_udp",
    /// UDP, but not to the port we serve.
    NotDns = "not_dns",
    /// To an address that is not ours.
    NotServed = "not_served",
    /// The lengths in Ethernet, IP, UDP and DNS do not agree.
    Length = "length",
    /// Not a plain query: a reply, another opcode, odd flags, or other than one question.
    NotQuery = "not_query",
    /// No table knows the name.
    UnknownName = "unknown_name",
    /// Class other than IN, or a type that asks for more than records.
    Type = "type",
    /// An additional record that is no OPT of version 0, or options beyond what is read here.
    Edns = "edns",
    /// The sum of the IPv4 header or of the datagram is wrong, or half-made by a sender that leaves it to its card.
    Checksum = "checksum",
    /// A source that nobody may be answered at: our own, loopback, group, port 0; or on the link to a group or another card.
    Source = "source",
    /// The profile has no answer that this path can give.
    NoAnswer = "no_answer",
    /// The reply would not fit what the client or the path takes.
    TooLarge = "too_large",
    /// The driver had no room for the reply, neither behind nor before the frame.
    NoRoom = "no_room",
    /// The way back leads over another interface, or to a host whose address on the link is not known, where the way back is looked up.
    Route = "route",
    /// A name over 64 octets where the full program is not loaded.
    LongName = "long_name",
    /// A long answer, or listed tags, where the full program is not loaded.
    Full = "full",
    /// Options where the full program is not loaded.
    Options = "options",
    /// A cookie, where the program for it is not loaded.
    Cookie = "cookie",
    /// The client's prefix has been given as many answers of this kind as it may have.
    Limited = "limited",
    /// Likewise, but the reply that says to come back over TCP is in place.
    Slipped = "slipped",
    /// Half written: cannot happen, and must not leave.
    Broken = "broken",
}

/// Room for counters: a power of two, so that an index is masked and not checked.
pub const REASONS: usize = 32;
const _: () = assert!(Reason::ALL.len() <= REASONS, "more reasons than counters");

impl Reason {
    /// Refuses for this reason.
    ///
    /// Hidden from the compiler, which else carries the reason of every refusal that may come next through all that is not refused.
    #[inline(always)]
    pub fn refuse<T>(self) -> Result<T, Reason> {
        Err(black_box(self))
    }

    /// What became of a packet that was answered, or refused for a reason.
    #[inline(always)]
    pub fn of(answered: Result<(), Reason>) -> Reason {
        answered.err().unwrap_or(Reason::Answered)
    }

    /// Does it mean anything else than to hand the packet up? One comparison tells for all that do not.
    #[inline(always)]
    pub const fn is_rare(self) -> bool {
        self as u8 >= Reason::LongName as u8
    }

    /// What it means for the packet.
    #[inline(always)]
    pub const fn verdict(self) -> Verdict {
        match self {
            Reason::Answered | Reason::NoSuchName | Reason::Slipped => Verdict::Reply,
            Reason::Limited => Verdict::Drop,
            Reason::Broken => Verdict::Abort,
            _ => Verdict::Pass,
        }
    }
}

/// A value, or a reason to refuse.
pub trait OrRefuse<T> {
    /// The value; without one, the packet is refused.
    fn or_refuse(self, reason: Reason) -> Result<T, Reason>;
}

impl<T> OrRefuse<T> for Option<T> {
    #[inline(always)]
    fn or_refuse(self, reason: Reason) -> Result<T, Reason> {
        match self {
            Some(value) => Ok(value),
            None => reason.refuse(),
        }
    }
}
