//! The key of a subscription's real user measurements.

use axum::http::Method;
use serde_json::json;

use super::{answer::Answer, fault::Fault, request::Request, whole_subscription};
use crate::{
    catalog::{Catalog, Refusal},
    secret,
    store::Level,
};

const KIND: &str = "user_metrics_key";

/// Is it the key of some subscription?
pub(in crate::api) fn is_known(catalog: &Catalog, key: &str) -> bool {
    let objects = catalog.objects(KIND);
    let mut keys = objects.iter().filter_map(|object| object.document.get("key")?.as_str());
    keys.any(|known| secret::is_same(known, key))
}

/// `GET`, `PUT` (a new one each time) and `DELETE .../trafficManagerUserMetricsKeys/default`.
pub(super) async fn answer(request: &Request, subscription: &str) -> Result<Answer, Fault> {
    let scope = whole_subscription(subscription);
    let key = subscription.to_lowercase();
    let catalog = &request.view.catalog;
    let show = |key: &str| {
        json!({
            "id": "/providers/Microsoft.Network/trafficManagerUserMetricsKeys/default", "name": "default",
            "type": "Microsoft.Network/trafficManagerUserMetricsKeys", "properties": { "key": key },
        })
    };
    match request.method {
        Method::GET => {
            request.needs(Level::Read, Some(&scope))?;
            let object = catalog.object(KIND, &key);
            let found = object.as_ref().and_then(|object| object.document.get("key")?.as_str());
            let absent = || Fault::not_found("NotFound", "The subscription has no Real User Metrics key.");
            found.map(|key| Answer::ok(show(key))).ok_or_else(absent)
        }
        Method::PUT => {
            request.needs(Level::Write, Some(&scope))?;
            let fresh = secret::hexadecimal(&secret::random());
            let fresh = fresh.get(..32).unwrap_or(&fresh);
            let put = catalog.put_object(request.principal.actor(), KIND, &key, json!({ "key": fresh }));
            put.await?;
            Ok(Answer::created(show(fresh)))
        }
        Method::DELETE => {
            request.needs(Level::Write, Some(&scope))?;
            match catalog.delete_object(request.principal.actor(), KIND, &key).await {
                Ok(()) | Err(Refusal::NotFound(_)) => Ok(Answer::ok(json!({ "boolean": true }))),
                Err(refusal) => Err(refusal.into()),
            }
        }
        _ => Err(request.not_allowed()),
    }
}
