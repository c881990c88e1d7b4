//! Random trees of profiles, as files.

use std::ops::Range;

use proptest::prelude::{Strategy, any, prop, prop_oneof};
use tm_tests::{property::config::NODE, reference::Verdicts, world::desired_of};
use tm_userspace::desired::Desired;

/// An endpoint; what does not fit its profile is not written.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    /// Which of the profiles further down it nests, if there is one.
    pub(crate) nests: Option<prop::sample::Index>,
    pub(crate) is_v6: bool,
    pub(crate) enabled: bool,
    pub(crate) always: bool,
    pub(crate) up: Option<bool>,
    pub(crate) weight: u16,
    pub(crate) min_child: [u16; 3],
    /// Which of [`REGIONS`] it is in.
    pub(crate) region: usize,
}

/// A profile: method, kind of target, enabled, `max_return`, endpoints; whose the codes and ranges are.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) method: usize,
    pub(crate) kind: usize,
    pub(crate) enabled: bool,
    pub(crate) max_return: u8,
    pub(crate) leaves: Vec<Leaf>,
    pub(crate) codes: Vec<Option<prop::sample::Index>>,
    pub(crate) ranges: Vec<Option<prop::sample::Index>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tree(pub(crate) Vec<Node>);

/// As likely as they are often here; the first five look at no client.
const METHODS: [&str; 9] = [
    "priority",
    "weighted",
    "weighted",
    "weighted",
    "multivalue",
    "subnet",
    "geographic",
    "performance",
    "performance",
];
const REGIONS: [&str; 5] = ["West Europe", "East US", "Southeast Asia", "UK South", "West US 2"];
/// What is told apart by the small database, and more.
const CODES: [&str; 12] =
    ["WORLD", "GEO-EU", "GEO-NA", "US", "US-CA", "DE", "GB", "GB-SCT", "FR", "CA", "CA-ON", "GEO-AS"];
/// Codes that no client has: one each for endpoints that have no other.
const ELSEWHERE: [&str; 5] = ["AQ", "BR", "CL", "ZA", "FJ"];
/// Apart and inside one another.
const RANGES: [&str; 8] = [
    "203.0.113.0/24",
    "203.0.113.64-203.0.113.200",
    "203.0.113.128/26",
    "198.51.0.0/16",
    "10.0.0.0/8",
    "10.1.2.0/24",
    "2001:db8::/34",
    "2001:db8:1::/48",
];

fn leaf() -> impl Strategy<Value = Leaf> {
    let often = || prop::bool::weighted(0.9);
    let weight = prop_oneof![4 => 0..=6u16, 1 => 0..=1000u16];
    (
        prop::option::of(any::<prop::sample::Index>()),
        any::<bool>(),
        often(),
        prop::bool::weighted(0.1),
        any::<Option<bool>>(),
        weight,
        (1..=3u16, 0..=2u16, 0..=1u16),
        0..REGIONS.len(),
    )
        .prop_map(|(nests, is_v6, enabled, always, up, weight, min, region)| Leaf {
            nests,
            is_v6,
            enabled,
            always,
            up,
            weight,
            min_child: [min.0, min.1, min.2],
            region,
        })
}

/// Each profile nests only those behind it.
pub(crate) fn tree(methods: Range<usize>) -> impl Strategy<Value = Tree> {
    let owners = |count| prop::collection::vec(prop::option::of(any::<prop::sample::Index>()), count);
    let profile = (
        methods,
        0..3usize,
        prop::bool::weighted(0.9),
        1..=4u8,
        prop::collection::vec(leaf(), 0..5),
        owners(CODES.len()),
        owners(RANGES.len()),
    );
    let node = profile.prop_map(|(method, kind, enabled, max_return, leaves, codes, ranges)| Node {
        method,
        kind,
        enabled,
        max_return,
        leaves,
        codes,
        ranges,
    });
    prop::collection::vec(node, 1..7).prop_map(Tree)
}

