//! The key of a subscription's real user measurements, as Azure has it.

use axum::http::Method;
use serde_json::json;

use super::{answer::Answer, fault::Fault, request::Request};
use crate::{api::metrics_key, catalog::Refusal, store::Level};

/// `GET`, `PUT` (a new one each time) and `DELETE .../trafficManagerUserMetricsKeys/default`.
pub(super) async fn answer(request: &Request, subscription: &str) -> Result<Answer, Fault> {
    let scope = metrics_key::scope(subscription);
    let (catalog, actor) = (&request.view.catalog, request.principal.actor());
    let show = |key: &str| {
        json!({
            "id": "/providers/Microsoft.Network/trafficManagerUserMetricsKeys/default", "name": "default",
            "type": "Microsoft.Network/trafficManagerUserMetricsKeys", "properties": { "key": key },
        })
    };
    match request.method {
        Method::GET => {
            request.needs(Level::Read, Some(&scope))?;
            let absent = || Fault::not_found("NotFound", "The subscription has no Real User Metrics key.");
            metrics_key::find(catalog, subscription).map(|key| Answer::ok(show(&key))).ok_or_else(absent)
        }
        Method::PUT => {
            request.needs(Level::Write, Some(&scope))?;
            Ok(Answer::created(show(&metrics_key::make(catalog, actor, subscription).await?)))
        }
        Method::DELETE => {
            request.needs(Level::Write, Some(&scope))?;
            match metrics_key::delete(catalog, actor, subscription).await {
                Ok(()) | Err(Refusal::NotFound(_)) => Ok(Answer::ok(json!({ "boolean": true }))),
                Err(refusal) => Err(refusal.into()),
            }
        }
        _ => Err(request.not_allowed()),
    }
}
