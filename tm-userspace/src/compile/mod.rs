//! From a decision to finished answers: pure, and knowing nothing of where they are put.
//!
//! For each kind of question a profile gets a block of slots, each naming one of a few answers.
//!
//! | asked | endpoint with an IPv4 address | IPv6 address | name |
//! | --- | --- | --- | --- |
//! | A | A | NODATA | CNAME |
//! | AAAA | NODATA | AAAA | CNAME |
//! | ANY | A | AAAA | CNAME |
//! | any other type | NODATA | NODATA | CNAME |
//!
//! (Azure's table; ANY is one RRset, [RFC 8482]. The type is looked at after the endpoint was chosen: with endpoints of both families a client that asks for A may
//! be told NODATA.) Where nobody is to answer, all is NODATA: it is the zone's SOA in the authority section ([RFC 2308, section 2.2]).
//!
//! [RFC 8482]: https://www.rfc-editor.org/rfc/rfc8482
//! [RFC 2308, section 2.2]: https://www.rfc-editor.org/rfc/rfc2308#section-2.2

mod interleave;
mod records;

use std::sync::Arc;

use tm_common::dns::ASKED;

pub use interleave::{interleave, interleave_full};
pub use records::{Zone, nodata, records_of};

use crate::{
    decide::Decision,
    desired::{EndpointKey, Target},
    names::DnsName,
};

/// A name as it is to be in the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compiled {
    /// The name.
    pub name: DnsName,
    /// By `tm_common::dns::Asked`.
    pub blocks: [Choices; ASKED],
}

/// What may be answered to one kind of question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The different answers.
    pub answers: Vec<Records>,
    /// For each slot, which of them; 1 to 1,024.
    pub slots: Vec<u16>,
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
    /// Whom it counts for; nobody where it says that there is no data.
    pub endpoint: Option<EndpointKey>,
}

/// The tables' form of a decision, or none where the name does not exist.
pub fn compile(decision: &Decision, zone: &Zone) -> Option<Compiled> {
    // With one place there is one block a question; places are rows of blocks when a method comes that tells them apart.
    let (_, shares) = decision.places.first()?;
    let weights: Vec<u32> = shares.iter().map(|share| share.weight).collect();
    let order = if decision.steady { interleave(&weights) } else { interleave_full(&weights) };
    let profile = &decision.profile;
    let nodata = nodata(&profile.dns_name, profile.ttl, zone);
    let block = |asked: fn(&Target) -> bool| {
        if shares.is_empty() {
            return Choices::new(vec![nodata.clone()], &order);
        }
        let answers = shares.iter().map(|share| {
            let endpoint = &profile.endpoints[share.endpoint];
            match asked(&endpoint.target) {
                true => records_of(profile, endpoint),
                false => nodata.clone(),
            }
        });
        Choices::new(answers.collect(), &order)
    };
    Some(Compiled {
        name: profile.dns_name.clone(),
        blocks: [
            block(|target| !matches!(target, Target::V6(_))),
            block(|target| !matches!(target, Target::V4(_))),
            block(|_| true),
            block(|target| matches!(target, Target::Name(_))),
        ],
    })
}

impl Choices {
    /// Equal answers become one, and a block that always answers alike one slot.
    fn new(answers: Vec<Records>, order: &[u16]) -> Self {
        let mut different: Vec<Records> = vec![];
        let index: Vec<u16> = answers
            .into_iter()
            .map(|answer| match different.iter().position(|known| *known == answer) {
                Some(at) => at as u16,
                None => {
                    different.push(answer);
                    different.len() as u16 - 1
                }
            })
            .collect();
        let slots = match different.len() {
            1 => vec![0],
            _ => order.iter().map(|share| index[usize::from(*share)]).collect(),
        };
        Choices { answers: different, slots }
    }
}

#[cfg(test)]
mod tests;
