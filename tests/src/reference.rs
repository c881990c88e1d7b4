//! Who should answer, by Azure's rules and nothing else: a plain walk over the profiles, for clarity and not for speed. It shares nothing with `decide` and `compile` but the types
//! of the configuration; chances are fractions, answers are lists of targets in the order in which they are given.

use std::collections::BTreeMap;

use tm_userspace::desired::{Endpoint, Profile, Profiles, RoutingMethod, Status, Target};

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

/// The world as the rules see it.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    /// What is wanted.
    pub profiles: &'a Profiles,
    /// Who is up.
    pub verdicts: &'a Verdicts,
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
        let mut chances = Chances::new();
        self.choose(profile, asked, 1.0, &mut chances);
        if chances.is_empty() {
            chances.insert(vec![], 1.0);
        }
        Some(chances)
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

    /// Shares `chance` out.
    fn choose(&self, profile: &Profile, asked: Asked, chance: f64, chances: &mut Chances) {
        let eligible = self.eligible(profile);
        match profile.routing_method {
            RoutingMethod::Priority => {
                if let Some(first) = eligible.iter().min_by_key(|endpoint| endpoint.priority) {
                    self.answer(first, asked, chance, chances);
                }
            }
            RoutingMethod::Weighted => {
                let total: u32 = eligible.iter().map(|endpoint| u32::from(endpoint.weight)).sum();
                for endpoint in &eligible {
                    let part = match total {
                        0 => 1.0 / eligible.len() as f64,
                        total => f64::from(endpoint.weight) / f64::from(total),
                    };
                    if part > 0.0 {
                        self.answer(endpoint, asked, chance * part, chances);
                    }
                }
            }
            RoutingMethod::Subnet | RoutingMethod::Geographic | RoutingMethod::Performance => {
                unreachable!("nobody here looks at the client")
            }
            RoutingMethod::MultiValue => {
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
                if family.is_empty() && !eligible.is_empty() {
                    *chances.entry(vec![]).or_default() += chance;
                }
                for first in 0..family.len() {
                    let mut list = family.clone();
                    list.rotate_left(first);
                    list.truncate(profile.max_return.into());
                    *chances.entry(list).or_default() += chance / family.len() as f64;
                }
            }
        }
    }

    /// What one endpoint answers. Where its name is that of a profile, who asks for addresses is told what that answers too.
    fn answer(&self, endpoint: &Endpoint, asked: Asked, chance: f64, chances: &mut Chances) {
        if let Target::Name(name) = &endpoint.target
            && matches!(asked, Asked::A | Asked::Aaaa)
            && let Some(to) = self.profiles.values().find(|profile| profile.dns_name == *name)
            && let Some(behind) = self.answers(&to.name, asked)
        {
            for (list, part) in behind {
                let list = [vec![endpoint.target.to_string()], list].concat();
                *chances.entry(list).or_default() += chance * part;
            }
            return;
        }
        let given = match (&endpoint.target, asked) {
            (Target::Profile(child), _) => return self.choose(&self.profiles[child], asked, chance, chances),
            (Target::Name(_), _) => true,
            (Target::V4(_), asked) => matches!(asked, Asked::A | Asked::Any),
            (Target::V6(_), asked) => matches!(asked, Asked::Aaaa | Asked::Any),
        };
        let list = if given { vec![endpoint.target.to_string()] } else { vec![] };
        *chances.entry(list).or_default() += chance;
    }
}

fn is_enabled(endpoint: &Endpoint) -> bool {
    endpoint.status == Status::Enabled
}

fn is_up(status: &str) -> bool {
    ["Online", "CheckingEndpoint", "Unmonitored"].contains(&status)
}
