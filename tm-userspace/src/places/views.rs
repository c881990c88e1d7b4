//! The views of all profiles: whose trees look at the client, and what they ask.
//!
//! A tree is the profile itself, the profiles nested in it and those it follows by a name in the zone, to any depth. What is disabled leads nowhere. Trees that ask the same have
//! one partition; what has not changed is not made anew, and what changed in a few prefixes is made anew there.

use std::{
    collections::{HashMap, HashSet},
    hash::{Hash, Hasher},
    net::IpAddr,
    sync::Arc,
};

use super::{
    Partition, View,
    layer::Layer,
    prefix,
    refine::{Question, Refined},
    special::EMBEDDING,
    tree::{Names, trees},
};
use crate::{
    desired::{Desired, Profiles},
    geo::{Atlas, Overrides},
};

/// The views of all profiles, and what they were made of.
#[derive(Clone, Debug, Default)]
pub struct Views {
    views: HashMap<Arc<str>, Arc<View>>,
    profiles: Profiles,
    atlas: Option<Arc<Atlas>>,
    overrides: Arc<Overrides>,
    layers: HashMap<Arc<str>, Arc<Layer>>,
    answers: HashMap<Asked, (Question, Arc<Refined>)>,
    problems: Vec<String>,
}

/// Changed prefixes above which all is gone through once.
const MOST_MENDED: usize = 64;

/// What a tree asks: its layers by where they are, since equal ones are at one place.
type Asked = Vec<usize>;

impl Views {
    /// Those of a wanted state. What has not changed since `before` is the same view.
    pub fn of(desired: &Desired, before: &Views) -> Self {
        let same_atlas = desired.atlas.as_ref().map(Arc::as_ptr) == before.atlas.as_ref().map(Arc::as_ptr);
        let same_overrides = Arc::ptr_eq(&desired.overrides, &before.overrides);
        if same_atlas && same_overrides && desired.profiles.ptr_eq(&before.profiles) {
            return before.clone();
        }
        let mut views = Views {
            profiles: desired.profiles.clone(),
            atlas: desired.atlas.clone(),
            overrides: desired.overrides.clone(),
            layers: layers(&desired.profiles, before),
            ..Views::default()
        };
        // Trees of the same names that ask the same have one view: a profile that many nest, and they.
        let mut made: HashMap<(Asked, Names), Arc<View>> = HashMap::new();
        for (profile, names) in trees(&desired.profiles, &views.layers).collect::<Vec<_>>() {
            let layers: Vec<Arc<Layer>> =
                names.iter().filter_map(|name| views.layers.get(name)).cloned().collect();
            let asked: Asked = layers.iter().map(|layer| Arc::as_ptr(layer) as usize).collect();
            let known = before.views.get(&profile);
            let view = match made.get(&(asked.clone(), names.clone())) {
                Some(view) => view.clone(),
                None => {
                    let refined = views.answer(&asked, layers, before, known);
                    Arc::new(View::of(&refined, &names, known))
                }
            };
            let view = known.filter(|known| *known == &view).unwrap_or(&view).clone();
            made.insert((asked, names), view.clone());
            views.views.insert(profile, view);
        }
        views
    }

    /// That of a profile.
    pub fn get(&self, profile: &str) -> Arc<View> {
        self.views.get(profile).cloned().unwrap_or_else(View::anywhere)
    }

    /// The profiles whose view is another one than it was `before`; of the same profiles.
    pub fn differing<'a>(&'a self, before: &'a Views) -> impl Iterator<Item = &'a Arc<str>> {
        let is_other =
            |name: &str, view| before.views.get(name).is_none_or(|known| !Arc::ptr_eq(known, view));
        self.views.iter().filter(move |(name, view)| is_other(name, view)).map(|(name, _)| name)
    }

    /// How many runs of addresses are new or gone since `before`, in how many places: what it costs to go over from the ones to the others.
    pub fn upheaval(&self, before: &Views) -> usize {
        let (mut new, mut gone) = (self.partitions(), before.partitions());
        new.retain(|at, _| gone.remove(at).is_none());
        let mut runs = 0;
        for (name, view) in &self.views {
            if new.remove(&Arc::as_ptr(view.partition())).is_none() {
                continue;
            }
            runs += match before.views.get(name) {
                None => view.partition().count(),
                Some(known) => {
                    gone.remove(&Arc::as_ptr(known.partition()));
                    known.partition().differing(view.partition())
                }
            };
        }
        runs + gone.values().map(|partition| partition.count()).sum::<usize>()
    }

    fn partitions(&self) -> HashMap<*const Partition, &Arc<Partition>> {
        self.views.values().map(|view| (Arc::as_ptr(view.partition()), view.partition())).collect()
    }

    /// What an operator has to know of them: a line each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// What these layers are refined to: as it is known, mended, or made.
    fn answer(
        &mut self,
        asked: &Asked,
        layers: Vec<Arc<Layer>>,
        before: &Views,
        view: Option<&Arc<View>>,
    ) -> Arc<Refined> {
        if let Some((_, refined)) = self.answers.get(asked) {
            return refined.clone();
        }
        let question = Question::new(layers, self.atlas.as_ref(), &self.overrides);
        let same = before.answers.get(asked).filter(|(known, _)| known.is_answered_like(&question));
        let refined = match same {
            Some((_, refined)) => refined.clone(),
            None => Arc::new(self.refine(&question, view.and_then(|view| before.question_of(view)))),
        };
        if refined.left_out > 0 {
            self.problems.push(format!(
                "{} classes of clients have no place among 65,536, and are answered as clients of whom nothing is known",
                refined.left_out
            ));
        }
        self.answers.insert(asked.clone(), (question, refined.clone()));
        refined
    }

