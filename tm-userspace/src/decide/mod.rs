//! From what is wanted and what is up to who answers: pure, total, and without a clock of its own.
//!
//! | file | what it owns |
//! | --- | --- |
//! | `status` | what to call the state of an endpoint and of a profile |
//! | `eligible` | who may answer: statuses, the operator's orders and the profile's rules |
//! | `failback`, `guard`, `slow_start` | those rules that look at the time: a truth table each |
//! | `ruling` | what the rules make of one endpoint |
//! | `priority`, `weighted`, `multivalue` | the choice among those who may: a truth table each |
//! | `subnet`, `geographic`, `performance` | the same, by where the client is |
//! | `nested` | the state of a nested endpoint, and what becomes of its child's choice |
//! | `ancestors` | whose decisions rest on whose |
//! | `explain` | all of that in words, for one class of clients |
//!
//! # The name itself, the first line that holds
//!
//! | condition | answer |
//! | --- | --- |
//! | the profile is disabled | no such name (NXDOMAIN) |
//! | none of its endpoints is enabled, or it has none | no such name (NXDOMAIN) |
//! | nobody may answer, as when the enabled endpoints are all Stopped or forced down | the name, without data (NODATA) |
//! | who was chosen has no record of the type asked for | the name, without data (NODATA) |
//!
//! Azure documents NXDOMAIN for the first two, but nothing for an empty profile, which is treated as one with all endpoints disabled, nor for all Stopped:
//! resolvers keep "no such name" for all types and all names below, so that is said only where the operator has switched the name off.
//!
//! # How the methods fit
//!
//! A [`Decision`] gives shares by [place](crate::places::Place), which are those of [`Class`]. A nested endpoint becomes the shares of its child, scaled; each profile of the tree
//! has its own rules, and its own orders. Where `sticky` makes clients stick to their share of the answers, `compile` lays out the shares that way (`compile::stick`). Time enters as an argument, and [`Decision::until`] says when the result, anywhere in the tree, would next change by itself.

pub mod ancestors;
mod eligible;
pub mod explain;
mod failback;
mod geographic;
mod guard;
pub mod multivalue;
pub mod nested;
mod performance;
pub mod priority;
mod ruling;
mod slow_start;
pub mod status;
pub mod subnet;
pub mod weighted;

use std::{sync::Arc, time::SystemTime};

use crate::{
    desired::{Endpoint, EndpointKey, Profile, Profiles, RoutingMethod, Target},
    health::Health,
    places::{Class, View},
};

pub use ancestors::Ancestors;
pub use explain::{Candidate, Step, explain};
pub use ruling::{Held, Ruling};
pub use slow_start::Ramp;
pub use status::{EndpointStatus, ProfileStatus};

use status::Standing;

/// Who answers for one profile, and what to call its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What was decided on.
    pub profile: Arc<Profile>,
    /// By endpoint, in the profile's order.
    pub endpoints: Vec<EndpointStatus>,
    /// The profile's.
    pub status: ProfileStatus,
    /// What the rules make of each endpoint, in the same order.
    pub rulings: Vec<Ruling>,
    /// Which clients are at which place.
    pub view: Arc<View>,
    /// By [`Place`](crate::places::Place) who answers there, nobody where the name has no data; no place at all where the name does not exist.
    pub places: Vec<Vec<Share>>,
    /// By place, do clients stick to their share?
    pub sticky: Vec<bool>,
    /// Do the shares stay as they are? Else they change step by step, and are best laid out such that a step changes slots alone.
    pub steady: bool,
    /// When the decision would change though nothing else does.
    pub until: Option<SystemTime>,
}

/// A part of the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Index of the profile's endpoint by which it comes; where a MultiValue profile answers for itself, of the first.
    pub endpoint: usize,
    /// In relation to the sum of all weights of the place; not zero.
    pub weight: u64,
    /// Who answers.
    pub answer: Answer,
}

/// Who answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// One endpoint.
    One(Leaf),
    /// A name in the zone, and behind it who answers for the profile that has this name.
    Followed(Leaf, Arc<Profile>, Vec<Share>),
    /// Of those that have the type asked for, so many at once (1 to 10), each as often as any other.
    Several(Vec<Leaf>, u8),
}

/// An endpoint that is not nested, of the profile itself or of one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The profile that it belongs to.
    pub profile: Arc<str>,
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// Was it found down? Then it answers only because nobody else may, because its place is mapped to it, or because the guard keeps it.
    pub is_down: bool,
}

/// Names in the zone that one answer follows, one behind the other; where there are more, the client asks on.
const LINKS: usize = 8;

/// Decides for one profile at `now`, whose clients `view` tells apart. `profiles` holds all that are nested in it or followed, in no loop.
pub fn decide(
    profiles: &Profiles,
    profile: &Arc<Profile>,
    view: &Arc<View>,
    health: &Health,
    now: SystemTime,
) -> Decision {
    let standing = Standing::of(profiles, profile, health, now);
    let at_place = |class| {
        let walk = Walk { profiles, health, now, class };
        (walk.shares(&standing, LINKS), walk.sticks(&standing, LINKS))
    };
    let classes = if profile.exists() { view.classes() } else { &[] };
    let (places, sticky) = classes.iter().map(at_place).unzip();
    Decision {
        profile: profile.clone(),
        status: standing.status,
        endpoints: standing.endpoints,
        rulings: standing.rulings,
        view: view.clone(),
        places,
        sticky,
        steady: standing.steady,
        until: standing.until,
    }
}

