//! Where the client is.

use std::net::IpAddr;

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
    pub(super) scope: Option<u8>,
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
                // Where nobody looks at the client, what is answered holds for all.
                let scope = Some(if view.is_anywhere() { 0 } else { found.scope });
                match found.is_private && !view.is_anywhere() {
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

    /// As it is written, with the address that it holds inside.
    pub(super) fn words(&self) -> String {
        match self.address() {
            inner if inner == self.address => self.shown(),
            inner => format!("{} (inside: {inner})", self.shown()),
        }
    }
}
