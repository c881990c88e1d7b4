//! The nodes of the views' tries, each kept while a word leads there.

use std::collections::HashMap;

use tm_common::place::{Line, branched};

use super::{Changes, Store, Table};

/// Lines, and how many words lead to each node; a view's roots are two of them.
#[derive(Debug)]
pub(super) struct Nodes {
    lines: Store<Line>,
    /// By a node's first line.
    words: Vec<u32>,
    /// Where nodes are that small views may have in common, by what they say.
    shared: HashMap<Vec<Line>, u32>,
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
    pub(super) fn put(&mut self, lines: &[Line], shares: bool, changed: &mut Changes) -> u32 {
        if let Some(first) = self.shared.get(lines).filter(|_| shares) {
            return *first;
        }
        let first = self.lines.take(lines.len() as u32);
        self.words.resize(self.lines.len() as usize, 0);
        for (at, line) in (first..).zip(lines) {
            self.lines.put(at, *line);
            changed.staged.push((Table::Nodes, at));
            line.0.iter().for_each(|word| self.hold(*word));
        }
        if shares {
            self.shared.insert(lines.to_vec(), first);
        }
        first
    }

    /// Notes that there is one more such word.
    pub(super) fn hold(&mut self, word: u32) {
        if let Some((first, _)) = branched(word) {
            self.words[first as usize] += 1;
        }
    }

    /// Notes that there is one less. What nothing leads to any more is given up, and all that only it leads to.
    pub(super) fn release(&mut self, word: u32) {
        let mut words = vec![word];
        while let Some(word) = words.pop() {
            let Some((first, stride)) = branched(word) else { continue };
            self.words[first as usize] -= 1;
            if self.words[first as usize] > 0 {
                continue;
            }
            let count = (1 << stride as u32) / tm_common::place::LINE as u32;
            let lines: Vec<Line> =
                (first..first + count).filter_map(|at| self.lines.get(at).copied()).collect();
            if self.shared.get(&lines) == Some(&first) {
                self.shared.remove(&lines);
            }
            self.lines.retire(first, count);
            words.extend(lines.iter().flat_map(|line| line.0));
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
