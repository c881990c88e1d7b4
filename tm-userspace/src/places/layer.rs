//! What one profile asks of a client: in which of its ranges it is, and else where it is.

use std::{net::IpAddr, sync::Arc};

use super::Choice;
use crate::{
    desired::{Profile, RoutingMethod, Status},
    geo::{Client, Code, Mapping, Overrides, Region, ranking},
};

/// What one profile asks of a client. Equal layers of different profiles part the clients alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// First address, length and endpoint, by index. The longest prefix around a client counts, of equal ones the first.
    pub subnets: Vec<(IpAddr, u8, usize)>,
    /// What counts for clients that no prefix has.
    pub rule: Rule,
}

/// What a profile goes by where its own ranges do not say.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Subnet: nothing.
    Constant,
    /// Geographic: whose codes the client's are.
    Geographic(Mapping),
    /// Performance: the regions of its endpoints, each with those that are in it.
    Nearest(Vec<(Region, Vec<usize>)>),
}

impl Layer {
    /// That of a profile, if it looks at the client. What a disabled endpoint has is as if it were not there.
    pub fn of(profile: &Profile) -> Option<Self> {
        let rule = match profile.routing_method {
            RoutingMethod::Priority | RoutingMethod::Weighted | RoutingMethod::MultiValue => return None,
            RoutingMethod::Subnet => Rule::Constant,
        };
        let in_use = profile.endpoints.iter().enumerate().filter(|(_, e)| e.status == Status::Enabled);
        let mut ranges: Vec<_> = in_use.flat_map(|(i, e)| e.subnets.iter().map(move |s| (*s, i))).collect();
        // Of ranges inside one another that share a prefix, the smallest counts.
        ranges.sort_by_key(|(range, _)| range.size());
        let prefixes =
            |(range, i): (crate::desired::Subnet, usize)| range.prefixes().into_iter().map(move |p| (p, i));
        let subnets = ranges.into_iter().flat_map(prefixes).map(|((a, length), i)| (a, length, i));
        Some(Layer { subnets: subnets.collect(), rule })
    }

    /// What the profile chooses for the clients in a range of an endpoint.
    pub fn by_subnet(&self, endpoint: usize) -> Choice {
        match self.rule {
            Rule::Constant => Choice::Mapped(Some(endpoint)),
            Rule::Geographic(_) | Rule::Nearest(_) => Choice::Override(endpoint),
        }
    }

    /// What it chooses for a client that is in no range; none for one of whom nothing is known.
    pub fn by_client(&self, client: Option<&Client>, overrides: &Overrides) -> Choice {
        match &self.rule {
            Rule::Constant => Choice::Mapped(None),
            Rule::Geographic(mapping) => {
                Choice::Mapped(mapping.owner(client.map_or(Code::WORLD, |client| client.code)))
            }
            Rule::Nearest(regions) => {
                let ranked = client.map(|client| ranking(client, overrides)).unwrap_or_default();
                let of = |region| regions.iter().find(|(other, _)| *other == region);
                let near = ranked.iter().filter_map(|(region, _)| of(*region)).map(|(_, all)| all.clone());
                Choice::Nearest(near.collect::<Arc<[Vec<usize>]>>())
            }
        }
    }
}
