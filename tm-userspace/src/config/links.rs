//! Where profiles lead to each other, nested or by a target in the zone: to one that is there, never back, not too deep, not to too many.

use std::{collections::HashMap, sync::Arc};

use crate::{
    desired::{Node, Target},
    names::DnsName,
};

use super::{
    defaults::{NESTED_AT_MOST, TREE_AT_MOST},
    entry::Entry,
    present::Present,
    report::{Fault, Found, Place, SHOWN_AT_MOST},
    value::quote,
};

/// Gives nested endpoints their profile's name as that has it, and those whose target is a name of a profile, its own or one that its wildcard has, that profile; what is wrong is in `found`.
pub(super) fn check(node: Option<(&Node, &Present)>, profiles: &mut [Entry], found: &mut Found) {
    resolve(profiles, found);
    let steps = steps(node, profiles, found);
    let walk = Walk::through(&steps, |_, step| step.by != By::Asterisk);
    for (step, way) in &walk.closing {
        let to = &profiles[step.to].profile;
        let chain = chain(profiles, way.iter().copied().chain([step.to]));
        let (what, help) = match step.by == By::Nesting {
            true => (
                format!("target_profile {}", quote(&to.name)),
                "nest a profile that does not nest this one, or name what serves the content",
            ),
            false => (
                format!("target `{}`", to.dns_name),
                "name what serves the content, not the profile that points at it",
            ),
        };
        let message = format!("{what} leads back to this profile: {chain}");
        found.add(step.place.clone(), Fault::new(message, help));
    }
    if walk.closing.is_empty() {
        depth(profiles, &steps, &walk.order, found);
        let circle = circles(profiles, &steps, found);
        let is_followed =
            |from: usize, step: &Step| step.by != By::Asterisk || circle[from] != circle[step.to];
        let order = Walk::through(&steps, is_followed).order;
        size(profiles, &steps, is_followed, &order, found);
        for (from, step) in
            steps.iter().enumerate().flat_map(|(from, steps)| steps.iter().map(move |step| (from, step)))
        {
            if step.by == By::Asterisk && is_followed(from, step) {
                let to = profiles[step.to].profile.name.clone();
                Arc::make_mut(&mut profiles[from].profile.endpoints[step.endpoint]).follows = Some(to);
            }
        }
    }
}

/// Circles by way of names that a wildcard has: nothing is told there from behind such a name, and clients ask until they are tired of it. Gives each profile's number, which those in one
/// circle share and no others.
fn circles(profiles: &[Entry], steps: &[Vec<Step>], found: &mut Found) -> Vec<usize> {
    let walk = Walk::through(steps, |_, _| true);
    for (step, way) in &walk.closing {
        let chain = chain(profiles, way.iter().copied().chain([step.to]));
        found.warn(&step.place, format!("clients that ask for this target are led in a circle: {chain}"));
    }
    let mut circle: Vec<usize> = (0..profiles.len()).collect();
    if walk.closing.is_empty() {
        return circle;
    }
    // Kosaraju's: who leads to the last one that was done, of those that are in no circle yet, is led to by it too.
    let mut leading: Vec<Vec<usize>> = vec![vec![]; profiles.len()];
    for (from, steps) in steps.iter().enumerate() {
        steps.iter().for_each(|step| leading[step.to].push(from));
    }
    let mut is_done = vec![false; profiles.len()];
    for &last in walk.order.iter().rev() {
        let mut ahead = vec![last];
        while let Some(at) = ahead.pop() {
            if !std::mem::replace(&mut is_done[at], true) {
                circle[at] = last;
                ahead.extend(&leading[at]);
            }
        }
    }
    circle
}

/// From a profile to one that an endpoint of its names.
struct Step {
    /// Its number in its profile.
    endpoint: usize,
    to: usize,
    by: By,
    place: Place,
}

/// What makes an endpoint lead to a profile.
#[derive(Clone, Copy, PartialEq)]
enum By {
    /// It nests it.
    Nesting,
    /// Its target is the profile's name, whether that is there or not.
    Name,
    /// Its target is a name that the profile's wildcard has.
    Asterisk,
}

