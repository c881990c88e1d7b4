//! The full pass of the slow timer: everything is decided, compiled, compared and put right, whatever was lost.
//!
//! It is made slice by slice, so that a flip that comes meanwhile waits for one slice and not for the pass. Each slice looks at the inputs as they are
//! then, and what changes behind it has been dealt with as a change.

use std::{
    ops::Bound::{Excluded, Unbounded},
    sync::Arc,
};

use super::Control;
use crate::xdp;

/// What is still to be done.
#[derive(Debug)]
pub(super) enum Repair {
    /// Profiles behind this one.
    Profiles(Arc<str>),
    /// Elements of the kernel's tables.
    Elements(xdp::Repair),
}

/// Profiles in one slice: about a quarter of a millisecond.
pub(super) const SLICE: usize = 16;

impl Control {
    /// What needs no slices, and where to go on.
    pub(super) fn begin_repair(&mut self) -> Repair {
        // What kept programs from loading may be over.
        self.is_refused = false;
        // No name is before the empty one.
        Repair::Profiles("".into())
    }

    /// One slice, and what is left then.
    pub(super) fn go_on_with(&mut self, repair: Repair) -> Option<Repair> {
        match repair {
            Repair::Profiles(last) => Some(self.repair_profiles(&last)),
            Repair::Elements(elements) => self.repair_elements(elements),
        }
    }

    fn repair_profiles(&mut self, last: &str) -> Repair {
        let behind = self.desired.profiles.range::<_, str>((Excluded(last), Unbounded));
        let names: Vec<Arc<str>> = behind.take(SLICE).map(|(name, _)| name.clone()).collect();
        let Some(last) = names.last().cloned() else {
            // The names that are no profile's, with the serial of now.
            let others: Vec<_> = self.tree.all().map(|(name, compiled)| (name, Some(compiled))).collect();
            self.write(&others);
            self.put_addresses(&mut self.tables.image_mut());
            self.attach();
            return Repair::Elements(xdp::Repair::default());
        };
        let changed = self.decide_some(names.iter().cloned());
        self.write(&self.compile(names.iter().filter_map(|name| self.decisions.get(name))));
        if !changed.is_empty() {
            self.publish();
        }
        Repair::Profiles(last)
    }

    fn repair_elements(&mut self, mut elements: xdp::Repair) -> Option<Repair> {
        let image = self.tables.image();
        let is_left =
            self.tables.kernel().as_ref().is_some_and(|kernel| kernel.repair(&image, &mut elements));
        drop(image);
        if is_left {
            return Some(Repair::Elements(elements));
        }
        if elements.differed > 0 {
            tracing::warn!(elements = elements.differed, "the kernel's tables differed and were repaired");
        }
        self.publish();
        None
    }
}
