//! Who should answer, by Azure's rules and nothing else: a plain walk over the profiles, for clarity and not for speed. It shares nothing with `decide` and `compile` but the types
//! of the configuration; chances are fractions, answers are lists of targets in the order in which they are given.

use std::{collections::BTreeMap, net::IpAddr};

use tm_userspace::{
    desired::{Desired, Endpoint, Profile, Profiles, RoutingMethod, Status, Target},
    geo::{self, Code, Region},
};

/// What the probes say of an endpoint, by profile and endpoint; no word where they have none.
pub type Verdicts = BTreeMap<(String, String), bool>;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses.
    Aaaa,
    /// Any type.
    Any,
    /// Another type of data.
    Other,
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Client {
    /// The address by which it is placed.
    pub address: IpAddr,
    /// The most specific code of where it is.
    pub code: Code,
    /// Regions of which something is known, the nearest first.
    pub regions: Vec<Region>,
}

impl Client {
    /// What is known of whoever has this address, by the database or, without one, by the registries' table.
    pub fn at(address: IpAddr, desired: &Desired) -> Self {
        let address = geo::placed_by(address);
        let (mut code, mut point) = (Code::WORLD, None);
        match &desired.atlas {
            Some(atlas) => {
                let found = atlas.database.find(address).expect("the tests' database is whole");
                (code, point) = (found.code, found.point);
            }
            None => {
                let of = geo::registries().iter().find(|(first, length, _)| is_in(address, *first, *length));
                code = of.map_or(code, |(_, _, code)| *code);
            }
        }
        let ranking = geo::ranking(&geo::Client { address, code, point }, &desired.overrides, Region::all());
        Client { address, code, regions: ranking.into_iter().map(|(region, _)| region).collect() }
    }
}

fn is_in(address: IpAddr, first: IpAddr, length: u8) -> bool {
    match (address, first) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= length.into(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros() >= length.into(),
        _ => false,
    }
}

/// The world as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What is wanted.
    pub profiles: &'a Profiles,
    /// Who is up.
    pub verdicts: &'a Verdicts,
    /// Who asks.
    pub client: &'a Client,
}

/// Each list of targets that may be answered, with its chance; the empty list is NODATA.
pub type Chances = BTreeMap<Vec<String>, f64>;

