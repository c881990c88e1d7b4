//! What became of the messages that sockets received: one closed list that is counter index and metric label at once.

use std::{
    borrow::Cow,
    sync::atomic::{AtomicU64, Ordering},
};

use hickory_proto::op::ResponseCode;
use serde::{Deserialize, Serialize};

use super::Transport;
use crate::compile::NXDOMAIN;

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

            /// The same as it is written; nothing where there is no reply.
            pub(super) const fn mnemonic(self) -> &'static str {
                match (self, self.code()) {
                    (Outcome::Ignored | Outcome::Limited, _) => "",
                    (_, ResponseCode::NoError) => "NOERROR",
                    (_, ResponseCode::FormErr) => "FORMERR",
                    (_, ResponseCode::ServFail) => "SERVFAIL",
                    (_, ResponseCode::NXDomain) => "NXDOMAIN",
                    (_, ResponseCode::NotImp) => "NOTIMP",
                    (_, ResponseCode::Refused) => "REFUSED",
                    (_, ResponseCode::NotAuth) => "NOTAUTH",
                    (_, ResponseCode::BADVERS) => "BADVERS",
                    (_, ResponseCode::BADCOOKIE) => "BADCOOKIE",
                    _ => "other",
                }
            }

            /// The reply's AA.
            pub(super) const fn is_authoritative(self) -> bool {
                match self { $(Outcome::$name => $authoritative,)+ }
            }
        }
    };
}

impl Outcome {
    /// That of a reply which the engine has made.
    pub(super) fn of_engine(reply: &[u8]) -> Self {
        let is_absent = reply.get(3).is_some_and(|flags| u16::from(*flags & 15) == NXDOMAIN);
        if is_absent { Outcome::NxDomain } else { Outcome::Engine }
    }
}

outcomes! {
    /// What the tables have: the answer of a profile or of a name server's name, or that there is nothing of this type.
    Engine = "engine", NoError, true;
    /// The zone's SOA or NS.
    Apex = "apex", NoError, true;
    /// At the apex: nothing of this type.
    NoData = "nodata", NoError, true;
    /// The name does not exist.
    NxDomain = "nxdomain", NXDomain, true;
    /// What the server says of itself.
    Chaos = "chaos", NoError, false;
    /// A cookie alone, for who asked for nothing else.
    Cookie = "cookie", NoError, false;
    /// The same to who brought one of ours that is not right.
    BadCookie = "badcookie", BADCOOKIE, false;
    /// Not our zone, not our class, or a zone transfer.
    Refused = "refused", Refused, false;
    /// The message is malformed, or its type is none that can be asked for.
    FormErr = "formerr", FormErr, false;
    /// An opcode or a kind of question that we do not know.
    NotImp = "notimp", NotImp, false;
    /// An EDNS version above 0.
    BadVers = "badvers", BADVERS, false;
    /// A name that the tables have no answer for at the moment, or the zone's own records, where they fit no message.
    ServFail = "servfail", ServFail, false;
    /// The zone as a whole, or what has changed in it.
    Transfer = "transfer", NoError, true;
    /// A signature that does not count, or a transfer of what is not ours.
    NotAuth = "notauth", NotAuth, false;
    /// The reply would not fit: the client is told to come back over TCP.
    Truncated = "truncated", NoError, true;
    /// One too many for its client: nothing was said.
    Limited = "limited", NoError, false;
    /// Likewise, but the client was told to come back over TCP, or was given its error all the same.
    Slipped = "slipped", NoError, true;
    /// No query: nothing was said.
    Ignored = "ignored", NoError, false;
}

/// Messages with one outcome that came one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Messages {
    /// What they came over.
    pub transport: Cow<'static, str>,
    /// What became of them.
    pub outcome: Cow<'static, str>,
    /// The code of the reply, as `NXDOMAIN`; empty where there is none, or none is known.
    #[serde(skip)]
    pub rcode: &'static str,
    /// How many they were.
    pub count: u64,
}

/// How many messages became what, by what they came over.
#[derive(Debug, Default)]
pub(super) struct Counts([[AtomicU64; Outcome::ALL.len()]; Transport::ALL.len()]);

impl Counts {
    /// Every count.
    pub(super) fn all(&self) -> impl Iterator<Item = (Transport, Outcome, u64)> {
        Transport::ALL.into_iter().flat_map(move |transport| {
            Outcome::ALL.iter().map(move |outcome| {
                (transport, *outcome, self.at(transport, *outcome).load(Ordering::Relaxed))
            })
        })
    }

    /// By label, whatever they came over.
    pub(super) fn sums(&self) -> Vec<(&'static str, u64)> {
        let count = |transport, outcome| self.at(transport, outcome).load(Ordering::Relaxed);
        let sum = |outcome| Transport::ALL.into_iter().map(|transport| count(transport, outcome)).sum();
        Outcome::ALL.iter().map(|outcome| (outcome.label(), sum(*outcome))).collect()
    }

    /// Adds what an earlier run counted.
    pub(super) fn add_earlier(&self, counts: &[Messages]) {
        for (transport, outcome, _) in self.all() {
            let same = |earlier: &&Messages| {
                earlier.transport == transport.label() && earlier.outcome == outcome.label()
            };
            let earlier = counts.iter().find(same).map_or(0, |earlier| earlier.count);
            self.at(transport, outcome).fetch_add(earlier, Ordering::Relaxed);
        }
    }

    /// One more.
    pub(super) fn add(&self, transport: Transport, outcome: Outcome) {
        self.at(transport, outcome).fetch_add(1, Ordering::Relaxed);
    }

    fn at(&self, transport: Transport, outcome: Outcome) -> &AtomicU64 {
        &self.0[transport as usize][outcome as usize]
    }
}
