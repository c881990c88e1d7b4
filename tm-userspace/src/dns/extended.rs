//! Why an error is one, for whoever looks at it ([RFC 8914]): a number in the reply's OPT, where the query had one. Without a text, so that no error is longer than its query by more
//! than an OPT.
//!
//! Of answers that rest on endpoints which were found down the engine says so, where the configuration wants that ([`Meta::STALE`](tm_common::tables::Meta::STALE)): on both paths alike.
//!
//! [RFC 8914]: https://www.rfc-editor.org/rfc/rfc8914

/// The option's number, in network order.
const CODE: [u8; 2] = 15u16.to_be_bytes();

/// INFO-CODEs, by their names in the registry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(super) enum Extended {
    /// None of the others says it: the zone's own records fit no message.
    Other = 0,
    /// The name is ours, but the tables have no answer for it at this moment.
    NotReady = 14,
    /// Who asks may not have that: a transfer without a key for it.
    Prohibited = 18,
    /// The name is in none of our zones.
    NotAuthoritative = 20,
    /// An opcode, a class or a kind of question that is not answered here.
    NotSupported = 21,
    /// A type that no data can have ([RFC 9824, section 10.2](https://www.rfc-editor.org/rfc/rfc9824#section-10.2)).
    InvalidQueryType = 30,
}

impl Extended {
    /// The whole option.
    pub(super) fn option(self) -> [u8; 6] {
        let ([a, b], [c, d]) = (CODE, (self as u16).to_be_bytes());
        [a, b, 0, 2, c, d]
    }
}
