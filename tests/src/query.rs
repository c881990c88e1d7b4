//! Builds DNS queries octet by octet, right by default and wrong in any field where a test wants it.
//!
//! [RFC 1035, section 4](https://www.rfc-editor.org/rfc/rfc1035#section-4) and
//! [RFC 6891, section 6.1](https://www.rfc-editor.org/rfc/rfc6891#section-6.1).

/// The type numbers that tests ask for.
pub mod qtype {
    #![expect(missing_docs, reason = "the names are the registry's own")]
    pub const A: u16 = 1;
    pub const NS: u16 = 2;
    pub const CNAME: u16 = 5;
    pub const SOA: u16 = 6;
    pub const MX: u16 = 15;
    pub const TXT: u16 = 16;
    pub const AAAA: u16 = 28;
    pub const SRV: u16 = 33;
    pub const HTTPS: u16 = 65;
    pub const ANY: u16 = 255;
}

/// A query to be built.
#[derive(Clone, Debug)]
pub struct Query {
    /// Message id.
    pub id: u16,
    /// Flags, opcode and rcode: the header's second word.
    pub flags: u16,
    /// Questions, answers, authorities and additionals, where they are not what follows.
    pub counts: Option<[u16; 4]>,
    /// The name as it stands in the message, ending in the root's 0; see [`wire_name`].
    pub name: Vec<u8>,
    /// Type asked for.
    pub qtype: u16,
    /// Class asked for.
    pub qclass: u16,
    /// The OPT record, if any.
    pub edns: Option<Edns>,
    /// Octets after the message.
    pub trailing: Vec<u8>,
}

/// The fields of an OPT record.
#[derive(Clone, Debug)]
pub struct Edns {
    /// The largest answer that the asker takes over UDP, in octets.
    pub payload_size: u16,
    /// Upper bits of the rcode.
    pub extended_rcode: u8,
    /// EDNS version.
    pub version: u8,
    /// DO bit (0x8000) and the bits that are zero.
    pub flags: u16,
    /// Options: code and data.
    pub options: Vec<(u16, Vec<u8>)>,
    /// Length of all options, where it is not the right one.
    pub length: Option<u16>,
}

impl Default for Edns {
    /// What dig sends, without its cookie.
    fn default() -> Self {
        Self {
            payload_size: 1232,
            extended_rcode: 0,
            version: 0,
            flags: 0,
            options: Vec::new(),
            length: None,
        }
    }
}

impl Query {
    /// A plain question with recursion desired, as stub resolvers ask. Panics where the name cannot be written.
    pub fn new(name: &str, qtype: u16) -> Self {
        Self {
            id: 0x1d53,
            flags: 0x0100,
            counts: None,
            name: wire_name(name),
            qtype,
            qclass: 1,
            edns: None,
            trailing: Vec::new(),
        }
    }

    /// The same with the OPT record that dig sends.
    pub fn with_edns(name: &str, qtype: u16) -> Self {
        Self { edns: Some(Edns::default()), ..Self::new(name, qtype) }
    }

    /// The message's bytes.
    pub fn build(&self) -> Vec<u8> {
        let counts = self.counts.unwrap_or([1, 0, 0, u16::from(self.edns.is_some())]);
        let mut message = Vec::new();
        for word in [self.id, self.flags].into_iter().chain(counts) {
            message.extend(word.to_be_bytes());
        }
        message.extend(&self.name);
        message.extend(self.qtype.to_be_bytes());
        message.extend(self.qclass.to_be_bytes());
        if let Some(edns) = &self.edns {
            message.extend(edns.record());
        }
        message.extend(&self.trailing);
        message
    }
}

impl Edns {
    fn record(&self) -> Vec<u8> {
        let mut options = Vec::new();
        for (code, data) in &self.options {
            options.extend(code.to_be_bytes());
            options.extend(length(data).to_be_bytes());
            options.extend(data);
        }
        let mut record = vec![0, 0, 41]; // the root's name, type OPT
        record.extend(self.payload_size.to_be_bytes());
        record.extend([self.extended_rcode, self.version]);
        record.extend(self.flags.to_be_bytes());
        record.extend(self.length.unwrap_or(length(&options)).to_be_bytes());
        record.extend(options);
        record
    }
}

/// A name as it stands in a message: length and octets of each label, then 0. `.` is the root. Longer labels and names than DNS
/// allows are written all the same, for tests of what must be refused; panics on an empty label and one over 255 octets.
pub fn wire_name(name: &str) -> Vec<u8> {
    let mut wire = Vec::with_capacity(name.len() + 2);
    for label in name.trim_end_matches('.').split('.').filter(|_| name != ".") {
        let length = u8::try_from(label.len()).expect("a label of at most 255 octets");
        assert_ne!(length, 0, "an empty label in {name}");
        wire.push(length);
        wire.extend(label.as_bytes());
    }
    wire.push(0);
    wire
}

fn length(data: &[u8]) -> u16 {
    u16::try_from(data.len()).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_byte_by_byte() {
        let edns = Edns { flags: 0x8000, options: vec![(10, vec![1, 2])], ..Edns::default() };
        let query = Query { edns: Some(edns), ..Query::new("a.bc", qtype::AAAA) }.build();
        let wanted = [
            &[0x1d, 0x53, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1][..],
            b"\x01a\x02bc\x00\x00\x1c\x00\x01",
            &[0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0x00, 0, 6, 0, 10, 0, 2, 1, 2],
        ];
        assert_eq!(query, wanted.concat());
    }

    #[test]
    fn names_end_in_the_root() {
        assert_eq!(wire_name("."), [0]);
        assert_eq!(wire_name("WwW.x."), b"\x03WwW\x01x\x00");
    }
}
