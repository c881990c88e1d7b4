//! Random trees of profiles, any of their endpoints up or down: from their files to what the engine answers, against a plain walk by the rules.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::SystemTime,
};

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use tm_common::verdict::Reason;
use tm_tests::{
    dig,
    frame::Frame,
    host::answer_frame,
    property::config::NODE,
    query::{Query, qtype},
    reference::{Asked, Chances, Verdicts, World},
    reply::check_reply,
    world::{decide_now, desired_of, image},
};
use tm_userspace::{
    compile::{Zone, compile},
    decide::{self, Answer, Share, Step, explain},
    desired::{Desired, Endpoint, EndpointKey, Target},
    health::{Health, Verdict},
    places::Class,
    sync::Image,
};

const ASKED: [(Asked, u16); 4] =
    [(Asked::A, qtype::A), (Asked::Aaaa, qtype::AAAA), (Asked::Any, qtype::ANY), (Asked::Other, qtype::TXT)];

/// An endpoint; what does not fit its profile is not written.
#[derive(Clone, Debug)]
struct Leaf {
    /// Which of the profiles further down it nests, if there is one.
    nests: Option<prop::sample::Index>,
    is_v6: bool,
    enabled: bool,
    always: bool,
    up: Option<bool>,
    weight: u16,
    min_child: [u16; 3],
}

#[derive(Clone, Debug)]
struct Tree(Vec<(usize, usize, bool, u8, Vec<Leaf>)>);

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
    )
        .prop_map(|(nests, is_v6, enabled, always, up, weight, min)| Leaf {
            nests,
            is_v6,
            enabled,
            always,
            up,
            weight,
            min_child: [min.0, min.1, min.2],
        })
}

/// Method, kind of target, enabled, `max_return` and endpoints of each profile; each nests only those behind it.
fn tree() -> impl Strategy<Value = Tree> {
    let profile =
        (0..5usize, 0..3usize, prop::bool::weighted(0.9), 1..=4u8, prop::collection::vec(leaf(), 0..5));
    prop::collection::vec(profile, 1..7).prop_map(Tree)
}

