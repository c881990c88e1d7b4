//! What the daemon knows, in one piece.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tm_common::verdict::Reason;

use super::{VERSION, View};
use crate::{
    control::{Answers, Published},
    decide::Decision,
    desired::{Endpoint, EndpointKey, Listen, RateLimit, Status as Wanted, Target, XdpMode},
    health::{Details, Health},
    time::rfc3339,
};

/// The daemon's state; times in RFC 3339, UTC.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Status {
    /// The daemon's version.
    pub version: String,
    /// When it began.
    pub started: String,
    /// Number of the configuration that is in force; also the zone's serial.
    pub generation: u64,
    /// The zone.
    pub zone: String,
    /// Addresses answered at.
    pub addresses: Vec<String>,
    /// `auto`, `native`, `generic` or `off`, as configured.
    pub mode: String,
    /// The listed interfaces.
    pub interfaces: Vec<InterfaceView>,
    /// Did the last load of the configuration succeed?
    pub config_ok: bool,
    /// What was wrong with it.
    pub config_error: Option<String>,
    /// What is wrong with the store, if anything is.
    #[serde(default)]
    pub store_error: Option<String>,
    /// The database of `[geo]` that is in use.
    pub geo: Option<GeoView>,
    /// The limit on answers over UDP.
    #[serde(default)]
    pub rate_limit: Option<LimitView>,
    /// Packets that XDP saw, by what became of them.
    pub packets: BTreeMap<String, u64>,
    /// Messages that the sockets saw, by what became of them.
    pub messages: BTreeMap<String, u64>,
    /// By name.
    pub profiles: Vec<ProfileView>,
}

impl Status {
    /// What who may look at these profiles alone is told: nothing of the others, nor of the node.
    pub(super) fn of(mut self, sees: impl Fn(&str) -> bool) -> Self {
        self.profiles.retain(|profile| sees(&profile.name));
        (self.config_error, self.store_error, self.geo) = (None, None, None);
        (self.interfaces, self.rate_limit, self.packets, self.messages) = Default::default();
        self
    }
}

/// The limit on answers over UDP.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LimitView {
    /// `off`: there is none at any time; `on`: it holds always; `disarmed`: it waits for a flood; `armed`: it holds because of one.
    pub state: String,
    /// Answers a second that one prefix is given of one kind, while it holds.
    pub answers_per_second: u32,
    /// Answers a second of the whole node above which it is armed, where it waits for a flood.
    pub armed_above: Option<u32>,
    /// Answers a second that the whole node gives over UDP, with those that are held back, once that is known.
    pub answers: Option<u64>,
}

/// A database of places.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GeoView {
    /// Its file.
    pub database: String,
    /// What its maker calls its kind.
    pub kind: String,
    /// When it was built.
    pub built: String,
    /// Networks of IPv4 that it knows.
    pub rows_ipv4: u64,
    /// Networks of IPv6 that it knows.
    pub rows_ipv6: u64,
}

/// An interface and its program.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InterfaceView {
    /// Its name.
    pub name: String,
    /// `native`, `generic`, or none where no program is attached.
    pub xdp: Option<String>,
}

/// A profile.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ProfileView {
    /// Its name.
    pub name: String,
    /// The name it answers.
    pub dns_name: String,
    /// As it is written in files.
    pub routing_method: String,
    /// Seconds.
    pub ttl: u32,
    /// `enabled` or `disabled`, as the operator wants it.
    pub status: String,
    /// As derived.
    pub monitor_status: String,
    /// In the order they were written.
    pub endpoints: Vec<EndpointView>,
}

/// An endpoint.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct EndpointView {
    /// Its name.
    pub name: String,
    /// What it answers with.
    pub target: String,
    /// `enabled` or `disabled`, as the operator wants it.
    pub status: String,
    /// As derived.
    pub monitor_status: String,
    /// `up` or `down`, where an operator forces it to be that; the monitor status stays what the probes say.
    pub forced: Option<String>,
    /// What the profile's rules and operators make of it, in words.
    pub notes: Vec<String>,
    /// The part of the profile's answers that it is in now, 0 to 1; of those of its address family where the method is MultiValue. None where clients are told apart by
    /// where they are: each place has its own.
    pub share: Option<f64>,
    /// The profile that it stands for, where it is nested.
    pub child: Option<ChildView>,
    /// Since when it is up or down.
    pub since: Option<String>,
    /// Was the last probe a success?
    pub last_ok: Option<bool>,
    /// What the last probe found.
    pub last_reason: Option<String>,
    /// When.
    pub last_at: Option<String>,
    /// When the certificate expires that the last probe was shown.
    pub certificate_expires: Option<String>,
    /// Probes so far.
    pub probes: u64,
    /// How long its probes take to connect, in milliseconds, smoothed; where there are clients near to this node.
    #[serde(default)]
    pub round_trip_ms: Option<f64>,
    /// Answers given, by XDP and by the sockets, whichever profile was asked; none where it is nested: they count for the endpoints below.
    pub answers: u64,
}

