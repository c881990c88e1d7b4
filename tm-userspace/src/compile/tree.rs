//! The names of the zones that are no profile's, as they are to be in the tables: apexes, name servers, and names that have nothing but names below them (empty
//! non-terminals, [RFC 8020], [RFC 4592, section 2.2.2]). So every name of a zone is there, and of any other one look at the longest above it tells all.
//!
//! A profile that is disabled has no name; where that does not exist therefore, it says so for no longer than the profile's TTL.
//!
//! Where a CNAME leads to one of these names, its answer says too what is there, so it is known here who leads where.
//!
//! [RFC 4592, section 2.2.2]: https://www.rfc-editor.org/rfc/rfc4592#section-2.2.2
//! [RFC 8020]: https://www.rfc-editor.org/rfc/rfc8020

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    net::IpAddr,
    sync::Arc,
};

use super::{
    Absence, Choices, Compiled, Question, Zone, Zones,
    records::{NOERROR, NXDOMAIN, addresses, nodata, nxdomain},
};
use crate::{
    desired::{Desired, NameServer, Profile, Target},
    led::Led,
    names::DnsName,
};

/// The names of all zones.
#[derive(Clone, Debug)]
pub struct Tree {
    zones: Arc<Zones>,
    /// The addresses of each name server that lies inside a zone.
    servers: BTreeMap<DnsName, Vec<IpAddr>>,
    /// How many names that are there are below one.
    below: HashMap<DnsName, u32>,
    /// The names of profiles that have theirs.
    profiles: HashSet<DnsName>,
    /// The TTLs of those that have not.
    absent: BTreeMap<DnsName, u32>,
    /// The names inside the zones that are targets of endpoints.
    led: Led,
}

/// Where a CNAME ends: a name of ours that is no profile's.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// RCODE: the name is there, or it is not.
    pub code: u16,
    /// Seconds that it may be kept at most that there is nothing.
    pub ttl: u32,
    /// Whose SOA says so.
    pub zone: &'a Zone,
    /// What a name server has.
    pub addresses: &'a [IpAddr],
}

impl End<'_> {
    /// Has the name records that are not known here? Those of an apex are the sockets' to say.
    pub fn is_apex(&self, name: &DnsName) -> bool {
        self.zone.name == *name
    }
}

impl Tree {
    /// That of a wanted state. `listening` are the addresses of name servers inside the zones for which none were given.
    pub fn of(desired: &Desired, zones: Arc<Zones>, listening: &[IpAddr]) -> Self {
        let servers = server_addresses(desired, &zones, listening);
        let mut tree = Tree::over(zones.clone());
        let fixed: HashSet<&DnsName> = zones.iter().map(|zone| &zone.name).chain(servers.keys()).collect();
        fixed.into_iter().for_each(|name| tree.count(name, true, &mut vec![]));
        tree.servers = servers;
        desired.profiles.values().for_each(|profile| _ = tree.change(None, Some(profile)));
        tree
    }

    /// That of zones without a name in them.
    pub fn over(zones: Arc<Zones>) -> Self {
        Tree {
            zones,
            servers: BTreeMap::new(),
            below: HashMap::new(),
            profiles: HashSet::new(),
            absent: BTreeMap::new(),
            led: Led::default(),
        }
    }

    /// The zones.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// The same zones as of another generation.
    pub fn set_zones(&mut self, zones: Arc<Zones>) {
        self.zones = zones;
    }

    /// The name servers' addresses as they are now; gives the names whose addresses are others.
    pub fn listen(&mut self, desired: &Desired, listening: &[IpAddr]) -> Vec<DnsName> {
        let before = std::mem::replace(&mut self.servers, server_addresses(desired, &self.zones, listening));
        let changed = self.servers.iter().filter(|(name, now)| before.get(*name) != Some(now));
        changed.map(|(name, _)| name.clone()).collect()
    }