impl Node {
    /// Where an endpoint's clients are, and where it is, in the words of its method.
    fn places(&self, e: usize) -> String {
        let method = METHODS[self.method];
        let has = |owner: &Option<prop::sample::Index>| {
            owner.is_some_and(|owner| owner.index(self.leaves.len()) == e)
        };
        let of = |names: &[&'static str], owners: &[Option<prop::sample::Index>]| -> Vec<&'static str> {
            names.iter().zip(owners).filter(|(_, owner)| has(owner)).map(|(name, _)| *name).collect()
        };
        let (mut codes, mut ranges) = (of(&CODES, &self.codes), of(&RANGES, &self.ranges));
        codes.push(ELSEWHERE[e]);
        // Of a Subnet profile the first may answer the rest, and it alone.
        if method == "subnet" {
            match e {
                0 if self.max_return > 2 => ranges.clear(),
                _ => ranges.push(["100.66.0.1", "100.66.0.2", "100.66.0.3", "100.66.0.4", "100.66.0.5"][e]),
            }
        }
        let mut text = String::new();
        if ["subnet", "geographic", "performance"].contains(&method) {
            text += &format!("subnets = {ranges:?}\n");
        }
        if method == "geographic" {
            text += &format!("geo_mapping = {codes:?}\n");
        }
        text + &format!("endpoint_location = {:?}\n", REGIONS[self.leaves[e].region])
    }
}

impl Tree {
    pub(crate) fn files(&self) -> String {
        let mut text = String::new();
        for (p, node) in self.0.iter().enumerate() {
            let Node { method, kind, enabled, max_return, leaves, .. } = node;
            let method = METHODS[*method];
            let status = if *enabled { "enabled" } else { "disabled" };
            text += &format!("[[profile]]\nname = \"p{p}\"\nrouting_method = \"{method}\"\n");
            text += &format!("status = \"{status}\"\nmax_return = {max_return}\n");
            let (mut nested, mut followed) = (vec![], vec![]);
            for (e, leaf) in leaves.iter().enumerate() {
                let status = if leaf.enabled { "enabled" } else { "disabled" };
                let (weight, priority) = (leaf.weight, leaves.len() - e);
                text += &format!("[[profile.endpoint]]\nname = \"e{e}\"\nstatus = \"{status}\"\n");
                text += &format!("weight = {weight}\npriority = {priority}\n");
                text += &node.places(e);
                let below = self.0.len() - p - 1;
                let child = leaf.nests.filter(|_| below > 0).map(|child| p + 1 + child.index(below));
                // In a profile of names, every other one below is followed and not nested.
                let is_nested = method != "multivalue" && !(*kind == 2 && leaf.is_v6);
                match child.filter(|child| is_nested && !nested.contains(child)) {
                    Some(child) => {
                        nested.push(child);
                        let [any, ipv4, ipv6] = leaf.min_child;
                        text += &format!("type = \"nested\"\ntarget_profile = \"p{child}\"\n");
                        text += &format!("min_child_endpoints = {any}\n");
                        text += &format!(
                            "min_child_endpoints_ipv4 = {ipv4}\nmin_child_endpoints_ipv6 = {ipv6}\n"
                        );
                    }
                    None => {
                        // Only MultiValue mixes families.
                        let kind = if method == "multivalue" { usize::from(leaf.is_v6) } else { *kind };
                        let target = match kind {
                            0 => format!("10.{p}.{e}.1"),
                            1 => format!("2001:db8:{p}::{e}"),
                            _ => match child.filter(|child| leaf.is_v6 && !followed.contains(child)) {
                                Some(child) => {
                                    followed.push(child);
                                    format!("p{child}.tm.example")
                                }
                                None => format!("e{e}.p{p}.test"),
                            },
                        };
                        text += &format!("target = \"{target}\"\nalways_serve = {}\n", leaf.always);
                    }
                }
            }
        }
        text
    }

    pub(crate) fn desired(&self) -> Desired {
        let database = concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb");
        let node = format!("{NODE}[geo]\ndatabase = \"{database}\"\n");
        desired_of(&node, &self.files()).unwrap_or_else(|error| panic!("{error:#}\n{}", self.files()))
    }

    pub(crate) fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (p, node) in self.0.iter().enumerate() {
            for (e, leaf) in node.leaves.iter().enumerate() {
                verdicts.extend(leaf.up.map(|up| ((format!("p{p}"), format!("e{e}")), up)));
            }
        }
        verdicts
    }
}
