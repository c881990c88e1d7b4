//! The COOKIE option ([RFC 7873]): read in a query, judged, and given back in its reply, as all servers with the same secret do it ([RFC 9018]).
//!
//! ```text
//!  octet 0-1   option 10
//!        2-3   octets that follow: 8, or 24 with a server's cookie (16 to 40 are allowed)
//!        4-11  the client's cookie
//!        12    version 1
//!        13-15 reserved: zero, but hashed as they came
//!        16-19 when it was made, in seconds
//!        20-27 SipHash-2-4 of octets 4 to 19 and the client's address
//! ```
//!
//! Whoever sends a right one back has shown to be at its address. No cookie, or one that is not right, is no reason to refuse: the reply brings a right one.
//!
//! [RFC 7873]: https://www.rfc-editor.org/rfc/rfc7873
//! [RFC 9018]: https://www.rfc-editor.org/rfc/rfc9018

use core::hint::black_box;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::{
    name::word_of,
    packet::Packet,
    sip::Sip,
    sum::Sum,
    tables::{Address, v4_mapped},
    verdict::{OrRefuse as _, Reason},
};

/// Its number, in memory order.
pub const CODE: u16 = 10u16.to_be();
/// Octets of the option in a reply, and in a query that brings a server's cookie of the kind that we make.
pub const LEN: usize = 28;
/// Octets of the option in the query of a client that has no server's cookie yet.
pub const FIRST: usize = 12;
/// Octets of the option with the longest server's cookie.
const LONGEST: usize = 44;

/// How long a cookie is right after it was made, how long it is given back unchanged, and how far clocks may differ: seconds ([RFC 9018, section 4.3]).
///
/// [RFC 9018, section 4.3]: https://www.rfc-editor.org/rfc/rfc9018#section-4.3
const RIGHT: i32 = 3600;
const FRESH: i32 = 1800;
const AHEAD: i32 = 300;
/// 2025: a clock that says less was never set, and no cookie is made by it.
pub const EARLIEST: u64 = 1_735_689_600;

/// What the option begins with in a reply.
const HEAD: u32 = CODE as u32 | 24u32.swap_bytes();
/// And in a query without a server's cookie.
const FIRST_HEAD: u32 = CODE as u32 | 8u32.swap_bytes();
/// What a server's cookie begins with.
const VERSION: u64 = 1;

/// What cookies are made and judged with: a table of one element.
#[derive(Clone, Copy, PartialEq, Eq, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(8))]
pub struct Cookies {
    /// The first makes them and knows them again, the other only knows them again ([RFC 9018, section 5](https://www.rfc-editor.org/rfc/rfc9018#section-5)). While they are
    /// exchanged a reader may see halves of two: what it then makes is not right when it comes back, and is made anew.
    pub secrets: [[u64; 2]; 2],
    /// How many there are; 0 to know nothing of cookies.
    pub count: u32,
    /// Seconds that the kernel's clock of International Atomic Time is ahead of the time that cookies bear.
    pub ahead: u32,
    /// Another number for each first secret.
    pub epoch: u64,
    /// The programs' own: what the clock said last, and when that was. Userspace leaves zero here.
    pub clock: u64,
}

// Secrets are not shown.
impl core::fmt::Debug for Cookies {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Cookies").field("count", &self.count).finish_non_exhaustive()
    }
}

/// A cookie that was found to be right, as far as its seal goes: with the tables' first secret, for whoever is at this address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub struct Known {
    client: u64,
    server: [u64; 2],
    address: Address,
    epoch: u64,
}

/// All that judging a cookie needs of the world.
pub trait Jar {
    /// What cookies are made and judged with.
    fn cookies(&self) -> Option<&Cookies>;
    /// The time that cookies bear: seconds since 1970. `None` where the clock was never set.
    fn now(&self, cookies: &Cookies) -> Option<u32>;
    /// The hash that seals a server's cookie.
    #[inline(always)]
    fn seal(&self, secret: &[u64; 2], client: u64, head: u64, address: &Address) -> u64 {
        seal(secret, client, head, address)
    }
    /// Was this cookie found to be right not long ago? Resolvers send the same one for half an hour, and to look there costs a tenth of what the hash costs.
    #[inline(always)]
    fn knows(&self, _cookie: &Known) -> bool {
        false
    }
    /// Remembers a cookie that was found to be right, in the place of another.
    #[inline(always)]
    fn remember(&self, _cookie: &Known) {}
}

/// How many are remembered: a power of two.
pub const MOST_KNOWN: u32 = 1024;

impl Known {
    /// Where it is remembered, below [`MOST_KNOWN`]. Its seal says so, which nobody can choose.
    #[inline(always)]
    pub fn index(&self) -> u32 {
        self.server[1] as u32 & (MOST_KNOWN - 1)
    }
}

/// The option of a query.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// The client's cookie.
    client: u64,
    /// The server's; zero, which no version is, where there is none that we could have made.
    server: [u64; 2],
    /// The option's sum.
    sum: Sum,
}

/// The option of a reply, or none.
#[derive(Clone, Copy, Debug)]
pub struct Cookie {
    /// Octets of the option; 0 where there is none.
    len: usize,
    client: u64,
    server: [u64; 2],
    sum: Sum,
    /// Is the client known to be at its address?
    pub is_right: bool,
}

