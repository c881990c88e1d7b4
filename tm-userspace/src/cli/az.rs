//! The flags of `az network traffic-manager`, which mean keys of a file: fingers need not relearn.

use std::net::Ipv4Addr;

use clap::Args;
use serde_json::{Map, Value, json};

use super::{
    document::Assignment,
    named::{HEADING, usage},
};

/// Of a profile.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct ProfileFlags {
    /// routing_method: Priority, Weighted, Performance, Geographic, Subnet, MultiValue.
    #[arg(long, value_name = "METHOD")]
    routing_method: Option<String>,
    /// relative_name: the part of its DNS name before the zone.
    #[arg(long, value_name = "NAME")]
    unique_dns_name: Option<String>,
    /// ttl.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<i64>,
    /// max_return.
    #[arg(long, value_name = "NUMBER")]
    max_return: Option<i64>,
    /// status: Enabled, Disabled.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// monitor.protocol: HTTP, HTTPS, TCP.
    #[arg(long, value_name = "PROTOCOL")]
    protocol: Option<String>,
    /// monitor.port.
    #[arg(long, value_name = "PORT")]
    port: Option<i64>,
    /// monitor.path.
    #[arg(long, value_name = "PATH")]
    path: Option<String>,
    /// monitor.interval.
    #[arg(long, value_name = "SECONDS")]
    interval: Option<u32>,
    /// monitor.timeout.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u32>,
    /// monitor.tolerated_failures.
    #[arg(long, value_name = "NUMBER")]
    max_failures: Option<i64>,
    /// monitor.headers.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    custom_headers: Vec<String>,
    /// monitor.expected_status.
    #[arg(long, value_name = "RANGE", num_args = 1..)]
    status_code_ranges: Vec<String>,
}

/// Of an endpoint.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = HEADING)]
pub(super) struct EndpointFlags {
    /// type: externalEndpoints, azureEndpoints, nestedEndpoints.
    #[arg(long = "type", short = 't', value_name = "TYPE")]
    kind: Option<String>,
    /// target.
    #[arg(long, value_name = "TARGET")]
    target: Option<String>,
    /// target_service of an azure endpoint; target_profile of a nested one, by the last part of the id.
    #[arg(long, value_name = "ID")]
    target_resource_id: Option<String>,
    /// status: Enabled, Disabled.
    #[arg(long, value_name = "STATUS")]
    endpoint_status: Option<String>,
    /// priority.
    #[arg(long, value_name = "NUMBER")]
    priority: Option<i64>,
    /// weight.
    #[arg(long, value_name = "NUMBER")]
    weight: Option<i64>,
    /// endpoint_location.
    #[arg(long, value_name = "REGION")]
    endpoint_location: Option<String>,
    /// geo_mapping.
    #[arg(long, value_name = "CODE", num_args = 1..)]
    geo_mapping: Vec<String>,
    /// subnets: 192.0.2.0:24, 192.0.2.1-192.0.2.9.
    #[arg(long, value_name = "SUBNET", num_args = 1..)]
    subnets: Vec<String>,
    /// min_child_endpoints.
    #[arg(long, value_name = "NUMBER")]
    min_child_endpoints: Option<i64>,
    /// min_child_endpoints_ipv4.
    #[arg(long, value_name = "NUMBER")]
    min_child_ipv4: Option<i64>,
    /// min_child_endpoints_ipv6.
    #[arg(long, value_name = "NUMBER")]
    min_child_ipv6: Option<i64>,
    /// always_serve: Enabled, Disabled.
    #[arg(long, value_name = "STATUS")]
    always_serve: Option<String>,
    /// monitor.headers.
    #[arg(long, value_name = "NAME=VALUE", num_args = 1..)]
    custom_headers: Vec<String>,
}

impl ProfileFlags {
    /// The keys that they mean.
    pub(super) fn keys(&self) -> Vec<Assignment> {
        let text = |value: &Option<String>| value.as_ref().map(|value| json!(value));
        let seconds = |value: Option<u32>| value.map(|value| json!(format!("{value}s")));
        given([
            ("routing_method", text(&self.routing_method)),
            ("relative_name", text(&self.unique_dns_name)),
            ("ttl", self.ttl.map(Value::from)),
            ("max_return", self.max_return.map(Value::from)),
            ("status", text(&self.status)),
            ("monitor.protocol", text(&self.protocol)),
            ("monitor.port", self.port.map(Value::from)),
            ("monitor.path", text(&self.path)),
            ("monitor.interval", seconds(self.interval)),
            ("monitor.timeout", seconds(self.timeout)),
            ("monitor.tolerated_failures", self.max_failures.map(Value::from)),
            ("monitor.headers", headers(&self.custom_headers)),
            ("monitor.expected_status", list(&self.status_code_ranges)),
        ])
    }
}

