//! Reads a query as far as it can be read, so that even a refusal echoes what it can.
//!
//! Framing is checked in full; the data of records is not looked at, since no record of a query but its OPT means anything to us. No name is
//! followed through its pointers but the OPT's owner, so the work is bounded by the message's length.

use hickory_proto::{
    op::{Header, HeaderCounts, MessageType, Metadata},
    rr::{DNSClass, Name, RecordType},
    serialize::binary::{BinDecodable, BinDecoder},
};
use tm_common::{cookie, subnet};

/// Octets of a header.
const HEADER: usize = 12;
/// Octets of the longest name.
const LONGEST: usize = 255;

/// A query.
pub(super) struct Query<'a> {
    /// ID, opcode and flags.
    pub(super) metadata: Metadata,
    /// How many questions it says that it has.
    pub(super) questions: u16,
    /// Its question, where there is exactly one and it is well-formed.
    pub(super) question: Option<Question<'a>>,
    /// Its OPT, where there is exactly one, well-formed and where it belongs.
    pub(super) opt: Option<Opt<'a>>,
    /// Is all of it well-formed? Octets behind the message do no harm.
    pub(super) is_whole: bool,
    /// The cookie that the reply is to have.
    pub(super) cookie: Option<cookie::Cookie>,
}

/// What is asked.
pub(super) struct Question<'a> {
    /// Name, type and class as they came.
    pub(super) octets: &'a [u8],
    /// The name alone: labels and the root's zero octet, no pointers.
    pub(super) name: &'a [u8],
    /// QTYPE.
    pub(super) kind: RecordType,
    /// QCLASS.
    pub(super) class: DNSClass,
}

/// What an OPT says ([RFC 6891, section 6.1.2](https://www.rfc-editor.org/rfc/rfc6891#section-6.1.2)).
#[derive(Clone, Copy)]
pub(super) struct Opt<'a> {
    /// Octets that the sender takes.
    pub(super) payload: u16,
    /// EDNS version.
    pub(super) version: u8,
    /// DO.
    pub(super) dnssec_ok: bool,
    /// The data of the first client-subnet option.
    subnet: Option<&'a [u8]>,
    /// And of the first cookie.
    pub(super) cookie: Option<&'a [u8]>,
}

impl<'a> Query<'a> {
    /// `None` for a message that is not to be answered at all: one that is too short for a header, or a reply.
    pub(super) fn read(message: &'a [u8]) -> Option<Self> {
        let mut decoder = BinDecoder::new(message);
        let Header { metadata, counts } = Header::read(&mut decoder).ok()?;
        if metadata.message_type == MessageType::Response {
            return None;
        }
        let questions = counts.queries;
        let mut query =
            Query { metadata, questions, question: None, opt: None, is_whole: false, cookie: None };
        query.is_whole = query.read_sections(&mut decoder, counts).is_some();
        Some(query)
    }

    fn read_sections(&mut self, decoder: &mut BinDecoder<'a>, counts: HeaderCounts) -> Option<()> {
        for _ in 0..counts.queries {
            let question = Question::read(decoder)?;
            self.question = (counts.queries == 1).then_some(question);
        }
        for _ in 0..usize::from(counts.answers) + usize::from(counts.authorities) {
            // RFC 6891, section 6.1.1, and RFC 8945, section 5.1: both belong elsewhere.
            if matches!(Record::read(decoder)?.kind, RecordType::OPT | RecordType::TSIG) {
                return None;
            }
        }
        for _ in 0..counts.additionals {
            let record = Record::read(decoder)?;
            if record.kind == RecordType::OPT {
                let is_first = self.opt.take().is_none();
                self.opt = is_first.then(|| Opt::read(&record, decoder)).flatten();
                self.opt?;
            }
        }
        Some(())
    }

    /// The same without what of its OPT comes back.
    pub(super) fn bare(&self) -> Self {
        let opt = self.opt.map(|opt| Opt { subnet: None, ..opt });
        let question = self.question.as_ref().map(|Question { octets, name, kind, class }| Question {
            octets,
            name,
            kind: *kind,
            class: *class,
        });
        let Query { metadata, questions, is_whole, .. } = *self;
        Query { metadata, questions, question, opt, is_whole, cookie: None }
    }

    /// Of a query that asks for nothing but a cookie, which has no question: whether the one that it brings counts, or it brings none of ours
    /// ([RFC 7873, section 5.4](https://www.rfc-editor.org/rfc/rfc7873#section-5.4)). `None` of any other, and where cookies are off.
    pub(super) fn has_sound_cookie(&self) -> Option<bool> {
        const CLIENTS: usize = 8;
        let opt = self.opt.filter(|opt| self.questions == 0 && self.is_whole && opt.is_right())?;
        Some(self.cookie?.is_right || opt.cookie?.len() == CLIENTS)
    }

    /// The same question in the form that the engine speaks: nothing but the question, and where there was an OPT, one with nothing but the cookie and the client's subnet.
    pub(super) fn canonical(&self) -> Option<Vec<u8>> {
        let question = self.question.as_ref()?;
        let mut octets = Vec::with_capacity(HEADER + question.octets.len() + tm_common::edns::LEN);
        octets.extend(self.metadata.id.to_be_bytes());
        octets.extend([u8::from(self.metadata.recursion_desired), 0]);
        octets.extend([0, 1, 0, 0, 0, 0, 0, u8::from(self.opt.is_some())]);
        octets.extend(question.octets);
        if let Some(opt) = &self.opt {
            let cookie = opt.cookie.map(|data| option(cookie::CODE, data)).unwrap_or_default();
            octets.extend(opt.reply(opt.payload, 0, &cookie));
        }
        Some(octets)
    }
}

