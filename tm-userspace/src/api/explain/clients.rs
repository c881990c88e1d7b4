//! The shares of all clients: at each place, or where the views before and after differ, at each pair of places that some client is in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
};

use super::{
    Question,
    outcome::choices,
    report::{Group, Shares},
    why::label,
    world::World,
};
use crate::places::{Class, Place, View};

/// By whom an answer counts, and how often it is given.
type ByEndpoint = BTreeMap<Option<String>, f64>;

/// Clients with the same shares together, in the order of their places.
pub(super) fn shares(
    now: &World,
    then: Option<&World>,
    question: &Question<'_>,
) -> anyhow::Result<Vec<Group>> {
    let before = by_place(now, question)?;
    let after = then.map(|then| by_place(then, question)).transpose()?;
    let mut groups: Vec<Group> = vec![];
    for (place, later) in pairs(now.view(), then.map(World::view)) {
        let (Some(is), becomes) = (before.get(usize::from(place.0)), later.zip(after.as_ref())) else {
            continue;
        };
        let becomes = becomes.and_then(|(later, after)| after.get(usize::from(later.0)));
        let shares = joined(is, becomes);
        let mut clients = described(now, place);
        if let (Some(then), Some(later)) = (then, later)
            && !Arc::ptr_eq(now.view(), then.view())
        {
            let after = described(then, later);
            if after != clients {
                clients = format!("{clients} -> {after}");
            }
        }
        match groups.iter_mut().find(|group| group.shares == shares) {
            Some(group) if group.clients.contains(&clients) => {}
            Some(group) => group.clients.push(clients),
            None => groups.push(Group { clients: vec![clients], shares }),
        }
    }
    Ok(groups)
}

fn by_place(world: &World, question: &Question<'_>) -> anyhow::Result<Vec<ByEndpoint>> {
    let shares = |class: &Class| {
        let Some((choices, _)) = choices(world, question, class)? else {
            return Ok(ByEndpoint::from([(None, 1.0)]));
        };
        let mut counts: BTreeMap<_, u32> = BTreeMap::new();
        for slot in &choices.slots {
            let all = choices.answers.get(usize::from(*slot)).map_or(&[][..], |answer| &answer.counts_for);
            let some = all.iter().map(|endpoint| Some(endpoint.to_string()));
            let nobody = all.is_empty().then_some(None);
            some.chain(nobody).for_each(|endpoint| *counts.entry(endpoint).or_default() += 1);
        }
        let all = choices.slots.len() as f64;
        Ok(counts.into_iter().map(|(endpoint, count)| (endpoint, f64::from(count) / all)).collect())
    };
    world.view().classes().iter().map(shares).collect()
}

fn joined(is: &ByEndpoint, becomes: Option<&ByEndpoint>) -> Vec<Shares> {
    let endpoints: BTreeSet<&Option<String>> =
        is.keys().chain(becomes.into_iter().flat_map(BTreeMap::keys)).collect();
    let share = |shares: &ByEndpoint, endpoint: &Option<String>| shares.get(endpoint).copied().unwrap_or(0.0);
    let shares = |endpoint: &Option<String>| Shares {
        endpoint: endpoint.clone(),
        now: share(is, endpoint),
        then: becomes.map(|becomes| share(becomes, endpoint)),
    };
    endpoints.into_iter().map(shares).collect()
}

/// What the profiles choose at a place.
fn described(world: &World, place: Place) -> String {
    let class = world.view().classes().get(usize::from(place.0));
    let choices = class.map_or(&[][..], |class| &class.0);
    let words = choices.iter().filter_map(|(name, choice)| {
        let words = label(world.profiles.get(name)?, choice)?;
        Some(if choices.len() > 1 { format!("{name}: {words}") } else { words })
    });
    match words.collect::<Vec<_>>() {
        none if none.is_empty() => "whoever they are".to_owned(),
        words => words.join("; "),
    }
}

/// The places that clients are in, now and then.
fn pairs(now: &Arc<View>, then: Option<&Arc<View>>) -> Vec<(Place, Option<Place>)> {
    let all = || (0..now.classes().len()).map(|place| Place(place as u16));
    let Some(then) = then else { return all().map(|place| (place, None)).collect() };
    if Arc::ptr_eq(now, then) {
        return all().map(|place| (place, Some(place))).collect();
    }
    // From where a run begins to where the next one does, in either, all are alike in both.
    let pair = |address: IpAddr| (now.find(address).place, Some(then.find(address).place));
    let pairs: BTreeSet<_> = [now, then].into_iter().flat_map(|view| firsts(view)).map(pair).collect();
    pairs.into_iter().collect()
}

/// Where the runs of a view begin.
fn firsts(view: &View) -> impl Iterator<Item = IpAddr> {
    let v4 = view.partition().v4().iter().map(|run| Ipv4Addr::from_bits((run.first() >> 96) as u32));
    let v6 = view.partition().v6().iter().map(|run| Ipv6Addr::from_bits(run.first()));
    v4.map(IpAddr::V4).chain(v6.map(IpAddr::V6))
}