impl EndpointFlags {
    /// The keys that they mean.
    pub(super) fn keys(&self) -> Vec<Assignment> {
        let text = |value: &Option<String>| value.as_ref().map(|value| json!(value));
        let kind = self.kind.as_deref().map(kind);
        let is_nested = kind == Some("nested");
        let id = self.target_resource_id.as_ref();
        let profile = id.filter(|_| is_nested).and_then(|id| id.rsplit('/').next());
        let always = self.always_serve.as_ref().map(|status| status.eq_ignore_ascii_case("enabled"));
        let subnets: Vec<String> = self.subnets.iter().map(|subnet| self::subnet(subnet)).collect();
        given([
            ("type", kind.map(Value::from)),
            ("target", text(&self.target)),
            ("target_service", id.filter(|_| !is_nested).map(|id| json!(id))),
            ("target_profile", profile.map(Value::from)),
            ("status", text(&self.endpoint_status)),
            ("priority", self.priority.map(Value::from)),
            ("weight", self.weight.map(Value::from)),
            ("endpoint_location", text(&self.endpoint_location)),
            ("geo_mapping", list(&self.geo_mapping)),
            ("subnets", list(&subnets)),
            ("min_child_endpoints", self.min_child_endpoints.map(Value::from)),
            ("min_child_endpoints_ipv4", self.min_child_ipv4.map(Value::from)),
            ("min_child_endpoints_ipv6", self.min_child_ipv6.map(Value::from)),
            ("always_serve", always.map(Value::from)),
            ("monitor.headers", headers(&self.custom_headers)),
        ])
    }
}

fn given<const N: usize>(keys: [(&str, Option<Value>); N]) -> Vec<Assignment> {
    keys.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}

fn list(items: &[String]) -> Option<Value> {
    (!items.is_empty()).then(|| json!(items))
}

fn headers(items: &[String]) -> Option<Value> {
    let mut headers = Map::new();
    for item in items {
        let Some((name, value)) = item.split_once('=') else {
            usage(&format!("`{item}` is no header: write NAME=VALUE"))
        };
        headers.insert(name.to_owned(), value.into());
    }
    (!headers.is_empty()).then(|| headers.into())
}

/// Azure's word for it in ours.
fn kind(written: &str) -> &str {
    let last = written.rsplit('/').next().unwrap_or(written);
    match last.to_ascii_lowercase().as_str() {
        "azureendpoints" => "azure",
        "externalendpoints" => "external",
        "nestedendpoints" => "nested",
        _ => last,
    }
}

/// `ADDRESS:BITS` is how Azure's command line writes a prefix.
fn subnet(written: &str) -> String {
    match written.rsplit_once(':') {
        Some((address, bits)) if address.parse::<Ipv4Addr>().is_ok() => format!("{address}/{bits}"),
        _ => written.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Both {
        #[command(subcommand)]
        one: One,
    }

    #[derive(Debug, clap::Subcommand)]
    enum One {
        Profile(ProfileFlags),
        Endpoint(EndpointFlags),
    }

    fn keys(words: &str) -> Value {
        let keys = match Both::try_parse_from(words.split(' ')).unwrap().one {
            One::Profile(flags) => flags.keys(),
            One::Endpoint(flags) => flags.keys(),
        };
        keys.into_iter().collect::<Map<_, _>>().into()
    }

    #[test]
    fn azures_flags_are_keys() {
        let said = keys(
            "az profile --routing-method Priority --unique-dns-name c --ttl 5 --protocol HTTPS --port 443 --path /x --interval 10 --max-failures 2 --status-code-ranges 200-299 301 --custom-headers a=b c=d=e --status Disabled",
        );
        assert_eq!(
            said,
            json!({
                "routing_method": "Priority", "relative_name": "c", "ttl": 5, "status": "Disabled", "monitor.protocol": "HTTPS", "monitor.port": 443, "monitor.path": "/x",
                "monitor.interval": "10s", "monitor.tolerated_failures": 2, "monitor.headers": { "a": "b", "c": "d=e" }, "monitor.expected_status": ["200-299", "301"],
            })
        );
        let said = keys(
            "az endpoint --type Microsoft.Network/trafficManagerProfiles/nestedEndpoints --target-resource-id /subscriptions/s/x/child --min-child-endpoints 2",
        );
        assert_eq!(said, json!({ "type": "nested", "target_profile": "child", "min_child_endpoints": 2 }));
        let said = keys(
            "az endpoint -t azureEndpoints --target-resource-id /subscriptions/s/ip --always-serve Enabled --subnets 192.0.2.0:24 192.0.2.1-192.0.2.9 2001:db8::/32 --geo-mapping GEO-EU US",
        );
        assert_eq!(
            said,
            json!({
                "type": "azure", "target_service": "/subscriptions/s/ip", "always_serve": true, "subnets": ["192.0.2.0/24", "192.0.2.1-192.0.2.9", "2001:db8::/32"], "geo_mapping": ["GEO-EU", "US"],
            })
        );
        let said = keys(
            "az endpoint -t externalEndpoints --target www.contoso.com --priority 1 --weight 5 --endpoint-status Enabled --endpoint-location eu",
        );
        assert_eq!(
            said,
            json!({
                "type": "external", "target": "www.contoso.com", "priority": 1, "weight": 5, "status": "Enabled", "endpoint_location": "eu",
            })
        );
    }
}
