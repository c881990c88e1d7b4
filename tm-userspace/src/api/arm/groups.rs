//! Subscriptions and resource groups. Both come into being by the first write into them, and a group stays when it is empty again.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    answer::Answer,
    fault::Fault,
    id::group_id,
    model::Fields,
    request::Request,
    world::{World, id_of},
};
use crate::{
    catalog::{Attempt, Catalog, Edit, Expected, Record},
    desired::Scope,
    store::Level,
};

/// What the catalog calls a resource group.
const KIND: &str = "resource_group";
/// The one tenant that there is.
pub(super) const TENANT: &str = "00000000-0000-0000-0000-000000000002";

impl World {
    /// All groups by subscription and name in lower case: those that were made, those with profiles, and the node's own.
    fn groups(&self) -> BTreeMap<(String, String), (Scope, Value)> {
        let mut groups = BTreeMap::new();
        let key = |scope: &Scope| (scope.subscription.to_lowercase(), scope.resource_group.to_lowercase());
        for (scope, said) in self.made() {
            groups.insert(key(&scope), (scope, said));
        }
        for scope in self.scopes() {
            groups.entry(key(scope)).or_insert_with(|| (scope.clone(), Value::Null));
        }
        groups
    }

    /// Where profiles lie, and where those would that do not say.
    fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.listing.profiles.values().map(|record| &record.scope).chain([&self.node.scope])
    }

    /// The groups that were made, or written into for the first time.
    fn made(&self) -> impl Iterator<Item = (Scope, Value)> {
        let from = (Arc::<str>::from(KIND), Arc::<str>::from(""));
        let objects = self.listing.objects.range(from..).take_while(|((kind, _), _)| **kind == *KIND);
        objects.map(|(_, object)| (scope_of(&object.document), Value::clone(&object.document)))
    }

    /// The subscription as it is written; an error where nothing is in it.
    pub(super) fn subscription(&self, id: &str) -> Result<String, Fault> {
        let is = |scope: &Scope| scope.subscription.eq_ignore_ascii_case(id);
        let of_profile = self.scopes().find(|scope| is(scope)).map(|scope| scope.subscription.clone());
        let found = of_profile
            .or_else(|| self.made().map(|(scope, _)| scope).find(is).map(|scope| scope.subscription));
        let absent = || {
            Fault::not_found("SubscriptionNotFound", format!("The subscription '{id}' could not be found."))
        };
        found.map(|known| known.to_string()).ok_or_else(absent)
    }

    /// The group as it is written, and what was said of it.
    pub(super) fn group(&self, scope: &Scope) -> Result<(Scope, Value), Fault> {
        let made = self.listing.objects.get(&(KIND.into(), key(scope)));
        let made = made.map(|object| (scope_of(&object.document), Value::clone(&object.document)));
        let of_profile =
            || self.scopes().find(|known| known.is(scope)).map(|known| (known.clone(), Value::Null));
        if let Some(found) = made.or_else(of_profile) {
            return Ok(found);
        }
        self.subscription(&scope.subscription)?;
        let message = format!("Resource group '{}' could not be found.", scope.resource_group);
        Err(Fault::not_found("ResourceGroupNotFound", message))
    }

    /// The scope as it is written where it is there, else as it is asked for.
    pub(super) fn spelled(&self, scope: &Scope) -> Scope {
        let subscription =
            self.subscription(&scope.subscription).map_or(scope.subscription.clone(), Into::into);
        let group = self.group(scope).map_or(scope.resource_group.clone(), |(known, _)| known.resource_group);
        Scope { subscription, resource_group: group }
    }
}

/// The group is there from now on.
pub(super) async fn come_into_being(request: &Request, world: &World, scope: &Scope) -> Result<(), Fault> {
    let key = (KIND.into(), key(scope));
    if world.listing.objects.contains_key(&key) || world.node.scope.is(scope) {
        return Ok(());
    }
    put(request, scope, json!({ "subscription": scope.subscription, "name": scope.resource_group }))
        .await
        .map(drop)
}

/// `GET /subscriptions`.
pub(super) fn list_subscriptions(request: &Request, world: &World) -> Answer {
    let mut ids: Vec<String> = Vec::new();
    for (scope, _) in world.groups().into_values() {
        let known = ids.iter().any(|id| id.eq_ignore_ascii_case(&scope.subscription));
        if !known && request.principal.sees(&scope) {
            ids.push(scope.subscription.to_string());
        }
    }
    Answer::list(ids.iter().map(|id| show_subscription(id)).collect())
}

/// `GET /subscriptions/{id}`.
pub(super) fn get_subscription(world: &World, id: &str) -> Result<Answer, Fault> {
    Ok(Answer::ok(show_subscription(&world.subscription(id)?)))
}

/// `GET /tenants`.
pub(super) fn list_tenants() -> Answer {
    let id = format!("/tenants/{TENANT}");
    Answer::list(vec![json!({
        "id": id, "tenantId": TENANT, "displayName": "Traffic Manager", "tenantCategory": "Home", "domains": [],
        "defaultDomain": "", "countryCode": "", "tenantType": "AAD",
    })])
}

/// `GET .../resourceGroups`.
pub(super) fn list(request: &Request, world: &World, subscription: &str) -> Result<Answer, Fault> {
    world.subscription(subscription)?;
    let groups = world.groups().into_values();
    let own = groups.filter(|(scope, _)| {
        scope.subscription.eq_ignore_ascii_case(subscription) && request.principal.sees(scope)
    });
    Ok(Answer::list(own.map(|(scope, said)| show(&scope, &said)).collect()))
}

