//! What each input brings: what was decided holds no longer, flips and orders, places, a configuration, the host's interfaces. Each is compared with what was there, and what differs is decided on
//! and put into the tables in use.

use std::{collections::BTreeSet, sync::Arc, time::Instant};

use imbl::ordmap::DiffItem;

use super::Control;
use crate::{
    compile::{Compiled, Tree, Zones},
    decide::Ancestors,
    desired::{Desired, Profile},
    health::Health,
    listen::{Host, Listening},
    metrics::Begun,
    names::DnsName,
    places::Views,
};

impl Control {
    /// What was decided until now holds no longer.
    pub(super) fn take_due(&mut self) {
        let began = Instant::now();
        let changed = self.decide_some(self.due.until(self.clock.now()));
        self.apply(&changed, began);
    }

    /// Flips and orders: only their profiles, and those in which they are nested, are decided anew.
    pub(super) fn take_health(&mut self, health: Health) {
        let began = Instant::now();
        let before = self.health.clone();
        let touched = self.see(health);
        let changed = self.decide_some(self.ancestors.with(touched));
        self.apply(&changed, began);
        if !changed.is_empty() {
            self.time_verdicts(&before);
        }
    }

    /// Goes over to another health; gives the profiles that it is another one for.
    pub(super) fn see(&mut self, health: Health) -> BTreeSet<Arc<str>> {
        let before = std::mem::replace(&mut self.health, health);
        let ordered = before.orders.differing(&self.health.orders).into_iter().map(|key| key.profile);
        let flipped = before.verdicts.diff(&self.health.verdicts).map(|item| match item {
            DiffItem::Add(key, _) | DiffItem::Remove(key, _) => key.profile.clone(),
            DiffItem::Update { old: (key, _), .. } => key.profile.clone(),
        });
        flipped.chain(ordered).collect()
    }

    /// Clients are placed otherwise than they were.
    pub(super) fn take_views(&mut self, views: Views, began: Instant) {
        let placed: Vec<Arc<str>> = views.differing(&self.views).cloned().collect();
        self.views = views;
        let changed = self.decide_some(placed);
        self.apply(&changed, began);
    }

    /// A new configuration, whose views are these: everything that differs from the one before.
    pub(super) fn take_desired(&mut self, desired: Arc<Desired>, views: Views) {
        let began = Instant::now();
        let before = std::mem::replace(&mut self.desired, desired);
        self.views = views;
        let same_places = before.atlas.as_ref().map(Arc::as_ptr)
            == self.desired.atlas.as_ref().map(Arc::as_ptr)
            && Arc::ptr_eq(&before.overrides, &self.desired.overrides);
        if same_places && before.node == self.desired.node && self.take_changes(&before) {
            return self.publish_desired(&before, began);
        }
        self.zones = Arc::new(Zones::of(&self.desired));
        self.ancestors = Ancestors::of(&self.desired.profiles);
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        let tree = Tree::of(&self.desired, self.zones.clone(), &self.listening.served);
        let tree_before = std::mem::replace(&mut self.tree, tree);
        self.decide_all();
        // The serial has changed, and with it every negative answer: all names are compiled again. Names are given up first, so that a
        // name that moved from one profile to another is there in the end.
        let moved = before.profiles.iter().filter(|(name, profile)| {
            self.desired.profiles.get(*name).is_none_or(|now| now.dns_name != profile.dns_name)
        });
        let mut changes: Vec<(DnsName, Option<Compiled>)> =
            moved.map(|(_, profile)| (profile.dns_name.clone(), None)).collect();
        let gone = tree_before.all().map(|(name, _)| name).filter(|name| self.tree.at(name).is_none());
        changes.extend(gone.map(|name| (name, None)));
        changes.extend(self.compile(self.decisions.values()));
        changes.extend(self.tree.all().map(|(name, compiled)| (name, Some(compiled))));
        self.write(&changes);
        self.set_addresses();
        self.set_clients();
        self.attach();
        self.forget_endpoints(before.profiles.values());
        self.publish_desired(&before, began);
    }

    /// Gives up the counts of endpoints of these profiles that are there no longer.
    pub(super) fn forget_endpoints<'a>(&self, before: impl Iterator<Item = &'a Arc<Profile>>) {
        let mut image = self.tables.image_mut();
        for (profile, endpoint) in
            before.flat_map(|profile| profile.endpoints.iter().map(move |endpoint| (profile, endpoint)))
        {
            let known = |now: &Arc<Profile>| now.endpoints.iter().any(|e| e.name == endpoint.name);
            if !self.desired.profiles.get(&profile.name).is_some_and(known) {
                image.forget_endpoint(&profile.key(endpoint));
            }
        }
    }

    /// It was `before` until now.
    pub(super) fn publish_desired(&self, before: &Desired, began: Instant) {
        if before.node.state_dir != self.desired.node.state_dir
            || before.node.listen.pins != self.desired.node.listen.pins
        {
            tracing::warn!("another `state_dir` or `pins` takes effect at the next start");
        }
        self.publish();
        self.meters.published(Begun::Configuration, began.elapsed());
        tracing::info!(
            generation = self.desired.generation,
            profiles = self.desired.profiles.len(),
            took_us = began.elapsed().as_micros() as u64,
            "configuration published"
        );
    }

    pub(super) fn take_host(&mut self, host: Host) {
        self.host = host;
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        let servers = self.listen();
        self.write(&servers);
        self.set_addresses();
        self.attach();
        self.publish();
    }

    /// Takes in where it is listened now: what is at the names of servers whose addresses are others, and at those that lead there.
    pub(super) fn listen(&mut self) -> Vec<(DnsName, Option<Compiled>)> {
        let servers = self.tree.listen(&self.desired, &self.listening.served);
        let leading = self.ancestors.with(self.tree.leading_to(&servers));
        let mut changes = self.compile(leading.iter().filter_map(|name| self.decisions.get(name)));
        changes.extend(servers.into_iter().map(|name| (name.clone(), self.tree.at(&name))));
        changes
    }
}
