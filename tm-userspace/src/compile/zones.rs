//! The zones that we are authoritative for: those of the configuration, and one for each profile that has a name outside them, where that name is the apex.

use std::{collections::HashMap, sync::Arc};

use super::Records;
use crate::{
    desired::{self, Desired, NameServer, Profiles, Soa},
    names::DnsName,
};

/// Seconds that a zone's NS records and its servers' addresses may be kept.
pub const SERVER_TTL: u32 = 3600;

/// A zone as of a generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its apex.
    pub name: DnsName,
    /// Its name servers, the first of them the SOA's MNAME; never empty.
    pub servers: Arc<[NameServer]>,
    /// The operator's part of the SOA.
    pub soa: Soa,
    /// SERIAL.
    pub serial: u32,
}

impl Zone {
    /// A zone of the configuration, as of a generation.
    pub fn of(zone: &desired::Zone, generation: u64) -> Self {
        Zone {
            name: zone.name.clone(),
            servers: zone.name_servers.clone().into(),
            soa: zone.soa.clone(),
            serial: generation as u32,
        }
    }

    /// MNAME.
    pub fn primary(&self) -> &DnsName {
        self.servers.first().map_or(&self.name, |server| &server.name)
    }
}

/// That a name does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absence {
    /// The apex of the zone that says so.
    pub zone: DnsName,
    /// What it says.
    pub records: Records,
}

/// All zones, by name.
#[derive(Clone, Debug)]
pub struct Zones {
    default: Arc<Zone>,
    by_name: HashMap<DnsName, Arc<Zone>>,
    /// Of so many answers one is told of, where any is.
    one_in: u16,
    /// Is it said of answers that they are stale?
    tells_stale: bool,
}

impl Zones {
    /// Those of a wanted state.
    pub fn of(desired: &Desired) -> Self {
        let all = desired.node.zones().map(|zone| Arc::new(Zone::of(zone, desired.generation)));
        let by_name: HashMap<DnsName, Arc<Zone>> = all.map(|zone| (zone.name.clone(), zone)).collect();
        let default = Zone::of(desired.node.zone(), desired.generation);
        let mut zones = Zones {
            default: Arc::new(default),
            by_name,
            one_in: desired.node.sampling.one_in,
            tells_stale: desired.node.sockets.stale_answers,
        };
        for name in outside(&desired.profiles, &zones) {
            // One below another that is outside too is in the zone of that.
            if zones.find(&name).is_none() {
                let zone = Zone { name: name.clone(), ..Zone::clone(&zones.default) };
                zones.by_name.insert(name, Arc::new(zone));
            }
        }
        zones
    }

    /// The same with the serial of another generation.
    #[must_use]
    pub fn at(&self, generation: u64) -> Self {
        let at = |zone: &Arc<Zone>| Arc::new(Zone { serial: generation as u32, ..Zone::clone(zone) });
        let by_name = self.by_name.iter().map(|(name, zone)| (name.clone(), at(zone))).collect();
        Zones { default: at(&self.default), by_name, one_in: self.one_in, tells_stale: self.tells_stale }
    }

    /// The zone that a name is in: the lowest, where they lie below each other.
    pub fn find(&self, name: &DnsName) -> Option<&Arc<Zone>> {
        name.suffixes().find_map(|suffix| self.by_name.get(suffix))
    }

    /// The same, or the default zone, which no profile's name needs.
    pub fn around(&self, name: &DnsName) -> &Arc<Zone> {
        self.find(name).unwrap_or(&self.default)
    }

    /// The highest zone that a name is in.
    pub fn highest(&self, name: &DnsName) -> Option<&Arc<Zone>> {
        name.suffixes().filter_map(|suffix| self.by_name.get(suffix)).last()
    }

    /// The zone just above another.
    pub fn above(&self, zone: &Zone) -> Option<&Arc<Zone>> {
        zone.name.suffixes().skip(1).find_map(|suffix| self.by_name.get(suffix))
    }

    /// The zone of this name.
    pub fn get(&self, name: &DnsName) -> Option<&Arc<Zone>> {
        self.by_name.get(name)
    }

    /// Of so many answers one is told of, where any is: 1 to 65,535.
    pub fn one_in(&self) -> u16 {
        self.one_in
    }

    /// Whether who understands extended errors is told that an answer is stale.
    pub fn tells_stale(&self) -> bool {
        self.tells_stale
    }

    /// All of them, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.by_name.values()
    }
}

impl From<Zone> for Zones {
    /// One zone and no other.
    fn from(zone: Zone) -> Self {
        let default = Arc::new(zone);
        let by_name = HashMap::from([(default.name.clone(), default.clone())]);
        Zones { by_name, default, one_in: crate::config::defaults::ONE_IN, tells_stale: false }
    }
}

/// The names of profiles that are in none of `zones`, each behind those above it.
fn outside(profiles: &Profiles, zones: &Zones) -> Vec<DnsName> {
    let names = profiles.values().map(|profile| &profile.dns_name);
    let mut outside: Vec<DnsName> = names.filter(|name| zones.find(name).is_none()).cloned().collect();
    outside.sort_by_key(|name| name.wire().len());
    outside
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{desired::Profile, samples};

    fn zones(names: &[&str]) -> Zones {
        let profile = |name: &&str| Profile {
            dns_name: name.parse().unwrap(),
            ..samples::profile(name, samples::monitor(), vec![])
        };
        let mut desired = samples::desired(&[], names.iter().map(profile).collect());
        let node = Arc::make_mut(&mut desired.node);
        let name_servers = vec![NameServer { name: "ns.b.test".parse().unwrap(), addresses: vec![] }];
        let eu = desired::Zone { name: "eu.tm.example".parse().unwrap(), name_servers, soa: samples::soa() };
        node.more_zones.push(eu);
        Zones::of(&desired)
    }

    fn of(zones: &Zones, name: &str) -> Option<String> {
        zones.find(&name.parse().unwrap()).map(|zone| zone.name.to_string())
    }

    #[test]
    fn a_name_is_in_the_lowest_zone_around_it() {
        let zones = zones(&["www.contoso.com", "a.www.contoso.com", "web.tm.example"]);
        for (name, zone) in [
            ("web.tm.example", Some("tm.example")),
            ("tm.example", Some("tm.example")),
            ("eu.tm.example", Some("eu.tm.example")),
            ("a.b.eu.tm.example", Some("eu.tm.example")),
            ("xeu.tm.example", Some("tm.example")),
            ("b.a.www.contoso.com", Some("www.contoso.com")),
            ("contoso.com", None),
            ("xwww.contoso.com", None),
            ("example", None),
        ] {
            assert_eq!(of(&zones, name), zone.map(str::to_owned), "{name}");
        }
        let zone = zones.find(&"www.contoso.com".parse().unwrap()).unwrap();
        assert_eq!(zone.primary().to_string(), "ns1.tm.example", "that of the default zone");
        let zone = zones.find(&"eu.tm.example".parse().unwrap()).unwrap();
        assert_eq!((zone.primary().to_string(), zone.serial), ("ns.b.test".to_owned(), 1));
        assert_eq!(zones.at(7).find(&"eu.tm.example".parse().unwrap()).unwrap().serial, 7);
    }
}
