//! How a view gets into the tables, and goes again with the last name that uses it.
//!
//! One that differs from another in few addresses gets roots of its own and the nodes on the ways to these; all others are the other's. So readers find their old view whole until
//! their name leads to the new one, and a change costs what differs.

use std::sync::Arc;

use tm_common::place::{Line, Roots};

use super::Image;
use crate::{
    places::{Partition, trie},
    sync::{Changes, Table, nodes::Nodes},
};

/// A partition in the tables.
#[derive(Debug)]
pub(super) struct ViewUse {
    /// Its roots.
    index: u32,
    /// Names that use it.
    users: u32,
}

impl Image {
    /// Where this partition is, put there if need be, used once more. If one that is there is much `like` it, the two share what they have in common.
    pub(super) fn use_view(
        &mut self,
        partition: &Arc<Partition>,
        like: Option<&Arc<Partition>>,
        changed: &mut Changes,
    ) -> u32 {
        if let Some(known) = self.known_views.get_mut(partition) {
            known.users += 1;
            return known.index;
        }
        let like = like.and_then(|like| Some((&**like, *self.views.get(self.view_index(like)?)?)));
        let shares = trie::is_roomy(partition);
        let mut put = Put { nodes: &mut self.nodes, shares, changed };
        let roots = trie::build(partition, like, &mut put);
        self.nodes.hold(roots.v4);
        self.nodes.hold(roots.v6);
        let index = self.views.take(1);
        self.views.put(index, roots);
        changed.staged.push((Table::Views, index));
        self.known_views.insert(partition.clone(), ViewUse { index, users: 1 });
        index
    }

    /// Where a partition is that is in use.
    pub(super) fn view_index(&self, partition: &Arc<Partition>) -> Option<u32> {
        Some(self.known_views.get(partition)?.index)
    }

    /// Gives up one use.
    pub(super) fn release_view(&mut self, partition: &Arc<Partition>) {
        let Some(known) = self.known_views.get_mut(partition) else { return };
        known.users -= 1;
        if known.users > 0 {
            return;
        }
        let Some(gone) = self.known_views.remove(partition) else { return };
        let roots = self.views.get(gone.index).copied().unwrap_or_default();
        self.views.retire(gone.index, 1);
        let Roots { v4, v6 } = roots;
        self.nodes.release(v4);
        self.nodes.release(v6);
    }
}

/// Where a trie puts its nodes.
struct Put<'a> {
    nodes: &'a mut Nodes,
    /// Small views have much in common: the ways to private addresses, and to those that hold others.
    shares: bool,
    changed: &'a mut Changes,
}

impl trie::Nodes for Put<'_> {
    fn line(&self, line: u32) -> Option<&Line> {
        self.nodes.lines().get(line)
    }
    fn put(&mut self, lines: &[Line]) -> u32 {
        self.nodes.put(lines, self.shares, self.changed)
    }
}
