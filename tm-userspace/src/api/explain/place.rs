//! Where the client is.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tm_common::place;

use super::report::Client;
use crate::{
    geo::placed_by,
    places::{Place, View},
};

/// Who asks.
pub(super) struct Asker {
    /// Who sends the query.
    pub(super) sender: IpAddr,
    /// What the query says of the client: address and length.
    pub(super) subnet: Option<(IpAddr, u8)>,
}

/// Where the client is in a view.
pub(super) struct Located {
    pub(super) place: Place,
    /// What the reply says; none where the query did not ask.
    scope: Option<u8>,
    /// Who counts.
    address: IpAddr,
    length: Option<u8>,
    /// Does the query's own word not count?
    unheeded: bool,
    /// Does the address not tell where its owner is?
    pub(super) is_private: bool,
}

impl Asker {
    /// Finds the client as the engine does (`tm_common::place::find_asker`).
    pub(super) fn locate(&self, view: &View) -> Located {
        let sender = view.find(self.sender);
        let by_sender = |scope, unheeded| Located {
            place: sender.place,
            scope,
            address: self.sender,
            length: None,
            unheeded,
            is_private: sender.is_private,
        };
        match self.subnet {
            None => by_sender(None, false),
            Some((_, 0)) => by_sender(Some(0), true),
            Some((address, length)) => {
                let found = view.find(address);
                let scope = Some(found.scope);
                // Of a view that knows no choice, nobody is asked where a client is.
                let is_asked = view.classes().iter().any(|class| !class.0.is_empty());
                match found.is_private && is_asked {
                    true => by_sender(scope, true),
                    false => Located {
                        place: found.place,
                        scope,
                        address,
                        length: Some(length),
                        unheeded: false,
                        is_private: found.is_private,
                    },
                }
            }
        }
    }

    /// Who counts in a view, in words.
    pub(super) fn client(&self, view: &View) -> Client {
        let located = self.locate(view);
        let by = if located.length.is_some() { "ecs" } else { "sender" };
        let note = self.subnet.filter(|_| located.unheeded).map(|(address, length)| match length {
            0 => format!("{address}/0 names nobody, so the sender counts"),
            _ => format!("{address}/{length} does not tell where its owner is, so the sender counts"),
        });
        Client { address: located.shown(), by: by.to_owned(), note }
    }
}

impl Located {
    fn shown(&self) -> String {
        match self.length {
            Some(length) => format!("{}/{length}", self.address),
            None => self.address.to_string(),
        }
    }

    /// By which address the client is placed.
    pub(super) fn address(&self) -> IpAddr {
        placed_by(self.address)
    }

    /// The client as the engine sees it.
    fn client(&self) -> place::Client {
        match self.address {
            IpAddr::V4(address) => place::Client::v4(u32::from_ne_bytes(address.octets())),
            IpAddr::V6(address) => place::Client::v6(zerocopy::transmute!(address.octets())),
        }
    }

    /// Where clients stick to their slots: which of so many the client has.
    pub(super) fn seat(&self, slots: usize) -> usize {
        self.client().seat(slots as u32) as usize
    }

    /// The prefix whose clients have the same.
    pub(super) fn neighbours(&self) -> String {
        let length = self.client().prefix();
        match self.address {
            IpAddr::V4(address) => {
                format!(
                    "{}/{length}",
                    Ipv4Addr::from_bits(address.to_bits() >> (32 - length) << (32 - length))
                )
            }
            IpAddr::V6(address) => {
                format!(
                    "{}/{length}",
                    Ipv6Addr::from_bits(address.to_bits() >> (128 - length) << (128 - length))
                )
            }
        }
    }

    /// What the reply says of how far the answer holds. `is_looked_at` says whether the name's tables look at the client, `sticks` whether the answer is that of its slot.
    pub(super) fn told_scope(&self, is_looked_at: bool, sticks: bool) -> Option<u8> {
        let least = match self.length {
            Some(_) if sticks => self.client().prefix() as u8,
            _ => 0,
        };
        self.scope.map(|scope| if is_looked_at { scope.max(least) } else { 0 })
    }

    /// As it is written, with the address that it holds inside.
    pub(super) fn words(&self) -> String {
        match self.address() {
            inner if inner == self.address => self.shown(),
            inner => format!("{} (inside: {inner})", self.shown()),
        }
    }
}
