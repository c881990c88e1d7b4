//! How large the tables are, and how large to make them.

/// How many elements each table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// A power of two.
    pub buckets: u32,
    /// Short names.
    pub entries: u32,
    /// Long names.
    pub long_entries: u32,
    /// Lines of the views' nodes.
    pub nodes: u32,
    /// Blocks chosen by place.
    pub blocks: u32,
    /// Slots.
    pub slots: u32,
    /// Answers of the small class.
    pub small: u32,
    /// Answers of the medium class.
    pub medium: u32,
    /// Answers of the large class.
    pub large: u32,
    /// Turns.
    pub turns: u32,
    /// Counters.
    pub counters: u32,
}

impl Sizes {
    /// Twice as many of everything, and at least some: what to make for tables that are to grow for a while. Of nodes only a quarter again, since theirs is the
    /// table that may take a hundred megabytes; but where there are large views, eight pairs of roots, which each change of one takes until nobody reads the old ones.
    pub fn with_headroom(self) -> Self {
        /// Lines of a large view's roots.
        const ROOTS: u32 = 2 * (1 << 16) / 16;
        /// Who is in answers of several comes and goes, and counters are not used again.
        const COUNTERS: u32 = 4096;
        let more = |size: u32| size.saturating_mul(2).max(256);
        let least = if self.nodes > ROOTS { 8 * ROOTS } else { 4096 };
        Sizes {
            buckets: self.buckets,
            entries: more(self.entries),
            long_entries: more(self.long_entries),
            nodes: self.nodes.saturating_add((self.nodes / 4).max(least)),
            blocks: more(self.blocks),
            slots: more(self.slots),
            small: more(self.small),
            medium: more(self.medium),
            large: more(self.large),
            turns: more(self.turns),
            counters: more(self.counters).max(COUNTERS),
        }
    }

    /// Does all of `other` fit in?
    pub fn hold(self, other: Sizes) -> bool {
        self.buckets == other.buckets
            && self.entries >= other.entries
            && self.long_entries >= other.long_entries
            && self.nodes >= other.nodes
            && self.blocks >= other.blocks
            && self.slots >= other.slots
            && self.small >= other.small
            && self.medium >= other.medium
            && self.large >= other.large
            && self.turns >= other.turns
            && self.counters >= other.counters
    }
}

/// Buckets for so many names: with eight places each, one in a million is full when they hold two names on average for three of them.
pub fn buckets_for(names: usize) -> u32 {
    let names = u32::try_from(names).unwrap_or(u32::MAX / 2);
    names.max(512).checked_next_power_of_two().unwrap_or(1 << 31)
}
