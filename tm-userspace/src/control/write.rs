//! What was decided and compiled, put into the tables: in place, or into new ones where they are full or have to be other ones.

use super::Control;
use crate::{
    compile::Compiled,
    desired::XdpMode,
    names::DnsName,
    sync::{Image, buckets_for},
    xdp::Kernel,
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
        {
            let old = self.tables.image();
            let kernel = self.tables.kernel();
            for (endpoint, counter, count) in old.counters() {
                let in_kernel = kernel.as_ref().map_or(0, |kernel| kernel.answered(counter));
                fresh.add_count(endpoint, count + in_kernel);
            }
        }
        let kernel = match listen.mode {
            XdpMode::Off => None,
            _ => match Kernel::load(&fresh) {
                Ok(kernel) => Some(kernel),
                Err(error) => {
                    tracing::error!(
                        error = format!("{error:#}"),
                        "XDP does not answer; the sockets answer everything"
                    );
                    None
                }
            },
        };
        let mut image = self.tables.image_mut();
        let mut slot = self.tables.kernel();
        *image = fresh;
        let mut old = slot.take();
        if let Some(mut new) = kernel {
            if let Some(old) = &mut old
                && let Err(error) = new.replace(old)
            {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot hand an interface over to the new program"
                );
            }
            if let Some(barrier) = new.take_barrier() {
                // Fails only where the thread is gone, at shutdown.
                let _ = self.barriers.send(barrier);
            }
            *slot = Some(new);
        }
        drop(slot);
        drop(image);
        drop(old);
        self.attach();
    }

    /// Puts the addresses into all tables.
    pub(super) fn set_addresses(&mut self) {
        self.note_addresses();
        let image = self.tables.image();
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.set_addresses(&image);
        }
    }

    /// Puts the addresses into the daemon's tables; the kernel's still have to follow.
    pub(super) fn note_addresses(&mut self) {
        let (served, own) = self.listening.keys();
        warn_left_out(self.tables.image_mut().set_addresses(&served, &own));
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
