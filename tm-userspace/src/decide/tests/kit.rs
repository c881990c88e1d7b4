//! Trees of profiles in a few words.

use std::{sync::Arc, time::SystemTime};

use crate::{
    decide::{Answer, Decision, EndpointStatus, decide},
    desired::{Endpoint, MinChild, Profile, Profiles, RoutingMethod, Status, Target},
    health::{Health, Verdict},
    places::{Choice, Class, Place, View},
    samples,
};

pub(super) const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// An endpoint as the tests write it; its priority is its place in the list unless it says more than 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Given {
    pub(super) enabled: bool,
    pub(super) always: bool,
    pub(super) up: Option<bool>,
    pub(super) priority: u16,
    pub(super) weight: u16,
    /// An address, a name, or a profile with `>` before it; an IPv4 address of its own where it is empty.
    pub(super) target: &'static str,
    /// Any, IPv4, IPv6.
    pub(super) min_child: [u16; 3],
}

pub(super) const UP: Given = Given {
    enabled: true,
    always: false,
    up: Some(true),
    priority: 0,
    weight: 1,
    target: "",
    min_child: [1, 0, 0],
};
pub(super) const DOWN: Given = Given { up: Some(false), ..UP };
pub(super) const NEW: Given = Given { up: None, ..UP };
pub(super) const OFF: Given = Given { enabled: false, ..UP };
pub(super) const ALWAYS: Given = Given { always: true, up: Some(false), ..UP };

/// A nested endpoint; `child` begins with `>`.
pub(super) fn nested(child: &'static str) -> Given {
    Given { target: child, up: None, ..UP }
}

/// Profiles and who is up.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub(super) profiles: Profiles,
    pub(super) health: Health,
}

impl Tree {
    /// With one more profile, whose endpoints are called after it: `a0`, `a1`.
    pub(super) fn and(self, name: &str, method: RoutingMethod, given: &[Given]) -> Self {
        self.and_like(name, method, given, |_| {})
    }

    /// The same, with other settings.
    pub(super) fn and_like(
        mut self,
        name: &str,
        method: RoutingMethod,
        given: &[Given],
        change: impl FnOnce(&mut Profile),
    ) -> Self {
        let endpoint = |(i, given): (usize, &Given)| Endpoint {
            target: match given.target.strip_prefix('>') {
                Some(child) => Target::Profile(child.into()),
                None if given.target.is_empty() => samples::target(&format!("192.0.2.{i}")),
                None => samples::target(given.target),
            },
            status: if given.enabled { Status::Enabled } else { Status::Disabled },
            priority: if given.priority > 0 { given.priority } else { i as u16 + 1 },
            weight: given.weight,
            always_serve: given.always,
            service: None,
            min_child: MinChild {
                endpoints: given.min_child[0],
                ipv4: given.min_child[1],
                ipv6: given.min_child[2],
            },
            ..samples::endpoint(&format!("{name}{i}"), "192.0.2.1")
        };
        let endpoints = given.iter().enumerate().map(endpoint).collect();
        let mut profile =
            Profile { routing_method: method, ..samples::profile(name, samples::monitor(), endpoints) };
        change(&mut profile);
        self.profiles.insert(name.into(), Arc::new(profile));
        for (i, given) in given.iter().enumerate() {
            if let Some(up) = given.up {
                let key = samples::key(name, &format!("{name}{i}"));
                self.health.verdicts.insert(key, Verdict { up, since: NOW, recovered: false });
            }
        }
        self
    }

    pub(super) fn decided(&self, name: &str) -> Decision {
        decide(&self.profiles, &self.profiles[name], &View::anywhere(), &self.health, NOW)
    }

    /// Who answers, as `a0 1, a1 3` or, several at once, `[a0 a1] 1`; `nobody` or `no name`.
    pub(super) fn answers(&self, name: &str) -> String {
        self.answers_to(name, &[])
    }

    /// Who answers clients for whom profiles choose so.
    pub(super) fn answers_to(&self, name: &str, choices: &[(&str, Choice)]) -> String {
        let class =
            Class(choices.iter().map(|(profile, choice)| ((*profile).into(), choice.clone())).collect());
        let view = Arc::new(View::new(vec![], vec![], Place::ANYWHERE, vec![class]));
        let decision = decide(&self.profiles, &self.profiles[name], &view, &self.health, NOW);
        let Some(shares) = decision.places.first() else { return "no name".to_owned() };
        let shares: Vec<String> = shares
            .iter()
            .map(|share| match &share.answer {
                Answer::One(leaf) => format!("{} {}", leaf.endpoint.name, share.weight),
                Answer::Followed(link, to, _) => {
                    format!("{} to {} {}", link.endpoint.name, to.name, share.weight)
                }
                Answer::Several(leaves, most) => {
                    let names: Vec<&str> = leaves.iter().map(|leaf| &*leaf.endpoint.name).collect();
                    format!("[{}] by {most} {}", names.join(" "), share.weight)
                }
            })
            .collect();
        if shares.is_empty() { "nobody".to_owned() } else { shares.join(", ") }
    }

    pub(super) fn statuses(&self, name: &str) -> Vec<EndpointStatus> {
        self.decided(name).endpoints
    }
}

/// One profile, enabled or not.
pub(super) fn alone(method: RoutingMethod, enabled: bool, given: &[Given]) -> Tree {
    let status = if enabled { Status::Enabled } else { Status::Disabled };
    Tree::default().and_like("a", method, given, |profile| profile.status = status)
}