fn resolve(profiles: &mut [Entry], found: &mut Found) {
    let known: HashMap<String, (Arc<str>, usize)> = profiles
        .iter()
        .map(|checked| &checked.profile)
        .map(|profile| (profile.name.to_lowercase(), (profile.name.clone(), profile.endpoints.len())))
        .collect();
    let by_dns_name: HashMap<DnsName, Arc<str>> = profiles
        .iter()
        .map(|checked| (checked.profile.dns_name.clone(), checked.profile.name.clone()))
        .collect();
    for checked in profiles {
        for (endpoint, span) in checked.profile.endpoints.iter_mut().zip(&checked.targets) {
            if let Target::Name(target) = &endpoint.target
                && let Some(profile) = by_dns_name.get(target)
            {
                Arc::make_mut(endpoint).follows = Some(profile.clone());
            }
            let Target::Profile(written) = &endpoint.target else { continue };
            let place = Place::at(&checked.source, span.clone());
            let Some((name, endpoints)) = known.get(&written.to_lowercase()) else {
                // What is not shown need not be searched for.
                let shown = found.findings.len() < SHOWN_AT_MOST;
                let near = known
                    .values()
                    .filter(|_| shown)
                    .map(|(name, _)| (strsim::damerau_levenshtein(written, name), name))
                    .min()
                    .filter(|(distance, name)| distance * 3 <= name.len());
                let help = match near {
                    Some((_, name)) => format!("did you mean {}?", quote(name)),
                    None => "write the name of a profile in conf.d".to_owned(),
                };
                found.add(place, Fault::new(format!("there is no profile {}", quote(written)), help));
                continue;
            };
            let least = endpoint.min_child;
            let least = least.endpoints.max(least.ipv4).max(least.ipv6);
            if usize::from(least) > *endpoints {
                found.warn(
                    &place,
                    format!(
                        "endpoint {} needs {least} endpoints of profile {}, which has {endpoints}: it is always Degraded",
                        quote(&endpoint.name),
                        quote(name)
                    ),
                );
            }
            let name = name.clone();
            Arc::make_mut(endpoint).target = Target::Profile(name);
        }
    }
}

/// By profile; what names a place in the zone without a profile is a warning. Where a profile's name is switched off, a target may lead to that profile and to the one whose wildcard has the name:
/// it may come back, and must not lead in a circle then.
fn steps(node: Option<(&Node, &Present)>, profiles: &[Entry], found: &mut Found) -> Vec<Vec<Step>> {
    let numbered = || profiles.iter().enumerate();
    let by_dns_name: HashMap<&DnsName, usize> = numbered().map(|(i, c)| (&c.profile.dns_name, i)).collect();
    let by_name: HashMap<&str, usize> = numbered().map(|(i, c)| (&*c.profile.name, i)).collect();
    let by_key: HashMap<Arc<str>, usize> = numbered()
        .filter(|(_, checked)| checked.profile.dns_name.without_asterisk().is_some())
        .map(|(i, checked)| (checked.key(), i))
        .collect();
    let mut steps: Vec<Vec<Step>> = Vec::with_capacity(profiles.len());
    for checked in profiles {
        let mut from_here = Vec::new();
        for (number, (endpoint, span)) in checked.profile.endpoints.iter().zip(&checked.targets).enumerate() {
            let place = Place::at(&checked.source, span.clone());
            let step = |to: &usize, by| Step { endpoint: number, to: *to, by, place: place.clone() };
            match (&endpoint.target, node) {
                (Target::Profile(child), _) => {
                    from_here.extend(by_name.get(&**child).map(|to| step(to, By::Nesting)));
                }
                (Target::Name(target), Some((node, present))) => {
                    let own = by_dns_name.get(target);
                    // Where there is no wildcard nobody need look for one.
                    let wildcard = match by_key.is_empty() {
                        true => None,
                        false => present.wildcard_of(target).and_then(|key| by_key.get(key)),
                    };
                    from_here.extend(own.map(|to| step(to, By::Name)));
                    from_here.extend(wildcard.map(|to| step(to, By::Asterisk)));
                    if own.is_none()
                        && wildcard.is_none()
                        && node.has_zone_of(target)
                        && !node.is_server(target)
                    {
                        let message = format!("target `{target}` is in the zone, but no profile answers it");
                        found.warn(&place, message);
                    }
                }
                _ => {}
            }
        }
        steps.push(from_here);
    }
    steps
}

/// What a walk in depth through all profiles finds.
struct Walk<'a> {
    /// The steps that close a loop, each with the way from where it leads to. With none, there is no loop.
    closing: Vec<(&'a Step, Vec<usize>)>,
    /// The profiles, each behind all that it leads to where there is no loop.
    order: Vec<usize>,
}

