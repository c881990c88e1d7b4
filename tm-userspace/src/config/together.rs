//! The profiles of the files and those of the API as one, and what is left out where the two do not fit.
//!
//! A load at run time takes all or nothing, and what ran goes on. A start has nothing to go on with: it leaves out what does not fit, says so, and
//! serves the rest. Of two that clash, that of the files is left out, as it would be at run time.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use crate::desired::{Node, Profiles};

use super::{
    document::{DOCUMENTS, Document, FieldFault},
    entry::Entry,
    ground::Ground,
    present::Present,
    registry::{self, Registry},
    report::{Fault, Finding, Found, Place, Source},
    whole,
};

/// What the API manages, and how it is to be taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stored<'a> {
    /// Its profiles.
    pub documents: &'a [Arc<Document>],
    /// Its services.
    pub services: &'a [Arc<serde_json::Value>],
    /// An earlier state: what is the same in it is not read again.
    pub known: Option<&'a Registry>,
    /// Leave out what does not fit, instead of failing?
    pub what_fits: bool,
}

/// A profile, or a service, that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Its name.
    pub name: Arc<str>,
    /// Is it of the API, not of a file?
    pub is_of_api: bool,
    /// Why, a line.
    pub reason: String,
}

/// The documents, each by itself; those that are wrong are in `found`, or left out.
pub(super) fn entries(
    stored: Stored<'_>,
    ground: &Ground,
    found: &mut Found,
    left_out: &mut Vec<LeftOut>,
) -> Vec<Arc<Entry>> {
    let known = stored.known.filter(|known| known.has_ground(ground));
    let mut entries = Vec::with_capacity(stored.documents.len());
    for document in stored.documents {
        let name = document.get("name").and_then(|name| name.as_str()).unwrap_or("?");
        let same = known.and_then(|known| known.entries().get(&super::key(name)));
        if let Some(entry) = same.filter(|entry| Arc::ptr_eq(entry.document(), document)) {
            entries.push(entry.clone());
            continue;
        }
        match registry::check(document, ground) {
            Ok((entry, _)) => entries.push(Arc::new(entry)),
            Err(faults) => {
                let left_out = stored.what_fits.then_some(&mut *left_out);
                tell(DOCUMENTS, name, faults, found, left_out);
            }
        }
    }
    entries
}

/// Tells what is wrong with something of the API's, which is called `name` among those under `kind`: to `left_out`, or without it to `found`.
pub(super) fn tell(
    kind: &str,
    name: &str,
    faults: Vec<FieldFault>,
    found: &mut Found,
    mut left_out: Option<&mut Vec<LeftOut>>,
) {
    let place = Place::whole(&Source::new(usize::MAX, &Path::new(kind).join(name), String::new()));
    for fault in faults {
        match &mut left_out {
            Some(left_out) => {
                let reason = format!("{place}: {} ({})", fault.message, fault.help);
                left_out.push(LeftOut { name: name.into(), is_of_api: true, reason });
            }
            None => found.add(place.clone(), Fault::new(fault.message, fault.help)),
        }
    }
}

/// All of them checked against each other; what does not fit is in `found`, or no longer in `entries`.
pub(super) fn check(
    what_fits: bool,
    node: &Node,
    entries: &mut Vec<Arc<Entry>>,
    found: &mut Found,
    left_out: &mut Vec<LeftOut>,
) -> Profiles {
    let all = |entries: &[Arc<Entry>]| entries.iter().map(|entry| Entry::clone(entry)).collect::<Vec<_>>();
    loop {
        let mut now = Found::default();
        let present = Present::of(node, entries.iter().map(|entry| &**entry));
        let profiles = whole::check(Some((node, &present)), all(entries), &mut now);
        let is_done = now.findings.is_empty() || !what_fits || wrong_by_themselves(node, entries, &now);
        if is_done {
            found.findings.append(&mut now.findings);
            found.warnings.append(&mut now.warnings);
            return profiles;
        }
        let out: BTreeSet<usize> =
            now.findings.iter().filter_map(|finding| at_fault(finding, entries)).collect();
        for &index in out.iter().rev() {
            let entry = entries.remove(index);
            let finding = now.findings.iter().find(|finding| is_of(finding, &entry));
            let reason = finding.map_or_else(String::new, |finding| {
                format!("{}: {} ({})", finding.place, finding.message, finding.help)
            });
            let (name, is_of_api) = (entry.name().clone(), entry.is_of_api());
            left_out.push(LeftOut { name, is_of_api, reason });
        }
    }
}

/// Is any of that wrong in the files whatever the API has?
fn wrong_by_themselves(node: &Node, entries: &[Arc<Entry>], now: &Found) -> bool {
    let files = entries.iter().filter(|entry| !entry.is_of_api()).map(|entry| &**entry);
    let present = Present::of(node, files.clone());
    let mut alone = Found::default();
    whole::check(Some((node, &present)), files.cloned().collect(), &mut alone);
    let said = |finding: &Finding| (finding.place.to_string(), finding.message.clone());
    alone.findings.iter().map(said).any(|alone| now.findings.iter().any(|finding| said(finding) == alone))
}

/// Whom to leave out for it.
fn at_fault(finding: &Finding, entries: &[Arc<Entry>]) -> Option<usize> {
    let holder = |place: &Place| holder(place, entries);
    let here = holder(&finding.place);
    let there = finding.other.as_ref().and_then(|(place, _)| holder(place));
    match (here, there) {
        (Some(here), Some(there)) if entries[here].is_of_api() && !entries[there].is_of_api() => Some(there),
        (here, there) => here.or(there),
    }
}

fn is_of(finding: &Finding, entry: &Arc<Entry>) -> bool {
    let of = |place: &Place| Arc::ptr_eq(&place.source, &entry.source);
    of(&finding.place) || finding.other.as_ref().is_some_and(|(place, _)| of(place))
}

/// The profile that a place lies in: the last one that begins before it.
fn holder(place: &Place, entries: &[Arc<Entry>]) -> Option<usize> {
    let at = place.span.as_ref().map_or(0, |span| span.start);
    let begins = |entry: &Entry| entry.table.start.min(entry.name.start);
    let same = entries.iter().enumerate().filter(|(_, entry)| Arc::ptr_eq(&entry.source, &place.source));
    same.filter(|(_, entry)| begins(entry) <= at)
        .max_by_key(|(_, entry)| begins(entry))
        .map(|(index, _)| index)
}
