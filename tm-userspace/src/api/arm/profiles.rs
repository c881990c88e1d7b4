//! Profiles: read, put, patched, deleted and listed.

use std::sync::Arc;

use super::{
    answer::Answer,
    fault::Fault,
    groups,
    id::ProfileId,
    limits, limits_hold, model,
    refused::ELSEWHERE,
    request::Request,
    world::{World, whole},
};
use crate::{
    catalog::{Attempt, Draft, Edit, Expected, Outcome, Record},
    desired::Scope,
};

/// How often a change is tried where another one came in between.
const TRIES: usize = 4;

/// `GET {P}`.
pub(super) fn get(world: &World, id: &ProfileId) -> Result<Answer, Fault> {
    Ok(Answer::ok(world.show(world.get(id)?)))
}

/// `GET .../trafficmanagerprofiles` of a subscription.
pub(super) fn list_of_subscription(request: &Request, world: &World, id: &str) -> Result<Answer, Fault> {
    world.subscription(id)?;
    let is_own = |scope: &Scope| scope.subscription.eq_ignore_ascii_case(id) && request.principal.sees(scope);
    Ok(world.list(world.listing.profiles.values().filter(|record| is_own(&record.scope))))
}

/// The same of a resource group.
pub(super) fn list_of_group(world: &World, scope: &Scope) -> Result<Answer, Fault> {
    world.group(scope)?;
    Ok(world.list(world.listing.profiles.values().filter(|record| record.scope.is(scope))))
}

/// `PUT {P}`.
pub(super) async fn put(request: &Request, id: &ProfileId) -> Result<Answer, Fault> {
    let body = Arc::new(request.body()?);
    if id.name.contains('@') {
        return Err(Fault::bad_request(format!(
            "The profile name '{}' is not valid: it has '@' in it.",
            id.name
        )));
    }
    let made = body.clone();
    let outcome = change(request, id, true, move |record, world, name| {
        let before = record.map(whole);
        model::read_profile(&made, name, before.as_ref(), world)
    });
    let (outcome, world) = outcome.await?;
    let (Outcome::Created(record, _) | Outcome::Changed(record, _) | Outcome::Deleted(record)) = &outcome;
    let mut shown = world.show(record);
    // As the service does: tags that were not sent are not shown until they are read.
    if record.annotations.get("tags").is_none() && model::Fields::of(&body)?.get("tags").is_none() {
        shown.as_object_mut().and_then(|shown| shown.shift_remove("tags"));
    }
    Ok(match outcome {
        Outcome::Created(..) => Answer::created(shown),
        _ => Answer::ok(shown),
    })
}

/// `PATCH {P}`.
pub(super) async fn patch(request: &Request, id: &ProfileId) -> Result<Answer, Fault> {
    let patch = request.body()?;
    if !patch.is_object() {
        return Err(Fault::bad_request("The request body must be a JSON object."));
    }
    let missing = World::of(&request.view)?.absent(id);
    let outcome = change(request, id, false, move |record, world, name| {
        let record = record.ok_or(missing)?;
        let before = whole(record);
        let mut body = world.show(record);
        model::lay_over(&mut body, &patch);
        model::read_profile(&body, name, Some(&before), world)
    });
    let (outcome, world) = outcome.await?;
    let (Outcome::Created(record, _) | Outcome::Changed(record, _) | Outcome::Deleted(record)) = &outcome;
    Ok(Answer::ok(world.show(record)))
}

/// `DELETE {P}`.
pub(super) async fn delete(request: &Request, world: &World, id: &ProfileId) -> Result<Answer, Fault> {
    let Some(record) = world.find(id) else { return Ok(Answer::nothing()) };
    let deleted = request.view.catalog.edit(
        request.principal.actor(),
        Attempt::Delete,
        &record.name,
        Expected::Anything,
        false,
        |record| record.map(|_| Edit::Delete).ok_or_else(|| Fault::not_found("NotFound", "It is gone.")),
    );
    match deleted.await {
        Ok(_) => Ok(Answer::deleted()),
        Err(fault) if fault.status == axum::http::StatusCode::NOT_FOUND => Ok(Answer::nothing()),
        Err(fault) => Err(fault),
    }
}

/// Makes one change of a profile. `make` is given what is there, the world, and what documents are to call it, and says what is to be there.
pub(super) async fn change(
    request: &Request,
    id: &ProfileId,
    may_be_new: bool,
    make: impl FnOnce(Option<&Record>, &World, &str) -> Result<model::Document, Fault> + Clone + Send + 'static,
) -> Result<(Outcome, World), Fault> {
    let mut tries = 1;
    loop {
        let world = World::of(&request.view)?;
        let name = world.name_for(id);
        let scope = world.spelled(&id.scope);
        if world.find(id).is_none() && may_be_new {
            groups::come_into_being(request, &world, &scope).await?;
        }
        let (around, make, called) = (world.clone(), make.clone(), name.clone());
        let attempt = if may_be_new { Attempt::Put } else { Attempt::Change };
        let has_limits = limits_hold(&request.view);
        let edit = move |record: Option<&Record>| {
            let whole = make(record, &around, &called)?;
            model::check_records(&whole, &around)?;
            if has_limits {
                let of_subscription = around.listing.profiles.values().filter(|other| {
                    other.scope.subscription.eq_ignore_ascii_case(&scope.subscription)
                        && *other.name != *called
                });
                limits::check(&whole, of_subscription.count())?;
            }
            let (document, annotations) = model::split(whole);
            let scope = record.map_or(scope, |record| record.scope.clone());
            Ok::<_, Fault>(Edit::Put(Draft { scope, document, annotations }))
        };
        let edited = request
            .view
            .catalog
            .edit(request.principal.actor(), attempt, &name, Expected::Anything, false, edit)
            .await;
        match edited {
            // Somebody elsewhere took the name in between.
            Err(fault) if fault.code == ELSEWHERE && tries < TRIES => tries += 1,
            Err(fault) => return Err(fault),
            Ok(outcome) => return Ok((outcome, World::of(&request.view)?)),
        }
    }
}
