//! What Azure's tools write out: answers of the service, `az ... -o json`, and ARM templates, brought into the one form that a PUT takes.
//!
//! `az` writes properties beside `id` and `name`, the service and templates below `properties`; a template names things by expressions, of which parameters,
//! variables, `concat` and `resourceId` are understood.

mod expression;

use anyhow::{Context as _, anyhow, ensure};
use serde_json::{Map, Value, json};

use super::id::{Kind, PROFILES, PROVIDER, ProfileId, Scope};
use expression::Template;

/// A profile that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// Its id, where it was or is to be.
    pub id: ProfileId,
    /// The body of the PUT that makes it.
    pub body: Value,
}

/// Keys that are not below `properties`.
const OUTSIDE: [&str; 8] = ["id", "name", "type", "location", "tags", "resourceGroup", "etag", "properties"];

/// The profiles in a text; those that do not say where they lie are to lie in `scope`.
pub fn read(text: &str, scope: &Scope) -> anyhow::Result<Vec<Exported>> {
    let whole: Value = serde_json::from_str(text).context("it is not JSON")?;
    let found = match &whole {
        Value::Array(items) => items.clone(),
        Value::Object(map) if map.contains_key("$schema") || map.contains_key("resources") => {
            Template::new(&whole, scope).resources()?
        }
        Value::Object(map) => match (map.get("value"), map.get("TrafficManagerProfile")) {
            (Some(Value::Array(items)), _) => items.clone(),
            (_, Some(one)) => vec![one.clone()],
            _ => vec![whole.clone()],
        },
        _ => return Err(anyhow!("it is neither a profile, nor a list of them, nor a template")),
    };
    let mut profiles: Vec<Exported> = Vec::new();
    let mut endpoints = Vec::new();
    for item in &found {
        let kind = item.get("type").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
        let own = format!("{PROVIDER}/{PROFILES}").to_ascii_lowercase();
        if kind == own || kind.is_empty() {
            profiles.push(profile(item, scope)?);
        } else if kind.starts_with(&format!("{own}/")) {
            endpoints.push(item);
        }
    }
    // A template may have endpoints by themselves, called `profile/endpoint`.
    for endpoint in endpoints {
        let name = endpoint.get("name").and_then(Value::as_str).unwrap_or_default();
        let (parent, own) =
            name.split_once('/').with_context(|| format!("the endpoint `{name}` names no profile"))?;
        let of = profiles.iter_mut().find(|profile| super::id::same(&profile.id.name, parent));
        let of = of.with_context(|| format!("the endpoint `{name}` is of a profile that is not there"))?;
        let mut endpoint = below_properties(endpoint);
        endpoint["name"] = own.into();
        let list = of.body["properties"]["endpoints"].as_array_mut().context("endpoints are no list")?;
        list.retain(|known| known["name"] != endpoint["name"]);
        list.push(endpoint);
    }
    ensure!(!profiles.is_empty(), "there is no Traffic Manager profile in it");
    Ok(profiles)
}

/// Services that endpoints of type Azure stand for, as far as they say what they answer with: documents of the inventory.
pub fn services(profiles: &[Exported]) -> Vec<Value> {
    let mut services: Vec<Value> = Vec::new();
    let endpoints = profiles.iter().filter_map(|profile| profile.body["properties"]["endpoints"].as_array());
    for endpoint in endpoints.flatten() {
        let kind = Kind::find(endpoint["type"].as_str().unwrap_or_default());
        let properties = &endpoint["properties"];
        let (id, target) = (properties["targetResourceId"].as_str(), properties["target"].as_str());
        let (Some(Kind::Azure), Some(id), Some(target)) = (kind, id, target) else { continue };
        if services
            .iter()
            .any(|known| known["id"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(id)))
        {
            continue;
        }
        let folded = id.to_ascii_lowercase();
        let kind = match () {
            () if folded.contains("/publicipaddresses/") => "public_ip",
            () if folded.contains("/sites/") => "web_app",
            () if folded.contains("/domainnames/") => "cloud_service",
            () => "other",
        };
        let name = id.rsplit('/').next().unwrap_or(id);
        let mut service = json!({ "id": id, "kind": kind, "name": name, "target": target });
        if let Some(location) = properties["endpointLocation"].as_str() {
            service["location"] = location.into();
        }
        services.push(service);
    }
    services
}

fn profile(item: &Value, scope: &Scope) -> anyhow::Result<Exported> {
    let name = item.get("name").and_then(Value::as_str).context("a profile has no name")?;
    let id = item.get("id").and_then(Value::as_str).and_then(ProfileId::parse);
    let mut body = below_properties(item);
    body["location"] = "global".into();
    let list = body["properties"]["endpoints"].as_array().cloned().unwrap_or_default();
    body["properties"]["endpoints"] = list.iter().map(below_properties).collect();
    let id = id.unwrap_or_else(|| ProfileId { scope: scope.clone(), name: name.to_owned() });
    Ok(Exported { id, body })
}