impl<'a> Walk<'a> {
    /// Along the steps that `counts` lets through, each with where it leads from.
    fn through(steps: &'a [Vec<Step>], counts: impl Fn(usize, &Step) -> bool) -> Self {
        #[derive(Clone, Copy, PartialEq)]
        enum Is {
            Ahead,
            Within,
            Done,
        }
        let mut is = vec![Is::Ahead; steps.len()];
        let mut walk = Walk { closing: Vec::new(), order: Vec::new() };
        for start in 0..steps.len() {
            // Each profile being walked, with the step to take next.
            let mut path = vec![(start, 0)];
            while let Some((at, next)) = path.pop() {
                if next == 0 && is[at] != Is::Ahead {
                    continue;
                }
                is[at] = Is::Within;
                let Some(step) = steps[at].get(next) else {
                    is[at] = Is::Done;
                    walk.order.push(at);
                    continue;
                };
                path.push((at, next + 1));
                match is[step.to] {
                    _ if !counts(at, step) => {}
                    Is::Ahead => path.push((step.to, 0)),
                    Is::Within => {
                        let way = path.iter().map(|(at, _)| *at).skip_while(|at| *at != step.to);
                        walk.closing.push((step, way.collect()));
                    }
                    Is::Done => {}
                }
            }
        }
        walk
    }
}

/// No way down is longer than Azure's levels; told at the profiles that nobody nests.
fn depth(profiles: &[Entry], steps: &[Vec<Step>], order: &[usize], found: &mut Found) {
    let mut depths = vec![1; profiles.len()];
    let mut deepest: Vec<Option<&Step>> = vec![None; profiles.len()];
    let mut is_nested = vec![false; profiles.len()];
    for &at in order {
        for step in steps[at].iter().filter(|step| step.by == By::Nesting) {
            is_nested[step.to] = true;
            if depths[step.to] + 1 > depths[at] {
                depths[at] = depths[step.to] + 1;
                deepest[at] = Some(step);
            }
        }
    }
    for at in (0..profiles.len()).filter(|at| depths[*at] > NESTED_AT_MOST && !is_nested[*at]) {
        let Some(first) = deepest[at] else { continue };
        let way = std::iter::successors(Some(at), |at| deepest[*at].map(|step| step.to));
        let message = format!(
            "profiles are nested {} deep, over {NESTED_AT_MOST}: {}",
            depths[at],
            chain(profiles, way)
        );
        let help = "take a profile out of the chain: nest what it nests in the one above it";
        found.add(first.place.clone(), Fault::new(message, help));
    }
}

/// No tree is larger than a decision should look through; told at the lowest profile where it is.
fn size(
    profiles: &[Entry],
    steps: &[Vec<Step>],
    is_followed: impl Fn(usize, &Step) -> bool,
    order: &[usize],
    found: &mut Found,
) {
    let mut sizes = vec![0usize; profiles.len()];
    for &at in order {
        let below = steps[at].iter().filter(|step| is_followed(at, step));
        let below: Vec<usize> = below.map(|step| sizes[step.to]).collect();
        let here = profiles[at].profile.endpoints.len();
        sizes[at] = below.iter().copied().fold(here, usize::saturating_add);
        if sizes[at] > TREE_AT_MOST && below.iter().all(|size| *size <= TREE_AT_MOST) {
            let message = format!(
                "profile {} has {} endpoints with those below it, over {TREE_AT_MOST}",
                quote(&profiles[at].profile.name),
                sizes[at]
            );
            let place = Place::at(&profiles[at].source, profiles[at].name.clone());
            found.add(place, Fault::new(message, "nest fewer profiles, or smaller ones"));
        }
    }
}

/// Names with arrows between them; of a very long way, its beginning and its end.
fn chain(profiles: &[Entry], way: impl Iterator<Item = usize>) -> String {
    const SHOWN_AT_MOST: usize = 20;

    let mut names: Vec<&str> = way.map(|at| &*profiles[at].profile.name).collect();
    if names.len() > SHOWN_AT_MOST {
        names.splice(SHOWN_AT_MOST / 2..names.len() - SHOWN_AT_MOST / 2, ["…"]);
    }
    quote_long(&names.join(" -> "))
}

/// Fit for a line of a terminal.
fn quote_long(text: &str) -> String {
    text.chars().flat_map(|char| if char.is_control() { vec!['?'] } else { vec![char] }).collect()
}
