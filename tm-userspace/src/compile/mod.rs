//! From a decision to finished answers: pure, and knowing nothing of where they are put.
//!
//! For each kind of question, at each place that it tells apart, a profile gets a block of slots, each naming one of a few answers.
//!
//! | asked | endpoint with an IPv4 address | IPv6 address | name |
//! | --- | --- | --- | --- |
//! | A | A | NODATA | CNAME |
//! | AAAA | NODATA | AAAA | CNAME |
//! | ANY | A | AAAA | CNAME |
//! | a type that it carries, or its profile | its records and those of the profile whose name it is | the same | CNAME |
//! | any other type | NODATA | NODATA | CNAME |
//!
//! (Azure's table; ANY is one RRset, [RFC 8482]. The type is looked at after the endpoint was chosen: with endpoints of both families a client that asks for A may
//! be told NODATA. MultiValue alone looks at it before: `decide::multivalue`.) Where nobody is to answer, all is NODATA. The owner of an answer is the name that was asked, and its TTL that of the profile of this name, however
//! deep the endpoint is nested: Azure does not say whose, and only this profile shows. NODATA is the SOA of the name's zone in the authority section ([RFC 2308, section 2.2]).
//!
//! Types that are carried have blocks of their own. A CNAME stands alone ([RFC 1034, section 3.6.2]), so that where one is answered records are not. They are one RRset whoever they are of, with
//! the least of their TTLs ([RFC 2181, section 5.2]), and count for the endpoints whose they are. What a profile carries is answered also where nobody may answer, but not for a name that leads to one nested in it.
//!
//! At the apex of a zone, other types are left to the sockets, which know the SOA and the name servers.
//!
//! A CNAME whose target is another profile's name, or one that its wildcard has, is followed in the same answer to who asks for one type ([RFC 1034, section 4.3.2]), each record with the TTL of
//! the profile that has its owner's name; the answer counts for the endpoint that led there. Where the last of them is a name of ours that is no profile's, the answer has what is there: a name
//! server's addresses, or that there is nothing ([RFC 6604]). What an apex has that no profile carries is not known here, so that to who asks for it the CNAME stands alone.
//!
//! [RFC 1034, section 3.6.2]: https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2
//! [RFC 2181, section 5.2]: https://www.rfc-editor.org/rfc/rfc2181#section-5.2
//! [RFC 1034, section 4.3.2]: https://www.rfc-editor.org/rfc/rfc1034#section-4.3.2
//! [RFC 6604]: https://www.rfc-editor.org/rfc/rfc6604
//! [RFC 8482]: https://www.rfc-editor.org/rfc/rfc8482
//! [RFC 2308, section 2.2]: https://www.rfc-editor.org/rfc/rfc2308#section-2.2

mod interleave;
mod records;
mod stick;
mod tree;
mod zones;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use hickory_proto::rr::RecordType;
use tm_common::{
    dns::{ASKED, Asked, asked},
    kind::MOST_TYPES,
};

pub use interleave::{interleave, interleave_full};
pub use records::{NXDOMAIN, carried, nodata, records_of};
pub use stick::stick;
pub use tree::{End, Tree, server_addresses};
pub use zones::{Absence, SERVER_TTL, Zone, Zones};

use crate::{
    decide::{Answer, Decision, Leaf, Share, nested::scale},
    desired::{Endpoint, EndpointKey, Profile, Record, Target},
    names::DnsName,
    places::View,
};

/// A name as it is to be in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The name.
    pub name: DnsName,
    /// Which clients are at which place; none where all are alike.
    pub view: Option<Arc<View>>,
    /// The types that have answers of their own beside A, AAAA and ANY, at most `tm_common::kind::MOST_TYPES`.
    pub types: Vec<u16>,
    /// What is answered at each place of the view, by `tm_common::dns::Asked` and then for each of `types`; one row where all clients are alike.
    pub places: Vec<Vec<Choices>>,
    /// What is answered for names below it that are not there and that no wildcard has; nothing where that is the sockets' to say.
    pub absent: Option<Absence>,
}

