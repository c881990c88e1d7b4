//! Resource providers, all of them registered: `az` and Terraform look before they work.

use serde_json::{Value, json};

use super::{answer::Answer, id::PROVIDER, version};

/// Types of the provider that are served.
const TYPES: [&str; 7] = [
    "trafficmanagerprofiles",
    "trafficmanagerprofiles/heatMaps",
    "trafficmanagerprofiles/azureendpoints",
    "trafficmanagerprofiles/externalendpoints",
    "trafficmanagerprofiles/nestedendpoints",
    "trafficManagerUserMetricsKeys",
    "trafficManagerGeographicHierarchies",
];

/// `GET .../providers`.
pub(super) fn list(subscription: &str) -> Answer {
    Answer::list(vec![show(subscription, PROVIDER), show(subscription, "Microsoft.Resources")])
}

/// `GET .../providers/{name}`, and `POST .../register`.
pub(super) fn get(subscription: &str, name: &str) -> Answer {
    let name = if name.eq_ignore_ascii_case(PROVIDER) { PROVIDER } else { name };
    Answer::ok(show(subscription, name))
}

/// `GET .../locations`.
pub(super) fn locations(subscription: &str) -> Answer {
    let location = |region: crate::geo::Region| {
        let name = region.as_str().replace(' ', "").to_lowercase();
        json!({
            "id": format!("/subscriptions/{subscription}/locations/{name}"), "name": name,
            "type": "Region", "displayName": region.as_str(), "regionalDisplayName": region.as_str(),
        })
    };
    Answer::list(crate::geo::Region::all().map(location).collect())
}

fn show(subscription: &str, name: &str) -> Value {
    let types: Vec<Value> = match name == PROVIDER {
        true => TYPES
            .iter()
            .map(|kind| json!({ "resourceType": kind, "locations": ["global"], "apiVersions": version::all().collect::<Vec<_>>() }))
            .collect(),
        false => Vec::new(),
    };
    json!({
        "id": format!("/subscriptions/{subscription}/providers/{name}"), "namespace": name,
        "resourceTypes": types, "registrationState": "Registered", "registrationPolicy": "RegistrationRequired",
    })
}
