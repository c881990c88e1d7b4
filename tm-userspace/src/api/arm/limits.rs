//! Azure's own limits, for those who want to be stopped here as they would be there: off, unless `[api] azure_limits = true`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::http::{Method, StatusCode};

use super::{fault::Fault, model, path::Resource};

const PROFILES_AT_MOST: usize = 200;
const ENDPOINTS_AT_MOST: usize = 200;
const INTERVALS: [i64; 2] = [10, 30];
const TIMEOUT_AT_LEAST: i64 = 5;
/// Requests are counted over so long.
const WINDOW: u64 = 20;

/// Requests by subscription and kind in the present window.
#[derive(Clone, Debug, Default)]
pub struct Throttle(Arc<Mutex<Counted>>);

#[derive(Debug, Default)]
struct Counted {
    window: u64,
    requests: HashMap<(String, &'static str), u32>,
}

/// The kind of a request, and how many of it there may be in a minute.
fn kind(method: &Method, resource: &Resource) -> Option<(String, &'static str, u32)> {
    let (subscription, kind, most) = match (resource, method.as_str()) {
        (Resource::Profile(id), "GET" | "HEAD") => (&*id.scope.subscription, "profile get", 450),
        (Resource::Profile(id), "DELETE") => (&*id.scope.subscription, "profile delete", 150),
        (Resource::Profile(id), _) => (&*id.scope.subscription, "profile write", 600),
        (Resource::Endpoint(id, ..), "GET" | "HEAD") => (&*id.scope.subscription, "endpoint get", 1500),
        (Resource::Endpoint(id, ..), _) => (&*id.scope.subscription, "endpoint write", 300),
        (Resource::ProfilesOfGroup(scope), _) => (&*scope.subscription, "profile list", 450),
        (Resource::ProfilesOfSubscription(id), _) => (id.as_str(), "profile list", 450),
        (Resource::NameAvailability(id), _) => (id.as_deref().unwrap_or_default(), "name check", 300),
        (Resource::Hierarchy, _) => ("", "geographic hierarchy", 150),
        (Resource::HeatMap(id), _) => (&*id.scope.subscription, "heat map", 150),
        (Resource::UserMetricsKey(id), _) => (id.as_str(), "user metrics key", 150),
        _ => return None,
    };
    Some((subscription.to_lowercase(), kind, most))
}

impl Throttle {
    /// One more request. An error where it is one too many.
    pub(super) fn count(&self, method: &Method, resource: &Resource, now: SystemTime) -> Result<(), Fault> {
        let Some((subscription, kind, a_minute)) = kind(method, resource) else { return Ok(()) };
        let seconds = now.duration_since(UNIX_EPOCH).map_or(0, |since: Duration| since.as_secs());
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.window != seconds / WINDOW {
            *counted = Counted { window: seconds / WINDOW, ..Counted::default() };
        }
        let count = counted.requests.entry((subscription, kind)).or_default();
        *count += 1;
        if *count <= a_minute / 3 {
            return Ok(());
        }
        let retry_after = WINDOW - seconds % WINDOW;
        let message = format!(
            "The number of requests of kind '{kind}' for the subscription has exceeded {a_minute} a minute. Please try again after '{retry_after}' seconds."
        );
        Err(Fault {
            retry_after: Some(retry_after),
            ..Fault::new(StatusCode::TOO_MANY_REQUESTS, "TooManyRequests", message)
        })
    }
}

/// Is a profile as Azure would take it? `others` are those of its subscription besides.
pub(super) fn check(profile: &model::Document, others: usize) -> Result<(), Fault> {
    if others >= PROFILES_AT_MOST {
        let message = format!(
            "The subscription has {others} Traffic Manager profiles; at most {PROFILES_AT_MOST} are allowed."
        );
        return Err(Fault { code: "QuotaExceeded", ..Fault::conflict(message) });
    }
    let endpoints = model::endpoints(profile).count();
    if endpoints > ENDPOINTS_AT_MOST {
        let path = "properties.endpoints";
        let message =
            format!("The profile has {endpoints} endpoints; at most {ENDPOINTS_AT_MOST} are allowed.");
        return Err(Fault::property(path, message));
    }
    if let Some(place) =
        model::endpoints(profile).position(|endpoint| endpoint.get("weight") == Some(&0.into()))
    {
        let path = format!("properties.endpoints[{place}].properties.weight");
        return Err(Fault::property(&path, "The weight of an endpoint must be between 1 and 1000."));
    }
    let (interval, timeout) = model::times(profile);
    if !INTERVALS.contains(&interval) {
        let path = "properties.monitorConfig.intervalInSeconds";
        return Err(Fault::property(path, "The probing interval must be 10 or 30 seconds."));
    }
    let most = if interval == INTERVALS[0] { 9 } else { 10 };
    if !(TIMEOUT_AT_LEAST..=most).contains(&timeout) {
        let path = "properties.monitorConfig.timeoutInSeconds";
        let message = format!("The probe timeout must be between {TIMEOUT_AT_LEAST} and {most} seconds.");
        return Err(Fault::property(path, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_third_of_a_minutes_requests_fit_into_a_window() {
        let throttle = Throttle::default();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let ask = |subscription: &str, seconds| {
            let resource = Resource::UserMetricsKey(subscription.to_owned());
            throttle.count(&Method::GET, &resource, at(seconds)).map_err(|fault| fault.retry_after)
        };
        for _ in 0..50 {
            assert_eq!(ask("s", 1000), Ok(()));
        }
        assert_eq!(ask("S", 1013), Err(Some(7)));
        assert_eq!(ask("other", 1013), Ok(()));
        assert_eq!(ask("s", 1020), Ok(()));
        assert!(throttle.count(&Method::GET, &Resource::Tenants, at(1013)).is_ok());
    }

    #[test]
    fn a_profile_is_held_to_azures_numbers() {
        let target = |value: serde_json::Value, others| {
            check(value.as_object().unwrap(), others)
                .map_err(|fault| fault.target.unwrap_or(fault.code.to_owned()))
        };
        assert_eq!(target(json!({}), 199), Ok(()));
        assert_eq!(target(json!({}), 200), Err("QuotaExceeded".to_owned()));
        let many = |count: usize| json!({ "endpoint": vec![json!({ "name": "e" }); count] });
        assert_eq!(target(many(200), 0), Ok(()));
        assert_eq!(target(many(201), 0), Err("properties.endpoints".to_owned()));
        let drained = json!({ "endpoint": [{ "name": "e", "weight": 0 }] });
        assert_eq!(target(drained, 0), Err("properties.endpoints[0].properties.weight".to_owned()));
        let monitor = |interval: &str, timeout: &str| {
            target(json!({ "monitor": { "interval": interval, "timeout": timeout } }), 0)
        };
        assert_eq!(monitor("10s", "9s"), Ok(()));
        assert_eq!(monitor("30s", "10s"), Ok(()));
        assert_eq!(monitor("20s", "5s"), Err("properties.monitorConfig.intervalInSeconds".to_owned()));
        assert_eq!(monitor("10s", "10s"), Err("properties.monitorConfig.timeoutInSeconds".to_owned()));
        assert_eq!(monitor("30s", "4s"), Err("properties.monitorConfig.timeoutInSeconds".to_owned()));
    }
}