impl Asked {
    /// Reads what is alone in a query's OPT and `len` octets long, at `at`. Anything but a cookie of the usual lengths is [`Reason::Full`].
    #[inline(always)]
    pub fn alone(packet: &impl Packet, at: usize, len: usize) -> Result<Self, Reason> {
        if len == LEN {
            let all: [u32; LEN / 4] = packet.read(at).or_refuse(Reason::Edns)?;
            let [head, a, b, c, d, e, f] = all;
            if head != HEAD {
                return Reason::Full.refuse();
            }
            let sum = all.iter().fold(Sum::default(), |sum, half| sum.and(*half));
            let server = [word(c, d), word(e, f)];
            return Ok(Asked { client: word(a, b), server, sum });
        }
        let [head, a, b]: [u32; FIRST / 4] = packet.read(at).or_refuse(Reason::Edns)?;
        if len != FIRST || head != FIRST_HEAD {
            return Reason::Full.refuse();
        }
        Ok(Asked { client: word(a, b), server: [0; 2], sum: Sum::default().and(head).and(a).and(b) })
    }

    /// The option's sum, at the parity of its place.
    #[inline(always)]
    pub fn sum(&self) -> Sum {
        self.sum
    }

    /// Reads the option at `at`, all of which is known to be in the packet, whatever it is among. One that breaks a rule is [`Reason::Edns`].
    #[inline(always)]
    pub fn among(packet: &impl Packet, at: usize) -> Result<Self, Reason> {
        let [head, low, high]: [u32; 3] = packet.read(black_box(at)).or_refuse(Reason::Edns)?;
        let len = usize::from(((head >> 16) as u16).swap_bytes()) + 4;
        let server = match len {
            LEN => packet.read(black_box(at + FIRST)).or_refuse(Reason::Edns)?,
            FIRST | 20..=LONGEST => [0; 2],
            _ => return Reason::Edns.refuse(),
        };
        let client = word(low, high);
        Ok(Asked { client, server, sum: sum(client, &server) })
    }

    /// The option with these octets of data. `None` for a length that breaks the rules.
    pub fn of(data: &[u8]) -> Option<Self> {
        let at = |at: usize| data.get(at..at + 8).map_or(0, word_of);
        match data.len() {
            8 | 16..=40 => {}
            _ => return None,
        }
        let server = if data.len() == LEN - 4 { [at(8), at(16)] } else { [0; 2] };
        Some(Asked { client: at(0), server, sum: sum(at(0), &server) })
    }

    /// What is given back to whoever asks from this address; none where nothing is known of cookies.
    #[inline(always)]
    pub fn answer(&self, jar: &(impl Jar + ?Sized), address: &Address) -> Option<Cookie> {
        let cookies = jar.cookies().filter(|cookies| cookies.count != 0)?;
        let now = jar.now(cookies)?;
        let [head, seal] = self.server;
        let age = now.wrapping_sub(((head >> 32) as u32).swap_bytes()) as i32;
        let mut is_right = false;
        if head as u8 == VERSION as u8 && (-AHEAD..=RIGHT).contains(&age) {
            let known =
                Known { client: self.client, server: self.server, address: *address, epoch: cookies.epoch };
            is_right = jar.knows(&known);
            if !is_right {
                is_right = jar.seal(&cookies.secrets[0], self.client, head, address) == seal;
                if is_right {
                    jar.remember(&known);
                }
            }
            if is_right && age <= FRESH {
                let Asked { client, server, sum } = *self;
                return Some(Cookie { len: LEN, client, server, sum, is_right });
            }
            if !is_right && cookies.count > 1 {
                is_right = jar.seal(&cookies.secrets[1], self.client, head, address) == seal;
            }
        }
        let head = VERSION | u64::from(now.swap_bytes()) << 32;
        let seal = jar.seal(&cookies.secrets[0], self.client, head, address);
        let server = [head, seal];
        Some(Cookie { len: LEN, client: self.client, server, sum: sum(self.client, &server), is_right })
    }
}

impl Cookie {
    /// No option.
    pub const NONE: Cookie = Cookie { len: 0, client: 0, server: [0; 2], sum: Sum::ZERO, is_right: false };

    /// Octets of the option; 0 where there is none.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len & 31
    }

    /// Its sum, at an even place of the OPT, in which it begins at an odd one. Below 2^25, as what is shifted later must be.
    #[inline(always)]
    pub fn sum(&self) -> Sum {
        Sum::default().and(self.sum.folded()).shifted(true)
    }

    /// Writes it at `at`, if there is one.
    #[inline(always)]
    pub fn write(&self, packet: &mut impl Packet, at: usize) -> Option<()> {
        if self.len == 0 {
            return Some(());
        }
        packet.write_both(at, HEAD, 4, [self.client, self.server[0], self.server[1]])
    }

    /// Its octets.
    pub fn octets(&self) -> [u8; LEN] {
        let mut octets = [0; LEN];
        let words = [self.client, self.server[0], self.server[1]];
        let all = HEAD.to_le_bytes().into_iter().chain(words.into_iter().flat_map(u64::to_le_bytes));
        for (octet, value) in octets.iter_mut().zip(all) {
            *octet = value;
        }
        octets
    }
}

#[inline(always)]
fn word(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// The sum of a reply's option.
#[inline(always)]
fn sum(client: u64, server: &[u64; 2]) -> Sum {
    Sum::default().and(HEAD).and64(client).and64(server[0]).and64(server[1])
}

/// The hash over a client's cookie, what stands before the hash in the server's, and the client's address: its four octets, or its sixteen.
#[inline(always)]
pub fn seal(secret: &[u64; 2], client: u64, head: u64, address: &Address) -> u64 {
    let sip = Sip::new(*secret).word(client).word(head);
    let [first, second] = *address;
    if *address == v4_mapped((second >> 32) as u32) {
        return sip.end(second >> 32, 20);
    }
    sip.word(first).word(second).end(0, 32)
}