impl Decision {
    /// The part of the answers that one of the profile's endpoints is in, 0 to 1, as [`part`] has it.
    pub fn part(&self, endpoint: usize) -> f64 {
        self.places.first().map_or(0.0, |shares| part(&self.profile, shares, endpoint))
    }
}

/// The part of the answers at a place that one of the profile's endpoints is in, 0 to 1. Where the method is MultiValue: of the answers of its address family.
pub fn part(profile: &Profile, shares: &[Share], endpoint: usize) -> f64 {
    if profile.routing_method == RoutingMethod::MultiValue {
        return shares.iter().map(|share| multivalue::part(profile, endpoint, share)).sum();
    }
    let sum = |shares: &mut dyn Iterator<Item = &Share>| shares.map(|share| share.weight).sum::<u64>();
    let total = sum(&mut shares.iter()).max(1);
    sum(&mut shares.iter().filter(|share| share.endpoint == endpoint)) as f64 / total as f64
}

impl Leaf {
    /// What counts for it.
    pub fn key(&self) -> EndpointKey {
        EndpointKey { profile: self.profile.clone(), endpoint: self.endpoint.name.clone() }
    }

    fn of(standing: &Standing<'_>, index: usize) -> Self {
        let profile = standing.profile;
        let is_forced = standing.rulings[index].forced.is_some();
        Leaf {
            profile: profile.name.clone(),
            endpoint: profile.endpoints[index].clone(),
            is_down: standing.endpoints[index] == EndpointStatus::Degraded && !is_forced,
        }
    }
}

/// What a walk down through the profiles needs.
struct Walk<'a> {
    profiles: &'a Profiles,
    health: &'a Health,
    now: SystemTime,
    /// For the methods that look at the client.
    class: &'a Class,
}

impl Walk<'_> {
    /// Who answers: what the method picks, for a nested endpoint what its child picks in turn, and behind a name in the zone the same of its profile.
    fn shares(&self, standing: &Standing<'_>, links: usize) -> Vec<Share> {
        let profile = standing.profile;
        if profile.routing_method == RoutingMethod::MultiValue {
            return multivalue::shares(standing);
        }
        let parts = self.pick(standing).into_iter().map(|(index, weight)| {
            let answers = match (&profile.endpoints[index].target, &standing.children[index]) {
                (Target::Profile(_), None) => vec![],
                (_, None) => vec![(1, (index, self.follow(Leaf::of(standing, index), links)))],
                (_, Some(child)) => {
                    let below = self.shares(child, links).into_iter();
                    below.map(|share| (share.weight, (index, share.answer))).collect()
                }
            };
            (weight, answers)
        });
        let share = |(weight, (endpoint, answer))| Share { endpoint, weight, answer };
        nested::scale(parts.collect()).into_iter().map(share).collect()
    }

    /// The endpoints that a profile's method picks, with their weights.
    fn pick(&self, standing: &Standing<'_>) -> Vec<(usize, u64)> {
        let (profile, eligible) = (standing.profile, standing.eligible.as_slice());
        let choice = || self.class.choice(&profile.name);
        match profile.routing_method {
            RoutingMethod::Priority => priority::pick(profile, eligible),
            RoutingMethod::Weighted => weighted::pick(profile, eligible, &standing.rulings),
            RoutingMethod::MultiValue => eligible.iter().map(|i| (*i, 1)).collect(),
            RoutingMethod::Subnet => subnet::pick(standing, choice()),
            RoutingMethod::Geographic => geographic::pick(standing, choice()),
            RoutingMethod::Performance => performance::pick(standing, choice()),
        }
    }

    /// Do clients stick to their share? The first profile on the way down that picks more than one endpoint says so, for all that is below it too.
    fn sticks(&self, standing: &Standing<'_>, links: usize) -> bool {
        let [(index, _)] = self.pick(standing)[..] else { return standing.profile.rules.sticky };
        if let Some(child) = &standing.children[index] {
            return self.sticks(child, links);
        }
        let followed = self.follow_to(&standing.profile.endpoints[index], links);
        followed
            .is_some_and(|to| self.sticks(&Standing::of(self.profiles, to, self.health, self.now), links - 1))
    }

    /// Goes on behind a name in the zone, unless it does not exist: that is said by who has all names (`compile`).
    fn follow(&self, leaf: Leaf, links: usize) -> Answer {
        let Some(to) = self.follow_to(&leaf.endpoint, links) else { return Answer::One(leaf) };
        let shares = self.shares(&Standing::of(self.profiles, to, self.health, self.now), links - 1);
        Answer::Followed(leaf, to.clone(), shares)
    }

    /// The profile behind an endpoint's name, where it is gone on to.
    fn follow_to(&self, endpoint: &Endpoint, links: usize) -> Option<&Arc<Profile>> {
        let name = endpoint.follows.as_ref().filter(|_| links > 0)?;
        self.profiles.get(name).filter(|to| to.exists())
    }
}

#[cfg(test)]
mod tests;