/// With all that Azure has below `properties` there.
fn below_properties(item: &Value) -> Value {
    let Some(map) = item.as_object() else { return item.clone() };
    let (outside, mut inside): (Map<String, Value>, Map<String, Value>) =
        map.clone().into_iter().partition(|(key, _)| OUTSIDE.contains(&key.as_str()));
    let mut outside = outside;
    if let Some(Value::Object(properties)) = outside.shift_remove("properties") {
        inside = properties;
    }
    outside.insert("properties".to_owned(), Value::Object(inside));
    Value::Object(outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        Scope { subscription: "s".into(), resource_group: "g".into() }
    }

    #[test]
    fn what_az_writes_is_as_what_the_service_says() {
        let id = "/subscriptions/x/resourceGroups/y/providers/Microsoft.Network/trafficManagerProfiles/p";
        let kind = "Microsoft.Network/trafficManagerProfiles";
        let flat = json!([{
            "id": id, "name": "p", "type": kind, "location": "global", "resourceGroup": "y", "tags": { "a": "1" },
            "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "p" },
            "endpoints": [{ "name": "e", "type": format!("{kind}/azureEndpoints"), "resourceGroup": "y",
                "targetResourceId": "/x/publicIPAddresses/pip", "target": "192.0.2.1", "endpointLocation": "East US" }],
        }]);
        let endpoint = json!({ "targetResourceId": "/x/publicIPAddresses/pip", "target": "192.0.2.1", "endpointLocation": "East US" });
        let deep = json!({ "value": [{
            "id": id, "name": "p", "type": kind, "location": "global", "tags": { "a": "1" },
            "properties": {
                "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "p" },
                "endpoints": [{ "name": "e", "type": format!("{kind}/azureEndpoints"), "properties": endpoint }],
            },
        }] });
        let mut one = read(&flat.to_string(), &scope()).unwrap();
        let other = read(&deep.to_string(), &scope()).unwrap();
        let body = one[0].body.as_object_mut().unwrap();
        body.shift_remove("resourceGroup");
        body["properties"]["endpoints"][0].as_object_mut().unwrap().shift_remove("resourceGroup");
        assert_eq!(one, other);
        assert_eq!(one[0].id.to_string(), id);
        let service = json!({ "id": "/x/publicIPAddresses/pip", "kind": "public_ip", "name": "pip", "target": "192.0.2.1", "location": "East US" });
        assert_eq!(services(&one), [service]);
    }

    #[test]
    fn a_template_is_read_with_its_parameters() {
        let text = r#"{
            "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
            "parameters": { "profile": { "type": "string", "defaultValue": "web" } },
            "variables": { "prefix": "[concat(parameters('profile'), '-dns')]" },
            "resources": [
                { "type": "Microsoft.Network/trafficManagerProfiles", "apiVersion": "2022-04-01",
                  "name": "[parameters('profile')]", "location": "global",
                  "properties": { "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "[variables('prefix')]" } } },
                { "type": "Microsoft.Network/trafficManagerProfiles/nestedEndpoints",
                  "name": "[concat(parameters('profile'), '/below')]",
                  "properties": { "targetResourceId": "[concat('', resourceId('Microsoft.Network/trafficManagerProfiles', 'child'))]" } },
                { "type": "Microsoft.Compute/virtualMachines", "name": "[uniqueString('x')]" }
            ] }"#;
        let found = read(text, &scope()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].id.to_string(),
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/web"
        );
        assert_eq!(found[0].body["properties"]["dnsConfig"]["relativeName"], "web-dns");
        let endpoint = &found[0].body["properties"]["endpoints"][0];
        assert_eq!(endpoint["name"], "below");
        let child =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficManagerProfiles/child";
        assert_eq!(endpoint["properties"]["targetResourceId"], child);
    }

    #[test]
    fn what_cannot_be_read_is_told() {
        let told = |text: &str| format!("{:#}", read(text, &scope()).unwrap_err());
        assert!(told("{").starts_with("it is not JSON: "));
        assert_eq!(told("1"), "it is neither a profile, nor a list of them, nor a template");
        assert_eq!(told("[]"), "there is no Traffic Manager profile in it");
        assert_eq!(told("{}"), "a profile has no name");
        let template = |name: &str| {
            json!({ "resources": [{ "type": "Microsoft.Network/trafficManagerProfiles", "name": name }] })
                .to_string()
        };
        assert_eq!(told(&template("[parameters('x')]")), "the parameter `x` has no default value");
        assert_eq!(
            told(&template("[uniqueString('x')]")),
            "`uniqueString('x')` is no expression that is understood"
        );
    }
}
