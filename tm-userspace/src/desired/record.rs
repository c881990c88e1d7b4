//! Records that a name carries beside its addresses.

use std::sync::Arc;

use hickory_proto::rr::RecordType;

/// A record of a type that is neither A nor AAAA, of a profile's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// TXT, CAA, MX, SRV, SVCB or HTTPS.
    pub kind: RecordType,
    /// Seconds that it may be kept, 0 to 2,147,483,647; where there is none, the TTL of the profile whose name is asked for.
    pub ttl: Option<u32>,
    /// RDATA, no name in it compressed.
    pub data: Arc<[u8]>,
}
