//! Profiles that have the apex of a zone: SOA and NS stand there, and beside them no CNAME may stand ([RFC 1034, section 3.6.2], [RFC 2181, section 10.1]).
//!
//! [RFC 1034, section 3.6.2]: https://www.rfc-editor.org/rfc/rfc1034#section-3.6.2
//! [RFC 2181, section 10.1]: https://www.rfc-editor.org/rfc/rfc2181#section-10.1

use std::collections::{HashMap, HashSet};

use crate::{
    desired::{Node, Target},
    names::DnsName,
};

use super::{
    entry::Entry,
    report::{Fault, Found, Place},
    value::quote,
};

/// What such a profile answers with, itself or by those nested in it, are addresses; what is wrong is in `found`.
pub(super) fn check(node: &Node, profiles: &[Entry], found: &mut Found) {
    let by_name: HashMap<&str, usize> =
        profiles.iter().enumerate().map(|(i, checked)| (&*checked.profile.name, i)).collect();
    for checked in profiles.iter().filter(|checked| is_apex(node, &checked.profile.dns_name)) {
        if checked.profile.dns_name.without_asterisk().is_some() {
            let message = format!("`{}` is in no zone", checked.profile.dns_name);
            let help = "write the zone that it is in as [[zone]] in tm.toml, or a relative_name";
            found.add(Place::at(&checked.source, checked.dns_name.clone()), Fault::new(message, help));
        }
        for (endpoint, span) in checked.profile.endpoints.iter().zip(&checked.targets) {
            let Some(name) = name_of(&endpoint.target, profiles, &by_name) else { continue };
            let dns_name = &checked.profile.dns_name;
            let message = match &endpoint.target {
                Target::Profile(child) => {
                    format!(
                        "profile {} answers with the name `{name}`, and `{dns_name}` is the apex of a zone",
                        quote(child)
                    )
                }
                _ => format!("target `{name}` is a name, and `{dns_name}` is the apex of a zone"),
            };
            let help = "write addresses, or where the name is below a zone of yours, that zone as [[zone]] in tm.toml";
            found.add(Place::at(&checked.source, span.clone()), Fault::new(message, help));
        }
    }
}

/// Is it the apex of a zone of the configuration, or of one of its own?
fn is_apex(node: &Node, name: &DnsName) -> bool {
    node.zones().any(|zone| zone.name == *name) || !node.has_zone_of(name)
}

/// A name that a target is, or leads to through profiles.
fn name_of<'a>(
    target: &'a Target,
    profiles: &'a [Entry],
    by_name: &HashMap<&str, usize>,
) -> Option<&'a DnsName> {
    let (mut ahead, mut seen) = (vec![target], HashSet::new());
    while let Some(target) = ahead.pop() {
        match target {
            Target::Name(name) => return Some(name),
            Target::Profile(child) => {
                if let Some(at) = by_name.get(&**child).filter(|at| seen.insert(**at)) {
                    ahead.extend(profiles[*at].profile.endpoints.iter().map(|endpoint| &endpoint.target));
                }
            }
            Target::V4(_) | Target::V6(_) => {}
        }
    }
    None
}