/// What may be answered to one kind of question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The different answers.
    pub answers: Vec<Records>,
    /// For each slot, which of them; 1 to 1,024.
    pub slots: Vec<u16>,
    /// Has each client's prefix a slot of its own? Else they are walked in turn.
    pub sticky: bool,
}

/// One finished answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Records {
    /// The records as they follow the question, names compressed to it.
    pub octets: Arc<[u8]>,
    /// How many are in the answer section.
    pub answers: u16,
    /// And in the authority section.
    pub authorities: u16,
    /// RCODE.
    pub code: u16,
    /// Whom it counts for: the endpoint that led behind a CNAME, else every endpoint in it; nobody where it says that there is no data.
    pub counts_for: Arc<[EndpointKey]>,
    /// Of so many of these answers one is told of; 0: of none.
    pub one_in: u16,
    /// Is it said that the answer is stale: somebody in it is down, and answers nevertheless?
    pub is_stale: bool,
    /// Where they begin with a CNAME behind which there is more, that CNAME alone ([RFC 7871, section 7.2.1](https://www.rfc-editor.org/rfc/rfc7871#section-7.2.1)): a reply has one scope, and each
    /// name of a chain may hold for another network.
    pub first: Option<Arc<Records>>,
}

/// The tables' form of a decision, or none where the name does not exist. `tree` has all names as they are then.
pub fn compile(decision: &Decision, tree: &Tree) -> Option<Compiled> {
    if decision.places.is_empty() {
        return None;
    }
    let types = types(decision, tree);
    Some(Compiled {
        name: decision.profile.dns_name.clone(),
        types: types.iter().copied().map(u16::from).collect(),
        view: Some(decision.view.clone())
            .filter(|view| !view.is_anywhere() || decision.sticky.contains(&true)),
        places: (decision.places.iter().zip(&decision.sticky))
            .map(|(shares, sticky)| row(decision, &types, shares, *sticky, tree))
            .collect(),
        absent: Some(tree.zones().around(&decision.profile.dns_name).absence()),
    })
}

/// The block of a row that answers a type, where these types have blocks of their own. `None` for types that nobody has.
pub fn row_index(types: &[u16], kind: u16) -> Option<usize> {
    let [high, low] = kind.to_be_bytes();
    let asked = asked(u32::from_le_bytes([high, low, 0, 1]))?;
    let own = types.iter().position(|own| *own == kind).filter(|_| asked == Asked::Other);
    Some(own.map_or(asked as usize, |own| ASKED + own))
}

/// The types that have answers of their own: of a profile's own endpoints whoever is up, so that a flip changes slots alone.
fn types(decision: &Decision, tree: &Tree) -> Vec<RecordType> {
    fn add(types: &mut BTreeSet<RecordType>, records: &[Record]) {
        types.extend(records.iter().map(|record| record.kind));
    }
    fn add_shares(types: &mut BTreeSet<RecordType>, shares: &[Share], tree: &Tree) {
        for share in shares {
            match &share.answer {
                Answer::One(leaf) => {
                    add(types, &leaf.endpoint.records);
                    if let Target::Name(target) = &leaf.endpoint.target
                        && tree.end_at(target).is_some()
                    {
                        types.insert(RecordType::CNAME);
                    }
                }
                Answer::Several(leaves, _) => {
                    leaves.iter().for_each(|leaf| add(types, &leaf.endpoint.records));
                }
                Answer::Followed(_, to, shares) => {
                    // Who asks for the CNAME itself is not led behind it.
                    types.insert(RecordType::CNAME);
                    add(types, &to.records);
                    add_shares(types, shares, tree);
                }
            }
        }
    }
    let mut types = BTreeSet::new();
    add(&mut types, &decision.profile.records);
    decision.profile.endpoints.iter().for_each(|endpoint| add(&mut types, &endpoint.records));
    decision.places.iter().for_each(|shares| add_shares(&mut types, shares, tree));
    types.into_iter().take(MOST_TYPES as usize).collect()
}