    /// Takes in that a profile is another one, new, or gone. Gives the names for which something else may be in the tables now, besides those in [`Tree::absent`].
    pub fn change(&mut self, old: Option<&Profile>, new: Option<&Profile>) -> Vec<DnsName> {
        self.lead(old, false);
        self.lead(new, true);
        let state = |profile: Option<&Profile>| {
            profile.map(|profile| (profile.dns_name.clone(), (!profile.exists()).then_some(profile.ttl)))
        };
        let (old, new) = (state(old), state(new));
        let mut touched = vec![];
        if old == new {
            return touched;
        }
        if let Some((name, absent)) = old {
            match absent {
                None if self.profiles.remove(&name) => self.count_profile(&name, false, &mut touched),
                None => {}
                Some(_) => _ = self.absent.remove(&name),
            }
            touched.push(name);
        }
        if let Some((name, absent)) = new {
            match absent {
                None if self.profiles.insert(name.clone()) => self.count_profile(&name, true, &mut touched),
                None => {}
                Some(ttl) => _ = self.absent.insert(name.clone(), ttl),
            }
            touched.push(name);
        }
        touched
    }

    /// The names of profiles that do not answer: whether a wildcard has one of them may be another thing after any change.
    pub fn absent(&self) -> impl Iterator<Item = &DnsName> {
        self.absent.keys()
    }

    /// The profiles with a target in the zones for which something else may be said, now that this holds for these names.
    pub fn leading_to(&self, touched: &[DnsName]) -> BTreeSet<Arc<str>> {
        // A wildcard is touched for all that is beside it.
        let around: BTreeSet<DnsName> =
            touched.iter().map(|name| name.without_asterisk().unwrap_or_else(|| name.clone())).collect();
        // What is below another one of them is found there.
        let is_highest = |name: &&DnsName| !name.suffixes().skip(1).any(|above| around.contains(above));
        let led = around.iter().filter(is_highest).flat_map(|name| self.led.below(name));
        // A name that a profile has now is followed, which is decided.
        let open = led.filter(|(target, _)| !self.profiles.contains(target));
        open.flat_map(|(_, profiles)| profiles.iter().cloned()).collect()
    }

