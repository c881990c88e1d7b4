//! A table's elements with what is free of them.

use std::collections::HashMap;

/// Elements by index. Index 0 stays as it was made: it is what a word that was never written leads to.
#[derive(Debug)]
pub struct Store<T> {
    items: Vec<T>,
    empty: T,
    /// Runs that may be used, by length.
    free: HashMap<u32, Vec<u32>>,
    /// Runs given up that somebody may still be reading.
    retired: Vec<(u32, u32)>,
    /// Those of them that were given up before the wait for readers began that is under way.
    waiting: Vec<(u32, u32)>,
}

impl<T: Clone> Store<T> {
    /// A table of one unused element.
    pub(super) fn new(empty: T) -> Self {
        Self::of(empty, 1)
    }

    /// A table of so many unused elements.
    pub(super) fn of(empty: T, count: u32) -> Self {
        Store {
            items: vec![empty.clone(); count as usize],
            empty,
            free: HashMap::new(),
            retired: vec![],
            waiting: vec![],
        }
    }

    /// The element, if there is one.
    pub fn get(&self, index: u32) -> Option<&T> {
        self.items.get(index as usize)
    }

    /// How many elements there are, used or not.
    pub fn len(&self) -> u32 {
        self.items.len() as u32
    }

    /// Is there nothing but the unused element?
    pub fn is_empty(&self) -> bool {
        self.items.len() == 1
    }

    pub(super) fn put(&mut self, index: u32, item: T) {
        self.items[index as usize] = item;
    }

    /// The first of `count` elements in a row that nothing leads to.
    pub(super) fn take(&mut self, count: u32) -> u32 {
        if let Some(first) = self.free.get_mut(&count).and_then(Vec::pop) {
            return first;
        }
        let first = self.len();
        self.items.resize((first + count) as usize, self.empty.clone());
        first
    }

    /// Gives up elements that nothing leads to any more.
    pub(super) fn retire(&mut self, first: u32, count: u32) {
        self.retired.push((first, count));
    }

    /// Says that a wait for all readers begins: what was given up until now may be freed when it ends.
    pub(super) fn begin_wait(&mut self) {
        self.waiting.append(&mut self.retired);
    }

    /// Frees what had been given up when the last wait began.
    pub(super) fn reclaim(&mut self) {
        for (first, count) in self.waiting.drain(..) {
            self.free.entry(count).or_default().push(first);
        }
    }

    pub(super) fn has_retired(&self) -> bool {
        !self.retired.is_empty()
    }
}
