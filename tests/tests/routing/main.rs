//! Random trees of profiles, any of their endpoints up or down, asked by random clients: from their files to what the engine answers, against a plain walk by the rules.

mod clients;
mod explained;
mod trees;

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::Arc,
    time::SystemTime,
};

use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use proptest::{
    prelude::{ProptestConfig, Strategy as _, any, prop, prop_assert, prop_assert_eq, proptest},
    strategy::ValueTree as _,
    test_runner::TestRunner,
};
use tm_common::verdict::Reason;
use tm_tests::{
    dig,
    host::answer_frame,
    namespace::require_root,
    parity::Pair,
    query::qtype,
    reference::{Asked, Chances, Client, Verdicts, World},
    reply::check_reply,
    world::{decide_now, image},
};
use tm_userspace::{
    compile::{Tree as Names, Zones, compile},
    decide::Answer,
    desired::{Desired, Endpoint, EndpointKey, Target},
    health::{Health, Verdict},
};

use clients::{From, from, network};
use trees::{Tree, tree};

const ASKED: [(Asked, u16); 4] =
    [(Asked::A, qtype::A), (Asked::Aaaa, qtype::AAAA), (Asked::Any, qtype::ANY), (Asked::Other, qtype::TXT)];

fn health(verdicts: &Verdicts) -> Health {
    let verdict = |((profile, endpoint), up): (&(String, String), &bool)| {
        let key = EndpointKey { profile: profile.as_str().into(), endpoint: endpoint.as_str().into() };
        (key, Verdict { up: *up, since: SystemTime::UNIX_EPOCH, recovered: false })
    };
    Health { generation: 1, verdicts: verdicts.iter().map(verdict).collect(), ..Health::default() }
}

/// How often each list of targets is given in a whole round, by whoever answers; and whether it is said that this holds for a network alone.
fn counted(
    frame: &[u8],
    round: usize,
    answer: impl Fn(&[u8]) -> (Reason, Vec<u8>),
) -> (BTreeMap<Vec<String>, usize>, bool) {
    let mut replies: HashMap<Vec<u8>, usize> = HashMap::new();
    for _ in 0..round {
        let (reason, reply) = answer(frame);
        assert_eq!(reason, Reason::Answered);
        *replies.entry(reply).or_default() += 1;
    }
    let mut is_scoped = false;
    let mut targets = |reply: &Vec<u8>| -> Vec<String> {
        let message = check_reply(reply).unwrap_or_else(|error| panic!("{error:#}")).message;
        assert!(!message.answers.is_empty() || message.authorities.len() == 1, "data, or the SOA");
        let subnet = message.edns.as_ref().and_then(|edns| edns.option(EdnsCode::Subnet));
        is_scoped |= matches!(subnet, Some(EdnsOption::Subnet(subnet)) if subnet.scope_prefix() > 0);
        let last =
            |line: String| line.rsplit(' ').next().unwrap_or_default().trim_end_matches('.').to_owned();
        dig::answers(&message).into_iter().map(last).collect()
    };
    let mut counts = BTreeMap::new();
    for (reply, count) in &replies {
        *counts.entry(targets(reply)).or_default() += count;
    }
    (counts, is_scoped)
}

/// Of each chain the first CNAME alone: what is said to a network alone (RFC 7871, section 7.2.1).
fn cut(chances: Chances) -> Chances {
    let mut first = Chances::new();
    for (mut list, chance) in chances {
        if list.first().is_some_and(|target| target.parse::<IpAddr>().is_err()) {
            list.truncate(1);
        }
        *first.entry(list).or_default() += chance;
    }
    first
}

fn without_nothing(chances: Chances) -> Chances {
    chances.into_iter().filter(|(_, chance)| *chance > 0.0).collect()
}

/// A tree with who is up, and what the product makes of it.
struct Case {
    tree: Tree,
    desired: Desired,
    verdicts: Verdicts,
}

impl Case {
    fn of(tree: Tree) -> Self {
        Case { desired: tree.desired(), verdicts: tree.verdicts(), tree }
    }

    fn rules<'a>(&'a self, client: &'a Client) -> World<'a> {
        World { profiles: &self.desired.profiles, verdicts: &self.verdicts, client }
    }