impl Tree {
    fn files(&self) -> String {
        let mut text = String::new();
        for (p, (method, kind, enabled, max_return, leaves)) in self.0.iter().enumerate() {
            let method = ["priority", "weighted", "weighted", "weighted", "multivalue"][*method];
            let status = if *enabled { "enabled" } else { "disabled" };
            text += &format!("[[profile]]\nname = \"p{p}\"\nrouting_method = \"{method}\"\n");
            text += &format!("status = \"{status}\"\nmax_return = {max_return}\n");
            let (mut nested, mut followed) = (vec![], vec![]);
            for (e, leaf) in leaves.iter().enumerate() {
                let status = if leaf.enabled { "enabled" } else { "disabled" };
                let (weight, priority) = (leaf.weight, leaves.len() - e);
                text += &format!("[[profile.endpoint]]\nname = \"e{e}\"\nstatus = \"{status}\"\n");
                text += &format!("weight = {weight}\npriority = {priority}\n");
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

    fn desired(&self) -> Desired {
        desired_of(NODE, &self.files()).unwrap_or_else(|error| panic!("{error:#}\n{}", self.files()))
    }

    fn verdicts(&self) -> Verdicts {
        let mut verdicts = Verdicts::new();
        for (p, (.., leaves)) in self.0.iter().enumerate() {
            for (e, leaf) in leaves.iter().enumerate() {
                verdicts.extend(leaf.up.map(|up| ((format!("p{p}"), format!("e{e}")), up)));
            }
        }
        verdicts
    }
}

fn health(verdicts: &Verdicts) -> Health {
    let verdict = |((profile, endpoint), up): (&(String, String), &bool)| {
        let key = EndpointKey { profile: profile.as_str().into(), endpoint: endpoint.as_str().into() };
        (key, Verdict { up: *up, since: SystemTime::UNIX_EPOCH, recovered: false })
    };
    Health { generation: 1, verdicts: verdicts.iter().map(verdict).collect(), ..Health::default() }
}

/// How often each list of targets is given in a whole round.
fn counted(image: &Image, name: &str, qtype: u16, round: usize) -> BTreeMap<Vec<String>, usize> {
    let frame = Frame::v4(Query::with_edns(name, qtype).build()).build();
    let mut replies: HashMap<Vec<u8>, usize> = HashMap::new();
    for _ in 0..round {
        let (reason, reply) = answer_frame(&frame, image);
        assert_eq!(reason, Reason::Answered, "{name}");
        *replies.entry(reply).or_default() += 1;
    }
    let targets = |reply: &Vec<u8>| -> Vec<String> {
        let message = check_reply(reply).unwrap_or_else(|error| panic!("{error:#}")).message;
        assert!(!message.answers.is_empty() || message.authorities.len() == 1, "data, or the SOA");
        let last =
            |line: String| line.rsplit(' ').next().unwrap_or_default().trim_end_matches('.').to_owned();
        dig::answers(&message).into_iter().map(last).collect()
    };
    let mut counts = BTreeMap::new();
    for (reply, count) in &replies {
        *counts.entry(targets(reply)).or_default() += count;
    }
    counts
}

fn without_nothing(chances: Chances) -> Chances {
    chances.into_iter().filter(|(_, chance)| *chance > 0.0).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_answer_as_the_rules_say(tree in tree()) {
        let (desired, verdicts) = (tree.desired(), tree.verdicts());
        let health = health(&verdicts);
        let image = image(&desired, &health);
        let rules = World { profiles: &desired.profiles, verdicts: &verdicts };
        let zone = Zone::of(&desired.node, desired.generation);
        for profile in desired.profiles.values() {
            let decision = decide_now(&desired, profile, &health);
            prop_assert_eq!(format!("{:?}", decision.status), rules.profile_status(profile));
            for (endpoint, status) in profile.endpoints.iter().zip(&decision.endpoints) {
                prop_assert_eq!(format!("{status:?}"), rules.endpoint_status(profile, endpoint), "{}", tree.files());
            }
            let compiled = compile(&decision, &zone);
            for (i, (asked, qtype)) in ASKED.into_iter().enumerate() {
                let due = rules.answers(&profile.name, asked).map(without_nothing);
                prop_assert_eq!(due.is_some(), compiled.is_some(), "{} {}", profile.name, tree.files());
                let Some((compiled, due)) = compiled.as_ref().zip(due) else { continue };
                let round = compiled.places[0][i].slots.len();
                prop_assert!((1..=1024).contains(&round));
                let given = counted(&image, &profile.dns_name.to_string(), qtype, round);
                for list in given.keys() {
                    prop_assert!(due.contains_key(list), "{list:?} by {asked:?} at {} {}", profile.name, tree.files());
                }
                for (list, chance) in due {
                    let part = *given.get(&list).unwrap_or(&0) as f64 / round as f64;
                    prop_assert!((part - chance).abs() <= 0.002, "{list:?} {part} of {chance} {}", tree.files());
                }
            }
        }
    }

    #[test]
    fn what_is_explained_is_what_is_decided(tree in tree()) {
        let (desired, health) = (tree.desired(), health(&tree.verdicts()));
        for profile in desired.profiles.values() {
            let decision = decide_now(&desired, profile, &health);
            let now = SystemTime::UNIX_EPOCH;
            let step = explain(&desired.profiles, profile, &Class::default(), &health, now, true);
            let statuses: Vec<_> = step.candidates.iter().map(|candidate| candidate.status).collect();
            prop_assert_eq!((step.status, &statuses), (decision.status, &decision.endpoints));
            let (mut decided, mut explained) = (Ways::new(), Ways::new());
            for shares in &decision.places {
                ways_decided(shares, &[], 1.0, &mut decided);
            }
            ways_explained(&step, &[], 1.0, &mut explained);
            let near = |(way, part): (&Vec<EndpointKey>, &f64)| {
                explained.get(way).is_some_and(|other| (part - other).abs() < 1e-6)
            };
            prop_assert!(
                decided.len() == explained.len() && decided.iter().all(near),
                "{decided:?} {explained:?} {}", tree.files()
            );
            prop_assert_eq!(step.nobody.is_some(), decided.is_empty());
        }
    }

    /// All weighted, all up: who goes down leaves every share outside its own profile and what is nested there as it was, and takes nothing from those in it.
    #[test]
    fn who_goes_moves_only_its_share(tree in tree(), profile: prop::sample::Index, gone: prop::sample::Index) {
        let mut tree = tree;
        for (method, _, enabled, _, leaves) in &mut tree.0 {
            (*method, *enabled) = (1, true);
            for leaf in leaves {
                (leaf.enabled, leaf.up, leaf.always, leaf.min_child) = (true, Some(true), false, [1, 0, 0]);
                leaf.weight = leaf.weight.max(1);
            }
        }
        let desired = tree.desired();
        let owner = desired.profiles.values().nth(profile.index(desired.profiles.len())).expect("there is one");
        let is_leaf = |endpoint: &Endpoint| !matches!(endpoint.target, Target::Profile(_));
        let leaves: Vec<_> = owner.endpoints.iter().filter(|endpoint| is_leaf(endpoint)).collect();
        // Where its profile has nobody else, the profile itself gives way.
        if leaves.len() < 2 {
            return Ok(());
        }
        let gone = owner.key(leaves[gone.index(leaves.len())]);
        let mut verdicts = tree.verdicts();
        let before = shares(&desired, "p0", &verdicts);
        verdicts.insert((gone.profile.to_string(), gone.endpoint.to_string()), false);
        let after = shares(&desired, "p0", &verdicts);
        let is_below = |key: &EndpointKey| below(&desired, &owner.name).contains(&key.profile);
        let sum = |shares: &BTreeMap<EndpointKey, f64>| -> f64 {
            shares.iter().filter(|(key, _)| is_below(key) && **key != gone).map(|(_, share)| share).sum()
        };
        if !before.contains_key(&gone) {
            prop_assert_eq!(before, after);
            return Ok(());
        }
        prop_assert!(!after.contains_key(&gone));
        let (was, is) = (sum(&before), sum(&after));
        prop_assert!(was <= is + 1e-9);
        for (key, share) in before.iter().filter(|(key, _)| !is_below(key)) {
            prop_assert!((after[key] - share).abs() < 1e-7, "{key} {share} {}", after[key]);
        }
    }
}

/// By the endpoints whose names lead to it and, at the end, the one that answers: the part of the answers that it is in.
type Ways = BTreeMap<Vec<EndpointKey>, f64>;

fn ways_decided(shares: &[Share], way: &[EndpointKey], part: f64, ways: &mut Ways) {
    let total: u64 = shares.iter().map(|share| share.weight).sum();
    for share in shares {
        let part = part * share.weight as f64 / total as f64;
        let mut put =
            |leaf: &decide::Leaf, part| *ways.entry([way, &[leaf.key()]].concat()).or_default() += part;
        match &share.answer {
            Answer::One(leaf) => put(leaf, part),
            Answer::Followed(leaf, _, behind) if behind.is_empty() => put(leaf, part),
            Answer::Followed(leaf, _, behind) => {
                ways_decided(behind, &[way, &[leaf.key()]].concat(), part, ways);
            }
            Answer::Several(leaves, most) => {
                let is_ipv4 = |leaf: &decide::Leaf| matches!(leaf.endpoint.target, Target::V4(_));
                for leaf in leaves {
                    let family = leaves.iter().filter(|other| is_ipv4(other) == is_ipv4(leaf)).count();
                    put(leaf, part * f64::from(*most).min(family as f64) / family as f64);
                }
            }
        }
    }
}

fn ways_explained(step: &Step, way: &[EndpointKey], part: f64, ways: &mut Ways) {
    for candidate in step.candidates.iter().filter(|candidate| candidate.part > 0.0) {
        let own = [way, &[step.profile.key(&candidate.endpoint)]].concat();
        let part = part * candidate.part;
        match (&candidate.below, &candidate.endpoint.target) {
            (Some(below), Target::Profile(_)) => ways_explained(below, way, part, ways),
            (Some(below), _) if below.nobody.is_none() => ways_explained(below, &own, part, ways),
            (_, _) => *ways.entry(own).or_default() += part,
        }
    }
}

/// The part of each endpoint in a profile's answers.
fn shares(desired: &Desired, profile: &str, verdicts: &Verdicts) -> BTreeMap<EndpointKey, f64> {
    let decision = decide_now(desired, &desired.profiles[profile], &health(verdicts));
    let shares = decision.places.into_iter().flatten();
    let mut weights: BTreeMap<EndpointKey, f64> = BTreeMap::new();
    for share in shares {
        // What a name leads to counts for the endpoint that has the name.
        if let Answer::One(leaf) | Answer::Followed(leaf, ..) = share.answer {
            *weights.entry(leaf.key()).or_default() += share.weight as f64;
        }
    }
    let total: f64 = weights.values().sum();
    weights.into_iter().map(|(key, weight)| (key, weight / total)).collect()
}

/// A profile and all that are nested in it.
fn below(desired: &Desired, profile: &str) -> Vec<Arc<str>> {
    let mut all = vec![desired.profiles[profile].name.clone()];
    let mut at = 0;
    while let Some(name) = all.get(at).cloned() {
        for endpoint in &desired.profiles[&name].endpoints {
            if let Target::Profile(child) = &endpoint.target {
                all.push(child.clone());
            }
        }
        at += 1;
    }
    all
}
