//! Why a profile answers as it does to one class of clients: the walk of `decide`, with what it met on its way.
//!
//! Nothing is decided here. Shares are those of the walk; states are those of `eligible`'s first table; why one that may answer does or does not is the method's word, from
//! its own pick.

use std::{sync::Arc, time::SystemTime};

use super::{
    EndpointStatus, LINKS, ProfileStatus, Ruling, Walk, eligible::Why, geographic, multivalue, nested, part,
    performance, priority, status::Standing, subnet, weighted,
};
use crate::{
    desired::{Endpoint, Profile, Profiles, RoutingMethod, Status},
    health::Health,
    places::{Choice, Class},
};

/// A profile on the way to the answer.
#[derive(Clone, Debug)]
pub struct Step {
    /// The profile.
    pub profile: Arc<Profile>,
    /// What to call its state.
    pub status: ProfileStatus,
    /// What it chooses for these clients, whatever the health; none where it does not look at them.
    pub choice: Option<Choice>,
    /// Why nobody answers, where nobody does.
    pub nobody: Option<String>,
    /// By endpoint, in the profile's order.
    pub candidates: Vec<Candidate>,
}

/// An endpoint, and why it answers or does not.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// What to call its state.
    pub status: EndpointStatus,
    /// What the rules make of it.
    pub ruling: Ruling,
    /// The part of its profile's answers that it is in, 0 to 1, as [`part`] has it.
    pub part: f64,
    /// In words.
    pub reason: String,
    /// The profile that it leads to: nested in it, or followed by its name.
    pub below: Option<Step>,
}

/// Explains what `decide` decides for one class of clients at `now`. `follow` says whether names in the zone are gone on behind, as for who asks for addresses.
pub fn explain(
    profiles: &Profiles,
    profile: &Arc<Profile>,
    class: &Class,
    health: &Health,
    now: SystemTime,
    follow: bool,
) -> Step {
    let standing = Standing::of(profiles, profile, health, now);
    Walk { profiles, health, now, class }.explain(&standing, if follow { LINKS } else { 0 })
}

impl Walk<'_> {
    fn explain(&self, standing: &Standing<'_>, links: usize) -> Step {
        let profile = standing.profile;
        let choice = self.class.choice(&profile.name);
        let shares = if profile.exists() { self.shares(standing, links) } else { vec![] };
        let candidate = |(index, endpoint): (usize, &Arc<Endpoint>)| {
            let part = part(profile, &shares, index);
            let below = match &standing.children[index] {
                Some(child) => Some(self.explain(child, links)),
                None => self.follow_to(endpoint, links).filter(|_| part > 0.0).map(|to| {
                    self.explain(&Standing::of(self.profiles, to, self.health, self.now), links - 1)
                }),
            };
            let state = self.state(standing, index, part > 0.0);
            let reason = match by_method(standing, choice, index) {
                Some(reason) => format!("{state}; {reason}"),
                None => state,
            };
            Candidate {
                endpoint: endpoint.clone(),
                status: standing.endpoints[index],
                ruling: standing.rulings[index],
                part,
                reason,
                below,
            }
        };
        Step {
            profile: profile.clone(),
            status: standing.status,
            choice: choice.filter(|_| profile.exists()).cloned(),
            nobody: shares.is_empty().then(|| nobody(standing, choice)),
            candidates: profile.endpoints.iter().enumerate().map(candidate).collect(),
        }
    }

    /// An endpoint's state, and what follows from it for whether it answers.
    fn state(&self, standing: &Standing<'_>, index: usize, answers: bool) -> String {
        let endpoint = &standing.profile.endpoints[index];
        let ruling = &standing.rulings[index];
        let held = || ruling.held.map(|held| held.to_string()).unwrap_or_default();
        let child = standing.children[index].as_ref();
        let available = || child.map(|child| nested::reason(child, endpoint.min_child));
        match standing.candidates.line(index) {
            Why::Off => match (standing.endpoints[index], &endpoint.target, child) {
                (EndpointStatus::Disabled, ..) => "disabled in the configuration".to_owned(),
                (EndpointStatus::Inactive, ..) => "its profile is disabled".to_owned(),
                (_, _, Some(child)) if child.status == ProfileStatus::Disabled => {
                    format!("profile {} is disabled", child.profile.name)
                }
                (_, target, _) => format!("profile {target} has no endpoint in use"),
            },
            Why::Empty => format!("nobody in profile {} may answer", endpoint.target),
            Why::LastResort => match (ruling.forced, answers) {
                (Some(forced), false) if !forced.up => forced_words(ruling),
                (_, true) => "last resort: all others are down".to_owned(),
                (_, false) => "last resort: answers when all others are down".to_owned(),
            },
            Why::Forced(_) => forced_words(ruling),
            Why::Unknown => match (standing.endpoints[index], available()) {
                (_, Some(available)) => format!("not known yet: {available}"),
                (EndpointStatus::Unmonitored, None) => "always served, never probed".to_owned(),
                (_, None) => "in until its probes have told".to_owned(),
            },
            Why::HeldBack if answers => format!("{}, but nobody else may answer", held()),
            Why::HeldBack | Why::Kept => held(),
            Why::Up => available().unwrap_or_else(|| "up".to_owned()),
            Why::Down => {
                let down =
                    available().map_or_else(|| "down".to_owned(), |available| format!("down: {available}"));
                if answers { format!("{down}, as all are that could answer") } else { down }
            }
        }
    }
}

/// Why an endpoint answers or does not, of those that could.
fn by_method(standing: &Standing<'_>, choice: Option<&Choice>, index: usize) -> Option<String> {
    let (profile, eligible) = (standing.profile, standing.eligible.as_slice());
    let may = eligible.contains(&index);
    // What a client's place says of an endpoint counts whatever its state.
    let is_enabled = profile.endpoints[index].status == Status::Enabled;
    match profile.routing_method {
        RoutingMethod::Priority => may.then(|| priority::reason(profile, eligible, index)),
        RoutingMethod::Weighted => may.then(|| weighted::reason(profile, eligible, &standing.rulings, index)),
        RoutingMethod::MultiValue => may.then(|| multivalue::reason(profile, eligible, index)),
        RoutingMethod::Subnet => is_enabled.then(|| subnet::reason(standing, choice, index)),
        RoutingMethod::Geographic => is_enabled.then(|| geographic::reason(standing, choice, index)),
        RoutingMethod::Performance => may.then(|| performance::reason(standing, choice, index)),
    }
}

/// Why nobody answers.
fn nobody(standing: &Standing<'_>, choice: Option<&Choice>) -> String {
    let profile = standing.profile;
    if profile.status == Status::Disabled {
        return "the profile is disabled".to_owned();
    }
    if !profile.exists() {
        return "none of its endpoints is enabled".to_owned();
    }
    if !standing.eligible.is_empty() && choice.is_some() {
        return "no endpoint that may answer is for this client".to_owned();
    }
    match standing.candidates.none_when_down() {
        true => "all are down, and `when_all_down` is \"none\"".to_owned(),
        false => "no endpoint may answer".to_owned(),
    }
}

fn forced_words(ruling: &Ruling) -> String {
    Ruling { held: None, ramp: None, last_resort: false, ..*ruling }.notes().join("")
}
