//! The way through the profiles, and the answers at its end.

use hickory_proto::{op::Message, rr::Record};

use super::{
    Question,
    report::{EndpointStep, Outcome, Part, ProfileStep, Sticky},
    why::{Known, why},
    world::World,
};
use crate::{
    api::line::line,
    compile::{Choices, NXDOMAIN, Records, compile, nodata, row_index},
    decide::{Candidate, Step, decide, explain},
    desired::{Profile, Target},
    places::{Class, Place, View},
};

/// What is answered at a place.
pub(super) struct Expected {
    pub(super) place: Place,
    /// None where there is no such name.
    pub(super) choices: Option<Choices>,
    /// What is answered at each turn, by its place among the different answers; one where clients stick to theirs.
    pub(super) slots: Vec<u16>,
    pub(super) scope: Option<u8>,
}

/// What a question comes to in a world.
pub(super) fn outcome(world: &World, question: &Question<'_>) -> anyhow::Result<(Outcome, Expected)> {
    let located = question.asker.locate(world.view());
    let class = world.view().classes().get(usize::from(located.place.0)).cloned().unwrap_or_default();
    let (mut choices, sticks) = choices(world, question, &class)?.unzip();
    let sticks = sticks.unwrap_or(false);
    let is_own = choices.as_ref().is_some_and(|choices| sticks && choices.slots.len() > 1);
    let scope = located.told_scope(is_looked_at(world, question)?, is_own);
    // What a client is told whose subnet decides ends with the first CNAME.
    let is_cut = scope.is_some_and(|scope| scope > 0) && choices.as_ref().is_some_and(Choices::leads_on);
    if is_cut {
        choices = choices.as_ref().map(Choices::first_of_chains);
    }
    let follows = question.follows() && !is_cut;
    let step = explain(&world.profiles, world.profile(), &class, &world.health, question.moment, follows);
    let mut parts = parts(world, question, choices.as_ref());
    let says_nothing = |part: &Part| part.authorities.iter().any(|line| line.contains(" SOA "));
    for (part, _) in parts.iter_mut().filter(|(part, _)| says_nothing(part)) {
        let no_type = || match part.records.is_empty() {
            true => format!("who is chosen has no record of type {}", question.kind),
            false => format!("the last name has none of type {}", question.kind),
        };
        part.reason = Some(step.nobody.clone().unwrap_or_else(no_type));
    }
    let ttl = parts.iter().map(|(_, ttl)| *ttl).min().unwrap_or(world.profile().ttl);
    let seat = |choices: &Choices| choices.slots.get(located.seat(choices.slots.len())).copied();
    let own = choices.as_ref().filter(|_| is_own).and_then(seat);
    let sticky = own.zip(choices.as_ref()).and_then(|(own, choices)| {
        let (part, _) = part(world, question, choices.answers.get(usize::from(own))?, 1.0);
        Some(Sticky { clients: located.neighbours(), records: part.records })
    });
    let answer = choices.as_ref().and_then(|choices| choices.answers.first());
    let code = answer.map_or(NXDOMAIN, |records| records.code);
    let outcome = Outcome {
        rcode: if code == NXDOMAIN { "NXDOMAIN" } else { "NOERROR" }.to_owned(),
        profile: profile_step(&step, &Known::of(&located, world), world, 1.0),
        answers: parts.into_iter().map(|(part, _)| part).collect(),
        sticky,
        ttl,
        // That there is nothing is said to everybody.
        scope: if choices.as_ref().is_some_and(Choices::says_something) { scope } else { scope.map(|_| 0) },
    };
    let slots = match (own, &choices) {
        (Some(own), _) => vec![own],
        (None, Some(choices)) => choices.slots.clone(),
        (None, None) => vec![0],
    };
    Ok((outcome, Expected { place: located.place, choices, slots, scope }))
}

