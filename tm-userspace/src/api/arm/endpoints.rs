//! Endpoints: read, put, patched and deleted one at a time, each as a change of its profile's list.

use serde_json::Value;

use super::{
    answer::Answer,
    fault::Fault,
    id::{Kind, ProfileId, same},
    model::{self, Document, Fields},
    profiles::change,
    request::Request,
    world::{World, id_of, whole},
};
use crate::catalog::{Outcome, Record};

/// `GET {P}/{type}/{endpoint}`.
pub(super) fn get(world: &World, id: &ProfileId, kind: Kind, name: &str) -> Result<Answer, Fault> {
    let record = world.find(id).ok_or_else(|| no_profile(id))?;
    Ok(Answer::ok(show(world, record, kind, name)?))
}

/// `PUT` and, with a part of it, `PATCH` the same.
pub(super) async fn put(
    request: &Request,
    id: &ProfileId,
    kind: Kind,
    name: &str,
    is_patch: bool,
) -> Result<Answer, Fault> {
    let body = request.body()?;
    let (profile, own) = (id.clone(), name.to_owned());
    let changed = change(request, id, false, move |record, world, _| {
        let record = record.ok_or_else(|| no_parent(&profile, is_patch))?;
        let mut whole = whole(record);
        let mut list: Vec<Document> = model::endpoints(&whole).cloned().collect();
        let place = list.iter().position(|endpoint| is(endpoint, &own));
        let before = place.map(|place| list[place].clone());
        if let Some(other) = before.as_ref().map(model::kind).filter(|other| *other != kind) {
            return Err(Fault::conflict(format!(
                "The endpoint name '{own}' is that of an endpoint of type '{}' of the profile '{}'.",
                other.segment(),
                profile.name
            )));
        }
        let properties = match is_patch {
            false => body,
            true => {
                let mut shown = show(world, record, kind, &own)?;
                model::lay_over(&mut shown, &body);
                shown
            }
        };
        let properties = Fields::of(&properties)?.object("properties")?;
        let endpoint = model::read_endpoint(&properties, kind, &own, before.as_ref(), world)?;
        match place {
            Some(place) => list[place] = endpoint,
            None => list.push(endpoint),
        }
        model::set_endpoints(&mut whole, list);
        Ok(whole)
    });
    let (outcome, world) = changed.await?;
    let (Outcome::Created(record, _) | Outcome::Changed(record, _) | Outcome::Deleted(record)) = &outcome;
    let shown = show(&world, record, kind, name)?;
    // The service says 201 to every PUT of an endpoint.
    Ok(if is_patch { Answer::ok(shown) } else { Answer::created(shown) })
}

/// `DELETE` the same.
pub(super) async fn delete(
    request: &Request,
    world: &World,
    id: &ProfileId,
    kind: Kind,
    name: &str,
) -> Result<Answer, Fault> {
    let is_there = world.find(id).is_some_and(|record| show(world, record, kind, name).is_ok());
    if !is_there {
        return Ok(Answer::nothing());
    }
    let own = name.to_owned();
    let profile = id.clone();
    let changed = change(request, id, false, move |record, _, _| {
        let mut whole = whole(record.ok_or_else(|| no_profile(&profile))?);
        let list = model::endpoints(&whole);
        let stay = list.filter(|endpoint| !(is(endpoint, &own) && model::kind(endpoint) == kind)).cloned();
        let stay = stay.collect();
        model::set_endpoints(&mut whole, stay);
        Ok(whole)
    });
    changed.await?;
    Ok(Answer::deleted())
}

fn is(endpoint: &Document, name: &str) -> bool {
    endpoint.get("name").and_then(Value::as_str).is_some_and(|known| same(known, name))
}

fn show(world: &World, record: &Record, kind: Kind, name: &str) -> Result<Value, Fault> {
    let (whole, id) = (whole(record), id_of(record));
    let found = model::endpoints(&whole)
        .zip(1..)
        .find(|(endpoint, _)| is(endpoint, name) && model::kind(endpoint) == kind);
    let (endpoint, place) = found.ok_or_else(|| {
        let kind = kind.segment().to_ascii_lowercase();
        let profile = &id.name;
        Fault::not_found(
            "NotFound",
            format!("The endpoint '{name}' of type '{kind}' does not exist in the profile '{profile}'."),
        )
    })?;
    Ok(model::show_endpoint(endpoint, place, &record.name, &id, world))
}

fn no_profile(id: &ProfileId) -> Fault {
    Fault::not_found("NotFound", format!("The profile '{}' does not exist.", id.name))
}

/// Azure knows two answers.
fn no_parent(id: &ProfileId, is_patch: bool) -> Fault {
    if is_patch {
        return no_profile(id);
    }
    Fault::not_found(
        "ParentResourceNotFound",
        format!(
            "Failed to perform 'write' on resource(s) of type 'trafficManagerProfiles', because the parent resource '{id}' could not be found."
        ),
    )
}
