//! The common refinement of the layers of a tree of profiles: one sweep over each family's addresses.
//!
//! What is known of addresses without a database, the [`Plan`], is laid over the rows of the database, which come in order. Parts in which every layer's choice is the same are
//! one class.
//!
//! | an address that is | chooses, layer by layer |
//! | --- | --- |
//! | in a range of the layer | by that range |
//! | in none of it, and private | as one of whom nothing is known |
//! | in none of it | by what the database has for it; by its registry's continent where there is none, for a layer that asks how far it is |
//!
//! A range goes before what is known, but does not hide it: the layer says what becomes of both ([`Layer::choice`]). An address is private where it is in a private prefix, in no
//! layer's range, and in no prefix that the operator knows distances of. One of IPv6 that holds an IPv4 address is placed by that: unless all of IPv4 is alike, its
//! leaf says where to look.

use std::{
    collections::HashMap,
    iter,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use tm_common::place::Leaf;

use super::{
    Choice, Place,
    layer::{Layer, Rule},
    partition::Partition,
    plan::{Plan, Step, of_prefixes},
    prefix,
    runs::{Address, Builder, Runs, Span},
};
use crate::geo::{Atlas, Client, Code, Facts, Overrides, Row};

/// What is asked, and by what it is answered.
#[derive(Clone, Debug)]
pub(super) struct Question {
    /// In the order of the tree.
    pub(super) layers: Vec<Arc<Layer>>,
    /// None where no layer looks in it.
    pub(super) atlas: Option<Arc<Atlas>>,
    /// Empty where no layer looks at them.
    pub(super) overrides: Arc<Overrides>,
    /// Is the continent guessed by the registry of the address?
    pub(super) by_registry: bool,
}

/// What a place means: each layer's choice, in the order of the layers.
pub(super) type Choices = Vec<Choice>;

/// A partition and what its places mean; place 0 is that of clients of whom nothing is known.
#[derive(Debug)]
pub(super) struct Refined {
    pub(super) partition: Arc<Partition>,
    pub(super) choices: Vec<Choices>,
    /// Classes for which there was no place: their clients are at place 0.
    pub(super) left_out: usize,
}

/// All addresses.
const ALL: Span = (0, u128::MAX);

impl Question {
    /// Of these layers. What none of them looks at is left out, so that nothing is asked anew when only that changes.
    pub(super) fn new(
        layers: Vec<Arc<Layer>>,
        atlas: Option<&Arc<Atlas>>,
        overrides: &Arc<Overrides>,
    ) -> Self {
        let is_geographic = layers.iter().any(|layer| !matches!(layer.rule, Rule::Constant));
        let is_nearest = layers.iter().any(|layer| matches!(layer.rule, Rule::Nearest(_)));
        Question {
            layers,
            atlas: atlas.filter(|_| is_geographic).cloned(),
            overrides: if is_nearest { overrides.clone() } else { Arc::default() },
            by_registry: is_nearest && atlas.is_none(),
        }
    }

    /// The whole of it. Choices that were there `before` keep their places, so that tables differ only where answers do.
    pub(super) fn refine(&self, before: Option<&Refined>) -> anyhow::Result<Refined> {
        let mut classes = Classes::new(self, before);
        let rows = self.atlas.as_ref().map(|atlas| atlas.database.networks()).transpose()?;
        let mut rows = rows.into_iter().flatten().peekable();
        let is_v4 = |row: &anyhow::Result<Row<'_>>| row.as_ref().is_ok_and(|row| row.first.is_ipv4());
        let v4 = classes.sweep::<u32>(ALL, &Plan::v4(self, ALL), iter::from_fn(|| rows.next_if(is_v4)))?;
        classes.v4 = v4.only();
        let v6 = classes.sweep::<[u64; 2]>(ALL, &Plan::v6(self, ALL), rows)?;
        Ok(classes.finish(Partition::new(v4, v6)))
    }

    /// As `before`, from which it differs in these prefixes alone; none where that has to be looked at as a whole.
    pub(super) fn mend(
        &self,
        before: &Refined,
        prefixes: &[(IpAddr, u8)],
    ) -> anyhow::Result<Option<Refined>> {
        let mut classes = Classes::new(self, Some(before));
        classes.v4 = before.partition.v4().only();
        let mut partition = Partition::clone(&before.partition);
        for (first, length) in prefixes {
            let span = prefix::span(prefix::bits(*first), *length);
            let last = prefix::last(*first, *length);
            let rows = self.atlas.as_ref().map(|atlas| atlas.database.networks_in(*first, last));
            let rows = rows.into_iter().flatten();
            partition = match first {
                IpAddr::V4(_) => partition.with_v4(span, &classes.sweep(span, &Plan::v4(self, span), rows)?),
                IpAddr::V6(_) => partition.with_v6(span, &classes.sweep(span, &Plan::v6(self, span), rows)?),
            };
        }
        // What holds IPv4 addresses is a run like others where these are all alike.
        let is_whole = classes.v4 == partition.v4().only();
        Ok(is_whole.then(|| classes.finish(partition)))
    }

    /// As if nothing were known of any client.
    pub(super) fn unknown(&self) -> Refined {
        let partition = Arc::new(of_prefixes(vec![], vec![], Place::ANYWHERE));
        Refined { partition, choices: vec![self.choices_of_unknown()], left_out: 0 }
    }

    fn choices_of_unknown(&self) -> Choices {
        let address = Ipv4Addr::UNSPECIFIED.into();
        let client = Client { address, code: Code::WORLD, point: None };
        self.layers.iter().map(|layer| layer.choice(None, &client, &Overrides::default())).collect()
    }
}

/// The places there are, and what they mean.
struct Classes<'a> {
    question: &'a Question,
    choices: Vec<Choices>,
    places: HashMap<Choices, u16>,
    /// Places that mean nothing any more.
    free: Vec<u16>,
    left_out: usize,
    /// What all of IPv4 is, where it is alike.
    v4: Option<Leaf>,
    /// Records by where the database has them, and equal ones by one number.
    records: HashMap<usize, u32>,
    alike: HashMap<(Code, Option<[u64; 2]>), u32>,
    facts: Vec<Facts>,
}