/// What a nested endpoint's state comes from.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChildView {
    /// Its name.
    pub profile: String,
    /// The child's state.
    pub monitor_status: String,
    /// Its endpoints that are Online, Unmonitored or CheckingEndpoint.
    pub available: usize,
    /// How many of them there must be.
    pub min_child_endpoints: u16,
}

/// Gathers it.
pub(super) fn status(view: &View) -> anyhow::Result<Status> {
    let desired =
        view.desired.borrow().clone().ok_or_else(|| anyhow::anyhow!("no configuration is in force yet"))?;
    let health = view.health.borrow().clone();
    let published = view.published.borrow().clone();
    let reload = view.reload.borrow().clone();
    let keys: Vec<EndpointKey> = desired.endpoints().map(|(key, ..)| key).collect();
    let counted = view.tables.counted(&keys);
    let answers: HashMap<&EndpointKey, u64> = keys.iter().zip(counted.answers.into_iter().map(all)).collect();
    let listen = &desired.node.listen;
    let interfaces = interfaces(view, listen);
    let known = Known { published: &published, health: &health, details: &view.details, answers: &answers };
    let profiles = published.decisions.values().map(|decision| known.profile(decision));
    Ok(Status {
        version: VERSION.to_owned(),
        started: rfc3339(view.started),
        generation: published.generation,
        zone: desired.node.zone().name.to_string(),
        addresses: published.listening.served.iter().map(ToString::to_string).collect(),
        mode: mode(listen).to_owned(),
        interfaces,
        config_ok: reload.ok,
        config_error: reload.error,
        store_error: view.catalog.alert(),
        geo: desired.atlas.as_ref().map(|atlas| GeoView {
            database: atlas.database.path().display().to_string(),
            kind: atlas.survey.kind.clone(),
            built: rfc3339(atlas.survey.built),
            rows_ipv4: atlas.survey.rows_ipv4,
            rows_ipv6: atlas.survey.rows_ipv6,
        }),
        rate_limit: Some(limit(view, &desired.node.rate_limit, published.is_armed)),
        packets: packets(&counted.packets),
        messages: messages(view),
        profiles: profiles.collect(),
    })
}

fn limit(view: &View, limit: &RateLimit, is_armed: bool) -> LimitView {
    let state = match (limit.limit.answers_per_second, limit.arming, is_armed) {
        (0, ..) => "off",
        (_, None, _) => "on",
        (.., false) => "disarmed",
        (.., true) => "armed",
    };
    LimitView {
        state: state.to_owned(),
        answers_per_second: limit.limit.answers_per_second,
        armed_above: limit.arming.map(|arming| arming.above),
        answers: view.rates.load().borrow().map(|load| load.answers_per_second),
    }
}

/// Packets by what became of them.
pub(super) fn packets(counted: &[(Reason, u64, u64)]) -> BTreeMap<String, u64> {
    counted.iter().map(|(reason, count, _)| (reason.label().to_owned(), *count)).collect()
}

/// Messages by what became of them at the sockets.
pub(super) fn messages(view: &View) -> BTreeMap<String, u64> {
    view.responder.counts().into_iter().map(|(label, count)| (label.to_owned(), count)).collect()
}

/// What is known of a profile and, behind it, of each that is nested below it.
pub(super) fn tree(view: &View, name: &str) -> Vec<ProfileView> {
    let published = view.published.borrow().clone();
    let health = view.health.borrow().clone();
    let mut decisions: Vec<&Arc<Decision>> = published.decisions.get(name).into_iter().collect();
    let mut next = 0;
    while let Some(decision) = decisions.get(next).copied() {
        next += 1;
        for endpoint in &decision.profile.endpoints {
            let Target::Profile(child) = &endpoint.target else { continue };
            let child = published.decisions.get(child);
            decisions.extend(child.filter(|child| !decisions.iter().any(|other| Arc::ptr_eq(other, child))));
        }
    }
    let keys_of = |decision: &&Arc<Decision>| {
        let profile = &decision.profile;
        profile.endpoints.iter().map(|endpoint| profile.key(endpoint)).collect::<Vec<_>>()
    };
    let keys: Vec<EndpointKey> = decisions.iter().flat_map(keys_of).collect();
    let counted = view.tables.counted(&keys).answers;
    let answers = keys.iter().zip(counted.into_iter().map(all)).collect();
    let known = Known { published: &published, health: &health, details: &view.details, answers: &answers };
    decisions.into_iter().map(|decision| known.profile(decision)).collect()
}