    /// Every name and type, asked by everybody.
    fn check(&self, froms: &[From], answer: impl Fn(&[u8]) -> (Reason, Vec<u8>)) {
        let health = health(&self.verdicts);
        let tree = Names::of(&self.desired, Arc::new(Zones::of(&self.desired)), &[]);
        for profile in self.desired.profiles.values() {
            let decision = decide_now(&self.desired, profile, &health);
            let compiled = compile(&decision, &tree);
            for from in froms {
                let nobody = Client::at(from.client, &self.desired);
                let address = from.placed(|address| self.rules(&nobody).tells(&profile.name, address));
                let client = Client::at(address, &self.desired);
                let place = usize::from(decision.view.find(address).place.0);
                for (i, (asked, qtype)) in ASKED.into_iter().enumerate() {
                    let due = self.rules(&client).answers(&profile.name, asked).map(without_nothing);
                    assert_eq!(due.is_some(), compiled.is_some(), "{} {}", profile.name, self.tree.files());
                    let Some((compiled, due)) = compiled.as_ref().zip(due) else { continue };
                    let round = compiled.places[place][i].slots.len();
                    assert!((1..=1024).contains(&round));
                    let (given, is_scoped) =
                        counted(&from.frame(&profile.dns_name.to_string(), qtype), round, &answer);
                    let due = if is_scoped { cut(due) } else { due };
                    let what = || format!("{asked:?} of {} by {from:?}\n{}", profile.name, self.tree.files());
                    for list in given.keys() {
                        assert!(due.contains_key(list), "{list:?} is not in {due:?}: {}", what());
                    }
                    for (list, chance) in due {
                        let part = *given.get(&list).unwrap_or(&0) as f64 / round as f64;
                        assert!((part - chance).abs() <= 0.002, "{list:?} {part} of {chance}: {}", what());
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_tables_answer_as_the_rules_say(tree in tree(0..9), froms in prop::collection::vec(from(), 2..4)) {
        let case = Case::of(tree);
        let image = image(&case.desired, &health(&case.verdicts));
        case.check(&froms, |frame| answer_frame(frame, &image));
    }

    #[test]
    fn statuses_are_as_the_rules_say(tree in tree(0..9)) {
        let case = Case::of(tree);
        let client = Client::at(IpAddr::from([192, 0, 2, 1]), &case.desired);
        let rules = case.rules(&client);
        for profile in case.desired.profiles.values() {
            let decision = decide_now(&case.desired, profile, &health(&case.verdicts));
            prop_assert_eq!(format!("{:?}", decision.status), rules.profile_status(profile));
            for (endpoint, status) in profile.endpoints.iter().zip(&decision.endpoints) {
                let due = rules.endpoint_status(profile, endpoint);
                prop_assert_eq!(format!("{status:?}"), due, "{}", case.tree.files());
            }
        }
    }

    /// Whoever is in the scope is answered alike, whoever is up; and the scope is no longer than that of one address.
    #[test]
    fn a_scope_holds_for_all_that_are_in_it(
        tree in tree(5..9),
        from in from(),
        others in prop::collection::vec(any::<u128>(), 8),
    ) {
        let case = Case::of(tree);
        for profile in case.desired.profiles.values() {
            let nobody = Client::at(from.client, &case.desired);
            let rules = case.rules(&nobody);
            if !rules.tells(&profile.name, from.client) {
                continue;
            }
            let view = decide_now(&case.desired, profile, &health(&case.verdicts)).view;
            let scope = view.find(from.client).scope;
            for other in &others {
                let other = somewhere_in(from.client, scope, *other);
                // A private address inside is placed by who asks.
                if !rules.tells(&profile.name, other) {
                    continue;
                }
                let of = |address| {
                    let client = Client::at(address, &case.desired);
                    case.rules(&client).answers(&profile.name, Asked::Any)
                };
                prop_assert_eq!(of(from.client), of(other), "{} {}/{} {}", profile.name, other, scope, case.tree.files());
            }
        }
    }

    /// All weighted, all up: who goes down leaves every share outside its own profile and what is nested there as it was, and takes nothing from those in it.
    #[test]
    fn who_goes_moves_only_its_share(tree in tree(0..5), profile: prop::sample::Index, gone: prop::sample::Index) {
        let mut tree = tree;
        for node in &mut tree.0 {
            (node.method, node.enabled) = (1, true);
            for leaf in &mut node.leaves {
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

/// Some address in the network of this length around another.
fn somewhere_in(address: IpAddr, length: u8, any: u128) -> IpAddr {
    let low = |bits: u32| any.checked_shr(128 - bits + u32::from(length)).unwrap_or(0);
    match network(address, length) {
        IpAddr::V4(v4) => std::net::Ipv4Addr::from_bits(v4.to_bits() | low(32) as u32).into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() | low(128)).into(),
    }
}

#[test]
fn the_loaded_programs_answer_as_the_rules_say() {
    require_root();
    let mut runner = TestRunner::deterministic();
    for _ in 0..8 {
        let strategy = (tree(5..9), prop::collection::vec(from(), 4));
        let (tree, froms) = strategy.new_tree(&mut runner).expect("a tree").current();
        let case = Case::of(tree);
        let image = image(&case.desired, &health(&case.verdicts));
        let pair = Pair::load(image).unwrap_or_else(|error| panic!("{error:#}"));
        case.check(&froms, |frame| pair.ask(frame).unwrap_or_else(|error| panic!("{error:#}")));
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
