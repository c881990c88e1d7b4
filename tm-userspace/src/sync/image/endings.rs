//! How the names in the tables end, and what that tells of those that are not in them: where all that end alike say of what is below them that it is not in one and the same zone,
//! nobody has to find which of them is the closest encloser.

use std::collections::HashMap;

use tm_common::{
    name::{self, ENDINGS},
    tables::Above,
};

use super::Image;
use crate::{
    names::DnsName,
    sync::{Changes, Table},
};

/// What a name says of those below it that are not there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Said {
    /// That they are not in this zone.
    Absence(DnsName),
    /// What a wildcard has; or nothing, and the sockets are asked.
    Other,
}

/// What all names say, by how they end.
#[derive(Debug)]
pub(super) struct Endings {
    /// By [`name::ending`].
    words: Vec<u32>,
    /// What each name says.
    said: HashMap<DnsName, Said>,
    /// How many names that end so say what.
    alike: HashMap<u32, HashMap<Said, usize>>,
    /// Names too short to tell: anything may stand before them, and so they end in any way.
    short: usize,
}

impl Endings {
    pub(super) fn new() -> Self {
        Endings { words: vec![0; ENDINGS as usize], said: HashMap::new(), alike: HashMap::new(), short: 0 }
    }

    /// Notes what a name says, which is not what it said before; nothing where it is gone.
    fn note(&mut self, name: &DnsName, said: Option<Said>) {
        let before = match said.clone() {
            Some(said) => self.said.insert(name.clone(), said),
            None => self.said.remove(name),
        };
        let Some(ending) = ending(name) else {
            self.short = self.short + usize::from(said.is_some()) - usize::from(before.is_some());
            return;
        };
        let alike = self.alike.entry(ending).or_default();
        if let Some(said) = said {
            *alike.entry(said).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(names) = alike.get_mut(&before)
        {
            *names -= 1;
            if *names == 0 {
                alike.remove(&before);
            }
        }
        if alike.is_empty() {
            self.alike.remove(&ending);
        }
    }
}

impl Image {
    /// What names that end so ([`name::ending`]) have above them.
    pub fn above(&self, ending: u32) -> Option<Above> {
        self.endings.words.get(ending as usize).map(|above| Above(*above))
    }

    /// Notes what a name says of those below it, and puts what that makes of its ending into the tables.
    pub(super) fn set_said(&mut self, name: &DnsName, said: Option<Said>, changed: &mut Changes) {
        // Mostly it goes on as before.
        if self.endings.said.get(name) == said.as_ref() {
            return;
        }
        let had_short = self.endings.short > 0;
        self.endings.note(name, said);
        let all = had_short != (self.endings.short > 0);
        match ending(name) {
            Some(ending) => self.show_ending(ending, changed),
            None if all => (0..ENDINGS).for_each(|ending| self.show_ending(ending, changed)),
            None => {}
        }
    }

    fn show_ending(&mut self, ending: u32, changed: &mut Changes) {
        let above = self.find_above(ending).0;
        if let Some(word) = self.endings.words.get_mut(ending as usize).filter(|word| **word != above) {
            *word = above;
            changed.published.push((Table::Endings, ending));
        }
    }

    fn find_above(&self, of: u32) -> Above {
        if self.endings.short > 0 {
            return Above::SEVERAL;
        }
        let Some(alike) = self.endings.alike.get(&of) else { return Above::NOTHING };
        let mut said = alike.keys();
        let (Some(Said::Absence(zone)), None) = (said.next(), said.next()) else { return Above::SEVERAL };
        self.absence_of(zone).map_or(Above::SEVERAL, Above)
    }
}

/// How a name ends, if it is long enough to tell.
fn ending(name: &DnsName) -> Option<u32> {
    name::last_eight(name.wire()).map(name::ending)
}
