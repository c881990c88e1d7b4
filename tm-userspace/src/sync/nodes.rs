//! The nodes of the views' tries, each kept while a word leads there.

use std::collections::HashMap;

use tm_common::place::{LINE, Line, Root};

use super::{Changes, Store, Table};
use crate::places::trie::Family;

/// Lines, and how many words lead to each node.
#[derive(Debug)]
pub(super) struct Nodes {
    lines: Store<Line>,
    /// By a node's first line.
    words: Vec<u32>,
    /// Where nodes are that small views may have in common, by what they say.
    shared: HashMap<(Family, Vec<Line>), u32>,
}

impl Nodes {
    /// So many unused lines.
    pub(super) fn of(empty: Line, count: u32) -> Self {
        Nodes { lines: Store::of(empty, count), words: vec![], shared: HashMap::new() }
    }

    /// The lines.
    pub(super) fn lines(&self) -> &Store<Line> {
        &self.lines
    }

    /// Puts a node after those that it leads to; where it `shares`, one that says the same will do.
    pub(super) fn put(&mut self, family: Family, lines: &[Line], shares: bool, changed: &mut Changes) -> u32 {
        let key = shares.then(|| (family, lines.to_vec()));
        if let Some(first) = key.as_ref().and_then(|key| self.shared.get(key)) {
            return *first;
        }
        let first = self.append(lines, changed);
        self.hold(family, lines);
        self.shared.extend(key.map(|key| (key, first)));
        first
    }

    /// Puts both roots of a view.
    pub(super) fn put_root(&mut self, lines: &[Line], bits: u32, changed: &mut Changes) -> Root {
        let root = Root { line: self.append(lines, changed), bits };
        let (v4, v6) = lines.split_at(root.lines() as usize);
        self.hold(Family::V4, v4);
        self.hold(Family::V6, v6);
        root
    }

    /// Gives up both roots of a view, and all that only they lead to.
    pub(super) fn give_up(&mut self, root: Root) {
        let v6 = root.line + root.lines();
        let mut words = vec![];
        for (family, first) in [(Family::V4, root.line), (Family::V6, v6)] {
            self.words_of(family, first, root.lines(), &mut words);
        }
        self.lines.retire(root.line, 2 * root.lines());
        while let Some((family, word)) = words.pop() {
            let Some((first, stride)) = family.branched(word) else { continue };
            self.words[first as usize] -= 1;
            if self.words[first as usize] > 0 {
                continue;
            }
            let count = (1 << stride as u32) / LINE as u32;
            let lines = (first..first + count).filter_map(|at| self.lines.get(at).copied()).collect();
            let key = (family, lines);
            if self.shared.get(&key) == Some(&first) {
                self.shared.remove(&key);
            }
            self.words_of(family, first, count, &mut words);
            self.lines.retire(first, count);
        }
    }

    fn words_of(&self, family: Family, first: u32, count: u32, words: &mut Vec<(Family, u32)>) {
        let lines = (first..first + count).filter_map(|at| self.lines.get(at));
        words.extend(lines.flat_map(|line| line.0).map(|word| (family, word)));
    }

    fn append(&mut self, lines: &[Line], changed: &mut Changes) -> u32 {
        let first = self.lines.take(lines.len() as u32);
        for (at, line) in (first..).zip(lines) {
            self.lines.put(at, *line);
            changed.staged.push((Table::Nodes, at));
        }
        self.words.resize(self.lines.len() as usize, 0);
        first
    }

    /// Notes where these lines lead.
    fn hold(&mut self, family: Family, lines: &[Line]) {
        for (first, _) in lines.iter().flat_map(|line| line.0).filter_map(|word| family.branched(word)) {
            self.words[first as usize] += 1;
        }
    }

    /// As of [`Store`].
    pub(super) fn begin_wait(&mut self) {
        self.lines.begin_wait();
    }
    /// As of [`Store`].
    pub(super) fn reclaim(&mut self) {
        self.lines.reclaim();
    }
    /// As of [`Store`].
    pub(super) fn has_retired(&self) -> bool {
        self.lines.has_retired()
    }
}
