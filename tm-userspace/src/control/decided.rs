//! From the present state to decisions, to what is filed in the tables, and to all who look at it.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use super::{Control, Published, ahead};
use crate::{
    compile::{Compiled, compile},
    decide::{Decision, decide},
    desired::Profile,
    metrics::Begun,
    names::DnsName,
};

impl Control {
    pub(super) fn decide_all(&mut self) {
        self.decisions = ahead::decide_all(&self.desired, &self.views, &self.health, self.clock.now());
        self.due = self.decisions.values().collect();
    }

    /// Decides for these profiles; gives those whose decision is another one.
    pub(super) fn decide_some(&mut self, profiles: impl IntoIterator<Item = Arc<str>>) -> Vec<Arc<Decision>> {
        let now = self.clock.now();
        let mut changed = vec![];
        for name in profiles {
            let Some(profile) = self.desired.profiles.get(&name) else { continue };
            let decision = Arc::new(self.decide(profile, now));
            self.due.set(&name, decision.until);
            if self.decisions.get(&name) != Some(&decision) {
                self.decisions.insert(name, decision.clone());
                changed.push(decision);
            }
        }
        changed
    }

    fn decide(&self, profile: &Arc<Profile>, now: SystemTime) -> Decision {
        decide(&self.desired.profiles, profile, &self.views.get(&profile.name), &self.health, now)
    }

    pub(super) fn compile<'a>(
        &self,
        decisions: impl IntoIterator<Item = &'a Arc<Decision>>,
    ) -> Vec<(DnsName, Option<Compiled>)> {
        let compiled = |d: &Arc<Decision>| {
            let name = &d.profile.dns_name;
            // Where the profile has no name, others may be below it.
            (name.clone(), compile(d, &self.tree).or_else(|| self.tree.at(name)))
        };
        decisions.into_iter().map(compiled).collect()
    }

    /// Puts changed decisions into the tables, then tells everybody.
    pub(super) fn apply(&mut self, changed: &[Arc<Decision>], began: Instant) {
        if changed.is_empty() {
            return;
        }
        self.write(&self.compile(changed));
        let took = began.elapsed();
        self.meters.published(Begun::Decision, took);
        let took_us = took.as_micros() as u64;
        self.publish();
        tracing::info!(profiles = changed.len(), first = %changed[0].profile.name, took_us, "decision published");
    }

    pub(super) fn publish(&self) {
        self.published.send_replace(Arc::new(Published {
            generation: self.desired.generation,
            decisions: self.decisions.clone(),
            listening: self.listening.clone(),
            is_armed: self.is_armed(),
        }));
    }
}
