//! What files of profiles have: `[[profile]]` with all in it, and `[[service]]`.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;
use utoipa::ToSchema;

use super::{Count, DurationText, Integer, List, Record, StatusText, Text};

/// `[[profile]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Profile {
    /// What operators call it; unique without regard to case.
    #[schema(value_type = String)]
    pub(in crate::config) name: Text,
    /// Where it belongs: who may manage it. By default that of `tm.toml`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) subscription: Option<Text>,
    /// Where it belongs, within the subscription.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) resource_group: Option<Text>,
    /// The part of its DNS name before the zone. By default its name.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) relative_name: Option<Text>,
    /// Its DNS name in full, in any zone or in none.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) dns_name: Option<Text>,
    /// `enabled` or `disabled`: then its name is no name.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) status: Option<Text>,
    /// `priority`, `weighted`, `performance`, `geographic`, `subnet` or `multivalue`.
    #[schema(value_type = String)]
    pub(in crate::config) routing_method: Text,
    /// Seconds that resolvers may keep an answer, by default 30.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) ttl: Option<Spanned<Integer>>,
    /// Of `multivalue`: addresses at once, 1 to 10, by default 2.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) max_return: Option<Spanned<Integer>>,
    /// Does Traffic View look at who is answered? By default it does not.
    #[schema(value_type = Option<bool>)]
    pub(in crate::config) traffic_view: Option<bool>,
    /// Who answers where nobody is up: `all` or `none`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) when_all_down: Option<Text>,
    /// The endpoint that answers where nobody is up, and at no other time.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) last_resort: Option<Text>,
    /// When an endpoint that was down answers again: `automatic`, after a time as `10m`, or `manual`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) failback: Option<Text>,
    /// How many endpoints may be withdrawn for being down.
    pub(in crate::config) guard: Option<Guard>,
    /// Of `weighted`: how long the weight of one that returns takes to grow to the whole.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) slow_start: Option<Spanned<DurationText>>,
    /// Of `weighted`: clients of one prefix get the same endpoint.
    #[schema(value_type = Option<bool>)]
    pub(in crate::config) sticky: Option<Spanned<bool>>,
    /// How its endpoints are probed.
    #[serde(default)]
    pub(in crate::config) monitor: Monitor,
    /// What its name has beside addresses, whoever answers.
    #[serde(default)]
    pub(in crate::config) record: Vec<Record>,
    /// Who may answer.
    #[serde(default)]
    pub(in crate::config) endpoint: Vec<Endpoint>,
}

/// `[profile.guard]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Guard {
    /// A number, or a part of those that could answer, as `50%`.
    #[schema(value_type = serde_json::Value)]
    pub(in crate::config) withdraw_at_most: Spanned<Count>,
    /// Within this time, as `10m`.
    #[schema(value_type = String)]
    pub(in crate::config) window: Spanned<DurationText>,
}

/// `[profile.monitor]`.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Monitor {
    /// `http`, `https` or `tcp`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) protocol: Option<Text>,
    /// 1 to 65535.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) port: Option<Spanned<Integer>>,
    /// Of HTTP and HTTPS; begins with `/`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) path: Option<Text>,
    /// From one probe to the next, by default `30s`, at least `200ms`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) interval: Option<Spanned<DurationText>>,
    /// How long a probe may take.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) timeout: Option<Spanned<DurationText>>,
    /// Failures in a row that change nothing, by default 3.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) tolerated_failures: Option<Spanned<Integer>>,
    /// Successes in a row after which it is up again, by default 1.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) successes_to_recover: Option<Spanned<Integer>>,
    /// Statuses that are a success, as `200` or `200-299`.
    #[schema(value_type = Option<Vec<String>>)]
    pub(in crate::config) expected_status: Option<List<StatusText>>,
    /// Headers of the request.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub(in crate::config) headers: Option<Spanned<BTreeMap<Text, Text>>>,
    /// Must the certificate be right?
    #[schema(value_type = Option<bool>)]
    pub(in crate::config) verify_certificate: Option<Spanned<bool>>,
    /// Of an endpoint: what is probed in the place of the target that is answered.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) target: Option<Text>,
    /// The address that probes come from.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) source: Option<Text>,
    /// What must be in the body.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) body_contains: Option<Text>,
    /// Days before the end of a certificate from which on that is told.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) certificate_warning_days: Option<Spanned<Integer>>,
}