impl World<'_> {
    /// What a profile answers; `None` where it has no name.
    pub fn answers(&self, profile: &str, asked: Asked) -> Option<Chances> {
        let profile = &self.profiles[profile];
        let any_enabled = profile.endpoints.iter().any(|endpoint| is_enabled(endpoint));
        if profile.status == Status::Disabled || !any_enabled {
            return None;
        }
        let chances = self.choose(profile, asked);
        Some(if chances.is_empty() { certain(vec![]) } else { chances })
    }

    /// Does an address tell a profile where its owner is? Not if it is private and in no range of the tree: the profile, what is nested there and what its names lead to.
    pub fn tells(&self, profile: &str, address: IpAddr) -> bool {
        const PRIVATE: [([u8; 4], u8); 6] = [
            ([10, 0, 0, 0], 8),
            ([172, 16, 0, 0], 12),
            ([192, 168, 0, 0], 16),
            ([100, 64, 0, 0], 10),
            ([127, 0, 0, 0], 8),
            ([169, 254, 0, 0], 16),
        ];
        let address = geo::placed_by(address);
        let is_private = match address {
            IpAddr::V4(_) => PRIVATE.iter().any(|(first, length)| is_in(address, (*first).into(), *length)),
            IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
        };
        !is_private || self.is_in_a_range(&self.profiles[profile], address)
    }

    fn is_in_a_range(&self, profile: &Profile, address: IpAddr) -> bool {
        let of_name = |name| self.profiles.values().find(move |profile| profile.dns_name == name);
        profile.status == Status::Enabled
            && (in_range(profile, address).is_some()
                || profile.endpoints.iter().filter(|endpoint| is_enabled(endpoint)).any(|endpoint| {
                    let below = match &endpoint.target {
                        Target::Profile(child) => self.profiles.get(child),
                        Target::Name(name) => of_name(name.clone()),
                        Target::V4(_) | Target::V6(_) => None,
                    };
                    below.is_some_and(|below| self.is_in_a_range(below, address))
                }))
    }

    /// An endpoint's state in Azure's words.
    pub fn endpoint_status(&self, profile: &Profile, endpoint: &Endpoint) -> &'static str {
        if !is_enabled(endpoint) {
            return "Disabled";
        }
        if profile.status == Status::Disabled {
            return "Inactive";
        }
        if endpoint.always_serve {
            return "Unmonitored";
        }
        let Target::Profile(child) = &endpoint.target else {
            return match self.verdicts.get(&(profile.name.to_string(), endpoint.name.to_string())) {
                None => "CheckingEndpoint",
                Some(true) => "Online",
                Some(false) => "Degraded",
            };
        };
        let child = &self.profiles[child];
        if ["Disabled", "Inactive"].contains(&self.profile_status(child)) {
            return "Stopped";
        }
        let online = self.count(child, |_, status| ["Online", "Unmonitored"].contains(&status));
        let checking = self.count(child, |_, status| status == "CheckingEndpoint");
        let four = self.count(child, |one, status| is_up(status) && self.can(one, true));
        let six = self.count(child, |one, status| is_up(status) && self.can(one, false));
        let least = endpoint.min_child;
        if four < least.ipv4.into() || six < least.ipv6.into() {
            "Degraded"
        } else if online >= least.endpoints.into() {
            "Online"
        } else if online + checking >= least.endpoints.into() {
            "CheckingEndpoint"
        } else {
            "Degraded"
        }
    }

    /// A profile's state in Azure's words.
    pub fn profile_status(&self, profile: &Profile) -> &'static str {
        let any = |wanted: &str| self.count(profile, |_, status| status == wanted) > 0;
        match () {
            () if profile.status == Status::Disabled => "Disabled",
            () if any("Degraded") => "Degraded",
            () if any("Online") || any("Unmonitored") => "Online",
            () if any("CheckingEndpoint") => "CheckingEndpoints",
            () => "Inactive",
        }
    }

    fn count(&self, profile: &Profile, wanted: impl Fn(&Endpoint, &str) -> bool) -> usize {
        let endpoints = profile.endpoints.iter();
        endpoints.filter(|endpoint| wanted(endpoint, self.endpoint_status(profile, endpoint))).count()
    }

    /// Could an endpoint that is up answer with an address of this family?
    fn can(&self, endpoint: &Endpoint, four: bool) -> bool {
        match &endpoint.target {
            Target::Name(_) => true,
            Target::V4(_) => four,
            Target::V6(_) => !four,
            Target::Profile(child) => {
                self.count(&self.profiles[child], |one, status| is_up(status) && self.can(one, four)) > 0
            }
        }
    }

    /// Those that may answer: who is up, and if nobody is, who is down.
    fn eligible<'p>(&self, profile: &'p Profile) -> Vec<&'p Endpoint> {
        let with = |wanted: fn(&str) -> bool| -> Vec<&'p Endpoint> {
            let all = profile.endpoints.iter().map(|endpoint| &**endpoint);
            all.filter(|endpoint| wanted(self.endpoint_status(profile, endpoint))).collect()
        };
        let up = with(is_up);
        if up.is_empty() { with(|status| status == "Degraded") } else { up }
    }

    /// What a profile answers where it has a name; nothing where it has nobody for this client.
    fn choose(&self, profile: &Profile, asked: Asked) -> Chances {
        let eligible = self.eligible(profile);
        let chosen: Vec<(&Endpoint, f64)> = match profile.routing_method {
            RoutingMethod::Priority => {
                let first = eligible.iter().min_by_key(|endpoint| endpoint.priority);
                first.map(|first| (*first, 1.0)).into_iter().collect()
            }
            RoutingMethod::Weighted => {
                let drained = eligible.iter().all(|endpoint| endpoint.weight == 0);
                let weight = |endpoint: &Endpoint| if drained { 1.0 } else { f64::from(endpoint.weight) };
                let all = eligible.iter().map(|endpoint| (*endpoint, weight(endpoint)));
                all.filter(|(_, weight)| *weight > 0.0).collect()
            }
            RoutingMethod::MultiValue => return self.several(profile, &eligible, asked),
            RoutingMethod::Subnet => {
                let rest = profile.endpoints.iter().find(|e| is_enabled(e) && e.subnets.is_empty());
                let both = [in_range(profile, self.client.address), rest.map(|rest| &**rest)];
                let status = |endpoint: &Endpoint| self.endpoint_status(profile, endpoint);
                let up = both.into_iter().flatten().find(|one| is_up(status(one)));
                let down = || both.into_iter().flatten().find(|one| status(one) == "Degraded");
                up.or_else(down).map(|one| (one, 1.0)).into_iter().collect()
            }
            RoutingMethod::Geographic => {
                let has = |code: Code| {
                    profile.endpoints.iter().find(|e| is_enabled(e) && e.geo_mapping.contains(&code))
                };
                let by_place = || self.client.code.upwards().find_map(has).map(|one| &**one);
                let mapped = in_range(profile, self.client.address).or_else(by_place);
                let may = |one: &&Endpoint| self.endpoint_status(profile, one) != "Stopped";
                mapped.filter(may).map(|one| (one, 1.0)).into_iter().collect()
            }
            RoutingMethod::Performance => {
                let may = |one: &Endpoint| eligible.iter().any(|other| other.name == one.name);
                if let Some(one) = in_range(profile, self.client.address).filter(|one| may(one)) {
                    return self.answer(one, asked);
                }
                let in_region = |region: &Region| -> Vec<&Endpoint> {
                    eligible.iter().copied().filter(|one| one.location == Some(*region)).collect()
                };
                let nearest = self.client.regions.iter().map(in_region).find(|some| !some.is_empty());
                nearest.unwrap_or(eligible).into_iter().map(|one| (one, 1.0)).collect()
            }
        };
        let answers = chosen.into_iter().map(|(endpoint, weight)| (self.answer(endpoint, asked), weight));
        let answers: Vec<(Chances, f64)> = answers.filter(|(answers, _)| !answers.is_empty()).collect();
        let total: f64 = answers.iter().map(|(_, weight)| weight).sum();
        let mut chances = Chances::new();
        for (list, chance) in answers.into_iter().flat_map(|(all, weight)| {
            all.into_iter().map(move |(list, chance)| (list, chance * weight / total))
        }) {
            *chances.entry(list).or_default() += chance;
        }
        chances
    }

    fn several(&self, profile: &Profile, eligible: &[&Endpoint], asked: Asked) -> Chances {
        let of = |four: bool| -> Vec<String> {
            let all = eligible.iter().filter(|endpoint| self.can(endpoint, four));
            all.map(|endpoint| endpoint.target.to_string()).collect()
        };
        let family = match asked {
            Asked::A => of(true),
            Asked::Aaaa => of(false),
            Asked::Any if !of(true).is_empty() => of(true),
            Asked::Any => of(false),
            Asked::Other => vec![],
        };
        if eligible.is_empty() || family.is_empty() {
            return if eligible.is_empty() { Chances::new() } else { certain(vec![]) };
        }
        let mut chances = Chances::new();
        for first in 0..family.len() {
            let mut list = family.clone();
            list.rotate_left(first);
            list.truncate(profile.max_return.into());
            *chances.entry(list).or_default() += 1.0 / family.len() as f64;
        }
        chances
    }

    /// What one endpoint answers. Where its name is that of a profile, who asks for one type is told what that answers too.
    fn answer(&self, endpoint: &Endpoint, asked: Asked) -> Chances {
        if let Target::Name(name) = &endpoint.target
            && !matches!(asked, Asked::Any)
            && let Some(to) = self.profiles.values().find(|profile| profile.dns_name == *name)
            && let Some(behind) = self.answers(&to.name, asked)
        {
            let with = |(list, chance)| ([vec![endpoint.target.to_string()], list].concat(), chance);
            return behind.into_iter().map(with).collect();
        }
        let given = match (&endpoint.target, asked) {
            (Target::Profile(child), _) => return self.choose(&self.profiles[child], asked),
            (Target::Name(_), _) => true,
            (Target::V4(_), asked) => matches!(asked, Asked::A | Asked::Any),
            (Target::V6(_), asked) => matches!(asked, Asked::Aaaa | Asked::Any),
        };
        certain(if given { vec![endpoint.target.to_string()] } else { vec![] })
    }
}

/// The enabled endpoint with the smallest range around an address.
fn in_range(profile: &Profile, address: IpAddr) -> Option<&Endpoint> {
    let enabled = profile.endpoints.iter().filter(|endpoint| is_enabled(endpoint));
    let ranges = enabled.flat_map(|endpoint| endpoint.subnets.iter().map(move |range| (range, &**endpoint)));
    let around = ranges.filter(|(range, _)| {
        range.first.is_ipv4() == address.is_ipv4() && (range.first..=range.last).contains(&address)
    });
    around.min_by_key(|(range, _)| range.size()).map(|(_, endpoint)| endpoint)
}

fn certain(list: Vec<String>) -> Chances {
    Chances::from([(list, 1.0)])
}

fn is_enabled(endpoint: &Endpoint) -> bool {
    endpoint.status == Status::Enabled
}

fn is_up(status: &str) -> bool {
    ["Online", "CheckingEndpoint", "Unmonitored"].contains(&status)
}
