//! What one profile asks of a client, and what it chooses then, whatever the health.
//!
//! | method | a client in a range of endpoint e | any other client |
//! | --- | --- | --- |
//! | Subnet | e | nobody is mapped |
//! | Geographic | e | who is mapped to its most specific code that somebody is mapped to; else nobody |
//! | Performance | e, then as any other client | regions by their nearness; those of which nothing is known come last, together |
//!
//! Of ranges inside one another the smallest counts. Disabled endpoints are as if they were not there: their codes go to the next one up. So is the last
//! resort, which answers when nobody else does, wherever the client is.

use std::{collections::BTreeMap, net::IpAddr};

use super::Choice;
use crate::{
    desired::{Endpoint, Profile, RoutingMethod, Status, Subnet},
    geo::{Client, Mapping, Overrides, Region, ranking},
};

/// What one profile asks of a client. Profiles with equal layers tell the same clients apart, and choose alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Layer {
    /// Prefixes of ranges, with the endpoint that has them; the longest around a client counts, of equal ones the first.
    pub subnets: Vec<(IpAddr, u8, usize)>,
    /// What is asked besides.
    pub rule: Rule,
}

/// What a profile asks of a client besides its address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Subnet: nothing.
    Constant,
    /// Geographic: who is mapped to its place.
    Geographic(Mapping),
    /// Performance: which of these regions is near; each with the endpoints in it.
    Nearest(Vec<(Region, Vec<usize>)>),
}

impl Layer {
    /// That of a profile; none where its method does not look at the client, or where nothing is told apart.
    pub fn of(profile: &Profile) -> Option<Layer> {
        let last_resort = profile.last_resort();
        let in_use = profile
            .endpoints
            .iter()
            .enumerate()
            .filter(|(i, endpoint)| endpoint.status == Status::Enabled && Some(*i) != last_resort);
        let in_use: Vec<(usize, &Endpoint)> = in_use.map(|(i, endpoint)| (i, &**endpoint)).collect();
        let rule = match profile.routing_method {
            // Whoever sticks to clients has to know them, though they all are at one place.
            RoutingMethod::Weighted if profile.rules.sticky => {
                return Some(Layer { subnets: vec![], rule: Rule::Constant });
            }
            RoutingMethod::Priority | RoutingMethod::Weighted | RoutingMethod::MultiValue => return None,
            RoutingMethod::Subnet => Rule::Constant,
            RoutingMethod::Geographic => Rule::Geographic(mapping(&in_use)),
            RoutingMethod::Performance => Rule::Nearest(regions(&in_use)),
        };
        let ranges =
            in_use.iter().flat_map(|(i, endpoint)| endpoint.subnets.iter().map(move |range| (*i, *range)));
        let mut ranges: Vec<(usize, Subnet)> = ranges.collect();
        // Ranges inside one another may be made of the same prefixes: the smallest range counts.
        ranges.sort_by_key(|(_, range)| range.size());
        let prefixes = ranges.into_iter().flat_map(|(i, range)| {
            range.prefixes().into_iter().map(move |(address, length)| (address, length, i))
        });
        let layer = Layer { subnets: prefixes.collect(), rule };
        let is_told_apart = match &layer.rule {
            Rule::Constant => false,
            Rule::Geographic(_) => true,
            Rule::Nearest(regions) => regions.len() > 1,
        };
        (is_told_apart || !layer.subnets.is_empty()).then_some(layer)
    }

    /// What is chosen for a client, in whose range of addresses it is, if it is in one. A client of whom nothing is known has the code `WORLD`.
    pub fn choice(&self, subnet: Option<usize>, client: &Client, overrides: &Overrides) -> Choice {
        match &self.rule {
            Rule::Constant => Choice::Mapped(subnet),
            Rule::Geographic(mapping) => Choice::Mapped(subnet.or_else(|| mapping.owner(client.code))),
            Rule::Nearest(regions) => Choice::Nearest(nearest(subnet, regions, client, overrides).into()),
        }
    }
}

fn mapping(in_use: &[(usize, &Endpoint)]) -> Mapping {
    let mut mapping = Mapping::default();
    for (i, endpoint) in in_use {
        for code in &endpoint.geo_mapping {
            mapping.map(*code, *i);
        }
    }
    mapping
}

