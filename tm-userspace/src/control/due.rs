//! Which decisions change by themselves, and when: what arms the task's timer.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::SystemTime,
};

use crate::decide::Decision;

/// At most one time for each profile.
#[derive(Debug, Default)]
pub(super) struct Due {
    by_time: BTreeSet<(SystemTime, Arc<str>)>,
    by_profile: HashMap<Arc<str>, SystemTime>,
}

impl Due {
    /// When the decision on `profile` changes next by itself, if it does.
    pub(super) fn set(&mut self, profile: &Arc<str>, at: Option<SystemTime>) {
        if let Some(before) = self.by_profile.remove(profile) {
            self.by_time.remove(&(before, profile.clone()));
        }
        if let Some(at) = at {
            self.by_profile.insert(profile.clone(), at);
            self.by_time.insert((at, profile.clone()));
        }
    }

    /// When the first of them changes.
    pub(super) fn next(&self) -> Option<SystemTime> {
        self.by_time.first().map(|(at, _)| *at)
    }

    /// Profiles whose time has come at `now`. They stay until another time is set for them.
    pub(super) fn until(&self, now: SystemTime) -> BTreeSet<Arc<str>> {
        self.by_time.iter().take_while(|(at, _)| *at <= now).map(|(_, profile)| profile.clone()).collect()
    }
}

impl<'a> FromIterator<&'a Arc<Decision>> for Due {
    fn from_iter<I: IntoIterator<Item = &'a Arc<Decision>>>(decisions: I) -> Self {
        let mut due = Due::default();
        for decision in decisions {
            due.set(&decision.profile.name, decision.until);
        }
        due
    }
}
