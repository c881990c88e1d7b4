//! New tables put in the place of those in use, in one step, with whatever has happened since they were begun. Counts are carried over.

use std::{any::Any, sync::Arc, time::Instant};

use tokio::sync::mpsc;

use super::{
    Control, Counted, Tables,
    ahead::{Fresh, Made},
    counted::Sums,
};
use crate::{
    listen::Listening,
    sync::Image,
    xdp::{Barrier, Kernel},
};

/// What is left to do when new tables are in place: it waits for the kernel, and takes its time.
pub(super) struct Settling {
    tables: Tables,
    barrier: Option<Barrier>,
    barriers: mpsc::UnboundedSender<Barrier>,
    /// What counted before.
    after: Counted,
    /// What of it was carried over.
    loaded: Sums,
    /// What nobody needs any more, and is large.
    gone: Vec<Box<dyn Any + Send>>,
}

impl Control {
    /// Goes over to what was made, and to these tables.
    pub(super) fn adopt(&mut self, made: Made, mut fresh: Fresh, began: Instant) -> Settling {
        let before = std::mem::replace(&mut self.desired, made.desired);
        let views = std::mem::replace(&mut self.views, made.views);
        let decisions = std::mem::replace(&mut self.decisions, fresh.decisions);
        (self.zones, self.tree, self.ancestors, self.due) =
            (fresh.zones, fresh.tree, fresh.ancestors, fresh.due);
        self.listening = Listening::of(&self.desired.node.listen, &self.host);
        // What has happened since.
        let health = std::mem::replace(&mut self.health, made.health);
        let mut touched = self.see(health);
        touched.extend(self.due.until(self.clock.now()));
        let changed = self.decide_some(self.ancestors.with(touched));
        let mut compiled = self.compile(&changed);
        compiled.extend(self.listen());
        let changes = fresh.image.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        self.needs_tables = made.is_refused || fresh.image.homeless() > 0;
        self.put_addresses(&mut fresh.image);
        fresh.image.set_frozen(self.frozen(&self.desired, &self.listening));
        self.put_clients(&mut fresh.image);
        if let Some(kernel) = &mut fresh.kernel {
            kernel.copy(&fresh.image, &changes);
            kernel.set_addresses(&fresh.image);
            kernel.set_cookies(&fresh.image);
            kernel.set_allowed(&fresh.image);
            self.needs_tables |= !kernel.holds(&fresh.image);
            if let Some(pins) = &self.pins
                && let Err(error) = kernel.pin(pins)
            {
                tracing::warn!(error = format!("{error:#}"), "the programs will not outlive this process");
            }
        }
        let mut settling = self.put_in_place(fresh.image, fresh.kernel, fresh.counted, fresh.filled);
        self.attach();
        self.forget_endpoints(before.profiles.values());
        match Arc::ptr_eq(&before, &self.desired) {
            true => self.publish(),
            false => self.publish_desired(&before, began),
        }
        settling.gone.extend([Box::new((before, views, decisions)) as Box<dyn Any + Send>]);
        settling
    }

    /// `counted` is what came before the first tables.
    fn put_in_place(
        &self,
        mut fresh: Image,
        mut kernel: Option<Kernel>,
        counted: Option<Counted>,
        filled: Sums,
    ) -> Settling {
        let before = counted.clone().unwrap_or_else(|| Counted::of_tables(&self.tables));
        let loaded = before.now();
        loaded.add_answers_since(&filled, &mut fresh);
        let barrier = kernel.as_mut().and_then(Kernel::take_barrier);
        let mut image = self.tables.image_mut();
        let mut slot = self.tables.kernel();
        let mut old = slot.take();
        match (&mut kernel, &mut old) {
            (Some(new), Some(old)) => new.replace(old),
            (None, Some(old)) => old.detach_all(),
            (_, None) => {}
        }
        let old_image = std::mem::replace(&mut *image, fresh);
        *slot = kernel;
        self.tables.add_packets(&slot, loaded.packets_since(&Sums::default()));
        drop(slot);
        drop(image);
        let after = counted.unwrap_or_else(|| Counted::of(&old_image, before.counters));
        Settling {
            tables: self.tables.clone(),
            barrier,
            barriers: self.barriers.clone(),
            after,
            loaded,
            gone: vec![Box::new((old, old_image))],
        }
    }
}

impl Settling {
    /// The old program gets no more packets. What it counted since goes the way of the rest, once those it has are done.
    pub(super) fn settle(mut self) {
        let waited = self.barrier.as_mut().map(Barrier::wait);
        if let Some(Err(error)) = waited {
            tracing::debug!(error = format!("{error:#}"), "a few packets may not have been counted");
        }
        let done = self.after.now();
        done.add_answers_since(&self.loaded, &mut self.tables.image_mut());
        self.tables.add_packets(&self.tables.kernel(), done.packets_since(&self.loaded));
        if let Some(barrier) = self.barrier {
            // Fails only where the thread is gone, at shutdown.
            let _ = self.barriers.send(barrier);
        }
        tracing::info!("the new tables are in place");
    }
}
