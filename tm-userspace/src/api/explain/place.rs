//! Where the client is, and in words why a profile puts it there.

use std::net::IpAddr;

use super::report::Client;
use crate::{
    desired::{Profile, Subnet},
    geo::placed_by,
    places::{Choice, Place, View},
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
}

impl Asker {
    /// Finds the client as the engine does (`tm_common::place::find_asker`).
    pub(super) fn locate(&self, view: &View) -> Located {
        let by_sender = |scope, unheeded| Located {
            place: view.find(self.sender).place,
            scope,
            address: self.sender,
            length: None,
            unheeded,
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
                    false => {
                        Located { place: found.place, scope, address, length: Some(length), unheeded: false }
                    }
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

    /// Why a profile chooses this for the client.
    pub(super) fn why(&self, profile: &Profile, choice: &Choice) -> String {
        let shown = match placed_by(self.address) {
            inner if inner == self.address => self.shown(),
            inner => format!("{} (inside: {inner})", self.shown()),
        };
        let name = |i: usize| profile.endpoints.get(i).map_or("", |endpoint| &*endpoint.name);
        match choice {
            Choice::Mapped(Some(i)) => match self.subnet_of(profile, *i) {
                Some(subnet) => format!("{shown} is in {subnet}, of the subnets of {}", name(*i)),
                None => format!("{shown} is mapped to {}", name(*i)),
            },
            Choice::Mapped(None) => format!("{shown} is in nobody's subnets"),
            Choice::Nearest(_) => format!("{shown}: {}", label(profile, choice)),
        }
    }

    /// The smallest of an endpoint's ranges around the client.
    fn subnet_of(&self, profile: &Profile, index: usize) -> Option<Subnet> {
        let address = placed_by(self.address);
        let holds = |subnet: &&Subnet| {
            subnet.first.is_ipv4() == address.is_ipv4() && (subnet.first..=subnet.last).contains(&address)
        };
        profile.endpoints.get(index)?.subnets.iter().filter(holds).min_by_key(|subnet| subnet.size()).copied()
    }
}

/// What a choice says of clients, whoever they are.
pub(super) fn label(profile: &Profile, choice: &Choice) -> String {
    let name = |i: usize| profile.endpoints.get(i).map_or("", |endpoint| &*endpoint.name);
    match choice {
        Choice::Mapped(Some(i)) => format!("in subnets of {}", name(*i)),
        Choice::Mapped(None) => "in nobody's subnets".to_owned(),
        Choice::Nearest(near) => {
            let regions =
                near.iter().map(|all| all.iter().map(|i| name(*i)).collect::<Vec<_>>().join(" and "));
            format!("nearest to {}", regions.collect::<Vec<_>>().join(", then "))
        }
    }
}
