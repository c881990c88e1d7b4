//! What became of the messages that sockets received: one closed list that is counter index and metric label at once.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
};

use hickory_proto::op::ResponseCode;

macro_rules! outcomes {
    ($($(#[doc = $doc:literal])+ $name:ident = $label:literal, $code:ident, $authoritative:literal;)+) => {
        /// What became of a message.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub(super) enum Outcome { $($(#[doc = $doc])+ $name,)+ }

        impl Outcome {
            /// Every outcome, in the order of its index.
            pub(super) const ALL: &'static [Outcome] = &[$(Outcome::$name,)+];

            /// Its name in metrics.
            pub(super) const fn label(self) -> &'static str {
                match self { $(Outcome::$name => $label,)+ }
            }

            /// The reply's RCODE.
            pub(super) const fn code(self) -> ResponseCode {
                match self { $(Outcome::$name => ResponseCode::$code,)+ }
            }

            /// The reply's AA.
            pub(super) const fn is_authoritative(self) -> bool {
                match self { $(Outcome::$name => $authoritative,)+ }
            }
        }
    };
}

outcomes! {
    /// What the tables have: a profile's answer, or that a name or a type does not exist.
    Engine = "engine", NoError, true;
    /// The zone's SOA or NS.
    Apex = "apex", NoError, true;
    /// The address of a name server of the zone.
    Server = "server", NoError, true;
    /// The name exists, but not with this type.
    NoData = "nodata", NoError, true;
    /// The name does not exist.
    NxDomain = "nxdomain", NXDomain, true;
    /// Not our zone, not our class, or a zone transfer.
    Refused = "refused", Refused, false;
    /// The message is malformed, or its type is none that can be asked for.
    FormErr = "formerr", FormErr, false;
    /// An opcode or a kind of question that we do not know.
    NotImp = "notimp", NotImp, false;
    /// An EDNS version above 0.
    BadVers = "badvers", BADVERS, false;
    /// A name whose answer is longer than any message or table takes.
    ServFail = "servfail", ServFail, false;
    /// The zone as a whole, or what has changed in it.
    Transfer = "transfer", NoError, true;
    /// A signature that does not count, or a transfer of what is not ours.
    NotAuth = "notauth", NotAuth, false;
    /// The reply would not fit: the client is told to come back over TCP.
    Truncated = "truncated", NoError, true;
    /// No query: nothing was said.
    Ignored = "ignored", NoError, false;
}

/// How many messages became what.
#[derive(Debug, Default)]
pub(super) struct Counts([AtomicU64; Outcome::ALL.len()]);

impl Counts {
    /// Every count with its label.
    pub(super) fn all(&self) -> Vec<(&'static str, u64)> {
        Outcome::ALL.iter().map(|outcome| (outcome.label(), self.of(*outcome))).collect()
    }

    /// Adds what an earlier run counted.
    pub(super) fn add_earlier(&self, counts: &BTreeMap<String, u64>) {
        for outcome in Outcome::ALL {
            let earlier = counts.get(outcome.label()).copied().unwrap_or(0);
            self.0[*outcome as usize].fetch_add(earlier, Ordering::Relaxed);
        }
    }

    fn of(&self, outcome: Outcome) -> u64 {
        self.0[outcome as usize].load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, outcome: Outcome) {
        self.0[outcome as usize].fetch_add(1, Ordering::Relaxed);
    }
}