fn regions(in_use: &[(usize, &Endpoint)]) -> Vec<(Region, Vec<usize>)> {
    let mut regions: BTreeMap<Region, Vec<usize>> = BTreeMap::new();
    for (i, endpoint) in in_use {
        if let Some(region) = endpoint.location {
            regions.entry(region).or_default().push(*i);
        }
    }
    regions.into_iter().collect()
}

fn nearest(
    subnet: Option<usize>,
    regions: &[(Region, Vec<usize>)],
    client: &Client,
    overrides: &Overrides,
) -> Vec<Vec<usize>> {
    let ranking = ranking(client, overrides, regions.iter().map(|(region, _)| *region));
    let known = |region: Region| ranking.iter().position(|(other, _)| *other == region);
    let mut groups = vec![vec![]; ranking.len() + 1];
    for (region, endpoints) in regions {
        let group = known(*region).unwrap_or(ranking.len());
        groups[group].extend(endpoints.iter().copied().filter(|i| Some(*i) != subnet));
    }
    groups[ranking.len()].sort_unstable();
    // Where nothing but the range is known, the others need no telling.
    if ranking.is_empty() {
        groups.clear();
    }
    groups.insert(0, subnet.into_iter().collect());
    groups.retain(|group| !group.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        desired::{Rules, WhenAllDown},
        geo::{Code, Point},
        samples,
    };

    /// Endpoints as `GEO-EU,DE @West Europe 203.0.113.0/24`, each part of it or nothing; `!` before those that are disabled.
    fn profile(method: RoutingMethod, endpoints: &[&str]) -> Profile {
        let endpoint = |(i, text): (usize, &&str)| {
            let (codes, rest) = text.trim_start_matches('!').split_once('@').unwrap_or((text, ""));
            let at = rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len());
            let (region, range) = rest.split_at(at);
            Endpoint {
                geo_mapping: codes.trim_matches(['!', ' ']).split(',').filter_map(Code::find).collect(),
                location: Region::find(region),
                subnets: (!range.is_empty()).then(|| range_of(range)).into_iter().collect(),
                status: if text.starts_with('!') { Status::Disabled } else { Status::Enabled },
                ..samples::endpoint(&format!("e{i}"), &format!("192.0.2.{i}"))
            }
        };
        let endpoints = endpoints.iter().enumerate().map(endpoint).collect();
        Profile { routing_method: method, ..samples::profile("p", samples::monitor(), endpoints) }
    }

    /// 203.0.113.0/24 and the like.
    fn range_of(text: &str) -> Subnet {
        let network = text.strip_suffix(".0/24").unwrap();
        let address = |last: u8| format!("{network}.{last}").parse().unwrap();
        Subnet { first: address(0), last: address(255) }
    }

    fn client(code: &str, point: Option<(f64, f64)>) -> Client {
        let point = point.map(|(latitude, longitude)| Point { latitude, longitude });
        Client { address: "192.0.2.1".parse().unwrap(), code: Code::find(code).unwrap(), point }
    }

    fn mapped(layer: &Layer, subnet: Option<usize>, code: &str) -> Option<usize> {
        match layer.choice(subnet, &client(code, None), &Overrides::default()) {
            Choice::Mapped(endpoint) => endpoint,
            Choice::Nearest(_) => panic!("not of this method"),
        }
    }

    fn ranked(layer: &Layer, subnet: Option<usize>, client: &Client) -> Vec<Vec<usize>> {
        match layer.choice(subnet, client, &Overrides::default()) {
            Choice::Nearest(groups) => groups.to_vec(),
            Choice::Mapped(_) => panic!("not of this method"),
        }
    }

    #[test]
    fn the_most_specific_code_is_chosen_and_a_range_before_it() {
        let layer =
            Layer::of(&profile(RoutingMethod::Geographic, &["GEO-EU", "DE", "WORLD @ 203.0.113.0/24"]))
                .unwrap();
        assert_eq!(layer.subnets, [("203.0.113.0".parse().unwrap(), 24, 2)]);
        for (code, endpoint) in [("DE", 1), ("FR", 0), ("US-CA", 2), ("WORLD", 2)] {
            assert_eq!(mapped(&layer, None, code), Some(endpoint), "{code}");
            assert_eq!(mapped(&layer, Some(2), code), Some(2), "{code}");
        }
    }

    /// 10.0.0.0-10.0.1.255 is made of 10.0.0.0/23, and 10.0.0.0-10.0.2.255 of that and more.
    #[test]
    fn of_equal_prefixes_that_of_the_smallest_range_is_first() {
        let mut given = profile(RoutingMethod::Subnet, &["", ""]);
        for (endpoint, last) in given.endpoints.iter_mut().zip(["10.0.2.255", "10.0.1.255"]) {
            let range = Subnet { first: "10.0.0.0".parse().unwrap(), last: last.parse().unwrap() };
            std::sync::Arc::make_mut(endpoint).subnets = vec![range];
        }
        let prefixes =
            |layer: Layer| layer.subnets.iter().map(|(_, length, i)| (*length, *i)).collect::<Vec<_>>();
        assert_eq!(prefixes(Layer::of(&given).unwrap()), [(23, 1), (23, 0), (24, 0)]);
        given.endpoints.reverse();
        assert_eq!(prefixes(Layer::of(&given).unwrap()), [(23, 0), (23, 1), (24, 1)]);
    }

    #[test]
    fn a_disabled_endpoint_leaves_its_codes_to_the_next_one_up() {
        let layer =
            Layer::of(&profile(RoutingMethod::Geographic, &["GEO-EU", "!DE @ 203.0.113.0/24", "!WORLD"]))
                .unwrap();
        assert_eq!((mapped(&layer, None, "DE"), mapped(&layer, None, "JP")), (Some(0), None));
        assert_eq!(layer.subnets, []);
    }

    #[test]
    fn the_last_resort_is_nobodys_choice() {
        let mut given = profile(RoutingMethod::Geographic, &["DE", ""]);
        given.rules = Rules { when_all_down: WhenAllDown::LastResort("e1".into()), ..Rules::default() };
        assert_eq!(mapped(&Layer::of(&given).unwrap(), None, "FR"), None);
        let mut given = profile(RoutingMethod::Performance, &["@West Europe", "@East US"]);
        given.rules = Rules { when_all_down: WhenAllDown::LastResort("e1".into()), ..Rules::default() };
        assert_eq!(Layer::of(&given), None);
    }

    #[test]
    fn regions_are_ranked_and_those_in_one_are_together() {
        let given = ["@West Europe", "@East US", "@West Europe", "@Southeast Asia"];
        let layer = Layer::of(&profile(RoutingMethod::Performance, &given)).unwrap();
        assert_eq!(ranked(&layer, None, &client("NL", None)), [vec![0, 2], vec![1], vec![3]]);
        assert_eq!(ranked(&layer, None, &client("SG", None)), [vec![3], vec![0, 2], vec![1]]);
        assert_eq!(ranked(&layer, None, &client("US", Some((40.7, -74.0)))), [vec![1], vec![0, 2], vec![3]]);
        assert_eq!(ranked(&layer, None, &client("WORLD", None)), [[0; 0]; 0]);
        // A range goes before, and nobody is there twice.
        assert_eq!(ranked(&layer, Some(2), &client("SG", None)), [vec![2], vec![3], vec![0], vec![1]]);
        assert_eq!(ranked(&layer, Some(3), &client("SG", None)), ranked(&layer, None, &client("SG", None)));
        assert_eq!(ranked(&layer, Some(3), &client("WORLD", None)), [[3]]);
    }

    #[test]
    fn regions_of_which_nothing_is_known_come_last() {
        let layer =
            Layer::of(&profile(RoutingMethod::Performance, &["@West Europe", "@East US", "@UK South"]))
                .unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("latency.csv");
        std::fs::write(&path, "192.0.2.0/24,East US,900\n").unwrap();
        let overrides = Overrides::read(&path).unwrap();
        let choice = layer.choice(None, &client("WORLD", None), &overrides);
        assert_eq!(choice, Choice::Nearest([vec![1], vec![0, 2]].into()));
    }

    #[test]
    fn profiles_that_tell_nobody_apart_have_no_layer() {
        let of = |method, given: &[&str]| Layer::of(&profile(method, given));
        for method in [RoutingMethod::Priority, RoutingMethod::Weighted, RoutingMethod::MultiValue] {
            assert_eq!(of(method, &["@ 203.0.113.0/24"]), None);
        }
        assert_eq!(of(RoutingMethod::Subnet, &["", "!@ 203.0.113.0/24"]), None);
        assert_eq!(of(RoutingMethod::Performance, &["@West Europe", "@West Europe", "!@East US"]), None);
        let layers =
            [["DE", "FR"], ["FR", "DE"], ["DE", "FR"]].map(|given| of(RoutingMethod::Geographic, &given));
        assert_ne!(layers[0], layers[1]);
        assert_eq!(layers[0], layers[2]);
    }
}
