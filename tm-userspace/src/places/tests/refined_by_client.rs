//! Layers laid over a database: each client's choice is what each layer alone would choose for it.

use std::path::Path;

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, proptest};

use super::*;
use crate::{
    geo::{Atlas, Client, Code, Mapping, Overrides, Region, placed_by},
    places::{
        layer::{Layer, Rule},
        refine::Question,
        views::is_small,
    },
};

fn atlas() -> Arc<Atlas> {
    Arc::new(Atlas::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/geo/places.mmdb")).unwrap())
}

fn mapping(codes: &[&str]) -> Mapping {
    let mut mapping = Mapping::default();
    codes.iter().zip(0..).for_each(|(code, owner)| mapping.add(code, owner).unwrap());
    mapping
}

fn regions() -> Rule {
    let of = |(i, name): (usize, &&str)| (Region::find(name).unwrap(), vec![i, i + 3]);
    Rule::Nearest(["West US 2", "Germany North", "UK South"].iter().enumerate().map(of).collect())
}

/// Where the rows of the database begin and end, and what is special.
const EDGES: [&str; 15] = [
    "0.0.0.0",
    "10.0.0.0",
    "203.0.113.0",
    "203.0.113.128",
    "198.51.100.0",
    "192.0.2.64",
    "192.0.2.128",
    "198.18.1.0",
    "255.255.255.255",
    "::",
    "2001:db8::",
    "2001:db8:8000::",
    "2002:cb00:7100::",
    "fd00::1",
    "64:ff9b::c633:6401",
];

fn edge() -> impl Strategy<Value = IpAddr> {
    prop::sample::select(EDGES.to_vec()).prop_map(|text| text.parse().unwrap())
}

fn any_subnets() -> impl Strategy<Value = Vec<(IpAddr, u8, usize)>> {
    let subnet = (edge(), any::<u8>(), 0..6usize).prop_map(|(address, length, endpoint)| match address {
        IpAddr::V4(v4) => {
            let length = 4 + length % 29;
            (Ipv4Addr::from(v4.to_bits() & u32::MAX << (32 - length)).into(), length, endpoint)
        }
        IpAddr::V6(v6) => {
            let length = 20 + length % 109;
            (Ipv6Addr::from(v6.to_bits() & u128::MAX << (128 - length)).into(), length, endpoint)
        }
    });
    prop::collection::vec(subnet, 0..4)
}

fn any_layer() -> impl Strategy<Value = Layer> {
    let codes = [&["US-CA", "US", "GEO-EU"][..], &["WORLD", "FR", "GB-SCT"], &["CA-ON", "DE"]];
    let rule = (0..5usize).prop_map(move |which| match which {
        0 => Rule::Constant,
        1 => regions(),
        which => Rule::Geographic(mapping(codes[which - 2])),
    });
    (any_subnets(), rule).prop_map(|(subnets, rule)| Layer { subnets, rule })
}

/// The choice of one layer for one client, by looking at all its prefixes, and in the database.
fn chosen(layers: &[Layer], atlas: &Atlas, address: IpAddr) -> (Vec<Choice>, bool) {
    let by = placed_by(address);
    let longest = |layer: &Layer| {
        let mut best: Option<(u8, usize)> = None;
        for (first, length, endpoint) in &layer.subnets {
            let (from, to) = prefix::span(prefix::bits(*first), *length);
            let holds = first.is_ipv4() == by.is_ipv4() && (from..=to).contains(&prefix::bits(by));
            if holds && best.is_none_or(|(best, _)| *length > best) {
                best = Some((*length, *endpoint));
            }
        }
        best.map(|(_, endpoint)| endpoint)
    };
    let private = match by {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || a == 100 && b & 0xc0 == 64
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    };
    let private = private && layers.iter().all(|layer| longest(layer).is_none());
    let found = atlas.database.find(by).unwrap();
    let code = if private { Code::WORLD } else { found.code };
    let client = Client { address: by, code, point: found.point.filter(|_| !private) };
    let choice = |layer: &Layer| layer.choice(longest(layer), &client, &Overrides::default());
    (layers.iter().map(choice).collect(), private)
}

fn points(layers: &[Layer]) -> Vec<IpAddr> {
    let edges = EDGES.iter().map(|text| text.parse().unwrap());
    let subnets = layers.iter().flat_map(|layer| &layer.subnets);
    let subnets = subnets.flat_map(|(first, length, _)| [*first, prefix::last(*first, *length)]);
    let around = |address: IpAddr| match address {
        IpAddr::V4(v4) => {
            let bits = v4.to_bits();
            [bits, bits.wrapping_sub(1), bits.wrapping_add(1)].map(|bits| IpAddr::from(Ipv4Addr::from(bits)))
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            [bits, bits.wrapping_sub(1), bits.wrapping_add(1)].map(|bits| IpAddr::from(Ipv6Addr::from(bits)))
        }
    };
    edges.chain(subnets).flat_map(around).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_layer_chooses_as_if_alone(layers in prop::collection::vec(any_layer(), 1..4), changed in any_subnets()) {
        let atlas = atlas();
        let ask = |layers: &[Layer]| {
            let layers = layers.iter().cloned().map(Arc::new).collect();
            Question::new(layers, Some(&atlas), &Arc::default())
        };
        let refined = ask(&layers).refine(None).unwrap();
        // The last layer gets other ranges.
        let mut others = layers.clone();
        let prefixes: Vec<(IpAddr, u8)> = others.last_mut().map(|last| std::mem::replace(&mut last.subnets, changed))
            .iter().flatten().chain(&others.last().unwrap().subnets).map(|(first, length, _)| (*first, *length)).collect();
        let is_small = prefixes.iter().all(is_small);
        let mended = is_small.then(|| ask(&others).mend(&refined, &prefixes).unwrap()).flatten();
        for (layers, refined) in [(&layers, Some(&refined)), (&others, mended.as_ref())] {
            let Some(refined) = refined else { continue };
            prop_assert_eq!(refined.left_out, 0);
            for address in points(layers) {
                let spot = refined.partition.find(address);
                let (choices, private) = chosen(layers, &atlas, address);
                prop_assert_eq!((&refined.choices[usize::from(spot.place.0)], spot.is_private), (&choices, private), "{}", address);
            }
            // Nothing is told apart that is alike.
            for (place, choices) in refined.choices.iter().enumerate().filter(|(place, _)| refined.partition.runs_at(*place) > 0) {
                prop_assert_eq!(refined.choices.iter().position(|other| other == choices), Some(place));
            }
        }
        if let Some(mended) = mended {
            let anew = ask(&others).refine(Some(&refined)).unwrap();
            prop_assert_eq!(mended.partition.v4().count(), anew.partition.v4().count());
            prop_assert_eq!(mended.partition.v6().count(), anew.partition.v6().count());
            // As many as were counted one by one.
            prop_assert_eq!(&*mended.partition, &Partition::new(mended.partition.v4().clone(), mended.partition.v6().clone()));
        }
    }
}