/// Do the name's tables look at the client?
fn is_looked_at(world: &World, question: &Question<'_>) -> anyhow::Result<bool> {
    if !world.view().is_anywhere() {
        return Ok(true);
    }
    for class in world.view().classes() {
        if choices(world, question, class)?.is_some_and(|(_, sticks)| sticks) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What is answered to one class of clients, as it lies in the tables, and whether they stick to it; none where there is no such name.
pub(super) fn choices(
    world: &World,
    question: &Question<'_>,
    class: &Class,
) -> anyhow::Result<Option<(Choices, bool)>> {
    let view = View::of_one(class.clone());
    let decision = decide(&world.profiles, world.profile(), &view, &world.health, question.moment);
    let there = || {
        let mut compiled = compile(&decision, &world.tree).or_else(|| world.stead.there.clone())?;
        let block = row_index(&compiled.types, question.kind.into())?;
        compiled.places.pop()?.into_iter().nth(block)
    };
    let Some(mut choices) = there() else { return Ok(None) };
    if choices.is_left() {
        choices = Choices::one(question.left()?);
    }
    Ok(Some((choices, decision.sticky.contains(&true))))
}

/// The different answers with their least TTL, those of the largest share first.
fn parts(world: &World, question: &Question<'_>, choices: Option<&Choices>) -> Vec<(Part, u32)> {
    let Some(choices) = choices else {
        let records = nodata(
            &world.profile().dns_name,
            world.profile().ttl,
            world.tree.zones().around(&world.profile().dns_name),
        );
        return vec![part(world, question, &records, 1.0)];
    };
    let count = |answer: usize| choices.slots.iter().filter(|slot| usize::from(**slot) == answer).count();
    let mut counted: Vec<(usize, &Records)> =
        choices.answers.iter().enumerate().map(|(i, records)| (count(i), records)).collect();
    counted.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let all = choices.slots.len() as f64;
    counted.into_iter().map(|(count, records)| part(world, question, records, count as f64 / all)).collect()
}

fn part(world: &World, question: &Question<'_>, records: &Records, share: f64) -> (Part, u32) {
    let (answers, authorities) = sections(world.profile(), question, records);
    let ttl = answers.iter().chain(&authorities).map(|record| record.ttl).min().unwrap_or(0);
    let lines = |records: &[Record]| records.iter().map(line).collect();
    let endpoints = records.counts_for.iter().map(ToString::to_string).collect();
    let (records, authorities) = (lines(&answers), lines(&authorities));
    (Part { share, endpoints, records, authorities, reason: None }, ttl)
}

/// Finished records, read back: answer and authority section.
fn sections(profile: &Profile, question: &Question<'_>, records: &Records) -> (Vec<Record>, Vec<Record>) {
    let mut message =
        [0u16, 0x8400, 1, records.answers, records.authorities, 0].map(u16::to_be_bytes).concat();
    message.extend(profile.dns_name.wire());
    message.extend([u16::from(question.kind), 1].map(u16::to_be_bytes).concat());
    message.extend(&*records.octets);
    // What was compiled can be read.
    Message::from_vec(&message).map(|message| (message.answers, message.authorities)).unwrap_or_default()
}

/// A step in the form of the report; the profile has this part of all answers.
fn profile_step(step: &Step, known: &Known, world: &World, of_all: f64) -> ProfileStep {
    let profile = &step.profile;
    let endpoint = |candidate: &Candidate| {
        let endpoint = &candidate.endpoint;
        let leads = match (&endpoint.target, &candidate.below) {
            (Target::Profile(_), _) => Some("nested"),
            (_, Some(_)) => Some("followed"),
            (_, None) => None,
        };
        let share_of_all = of_all * candidate.part;
        EndpointStep {
            name: endpoint.name.to_string(),
            target: endpoint.target.to_string(),
            monitor_status: format!("{:?}", candidate.status),
            share: candidate.part,
            share_of_all,
            reason: candidate.reason.clone(),
            leads: leads.map(str::to_owned),
            profile: candidate.below.as_ref().map(|below| profile_step(below, known, world, share_of_all)),
        }
    };
    ProfileStep {
        name: profile.name.to_string(),
        dns_name: profile.dns_name.to_string(),
        routing_method: profile.routing_method.label().to_owned(),
        ttl: profile.ttl,
        monitor_status: format!("{:?}", step.status),
        place: step.choice.as_ref().and_then(|choice| why(profile, choice, known, world)),
        nobody: step.nobody.clone(),
        endpoints: step.candidates.iter().map(endpoint).collect(),
    }
}
