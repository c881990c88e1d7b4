//! What was decided and compiled, put into the tables: in place, or into new ones where they are full or have to be other ones.

use super::{Control, Counted, REPAIR_INTERVAL, counted::Sums};
use tm_common::tables::Lookup as _;

use crate::{
    compile::Compiled,
    desired::XdpMode,
    names::DnsName,
    sync::{Image, buckets_for},
    xdp::{Barrier, Kernel},
};

impl Control {
    pub(super) fn write(&mut self, changes: &[(DnsName, Option<Compiled>)]) {
        let mut image = self.tables.image_mut();
        let changed = image.apply(changes.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        let mut outgrown = image.homeless() > 0;
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.copy(&image, &changed);
            outgrown |= !kernel.holds(&image);
        }
        drop(image);
        if outgrown {
            tracing::info!("the tables are full, making larger ones");
            self.rebuild();
        }
    }

    /// Makes all tables anew beside the old ones, fills them, and puts them in their place in one step. Counts are carried over.
    pub(super) fn rebuild(&mut self) {
        let listen = &self.desired.node.listen;
        let compiled = self.compile_all();
        let names = compiled.iter().filter(|(_, compiled)| compiled.is_some()).count();
        let mut buckets = buckets_for(names.max(self.desired.node.capacity as usize));
        let mut fresh = loop {
            let seed =
                std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), buckets);
            let mut fresh = Image::new(buckets, listen.port, seed, &listen.vlans);
            fresh.apply(compiled.iter().map(|(name, compiled)| (name, compiled.as_ref())));
            if fresh.homeless() == 0 {
                break fresh;
            }
            buckets = buckets.saturating_mul(2);
        };
        let (served, own) = self.listening.keys();
        warn_left_out(fresh.set_addresses(&served, &own));
        fresh.set_link(self.listening.link.unwrap_or_else(|| self.tables.image().link()));
        let is_first = self.before.is_some();
        let before = self.before.take().unwrap_or_else(|| {
            Counted::of(&self.tables.image(), self.tables.kernel().as_ref().map(Kernel::counters))
        });
        let filled = before.now();
        filled.add_answers_since(&Sums::default(), &mut fresh);

        let mut kernel = self.load(&fresh);
        let loaded = before.now();
        loaded.add_answers_since(&filled, &mut fresh);
        let mut barrier = kernel.as_mut().and_then(Kernel::take_barrier);
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
        self.attach();

        // Now the old program gets no more packets. What it counted since goes the same way, once those it has are done.
        let waited = barrier.as_mut().map(Barrier::wait);
        if let Some(Err(error)) = waited {
            tracing::debug!(error = format!("{error:#}"), "a few packets may not have been counted");
        }
        let after = if is_first { before } else { Counted::of(&old_image, before.counters) };
        let done = after.now();
        done.add_answers_since(&loaded, &mut self.tables.image_mut());
        self.tables.add_packets(&self.tables.kernel(), done.packets_since(&loaded));
        if let Some(barrier) = barrier {
            // Fails only where the thread is gone, at shutdown.
            let _ = self.barriers.send(barrier);
        }
    }

    /// Programs and tables of this image in the kernel, if XDP is wanted and can be had.
    fn load(&self, image: &Image) -> Option<Kernel> {
        if self.desired.node.listen.mode == XdpMode::Off {
            return None;
        }
        let mut kernel = Kernel::load(image)
            .inspect_err(|error| {
                tracing::error!(
                    error = format!("{error:#}"),
                    "XDP does not answer; the sockets answer everything; trying again every {} s",
                    REPAIR_INTERVAL.as_secs()
                );
            })
            .ok()?;
        if let Some(pins) = &self.pins
            && let Err(error) = kernel.pin(pins)
        {
            tracing::warn!(error = format!("{error:#}"), "the programs will not outlive this process");
        }
        Some(kernel)
    }

    /// Puts the addresses into all tables; those of cards are the programs', which are loaded anew for others.
    pub(super) fn set_addresses(&mut self) {
        self.note_addresses();
        let image = self.tables.image();
        let holds = self.tables.kernel().as_ref().is_none_or(|kernel| {
            kernel.set_addresses(&image);
            kernel.holds(&image)
        });
        drop(image);
        if !holds {
            tracing::info!("the interfaces have other addresses on their links, loading the programs anew");
            self.rebuild();
        }
    }

    /// Puts the addresses into the daemon's tables; the kernel's still have to follow.
    pub(super) fn note_addresses(&mut self) {
        let (served, own) = self.listening.keys();
        let mut image = self.tables.image_mut();
        warn_left_out(image.set_addresses(&served, &own));
        if let Some(link) = self.listening.link {
            image.set_link(link);
        }
    }
}

fn warn_left_out(addresses: Vec<tm_common::tables::Address>) {
    if !addresses.is_empty() {
        tracing::warn!(
            addresses = addresses.len(),
            "too many addresses with the same hash; the sockets answer at the rest"
        );
    }
}