    /// What is at a name to which a CNAME leads, where that is no profile's; none for one that a wildcard has, and for one of others.
    pub fn end_at(&self, name: &DnsName) -> Option<End<'_>> {
        let zone = self.zones.find(name)?;
        if self.profiles.contains(name) {
            return None;
        }
        let addresses = self.servers.get(name);
        let is_there = addresses.is_some() || zone.name == *name || self.below.contains_key(name);
        if !is_there && self.wildcard_for(name).is_some() {
            return None;
        }
        Some(End {
            code: if is_there { NOERROR } else { NXDOMAIN },
            ttl: self.absent.get(name).copied().unwrap_or(zone.soa.minimum),
            zone,
            addresses: addresses.map_or(&[], Vec::as_slice),
        })
    }

    /// Is it the name of a profile that answers?
    pub fn is_profiles(&self, name: &DnsName) -> bool {
        self.profiles.contains(name)
    }

    /// What is at a name, if that is none of a profile that answers.
    pub fn at(&self, name: &DnsName) -> Option<Compiled> {
        if self.profiles.contains(name) {
            return None;
        }
        let zone = self.zones.find(name)?;
        let is_apex = zone.name == *name;
        let ttl = self.absent.get(name).copied().unwrap_or(zone.soa.minimum);
        let none = || nodata(name, ttl, zone);
        let mut row = match self.servers.get(name) {
            Some(servers) => {
                let of = |asked| {
                    let records = addresses(name, servers, asked, name);
                    if records.answers == 0 { none() } else { records }
                };
                [of(Question::A), of(Question::Aaaa), of(Question::Any), none()]
            }
            None if is_apex || self.below.contains_key(name) => std::array::from_fn(|_| none()),
            None if self.absent.contains_key(name) && self.wildcard_for(name).is_none() => {
                std::array::from_fn(|_| nxdomain(ttl, zone))
            }
            None => return None,
        }
        .map(Choices::one);
        if is_apex {
            let [_, _, any, other] = &mut row;
            (*any, *other) = (Choices::left(), Choices::left());
        }
        Some(Compiled {
            name: name.clone(),
            view: None,
            types: vec![],
            places: vec![row.into()],
            absent: Some(zone.absence()),
        })
    }

    /// All names that are no profile's, each with what is there.
    pub fn all(&self) -> impl Iterator<Item = (DnsName, Compiled)> {
        let zones = self.zones.iter().map(|zone| &zone.name);
        let names = zones.chain(self.servers.keys()).chain(self.below.keys()).chain(self.absent.keys());
        let names: HashSet<&DnsName> = names.collect();
        names.into_iter().filter_map(|name| Some((name.clone(), self.at(name)?)))
    }

    /// Notes where a profile's targets lead, or no longer do.
    fn lead(&mut self, profile: Option<&Profile>, more: bool) {
        let Some(profile) = profile else { return };
        for endpoint in &profile.endpoints {
            let Target::Name(target) = &endpoint.target else { continue };
            if self.zones.find(target).is_none() {
                continue;
            }
            match more {
                true => self.led.add(target, &profile.name),
                false => self.led.remove(target, &profile.name),
            }
        }
    }

    /// A profile's name that an apex or a server has too counts once.
    fn count_profile(&mut self, name: &DnsName, more: bool, touched: &mut Vec<DnsName>) {
        if self.zones.get(name).is_none() && !self.servers.contains_key(name) {
            self.count(name, more, touched);
        }
    }

    /// Counts a name with those above it; notes those for which that is the first one, or was the last.
    fn count(&mut self, name: &DnsName, more: bool, touched: &mut Vec<DnsName>) {
        let Some(apex) = self.zones.highest(name) else { return };
        let least = apex.name.wire().len();
        for above in name.suffixes().skip(1).take_while(|above| above.len() >= least) {
            match (self.below.get_mut(above), more) {
                (Some(count), true) => *count += 1,
                (None, true) => {
                    touched.push(DnsName::from_wire(above));
                    self.below.insert(DnsName::from_wire(above), 1);
                }
                (Some(count), false) if *count > 1 => *count -= 1,
                (_, false) => {
                    touched.push(DnsName::from_wire(above));
                    self.below.remove(above);
                }
            }
        }
    }

    /// The wildcard that has a name which is not there: that of the longest name above it that is.
    pub fn wildcard_for(&self, name: &DnsName) -> Option<DnsName> {
        let above = name.suffixes().skip(1).map(DnsName::from_wire).find(|above| {
            self.profiles.contains(above)
                || self.below.contains_key(above)
                || self.servers.contains_key(above)
                || self.zones.get(above).is_some()
        });
        above?.with_asterisk().filter(|wildcard| self.profiles.contains(wildcard))
    }
}

impl Zone {
    /// That a name does not exist.
    pub fn absence(&self) -> Absence {
        Absence { zone: self.name.clone(), records: nxdomain(self.soa.minimum, self) }
    }
}

/// The addresses of each name server that lies inside a zone: those that the zones give it, or else those that others can reach of `listening`.
pub fn server_addresses(
    desired: &Desired,
    zones: &Zones,
    listening: &[IpAddr],
) -> BTreeMap<DnsName, Vec<IpAddr>> {
    let reachable = reachable(listening);
    let mut servers: BTreeMap<DnsName, Vec<IpAddr>> = BTreeMap::new();
    for NameServer { name, addresses } in desired.node.zones().flat_map(|zone| &zone.name_servers) {
        if zones.find(name).is_some() {
            let known = servers.entry(name.clone()).or_default();
            for address in addresses {
                if !known.contains(address) {
                    known.push(*address);
                }
            }
        }
    }
    for known in servers.values_mut().filter(|known| known.is_empty()) {
        known.clone_from(&reachable);
    }
    servers
}