/// `GET` and `HEAD .../resourceGroups/{name}`.
pub(super) fn get(world: &World, scope: &Scope) -> Result<Answer, Fault> {
    let (scope, said) = world.group(scope)?;
    Ok(Answer::ok(show(&scope, &said)))
}

/// `PUT` and `PATCH .../resourceGroups/{name}`.
pub(super) async fn put_group(
    request: &Request,
    world: &World,
    scope: &Scope,
    is_patch: bool,
) -> Result<Answer, Fault> {
    let known = world.group(scope).ok();
    if is_patch && known.is_none() {
        world.group(scope)?;
    }
    let body = request.body()?;
    let fields = Fields::of(&body)?;
    let said = known.as_ref().map(|(_, said)| said.clone()).unwrap_or_default();
    let location = fields.text("location")?.or(said["location"].as_str());
    let location = location.or(known.as_ref().map(|_| "global")).ok_or_else(|| Fault {
        code: "LocationRequired",
        ..Fault::property("location", "The location property is required for this definition.")
    })?;
    let tags = fields.get("tags").cloned();
    let tags = tags.or_else(|| is_patch.then(|| said.get("tags").cloned()).flatten());
    let (is_new, scope) = match known {
        Some((scope, _)) => (false, scope),
        None => (true, world.spelled(scope)),
    };
    let mut document =
        json!({ "subscription": scope.subscription, "name": scope.resource_group, "location": location });
    if let Some(tags) = tags {
        document["tags"] = tags;
    }
    put(request, &scope, document.clone()).await?;
    let shown = show(&scope, &document);
    Ok(if is_new { Answer::created(shown) } else { Answer::ok(shown) })
}

/// `DELETE .../resourceGroups/{name}`: with all that is in it.
pub(super) async fn delete(
    request: &Request,
    world: &World,
    catalog: &Catalog,
    scope: &Scope,
) -> Result<Answer, Fault> {
    let Ok((scope, _)) = world.group(scope) else { return Ok(Answer::nothing()) };
    let mut left: Vec<String> = world
        .listing
        .profiles
        .values()
        .filter(|record| record.scope.is(&scope))
        .map(|record| record.name.to_string())
        .collect();
    // Those that nest others go before these do; so it goes on as long as some goes.
    while !left.is_empty() {
        let before = left.len();
        let mut last = None;
        let mut stay = Vec::new();
        for name in left {
            let delete = |record: Option<&Record>| match record {
                Some(_) => Ok::<_, Fault>(Edit::Delete),
                None => Err(Fault::not_found("NotFound", "")),
            };
            let actor = request.principal.actor();
            let gone = catalog.edit(actor, Attempt::Delete, &name, Expected::Anything, false, delete);
            match gone.await {
                Err(fault) if fault.status != axum::http::StatusCode::NOT_FOUND => {
                    last = Some(fault);
                    stay.push(name);
                }
                _ => {}
            }
        }
        if let Some(fault) = last.filter(|_| stay.len() == before) {
            return Err(fault);
        }
        left = stay;
    }
    match catalog.delete_object(request.principal.actor(), KIND, &key(&scope)).await {
        Ok(()) | Err(crate::catalog::Refusal::NotFound(_)) => {
            Ok(Answer { status: axum::http::StatusCode::OK, body: None })
        }
        Err(refusal) => Err(refusal.into()),
    }
}

/// `GET .../resources`: all profiles, for tools that look for whatever there is.
pub(super) fn resources(
    request: &Request,
    world: &World,
    subscription: &str,
    group: Option<&str>,
) -> Result<Answer, Fault> {
    world.subscription(subscription)?;
    let records = world.listing.profiles.values().filter(|record| {
        let scope = &record.scope;
        scope.subscription.eq_ignore_ascii_case(subscription)
            && group.is_none_or(|group| scope.resource_group.eq_ignore_ascii_case(group))
            && request.principal.sees(scope)
    });
    let show = |record: &Arc<Record>| {
        let id = id_of(record);
        json!({
            "id": id.to_string(), "name": id.name, "type": "Microsoft.Network/trafficManagerProfiles",
            "location": "global", "tags": record.annotations.get("tags"),
        })
    };
    Ok(Answer::list(records.map(show).collect()))
}

fn scope_of(document: &Value) -> Scope {
    let text = |key: &str| document.get(key).and_then(Value::as_str).unwrap_or_default();
    Scope { subscription: text("subscription").into(), resource_group: text("name").into() }
}

async fn put(request: &Request, scope: &Scope, document: Value) -> Result<(), Fault> {
    request.needs(Level::Write, Some(scope))?;
    let key = key(scope);
    let put = request.view.catalog.put_object(request.principal.actor(), KIND, &key, document);
    put.await.map(drop).map_err(Fault::from)
}

fn key(scope: &Scope) -> Arc<str> {
    format!("{}/{}", scope.subscription, scope.resource_group).to_lowercase().into()
}

fn show(scope: &Scope, said: &Value) -> Value {
    let mut shown = json!({
        "id": group_id(scope), "name": scope.resource_group, "type": "Microsoft.Resources/resourceGroups",
        "location": said["location"].as_str().unwrap_or("global"),
        "properties": { "provisioningState": "Succeeded" },
    });
    if let Some(tags) = said.get("tags") {
        shown["tags"] = tags.clone();
    }
    shown
}

fn show_subscription(id: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"), "authorizationSource": "RoleBased", "managedByTenants": [],
        "subscriptionId": id, "tenantId": TENANT, "displayName": format!("Traffic Manager {id}"), "state": "Enabled",
        "subscriptionPolicies": { "locationPlacementId": "Public_2014-09-01", "quotaId": "", "spendingLimit": "Off" },
    })
}
