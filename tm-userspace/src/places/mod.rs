//! Where clients are, as profiles tell them apart: pure, and knowing nothing of health.
//!
//! A **place** is a class of clients of one profile. A [`View`] says which place each address is in, and what a place means to each profile that looks at the client ([`Class`]).
//! `decide` decides once for each class; `sync` builds the view's tries ([`trie`]), by which the engine places a client.
//!
//! | file | what it owns |
//! | --- | --- |
//! | `layer` | what one profile asks of a client |
//! | `tree`, `views` | whose layers a profile's answers rest on, and which views are made anew |
//! | `plan`, `refine` | the common refinement of the layers, by the database where one is asked |
//! | `runs`, `partition` | the address space parted into places, in one canonical form |
//! | `trie` | the same in the engine's words |
//! | `prefix`, `special` | prefixes laid flat; addresses that are placed otherwise |
//!
//! A view changes with the configuration, the database and what is known of how far clients are. Profiles that ask the same share its partition, and so do their tables.

pub mod layer;
mod partition;
mod plan;
mod prefix;
mod refine;
pub mod runs;
mod special;
mod tree;
pub mod trie;
mod views;

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
};

use serde::Serialize;

pub use layer::{Layer, Rule};
pub use partition::{Partition, Spot};
pub use special::{EMBEDDING, is_private};
pub use views::Views;

use refine::Refined;

/// A class of clients of one profile, below 65,536.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Place(pub u16);

impl Place {
    /// Clients of whom nothing is known; where clients are not told apart, all.
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
    /// Performance: endpoints by nearness, those that are equally near together, the nearest first. Where there are none, nothing is known of the clients.
    Nearest(Arc<[Vec<usize>]>),
}

impl Class {
    /// What `profile` chooses.
    pub fn choice(&self, profile: &str) -> Option<&Choice> {
        self.0.iter().find(|(name, _)| **name == *profile).map(|(_, choice)| choice)
    }
}

/// Which place each client is in, and what that means.
#[derive(Clone, Debug)]
pub struct View {
    partition: Arc<Partition>,
    classes: Arc<[Class]>,
}

/// Where a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Located<'a> {
    /// Its place.
    pub place: Place,
    /// The length of the largest prefix around it all of which is there, 0 to 128: what the client-subnet option is told.
    pub scope: u8,
    /// Does the address not tell where its owner is? With the option, who sent the query is placed instead.
    pub is_private: bool,
    /// What the place means.
    pub class: &'a Class,
}

impl View {
    /// A view of these prefixes, the longest of which counts; whoever is in none of them is in `default`. Of two equal prefixes the first counts. Bits beyond a prefix's length
    /// are zero, places index `classes`.
    pub fn new(
        v4: Vec<(Ipv4Addr, u8, Place)>,
        v6: Vec<(Ipv6Addr, u8, Place)>,
        default: Place,
        classes: Vec<Class>,
    ) -> Self {
        View { partition: Arc::new(plan::of_prefixes(v4, v6, default)), classes: classes.into() }
    }

    /// That of a tree of profiles; what has not changed since `before` is in the same memory.
    fn of(refined: &Refined, names: &[Arc<str>], before: Option<&Arc<View>>) -> Self {
        let class =
            |choices: &Vec<Choice>| Class(names.iter().cloned().zip(choices.iter().cloned()).collect());
        let classes: Vec<Class> = refined.choices.iter().map(class).collect();
        let same = before.filter(|before| *before.classes == *classes);
        let classes = same.map_or_else(|| classes.into(), |same| same.classes.clone());
        View { partition: refined.partition.clone(), classes }
    }

    /// Which place each address is in.
    pub fn partition(&self) -> &Arc<Partition> {
        &self.partition
    }
    /// What each place means.
    pub fn classes(&self) -> &[Class] {
        &self.classes
    }
    /// Do the places mean the same as those of `other`?
    pub fn means_as(&self, other: &View) -> bool {
        Arc::ptr_eq(&self.classes, &other.classes) || self.classes == other.classes
    }
    /// Does it tell no clients apart?
    pub fn is_anywhere(&self) -> bool {
        self.classes.len() == 1
    }

    /// Where an address is, as the engine finds it.
    pub fn find(&self, address: IpAddr) -> Located<'_> {
        let Spot { place, scope, is_private } = self.partition.find(address);
        Located { place, scope, is_private, class: &self.classes[usize::from(place.0)] }
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
        self.means_as(other)
            && (Arc::ptr_eq(&self.partition, &other.partition) || self.partition == other.partition)
    }
}

impl Eq for View {}

#[cfg(test)]
mod tests;