/// What the state of a profile is told from.
struct Known<'a> {
    published: &'a Published,
    health: &'a Health,
    details: &'a Details,
    answers: &'a HashMap<&'a EndpointKey, u64>,
}

impl Known<'_> {
    fn profile(&self, decision: &Decision) -> ProfileView {
        let profile = &decision.profile;
        ProfileView {
            name: profile.name.to_string(),
            dns_name: profile.dns_name.to_string(),
            routing_method: profile.routing_method.label().to_owned(),
            ttl: profile.ttl,
            status: word(profile.status).to_owned(),
            monitor_status: format!("{:?}", decision.status),
            endpoints: (0..profile.endpoints.len()).map(|index| self.endpoint(decision, index)).collect(),
        }
    }

    fn endpoint(&self, decision: &Decision, index: usize) -> EndpointView {
        let endpoint = &decision.profile.endpoints[index];
        let key = decision.profile.key(endpoint);
        let details = self.details.get(&key).unwrap_or_default();
        let ruling = decision.rulings.get(index).copied().unwrap_or_default();
        let forced = ruling.forced.map(|forced| if forced.up { "up" } else { "down" });
        EndpointView {
            name: endpoint.name.to_string(),
            target: endpoint.target.to_string(),
            status: word(endpoint.status).to_owned(),
            monitor_status: decision.endpoints.get(index).map(|its| format!("{its:?}")).unwrap_or_default(),
            forced: forced.map(str::to_owned),
            notes: ruling.notes(),
            share: decision.view.is_anywhere().then(|| decision.part(index)),
            child: child(self.published, endpoint),
            since: self.health.verdicts.get(&key).map(|verdict| rfc3339(verdict.since)),
            last_ok: details.last.as_ref().map(|last| last.ok),
            last_reason: details.last.as_ref().map(|last| last.reason.to_string()),
            last_at: details.last.as_ref().map(|last| rfc3339(last.at)),
            certificate_expires: details.last.as_ref().and_then(|last| last.expires).map(rfc3339),
            probes: details.probes,
            round_trip_ms: details.round_trip.map(|smoothed| smoothed.milliseconds),
            answers: self.answers.get(&key).copied().unwrap_or(0),
        }
    }
}

fn all(answers: Answers) -> u64 {
    answers.elsewhere + answers.in_kernel
}

/// By what was decided of the child itself.
fn child(published: &Published, endpoint: &Endpoint) -> Option<ChildView> {
    let Target::Profile(name) = &endpoint.target else { return None };
    let decision = published.decisions.get(name)?;
    Some(ChildView {
        profile: name.to_string(),
        monitor_status: format!("{:?}", decision.status),
        available: decision.endpoints.iter().filter(|status| status.is_available()).count(),
        min_child_endpoints: endpoint.min_child.endpoints,
    })
}

/// The listed interfaces.
pub(super) fn interfaces(view: &View, listen: &Listen) -> Vec<InterfaceView> {
    let kernel = view.tables.kernel();
    let interface = |name: &String| InterfaceView {
        name: name.clone(),
        xdp: kernel.as_ref().and_then(|kernel| {
            let (.., mode) = kernel.attached().find(|(attached, ..)| attached == name)?;
            Some(format!("{mode:?}").to_lowercase())
        }),
    };
    listen.interfaces.iter().map(interface).collect()
}

/// As it is written in files.
pub(super) fn mode(listen: &Listen) -> &'static str {
    match listen.mode {
        XdpMode::Auto => "auto",
        XdpMode::Native => "native",
        XdpMode::Generic => "generic",
        XdpMode::Off => "off",
    }
}

/// As it is written in files.
pub(super) fn word(status: Wanted) -> &'static str {
    match status {
        Wanted::Enabled => "enabled",
        Wanted::Disabled => "disabled",
    }
}