/// What others can reach of the addresses listened on: never link-local ones, loopback ones only where there is nothing else.
fn reachable(listening: &[IpAddr]) -> Vec<IpAddr> {
    let here = |address: &&IpAddr| {
        !address.is_unspecified()
            && !matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
            && !matches!(address, IpAddr::V4(address) if address.is_link_local())
    };
    let (loopback, others): (Vec<_>, Vec<_>) =
        listening.iter().filter(here).partition(|address| address.is_loopback());
    if others.is_empty() { loopback } else { others }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{desired::Status, samples};

    /// Profiles by name, and whether they answer.
    type State = BTreeMap<&'static str, bool>;

    const NAMES: [&str; 9] =
        ["a", "b.a", "*.a", "c.b.a", "d.c.b.a", "*.c.b.a", "x.ns1", "*.d.c.b.a", "e.d.c.b.a"];

    fn desired(state: &State) -> Desired {
        let profile = |(name, answers): (&&str, &bool)| Profile {
            dns_name: format!("{name}.tm.example").parse().unwrap(),
            status: if *answers { Status::Enabled } else { Status::Disabled },
            ttl: 7,
            ..samples::profile(name, samples::monitor(), vec![samples::endpoint("e", "192.0.2.1")])
        };
        samples::desired(&[], state.iter().map(profile).collect())
    }

    fn tree(desired: &Desired) -> Tree {
        Tree::of(desired, Arc::new(Zones::of(desired)), &["192.0.2.53".parse().unwrap()])
    }

    /// What is at each name, by RCODE and TTL of what is said to who asks for an IPv6 address.
    fn said(state: &[(&'static str, bool)]) -> BTreeMap<String, (u16, u32)> {
        let tree = tree(&desired(&state.iter().copied().collect()));
        let told = |(name, compiled): (DnsName, Compiled)| {
            let records = compiled.places[0][1].answers[0].clone();
            // Behind the SOA's owner, type and class.
            let at = if records.octets[0] == 0xc0 { 6 } else { 12 + 4 };
            let ttl = u32::from_be_bytes(records.octets[at..at + 4].try_into().unwrap());
            (name.to_string().replace(".tm.example", ""), (records.code, ttl))
        };
        tree.all().map(told).collect()
    }

    #[test]
    fn what_is_between_exists_and_what_is_switched_off_does_not() {
        let always = [("ns1".to_owned(), (0, 60)), ("tm.example".to_owned(), (0, 60))];
        let with = |some: &[(&str, (u16, u32))]| -> BTreeMap<String, (u16, u32)> {
            always
                .iter()
                .cloned()
                .chain(some.iter().map(|(name, said)| ((*name).to_owned(), *said)))
                .collect()
        };
        assert_eq!(said(&[]), with(&[]));
        assert_eq!(said(&[("c.b.a", true)]), with(&[("a", (0, 60)), ("b.a", (0, 60))]));
        assert_eq!(said(&[("c.b.a", false)]), with(&[("c.b.a", (3, 7))]));
        assert_eq!(said(&[("b.a", false), ("c.b.a", true)]), with(&[("a", (0, 60)), ("b.a", (0, 7))]));
        // A wildcard has what is switched off, unless something is between.
        assert_eq!(said(&[("*.a", true), ("b.a", false)]), with(&[("a", (0, 60))]));
        assert_eq!(said(&[("*.a", false), ("b.a", false)]), with(&[("*.a", (3, 7)), ("b.a", (3, 7))]));
        assert_eq!(said(&[("*.a", true), ("c.b.a", false), ("x.ns1", true)]), with(&[("a", (0, 60))]),);
    }

    fn states() -> impl Strategy<Value = State> {
        prop::collection::btree_map(prop::sample::select(&NAMES[..]), any::<bool>(), 0..NAMES.len())
    }

    proptest! {
        #[test]
        fn what_follows_changes_is_what_would_be_made_anew(before in states(), after in states()) {
            let (old, new) = (desired(&before), desired(&after));
            let mut followed = tree(&old);
            let known: BTreeMap<DnsName, Compiled> = followed.all().collect();
            let mut touched = HashSet::new();
            for profile in old.profiles.values() {
                touched.extend(followed.change(Some(profile), None));
            }
            for profile in new.profiles.values() {
                touched.extend(followed.change(None, Some(profile)));
            }
            touched.extend(followed.absent().cloned());
            let anew = tree(&new);
            let wanted: BTreeMap<DnsName, Compiled> = anew.all().collect();
            prop_assert_eq!(&followed.all().collect::<BTreeMap<_, _>>(), &wanted);
            for name in known.keys().chain(wanted.keys()) {
                prop_assert!(known.get(name) == wanted.get(name) || touched.contains(name), "{}", name);
            }
        }
    }
}
