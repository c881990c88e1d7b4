//! Why a profile chooses as it does for a client: in words, from what is known of the client.
//!
//! The words are said only where the profile's layer, asked with what they are made of, chooses what the client's place means; else the choice alone is told.

use std::net::IpAddr;

use super::{place::Located, world::World};
use crate::{
    desired::{Profile, RoutingMethod},
    geo::{Client, Code, Region, code_of_registry, ranking},
    places::{Choice, Layer, Rule},
    prefix::holds,
};

/// What is known of a client.
pub(super) struct Known {
    /// The client, as it is written.
    shown: String,
    client: Client,
    /// Where that comes from.
    source: String,
}

impl Known {
    /// Of a client in a world.
    pub(super) fn of(located: &Located, world: &World) -> Self {
        let address = located.address();
        let shown = located.words();
        let nothing = Client { address, code: Code::WORLD, point: None };
        let (client, source) = match &world.atlas {
            _ if located.is_private => (nothing, "does not tell where its owner is".to_owned()),
            Some(atlas) => match atlas.database.find(address) {
                Ok(found) => {
                    let client = Client { address, code: found.code, point: found.point };
                    let row = |place| format!("{place} (database row {})", found.network);
                    let source = match &found.country {
                        // Of a state or province.
                        Some(_) if found.code.as_str().contains('-') => row(found.code.to_string()),
                        Some(country) => row(format!("country {country}")),
                        None => "the database has no country for it".to_owned(),
                    };
                    (client, source)
                }
                Err(_) => (nothing, "the database cannot be read there".to_owned()),
            },
            None => match code_of_registry(address) {
                Some(code) => (Client { code, ..nothing }, format!("{code}, by its registry")),
                None => (nothing, "nothing is known of it".to_owned()),
            },
        };
        Known { shown, client, source }
    }
}

/// Why a profile chooses this for a client; nothing where that only sticks to its share.
pub(super) fn why(profile: &Profile, choice: &Choice, known: &Known, world: &World) -> Option<String> {
    let Known { shown, client, source } = known;
    let label = format!("{shown}: {}", label(profile, choice)?);
    let Some(layer) = Layer::of(profile) else { return Some(label) };
    let range = range(&layer, client.address);
    // Nobody but a Performance profile goes by the registries.
    let by_registry = world.atlas.is_none() && !matches!(layer.rule, Rule::Nearest(_));
    let client = if by_registry { Client { code: Code::WORLD, ..*client } } else { *client };
    if layer.choice(range, &client, &world.overrides) != *choice {
        return Some(label);
    }
    let name = |i: usize| profile.endpoints.get(i).map_or("", |endpoint| &*endpoint.name);
    let in_range = range.map(|i| {
        let range = smallest(profile, i, client.address);
        format!("{shown} is in {range}, of the subnets of {}", name(i))
    });
    Some(match (&layer.rule, choice) {
        (Rule::Nearest(regions), _) => {
            let near = nearness(&client, world, regions.iter().map(|(region, _)| *region));
            let near = format!("{source}; {near}");
            in_range.map_or_else(|| format!("{shown}: {near}"), |range| format!("{range}, and {near}"))
        }
        (Rule::Constant, _) => in_range.unwrap_or_else(|| format!("{shown} is in nobody's subnets")),
        (Rule::Geographic(_), Choice::Mapped(Some(i))) => in_range.unwrap_or_else(|| {
            let is_mapped = |code: &Code| profile.endpoints[*i].geo_mapping.contains(code);
            let code = client.code.upwards().find(is_mapped).unwrap_or(Code::WORLD);
            format!("{shown}: {source}, mapped to {} by {code}", name(*i))
        }),
        (Rule::Geographic(_), _) => {
            let codes: Vec<&str> = client.code.upwards().map(Code::as_str).collect();
            format!("{shown}: {source}, and nobody has {}", codes.join(" or "))
        }
    })
}

/// The regions by how far they are.
fn nearness(client: &Client, world: &World, regions: impl Iterator<Item = Region>) -> String {
    let ranked = ranking(client, &world.overrides, regions);
    let words = ranked.iter().map(|(region, milliseconds)| {
        let by = if world.overrides.is_learnt(client, *region) { " by this node's probes" } else { "" };
        format!("{region} {milliseconds:.0} ms{by}")
    });
    match words.collect::<Vec<_>>() {
        none if none.is_empty() => "how far its regions are is not known".to_owned(),
        words => format!("nearest region {}", words.join(", then ")),
    }
}

/// The endpoint in whose range an address is.
fn range(layer: &Layer, address: IpAddr) -> Option<usize> {
    let around = layer.subnets.iter().filter(|(first, length, _)| holds(*first, *length, address));
    // Of equal ones the first.
    around.rev().max_by_key(|(_, length, _)| *length).map(|(.., endpoint)| *endpoint)
}

/// The smallest of an endpoint's ranges around an address, as it is written.
fn smallest(profile: &Profile, index: usize, address: IpAddr) -> String {
    let ranges = profile.endpoints.get(index).map_or(&[][..], |endpoint| &endpoint.subnets);
    let around = ranges.iter().filter(|range| {
        range.first.is_ipv4() == address.is_ipv4() && (range.first..=range.last).contains(&address)
    });
    around.min_by_key(|range| range.size()).map_or_else(String::new, ToString::to_string)
}

/// What a choice says of clients, whoever they are; nothing where they only stick to their share.
pub(super) fn label(profile: &Profile, choice: &Choice) -> Option<String> {
    let name = |i: usize| profile.endpoints.get(i).map_or("", |endpoint| &*endpoint.name);
    let is_subnet = match profile.routing_method {
        RoutingMethod::Subnet => true,
        RoutingMethod::Geographic | RoutingMethod::Performance => false,
        RoutingMethod::Priority | RoutingMethod::Weighted | RoutingMethod::MultiValue => return None,
    };
    Some(match choice {
        Choice::Mapped(Some(i)) if is_subnet => format!("in subnets of {}", name(*i)),
        Choice::Mapped(None) if is_subnet => "in nobody's subnets".to_owned(),
        Choice::Mapped(Some(i)) => format!("mapped to {}", name(*i)),
        Choice::Mapped(None) => "mapped to nobody".to_owned(),
        Choice::Nearest(groups) if groups.is_empty() => "of whom no nearness is known".to_owned(),
        Choice::Nearest(groups) => {
            let group = |group: &Vec<usize>| group.iter().map(|i| name(*i)).collect::<Vec<_>>().join(" and ");
            format!("nearest to {}", groups.iter().map(group).collect::<Vec<_>>().join(", then "))
        }
    })
}