/// What is answered at one place.
fn row(
    decision: &Decision,
    types: &[RecordType],
    shares: &[Share],
    sticky: bool,
    tree: &Tree,
) -> Vec<Choices> {
    let lay_out = |weights: &[u64], answers: &[Given<'_>]| match (sticky, decision.steady) {
        (true, _) => stick(&answers.iter().map(Given::who).zip(weights.iter().copied()).collect::<Vec<_>>()),
        (false, true) => interleave(weights),
        (false, false) => interleave_full(weights),
    };
    let block = |asked: Question| {
        let (weights, answers): (Vec<u64>, Vec<Given<'_>>) = given(shares, asked).into_iter().unzip();
        let slots = lay_out(&weights, &answers).into_iter().map(|share| &answers[share]);
        if matches!(asked, Question::Other) && tree.zones().get(&decision.profile.dns_name).is_some() {
            return Choices::left();
        }
        Choices::new(slots, sticky, |given| records_of(&decision.profile, asked, given, tree))
    };
    let all = [Question::A, Question::Aaaa, Question::Any, Question::Other].into_iter();
    all.chain(types.iter().copied().map(Question::Type)).map(block).collect()
}

/// What is asked for, in the order of `tm_common::dns::Asked`.
#[derive(Clone, Copy, PartialEq)]
pub enum Question {
    /// A.
    A,
    /// AAAA.
    Aaaa,
    /// ANY.
    Any,
    /// A type that has no answers of its own.
    Other,
    /// One that has.
    Type(RecordType),
}

impl Question {
    /// Who asks for the CNAME itself or for any type is given the CNAME, and not led behind it.
    fn takes_cname(self) -> bool {
        matches!(self, Question::Any | Question::Type(RecordType::CNAME))
    }
}

/// What one answer holds.
#[derive(Clone, Debug, Default)]
pub struct Given<'a> {
    /// Names in the zone that are followed, each with the profile that has it, by its name or by a wildcard.
    pub links: Vec<(&'a Leaf, &'a Profile)>,
    /// Who answers in the end; nobody for NODATA.
    pub leaves: Vec<&'a Leaf>,
}

impl Given<'_> {
    /// A number for all in it.
    fn who(&self) -> u64 {
        let leaves = self.links.iter().map(|(link, _)| *link).chain(self.leaves.iter().copied());
        stick::who(leaves.flat_map(|leaf| [&*leaf.profile, &*leaf.endpoint.name]))
    }
}

/// The answers that these shares give to a question, with their weights.
fn given(shares: &[Share], asked: Question) -> Vec<(u64, Given<'_>)> {
    scale(shares.iter().map(|share| (share.weight, answers(&share.answer, asked))).collect())
}

/// The answers that a share gives to a question, with their weights in it; at least one.
fn answers(answer: &Answer, asked: Question) -> Vec<(u64, Given<'_>)> {
    let alone = |leaves| vec![(1, Given { links: vec![], leaves })];
    let (leaves, most) = match answer {
        Answer::One(leaf) => {
            let has = match (&leaf.endpoint.target, asked) {
                (Target::Name(_), _) => true,
                (Target::V4(_) | Target::V6(_), Question::Type(kind)) => leaf.endpoint.has(kind),
                (Target::V4(_), Question::A | Question::Any) => true,
                (Target::V6(_), Question::Aaaa | Question::Any) => true,
                (Target::V4(_) | Target::V6(_) | Target::Profile(_), _) => false,
            };
            return alone(has.then_some(leaf).into_iter().collect());
        }
        Answer::Followed(link, to, shares) => {
            if asked.takes_cname() {
                return alone(vec![link]);
            }
            let mut behind = given(shares, asked);
            if behind.is_empty() {
                behind = alone(vec![]);
            }
            behind.iter_mut().for_each(|(_, given)| given.links.insert(0, (link, to)));
            return behind;
        }
        Answer::Several(leaves, most) => (leaves, usize::from(*most)),
    };
    let of = |has: &dyn Fn(&Endpoint) -> bool| -> Vec<&Leaf> {
        leaves.iter().filter(|leaf| has(&leaf.endpoint)).collect()
    };
    let v4 = of(&|endpoint| matches!(endpoint.target, Target::V4(_)));
    let v6 = of(&|endpoint| matches!(endpoint.target, Target::V6(_)));
    let family = match asked {
        Question::A => v4,
        Question::Aaaa => v6,
        Question::Any if v4.is_empty() => v6,
        Question::Any => v4,
        Question::Type(kind) => of(&|endpoint| endpoint.has(kind)),
        Question::Other => vec![],
    };
    if family.is_empty() {
        return alone(vec![]);
    }
    let rotation = |first| family.iter().cycle().skip(first).take(most.min(family.len())).copied().collect();
    (0..family.len()).map(|first| (1, Given { links: vec![], leaves: rotation(first) })).collect()
}