    /// What a view was made of.
    fn question_of(&self, view: &Arc<View>) -> Option<&(Question, Arc<Refined>)> {
        self.answers.values().find(|(_, refined)| Arc::ptr_eq(&refined.partition, view.partition()))
    }

    fn refine(&mut self, question: &Question, like: Option<&(Question, Arc<Refined>)>) -> Refined {
        let mended = like.and_then(|(known, refined)| {
            let prefixes = known.differing(question)?;
            question.mend(refined, &prefixes).transpose()
        });
        let refined = mended.unwrap_or_else(|| question.refine(like.map(|(_, refined)| &**refined)));
        let mut refined = refined.unwrap_or_else(|error| {
            self.problems.push(format!("the database cannot be read, and is left out: {error:#}"));
            let without = Question { atlas: None, ..question.clone() };
            // Nothing is read now that could fail.
            without.refine(None).unwrap_or_else(|_| without.unknown())
        });
        // Another database may say the same.
        if let Some((_, known)) = like.filter(|(_, known)| known.partition == refined.partition) {
            refined.partition = known.partition.clone();
        }
        refined
    }
}

impl Question {
    /// Has `other`, which has the same layers, the same answer?
    fn is_answered_like(&self, other: &Question) -> bool {
        self.atlas.as_ref().map(Arc::as_ptr) == other.atlas.as_ref().map(Arc::as_ptr)
            && self.overrides == other.overrides
    }

    /// The prefixes in which the answers may differ; none where those are many or large, or something else differs.
    fn differing(&self, other: &Question) -> Option<Vec<(IpAddr, u8)>> {
        let pairs = || self.layers.iter().zip(&other.layers);
        let same_atlas = self.atlas.as_ref().map(Arc::as_ptr) == other.atlas.as_ref().map(Arc::as_ptr);
        let alike = self.layers.len() == other.layers.len() && same_atlas;
        if !alike || pairs().any(|(a, b)| a.rule != b.rule) {
            return None;
        }
        let mut prefixes: Vec<(IpAddr, u8)> = self.overrides.differing(&other.overrides)?;
        if prefixes.len() > MOST_MENDED {
            return None;
        }
        for (a, b) in pairs().filter(|(a, b)| !Arc::ptr_eq(a, b)) {
            let (a, b) = trimmed(&a.subnets, &b.subnets);
            if a.len() + b.len() > MOST_MENDED {
                return None;
            }
            prefixes.extend(a.iter().chain(b).map(|(first, length, _)| (*first, *length)));
        }
        prefixes.iter().all(is_small).then_some(prefixes)
    }
}

/// Is a prefix so long that few networks of a database lie in it, and away from where IPv4's are?
pub(super) fn is_small((first, length): &(IpAddr, u8)) -> bool {
    let (from, to) = prefix::span(prefix::bits(*first), *length);
    let meets = |at: u128, length: u8| {
        let (first, last) = prefix::span(at, length);
        first <= to && last >= from
    };
    match first {
        IpAddr::V4(_) => *length >= 8,
        IpAddr::V6(_) => {
            *length >= 20
                && !meets(0, 96)
                && !EMBEDDING.iter().any(|(at, length, _)| meets(at.to_bits(), *length))
        }
    }
}

/// Without what both begin and end with.
fn trimmed<'a, T: PartialEq>(mut a: &'a [T], mut b: &'a [T]) -> (&'a [T], &'a [T]) {
    let first = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    (a, b) = (&a[first..], &b[first..]);
    let last = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    (&a[..a.len() - last], &b[..b.len() - last])
}

/// The layer of each profile that has one; equal ones are one.
fn layers(profiles: &Profiles, before: &Views) -> HashMap<Arc<str>, Arc<Layer>> {
    let mut known: HashSet<Distinct> = before.layers.values().cloned().map(Distinct).collect();
    let layer = |(name, profile): (&Arc<str>, _)| {
        let same = before.profiles.get(name).is_some_and(|known| Arc::ptr_eq(known, profile));
        if same {
            return Some((name.clone(), before.layers.get(name)?.clone()));
        }
        let layer = Distinct(Arc::new(Layer::of(profile)?));
        let layer = known.get(&layer).unwrap_or(&layer).0.clone();
        known.insert(Distinct(layer.clone()));
        Some((name.clone(), layer))
    };
    profiles.iter().filter_map(layer).collect()
}

/// A layer that is told from others by what it is, at the cost of a look at a few of its ranges where they differ.
struct Distinct(Arc<Layer>);

impl Hash for Distinct {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let subnets = &self.0.subnets;
        (subnets.len(), subnets.first(), subnets.last(), &self.0.rule).hash(state);
    }
}

impl PartialEq for Distinct {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl Eq for Distinct {}