impl Monitor {
    /// This one where it says something, `base` where it does not.
    pub(in crate::config) fn over(&self, base: &Monitor) -> Monitor {
        // A path that the profile gives is for protocols that have one.
        let is_tcp = self.protocol.as_ref().is_some_and(|word| word.get_ref().eq_ignore_ascii_case("tcp"));
        let own = self.clone();
        let base = base.clone();
        Monitor {
            protocol: own.protocol.or(base.protocol),
            port: own.port.or(base.port),
            path: own.path.or(base.path.filter(|_| !is_tcp)),
            interval: own.interval.or(base.interval),
            timeout: own.timeout.or(base.timeout),
            tolerated_failures: own.tolerated_failures.or(base.tolerated_failures),
            successes_to_recover: own.successes_to_recover.or(base.successes_to_recover),
            expected_status: own.expected_status.or(base.expected_status),
            headers: own.headers.or(base.headers),
            verify_certificate: own.verify_certificate.or(base.verify_certificate),
            target: own.target.or(base.target),
            source: own.source.or(base.source),
            body_contains: own.body_contains.or(base.body_contains),
            certificate_warning_days: own.certificate_warning_days.or(base.certificate_warning_days),
        }
    }
}

/// `[[profile.endpoint]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Endpoint {
    /// What operators call it; unique within its profile.
    #[schema(value_type = String)]
    pub(in crate::config) name: Text,
    /// `external`, `nested` or `azure`.
    #[serde(rename = "type")]
    #[schema(value_type = Option<String>)]
    pub(in crate::config) kind: Option<Text>,
    /// An IPv4 or IPv6 address, or a DNS name.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) target: Option<Text>,
    /// Of `nested`: the name of the profile.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) target_profile: Option<Text>,
    /// Of `azure`: the id of a service.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) target_service: Option<Text>,
    /// Of `nested`: so many of its endpoints must be up, by default 1.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) min_child_endpoints: Option<Spanned<Integer>>,
    /// Of `nested`: so many of those with an IPv4 address.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) min_child_endpoints_ipv4: Option<Spanned<Integer>>,
    /// Of `nested`: so many of those with an IPv6 address.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) min_child_endpoints_ipv6: Option<Spanned<Integer>>,
    /// 1 to 1000, the lowest first; by their order where none has one.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) priority: Option<Spanned<Integer>>,
    /// 0 to 1000; 0 drains it.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) weight: Option<Spanned<Integer>>,
    /// `enabled` or `disabled`: neither probed nor answered.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) status: Option<Text>,
    /// It is up without being probed.
    #[schema(value_type = Option<bool>)]
    pub(in crate::config) always_serve: Option<Spanned<bool>>,
    /// What is other than in the profile's monitor.
    #[schema(value_type = Option<Monitor>)]
    pub(in crate::config) monitor: Option<Spanned<Monitor>>,
    /// Addresses, prefixes and ranges of clients that it is for.
    #[schema(value_type = Option<Vec<String>>)]
    pub(in crate::config) subnets: Option<List<String>>,
    /// Codes of places that it is for, as `GEO-EU`, `DE`, `US-CA`, `WORLD`.
    #[schema(value_type = Option<Vec<String>>)]
    pub(in crate::config) geo_mapping: Option<List<String>>,
    /// The Azure region that it is in or nearest to.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) endpoint_location: Option<Text>,
    /// What the name has beside addresses while this endpoint answers.
    #[serde(default)]
    pub(in crate::config) record: Vec<Record>,
}

/// `[[service]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Service {
    /// Its resource id; by default made of where the node's profiles belong, kind and name.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) id: Option<Text>,
    /// `public_ip`, `web_app`, `cloud_service` or `other`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) kind: Option<Text>,
    /// What people call it.
    #[schema(value_type = String)]
    pub(in crate::config) name: Text,
    /// An address or a DNS name.
    #[schema(value_type = String)]
    pub(in crate::config) target: Text,
    /// The Azure region that it is in.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) location: Option<Text>,
    /// `running` or `stopped`.
    #[schema(value_type = Option<String>)]
    pub(in crate::config) state: Option<Text>,
}
