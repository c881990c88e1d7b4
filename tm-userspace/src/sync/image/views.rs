//! How a view gets into the tables, and goes again with the last name that uses it.
//!
//! One that differs from another in few addresses gets roots of its own and the nodes on the ways to these; all others are the other's. So readers find their old view whole until
//! their name leads to the new one, and a change costs what differs.

use std::sync::Arc;

use tm_common::place::{Line, Root};

use super::Image;
use crate::{
    places::{
        Partition,
        trie::{self, Family},
    },
    sync::{Changes, nodes::Nodes},
};

/// A partition in the tables.
#[derive(Debug)]
pub(super) struct ViewUse {
    /// Where it begins.
    root: Root,
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
    ) -> Root {
        if let Some(known) = self.known_views.get_mut(partition) {
            known.users += 1;
            return known.root;
        }
        let like = like.and_then(|like| Some((&**like, self.root(like)?)));
        let shares = trie::is_roomy(partition);
        let mut put = Put { nodes: &mut self.nodes, shares, changed };
        let (lines, bits) = trie::build(partition, like, &mut put);
        let root = self.nodes.put_root(&lines, bits, changed);
        self.known_views.insert(partition.clone(), ViewUse { root, users: 1 });
        root
    }

    /// Where a partition is that is in use.
    pub(super) fn root(&self, partition: &Arc<Partition>) -> Option<Root> {
        Some(self.known_views.get(partition)?.root)
    }

    /// Gives up one use.
    pub(super) fn release_view(&mut self, partition: &Arc<Partition>) {
        let Some(known) = self.known_views.get_mut(partition) else { return };
        known.users -= 1;
        if known.users == 0
            && let Some(gone) = self.known_views.remove(partition)
        {
            self.nodes.give_up(gone.root);
        }
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
    fn put(&mut self, family: Family, lines: &[Line]) -> u32 {
        self.nodes.put(family, lines, self.shares, self.changed)
    }
}
