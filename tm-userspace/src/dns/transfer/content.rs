//! What is transferred: a zone at one serial, and what it was before, as far as that is remembered.

use std::{collections::HashMap, sync::Arc};

use hickory_proto::rr::{RData, Record, rdata::SOA};
use imbl::{OrdMap, Vector, ordmap::DiffItem};

use super::with_serial;
use crate::{compile::Zone, names::DnsName};

/// Records by name.
pub(in crate::dns) type Names = OrdMap<DnsName, Arc<[Record]>>;

/// The names of each zone.
pub(in crate::dns) type Zoned = HashMap<DnsName, Names>;

/// What there is to transfer, by zone; nothing where transfers are off.
pub type Contents = OrdMap<DnsName, Arc<Content>>;

/// Earlier states that are remembered.
const REMEMBERED: usize = 100;
/// Names in which these may differ, one from the next, beyond as many as there are names: what they cost in memory.
const DIFFERENCES: usize = 1000;

/// The zone at a serial.
#[derive(Clone, Debug)]
pub struct Content {
    state: State,
    /// Earlier ones, the latest last, each with the number of names in which the next differed.
    earlier: Vector<(State, usize)>,
}

#[derive(Clone, Debug)]
struct State {
    zone: Zone,
    names: Names,
}

/// What has changed since a serial.
#[derive(Debug, PartialEq)]
pub(in crate::dns) enum Changes {
    /// Nothing.
    None,
    /// These records, as an incremental transfer has them between the first and the last SOA.
    Known(Vec<Record>),
    /// That is not known, or would be longer than the whole.
    Unknown,
}

impl Content {
    /// The content after `before`, where `zone` and `names` are what it is to be; none where it is the same. The serial of `zone` is the configuration's.
    pub(super) fn next(before: Option<&Content>, zone: &Zone, names: Names) -> Option<Self> {
        let Some(before) = before else {
            return Some(Content { state: State { zone: zone.clone(), names }, earlier: Vector::new() });
        };
        let State { zone: zone_before, names: names_before } = &before.state;
        let serial = zone_before.serial;
        let is_later = is_newer(zone.serial, serial);
        let differ = names_before.diff(&names).count();
        if differ == 0 && !is_later && *zone_before == with_serial(zone, serial) {
            return None;
        }
        // One configuration has its serial, and what changes meanwhile those behind it.
        let serial = if is_later { zone.serial } else { serial.wrapping_add(1) };
        let mut earlier = before.earlier.clone();
        earlier.push_back((before.state.clone(), differ));
        while earlier.len() > REMEMBERED
            || earlier.iter().map(|(_, differ)| differ).sum::<usize>() > names.len() + DIFFERENCES
        {
            earlier.pop_front();
        }
        Some(Content { state: State { zone: with_serial(zone, serial), names }, earlier })
    }

    /// Of the zone's SOA.
    pub fn serial(&self) -> u32 {
        self.state.zone.serial
    }

    /// The serials that changes are known from, the oldest first.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> impl Iterator<Item = u32> {
        self.earlier.iter().map(|(state, _)| state.zone.serial)
    }

    /// The zone as this content's SOA describes it.
    pub(in crate::dns) fn zone(&self) -> &Zone {
        &self.state.zone
    }

    /// The SOA.
    pub(in crate::dns) fn soa(&self) -> Record {
        self.state.soa()
    }

    /// All other records.
    pub(in crate::dns) fn records(&self) -> impl Iterator<Item = Record> + Send + use<> {
        self.state.names.clone().into_iter().flat_map(|(_, records)| records.to_vec())
    }

    /// What has changed since `serial`.
    pub(in crate::dns) fn since(&self, serial: u32) -> Changes {
        if !is_newer(self.serial(), serial) {
            return Changes::None;
        }
        let Some((old, _)) = self.earlier.iter().find(|(state, _)| state.zone.serial == serial) else {
            return Changes::Unknown;
        };
        let (mut removed, mut added) = (vec![old.soa()], vec![self.soa()]);
        for item in old.names.diff(&self.state.names) {
            match item {
                DiffItem::Add(_, records) => added.extend(records.to_vec()),
                DiffItem::Remove(_, records) => removed.extend(records.to_vec()),
                DiffItem::Update { old: (_, old), new: (_, new) } => {
                    removed.extend(old.iter().filter(|record| !new.contains(record)).cloned());
                    added.extend(new.iter().filter(|record| !old.contains(record)).cloned());
                }
            }
        }
        match removed.len() + added.len() > self.state.names.len() + 2 {
            true => Changes::Unknown,
            false => Changes::Known([removed, added].concat()),
        }
    }
}

impl State {
    fn soa(&self) -> Record {
        let Zone { name, soa, serial, .. } = &self.zone;
        let seconds = |time: u32| i32::try_from(time).unwrap_or(i32::MAX);
        let data = SOA::new(
            self.zone.primary().to_hickory(),
            soa.mailbox.to_hickory(),
            *serial,
            seconds(soa.refresh),
            seconds(soa.retry),
            seconds(soa.expire),
            soa.minimum,
        );
        Record::from_rdata(name.to_hickory(), soa.minimum, RData::SOA(data))
    }
}

/// Is `serial` newer than `other` ([RFC 1982](https://www.rfc-editor.org/rfc/rfc1982))?
fn is_newer(serial: u32, other: u32) -> bool {
    (1..=i32::MAX as u32).contains(&serial.wrapping_sub(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc1982_serials_go_round() {
        for (serial, other, newer) in [
            (1, 0, true),
            (0, 1, false),
            (5, 5, false),
            (0, u32::MAX, true),
            (u32::MAX, 0, false),
            (0x8000_0000, 1, true),
            (0x8000_0000, 0, false),
        ] {
            assert_eq!(is_newer(serial, other), newer, "{serial} {other}");
        }
    }
}