impl<'a> Classes<'a> {
    fn new(question: &'a Question, before: Option<&Refined>) -> Self {
        let unknown = question.choices_of_unknown();
        let mut classes = Classes {
            question,
            choices: vec![unknown.clone()],
            places: HashMap::from([(unknown.clone(), 0)]),
            free: vec![],
            left_out: 0,
            v4: None,
            records: HashMap::new(),
            alike: HashMap::new(),
            facts: vec![],
        };
        if let Some(before) = before.filter(|before| before.choices.first() == Some(&unknown)) {
            classes.choices.clone_from(&before.choices);
            for (place, choices) in (0..).zip(&before.choices).skip(1) {
                match before.partition.runs_at(usize::from(place)) {
                    0 => classes.free.push(place),
                    _ => _ = classes.places.insert(choices.clone(), place),
                }
            }
        }
        classes
    }

    /// Goes from the first address of `span` to the last; `rows` are in order, and what lies between them is not known.
    fn sweep<A: Address>(
        &mut self,
        span: Span,
        plan: &Plan,
        rows: impl Iterator<Item = anyhow::Result<Row<'a>>>,
    ) -> anyhow::Result<Runs<A>> {
        let mut sweep = Sweep {
            plan,
            step: 0,
            at: Some(span.0),
            runs: Builder::default(),
            known: HashMap::new(),
            last: None,
        };
        for row in rows {
            let row = row?;
            let (first, last) = prefix::span(prefix::bits(row.first), row.length);
            let record = self.record(&row)?;
            if let Some(before) = first.checked_sub(1).filter(|before| *before >= span.0) {
                sweep.to(before, None, self);
            }
            sweep.to(last.min(span.1), Some(record), self);
        }
        sweep.to(span.1, None, self);
        Ok(sweep.runs.finish())
    }