impl<'a> Question<'a> {
    /// A pointer in it could only lead to itself or into the header.
    fn read(decoder: &mut BinDecoder<'a>) -> Option<Self> {
        let start = decoder.index();
        if skip_name(decoder)? == End::Pointer {
            return None;
        }
        let name = decoder.slice_from(start).ok()?;
        let (kind, class) = (short(decoder)?, short(decoder)?);
        let octets = decoder.slice_from(start).ok()?;
        Some(Question { octets, name, kind: kind.into(), class: class.into() })
    }
}

impl<'a> Opt<'a> {
    /// Of the options only the cookie and the client's subnet are read, but where the version is ours they must fill the record.
    fn read(record: &Record<'a>, decoder: &BinDecoder<'_>) -> Option<Self> {
        let at = u16::try_from(record.at).ok()?;
        if !Name::read(&mut decoder.clone(at)).ok()?.is_root() {
            return None;
        }
        let [_, version, flags, _] = record.ttl.to_be_bytes();
        let mut opt =
            Opt { payload: record.class, version, dnssec_ok: flags & 0x80 != 0, subnet: None, cookie: None };
        let mut options = BinDecoder::new(record.data);
        while version == 0 && !options.is_empty() {
            let code = short(&mut options)?;
            let length = short(&mut options)?;
            let data = options.read_slice(length.into()).ok()?.unverified();
            if code == u16::from_be(subnet::CODE) && opt.subnet.is_none() {
                opt.subnet = Some(data);
            }
            if code == u16::from_be(cookie::CODE) && opt.cookie.is_none() {
                opt.cookie = Some(data);
            }
        }
        Some(opt)
    }

    /// Are the options that are read as their RFCs have them?
    pub(super) fn is_right(&self) -> bool {
        self.has_right_cookie() && self.has_right_subnet()
    }

    /// As long as RFC 7873, section 4, has it, if there is one?
    fn has_right_cookie(&self) -> bool {
        self.cookie.is_none_or(|cookie| matches!(cookie.len(), 8 | 16..=40))
    }

    /// As RFC 7871, section 6, has it, if there is one?
    fn has_right_subnet(&self) -> bool {
        let Some(subnet) = self.subnet else { return true };
        let [family @ .., prefix, scope] = match subnet.first_chunk::<4>() {
            Some(head) => *head,
            None => return false,
        };
        let most = match family {
            [0, 1] => 32,
            [0, 2] => 128,
            _ => return false,
        };
        let address = &subnet[4..];
        let beyond = address.last().map_or(0, |last| u32::from(*last) << (prefix % 8) & 0xff);
        let beyond = if prefix % 8 == 0 { 0 } else { beyond };
        prefix <= most && scope == 0 && address.len() == usize::from(prefix).div_ceil(8) && beyond == 0
    }

    /// An OPT that announces `payload`, with the upper bits of an RCODE, DO as it came, these options, and the client's subnet, if it came, with scope 0: what is
    /// written here is the same for all clients, and the engine puts its own scope there.
    pub(super) fn reply(&self, payload: u16, upper_code: u8, options: &[u8]) -> Vec<u8> {
        let [high, low] = payload.to_be_bytes();
        let mut octets = vec![0, 0, 41, high, low, upper_code, 0, u8::from(self.dnssec_ok) << 7, 0];
        let subnet = self.subnet.filter(|_| self.has_right_subnet());
        let subnet = subnet.map(|data| option(subnet::CODE, data)).unwrap_or_default();
        octets.extend(((options.len() + subnet.len()) as u16).to_be_bytes());
        octets.extend(options);
        octets.extend(subnet);
        octets
    }
}

/// An option whose number is given in memory order.
fn option(code: u16, data: &[u8]) -> Vec<u8> {
    [&code.to_le_bytes()[..], &(data.len() as u16).to_be_bytes(), data].concat()
}

/// A record whose data is not looked at.
pub(super) struct Record<'a> {
    /// Where its owner's name begins in the message.
    pub(super) at: usize,
    pub(super) kind: RecordType,
    pub(super) class: u16,
    pub(super) ttl: u32,
    pub(super) data: &'a [u8],
}

impl<'a> Record<'a> {
    pub(super) fn read(decoder: &mut BinDecoder<'a>) -> Option<Self> {
        let at = decoder.index();
        skip_name(decoder)?;
        let (kind, class) = (short(decoder)?.into(), short(decoder)?);
        let ttl = decoder.read_u32().ok()?.unverified();
        let length = short(decoder)?;
        let data = decoder.read_slice(length.into()).ok()?.unverified();
        Some(Record { at, kind, class, ttl, data })
    }
}

/// How a name ends.
#[derive(PartialEq, Eq)]
pub(super) enum End {
    Root,
    Pointer,
}

/// Steps over a name: labels of at most 63 octets, 255 in all, and at its end the root or a pointer to before it.
pub(super) fn skip_name(decoder: &mut BinDecoder<'_>) -> Option<End> {
    let start = decoder.index();
    loop {
        let length = decoder.pop().ok()?.unverified();
        let end = match length {
            0 => Some(End::Root),
            1..=63 => {
                decoder.read_slice(length.into()).ok()?;
                None
            }
            0xc0.. => {
                let target = usize::from(length & 0x3f) << 8 | usize::from(decoder.pop().ok()?.unverified());
                Some(End::Pointer).filter(|_| target < start).map(Some)?
            }
            _ => return None,
        };
        if decoder.index() - start > LONGEST {
            return None;
        }
        if end.is_some() {
            return end;
        }
    }
}

fn short(decoder: &mut BinDecoder<'_>) -> Option<u16> {
    Some(decoder.read_u16().ok()?.unverified())
}
