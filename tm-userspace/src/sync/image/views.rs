//! How a view gets into the tables, and goes again with the last name that uses it.

use std::{collections::hash_map::Entry as MapEntry, sync::Arc};

use tm_common::place::{Line, Root};

use super::Image;
use crate::{
    places::{View, trie},
    sync::{Changes, Table},
};

/// A view in the tables.
#[derive(Debug)]
pub(super) struct ViewUse {
    /// Where it begins.
    root: Root,
    /// Names that use it.
    users: u32,
    /// Its nodes: first line and number of lines.
    nodes: Vec<(u32, u32)>,
}

impl Image {
    /// Where this view is, put there if need be, used once more.
    pub(super) fn use_view(&mut self, view: &Arc<View>, changed: &mut Changes) -> Root {
        if let Some(known) = self.known_views.get_mut(view) {
            known.users += 1;
            return known.root;
        }
        let mut nodes = vec![];
        let shares = trie::is_roomy(view);
        let (lines, bits) = trie::build(view, &mut |lines| {
            let first = match shares {
                true => self.share_node(lines, changed),
                false => self.put_node(lines, changed),
            };
            nodes.push((first, lines.len() as u32));
            first
        });
        let root = Root { line: self.put_node(&lines, changed), bits };
        self.known_views.insert(view.clone(), ViewUse { root, users: 1, nodes });
        root
    }

    /// Where a view is that is in use.
    pub(super) fn root(&self, view: &Arc<View>) -> Option<Root> {
        Some(self.known_views.get(view)?.root)
    }

    /// Gives up one use.
    pub(super) fn release_view(&mut self, view: &Arc<View>) {
        let Some(known) = self.known_views.get_mut(view) else { return };
        known.users -= 1;
        if known.users > 0 {
            return;
        }
        let Some(gone) = self.known_views.remove(view) else { return };
        self.nodes.retire(gone.root.line, 2 * gone.root.lines());
        for (first, count) in gone.nodes {
            match trie::is_roomy(view) {
                true => self.release_node(first, count),
                false => self.nodes.retire(first, count),
            }
        }
    }

    fn put_node(&mut self, lines: &[Line], changed: &mut Changes) -> u32 {
        let first = self.nodes.take(lines.len() as u32);
        for (at, line) in (first..).zip(lines) {
            self.nodes.put(at, *line);
            changed.staged.push((Table::Nodes, at));
        }
        first
    }

    /// Small views have much in common: the ways to private addresses, and to those that hold others.
    fn share_node(&mut self, lines: &[Line], changed: &mut Changes) -> u32 {
        if let Some((first, users)) = self.shared_nodes.get_mut(lines) {
            *users += 1;
            return *first;
        }
        let first = self.put_node(lines, changed);
        self.shared_nodes.insert(lines.to_vec(), (first, 1));
        first
    }

    fn release_node(&mut self, first: u32, count: u32) {
        let lines: Vec<Line> = (first..first + count).filter_map(|at| self.nodes.get(at).copied()).collect();
        let MapEntry::Occupied(mut known) = self.shared_nodes.entry(lines) else { return };
        known.get_mut().1 -= 1;
        if known.get().1 == 0 {
            known.remove();
            self.nodes.retire(first, count);
        }
    }
}