    fn record(&mut self, row: &Row<'a>) -> anyhow::Result<u32> {
        if let Some(record) = self.records.get(&row.record) {
            return Ok(*record);
        }
        let facts = row.facts()?;
        let new = self.facts.len() as u32;
        let record = *self.alike.entry(facts.key()).or_insert(new);
        if record == new {
            self.facts.push(facts);
        }
        self.records.insert(row.record, record);
        Ok(record)
    }

    /// What is known of the clients from `address` on, at a step of the plan and with this record.
    fn leaf(&mut self, step: &Step, record: Option<u32>, address: IpAddr) -> Leaf {
        if let Some(inner) = step.inner {
            // Where all of IPv4 is alike, there is nothing inside to look at.
            return self.v4.unwrap_or(Leaf::inside(inner));
        }
        let facts = record.filter(|_| !step.is_private).map(|record| self.facts[record as usize]);
        let Facts { code, point } = facts.unwrap_or(Facts { code: step.code, point: None });
        let client = Client { address, code, point };
        let layers = self.question.layers.iter().zip(&step.by_subnet);
        let choose = |(layer, range): (&Arc<Layer>, &Option<usize>)| {
            layer.choice(*range, &client, &self.question.overrides)
        };
        let choices = layers.map(choose).collect();
        Leaf::at(self.place(choices), step.is_private)
    }

    fn place(&mut self, choices: Choices) -> u16 {
        if let Some(place) = self.places.get(&choices) {
            return *place;
        }
        let place = match (self.free.pop(), u16::try_from(self.choices.len())) {
            (Some(place), _) => {
                self.choices[usize::from(place)].clone_from(&choices);
                place
            }
            (None, Ok(place)) => {
                self.choices.push(choices.clone());
                place
            }
            (None, Err(_)) => {
                self.left_out += 1;
                0
            }
        };
        self.places.insert(choices, place);
        place
    }

    fn finish(mut self, partition: Partition) -> Refined {
        let is_used = |place: usize| place == 0 || partition.runs_at(place) > 0;
        let used = (0..self.choices.len()).rposition(is_used).map_or(1, |last| last + 1);
        self.choices.truncate(used);
        for place in 1..used {
            if !is_used(place) {
                self.choices[place] = self.choices[0].clone();
            }
        }
        Refined { partition: Arc::new(partition), choices: self.choices, left_out: self.left_out }
    }
}

/// On its way through the addresses of a family.
struct Sweep<'a, A> {
    plan: &'a Plan,
    step: usize,
    /// What comes next; none behind the last address.
    at: Option<u128>,
    runs: Builder<A>,
    /// Leaves by what is known.
    known: HashMap<(u32, Option<u32>), Leaf>,
    last: Option<((u32, Option<u32>), Leaf)>,
}

impl<A: Address> Sweep<'_, A> {
    /// Goes on to `last`, with this record of the database.
    fn to(&mut self, last: u128, record: Option<u32>, classes: &mut Classes<'_>) {
        while let Some(at) = self.at.filter(|at| *at <= last) {
            while self.plan.last(self.step) < at {
                self.step += 1;
            }
            let key = (self.plan.number(self.step), record);
            let leaf = match self.last.filter(|(known, _)| *known == key) {
                Some((_, leaf)) => leaf,
                None => *self
                    .known
                    .entry(key)
                    .or_insert_with(|| classes.leaf(self.plan.step(self.step), record, A::address(at))),
            };
            self.last = Some((key, leaf));
            self.runs.push(at, leaf);
            self.at = self.plan.last(self.step).min(last).checked_add(1);
        }
    }
}