impl Choices {
    /// What is given where what is answered depends on a client subnet: of each chain the first CNAME alone.
    #[must_use]
    pub fn first_of_chains(&self) -> Self {
        let mut first = Choices { answers: vec![], slots: vec![], sticky: self.sticky };
        let mut known: HashMap<Records, u16> = HashMap::new();
        let each: Vec<u16> = self
            .answers
            .iter()
            .map(|records| {
                let alone = records.first.as_deref().unwrap_or(records);
                *known.entry(alone.clone()).or_insert_with_key(|records| {
                    first.answers.push(records.clone());
                    first.answers.len() as u16 - 1
                })
            })
            .collect();
        first.slots = self.slots.iter().filter_map(|slot| each.get(usize::from(*slot)).copied()).collect();
        first
    }

    /// Nothing in the tables: what the sockets say.
    fn left() -> Self {
        Choices::one(Records {
            octets: Arc::new([]),
            answers: 0,
            authorities: 0,
            code: 0,
            counts_for: [].into(),
            one_in: 0,
            is_stale: false,
            first: None,
        })
    }

    /// Is more in any of the answers than their first CNAME?
    pub fn leads_on(&self) -> bool {
        self.answers.iter().any(|records| records.first.is_some())
    }

    /// Is there a record in any of the answers?
    pub fn says_something(&self) -> bool {
        self.answers.iter().any(|records| records.answers > 0)
    }

    /// Is it for the sockets to say?
    pub fn is_left(&self) -> bool {
        self.answers.iter().all(|records| records.octets.is_empty())
    }

    /// Always the same.
    pub fn one(records: Records) -> Self {
        Choices { answers: vec![records], slots: vec![0], sticky: false }
    }

    /// A slot for each of `slots`. Equal answers become one, and a block that always answers alike one slot.
    fn new<'a>(
        slots: impl Iterator<Item = &'a Given<'a>>,
        sticky: bool,
        records: impl Fn(&Given<'_>) -> Records,
    ) -> Self {
        let mut answers: Vec<Records> = vec![];
        let mut known: HashMap<Vec<*const Endpoint>, u16> = HashMap::new();
        let mut equal: HashMap<Records, u16> = HashMap::new();
        let mut indices = vec![];
        for given in slots {
            let leaves = given.links.iter().map(|(link, _)| link).chain(&given.leaves);
            let identity = leaves.map(|leaf| Arc::as_ptr(&leaf.endpoint)).collect();
            indices.push(*known.entry(identity).or_insert_with(|| {
                *equal.entry(records(given)).or_insert_with_key(|records| {
                    answers.push(records.clone());
                    answers.len() as u16 - 1
                })
            }));
        }
        match answers.len() {
            0 => Choices { answers: vec![records(&Given::default())], slots: vec![0], sticky: false },
            1 => Choices { answers, slots: vec![0], sticky: false },
            _ => Choices { answers, slots: indices, sticky },
        }
    }
}

#[cfg(test)]
mod tests;
