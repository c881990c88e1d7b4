//! Where clients are, as profiles tell them apart: pure, and knowing nothing of health.
//!
//! A **place** is a class of clients of one profile. A [`View`] says which place a client's prefix is in, and what a place means to each profile that
//! looks at the client ([`Class`]). `decide` decides once for each class; `sync` builds the view's tries ([`trie`]), by which the engine places a client.
//!
//! A view changes with the configuration alone. Profiles with equal views share one, and so do their tables.

mod find;
pub mod trie;

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
};

use serde::Serialize;

use crate::desired::{Desired, Profile, RoutingMethod, Status};

/// A class of clients of one profile, below 65,536.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place(pub u16);

impl Place {
    /// Every client.
    pub const ANYWHERE: Place = Place(0);
}

/// What a place means: the choice that each profile which looks at the client makes there, by the profile's name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Class(pub Vec<(Arc<str>, Choice)>);

/// What a profile chooses for a class of clients, whatever the health.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Choice {
    /// Subnet and Geographic: the endpoint, by its index, to whom the clients are mapped; none where nobody is.
    Mapped(Option<usize>),
    /// Geographic and Performance: the endpoint whose own range the clients are in, wherever they are.
    Override(usize),
    /// Performance: endpoints by nearness, those of one region together, the nearest first. Where there are none, nothing is known of the clients.
    Nearest(Arc<[Vec<usize>]>),
}

impl Class {
    /// What `profile` chooses.
    pub fn choice(&self, profile: &str) -> Option<&Choice> {
        self.0.iter().find(|(name, _)| **name == *profile).map(|(_, choice)| choice)
    }
}

/// Which place each client is in: the longest prefix around it decides.
#[derive(Debug)]
pub struct View {
    v4: Vec<(Ipv4Addr, u8, Place)>,
    v6: Vec<(Ipv6Addr, u8, Place)>,
    default: Place,
    classes: Vec<Class>,
    /// A hash of all of it, so that views are told apart without being read through.
    hash: u64,
}

impl View {
    /// A view of these prefixes; whoever is in none of them is in `default`. Of two equal prefixes the first counts. Bits beyond a prefix's length are zero,
    /// places index `classes`.
    pub fn new(
        mut v4: Vec<(Ipv4Addr, u8, Place)>,
        mut v6: Vec<(Ipv6Addr, u8, Place)>,
        default: Place,
        classes: Vec<Class>,
    ) -> Self {
        static STATE: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        v4.sort_by_key(|(address, length, _)| (*address, *length));
        v4.dedup_by_key(|(address, length, _)| (*address, *length));
        v6.sort_by_key(|(address, length, _)| (*address, *length));
        v6.dedup_by_key(|(address, length, _)| (*address, *length));
        let hash = STATE.hash_one((&v4, &v6, default, &classes));
        View { v4, v6, default, classes, hash }
    }

    /// IPv4 prefixes by address and length, none twice.
    pub fn v4(&self) -> &[(Ipv4Addr, u8, Place)] {
        &self.v4
    }
    /// IPv6 prefixes, likewise.
    pub fn v6(&self) -> &[(Ipv6Addr, u8, Place)] {
        &self.v6
    }
    /// The place of clients that no prefix has.
    pub fn default_place(&self) -> Place {
        self.default
    }
    /// What each place means.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }
    /// Does it tell no clients apart?
    pub fn is_anywhere(&self) -> bool {
        self.classes.len() == 1
    }

    /// The view of profiles that do not look at the client.
    pub fn anywhere() -> Arc<View> {
        static ANYWHERE: LazyLock<Arc<View>> = LazyLock::new(|| View::of_one(Class::default()));
        ANYWHERE.clone()
    }

    /// A view in which all clients are of one class.
    pub fn of_one(class: Class) -> Arc<View> {
        Arc::new(View::new(vec![], vec![], Place::ANYWHERE, vec![class]))
    }
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
            || (self.hash == other.hash
                && self.default == other.default
                && self.classes == other.classes
                && self.v4 == other.v4
                && self.v6 == other.v6)
    }
}

impl Eq for View {}

impl Hash for View {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// The views of all profiles.
#[derive(Clone, Debug, Default)]
pub struct Views(HashMap<Arc<str>, Arc<View>>);

impl Views {
    /// Those of a wanted state. What has not changed since `before` is the same view.
    pub fn of(desired: &Desired, before: &Views) -> Self {
        let mut known: HashSet<Arc<View>> = before.0.values().cloned().collect();
        let views = desired.profiles.iter().filter_map(|(name, profile)| {
            let view = Arc::new(view_of(profile)?);
            let view = known.get(&view).cloned().unwrap_or(view);
            known.insert(view.clone());
            Some((name.clone(), view))
        });
        Views(views.collect())
    }

    /// That of a profile.
    pub fn get(&self, profile: &str) -> Arc<View> {
        self.0.get(profile).cloned().unwrap_or_else(View::anywhere)
    }
}

/// The view of a profile that looks at the client and answers.
fn view_of(profile: &Profile) -> Option<View> {
    match profile.routing_method {
        RoutingMethod::Priority | RoutingMethod::Weighted | RoutingMethod::MultiValue => None,
        RoutingMethod::Subnet => Some(subnets(profile)),
    }
}

/// The clients that a Subnet profile's own ranges tell apart. A disabled endpoint's ranges are as if they were not there.
fn subnets(profile: &Profile) -> View {
    let in_use = || profile.endpoints.iter().enumerate().filter(|(_, e)| e.status == Status::Enabled);
    let ranged: Vec<usize> = in_use().filter(|(_, e)| !e.subnets.is_empty()).map(|(i, _)| i).collect();
    let (mut v4, mut v6) = (vec![], vec![]);
    // Place 0 is everywhere else.
    for (endpoint, place) in ranged.iter().zip(1..) {
        for (address, length) in profile.endpoints[*endpoint].subnets.iter().flat_map(|s| s.prefixes()) {
            match address {
                IpAddr::V4(address) => v4.push((address, length, Place(place))),
                IpAddr::V6(address) => v6.push((address, length, Place(place))),
            }
        }
    }
    let class = |choice| Class(vec![(profile.name.clone(), Choice::Mapped(choice))]);
    let classes = [None].into_iter().chain(ranged.into_iter().map(Some)).map(class).collect();
    View::new(v4, v6, Place::ANYWHERE, classes)
}

#[cfg(test)]
mod tests;
