//! What is read at the moment it is asked for: queries and answers from the counters of the kernel and of the sockets, states, tables, certificates.

use std::{
    fmt, fs,
    time::{SystemTime, UNIX_EPOCH},
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric as _},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use tm_common::{tables::Bucket, verdict::Reason};

use crate::{
    api::{VERSION, View},
    control::Reading,
    decide::EndpointStatus,
    desired::{Desired, EndpointKey},
    dns::Messages,
    sync::Sizes,
    tls,
};

/// Names that a bucket has room for.
const PLACES: u32 = size_of::<Bucket>() as u32 / 8;

/// The labels of one sample.
type Labels<'a, const N: usize> = [(&'static str, &'a str); N];

/// Reads what a view shows.
pub(super) struct Gather {
    view: View,
}

impl Gather {
    pub(super) fn new(view: View) -> Self {
        Gather { view }
    }
}

impl fmt::Debug for Gather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

impl Collector for Gather {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        // From the daemon's start on there is one.
        let Some(desired) = self.view.desired.borrow().clone() else { return Ok(()) };
        let keys: Vec<EndpointKey> = desired.endpoints().map(|(key, ..)| key).collect();
        let counted = self.view.tables.counted(&keys);
        self.queries(&counted, &mut out)?;
        out.counters(
            "tm_answers",
            "Answers given for an endpoint, whichever profile was asked",
            keys.iter()
                .zip(&counted.answers)
                .map(|(key, answers)| (endpoint_labels(key), answers.elsewhere + answers.in_kernel)),
        )?;
        self.states(&mut out)?;
        self.configuration(&desired, &mut out)?;
        self.tables(&desired, &mut out)?;
        self.certificates(&desired, &keys, &mut out)?;
        process(self.view.started, &mut out)
    }
}

impl Gather {
    /// Each query counts once, where it was answered; what XDP hands up is the sockets'.
    fn queries(&self, counted: &Reading, out: &mut Out<'_>) -> fmt::Result {
        let answered = counted.packets.iter().filter_map(|(reason, count, _)| {
            let rcode = rcode(*reason)?;
            Some((
                [("path", "xdp"), ("protocol", "udp"), ("result", reason.label()), ("rcode", rcode)],
                *count,
            ))
        });
        let messages = self.view.responder.messages();
        let messages = messages.iter().map(|messages| {
            let Messages { transport, outcome, rcode, count } = messages;
            ([("path", "socket"), ("protocol", transport), ("result", outcome), ("rcode", rcode)], *count)
        });
        out.counters(
            "tm_dns_queries",
            "Queries, by who answered them, over what they came, what became of them and the code of the reply",
            answered.chain(messages),
        )?;
        out.counters(
            "tm_xdp_packets",
            "Packets that XDP saw, by what became of them",
            counted.packets.iter().map(|(reason, count, _)| ([("reason", reason.label())], *count)),
        )
    }

    fn states(&self, out: &mut Out<'_>) -> fmt::Result {
        use EndpointStatus::{Disabled, Inactive};

        let published = self.view.published.borrow().clone();
        out.gauge(
            "tm_rate_limit_armed",
            "Has a flood armed the limit on answers: 1 or 0",
            f64::from(u8::from(published.is_armed)),
        )?;
        let endpoints = || {
            published.decisions.values().flat_map(|decision| {
                let profile = &decision.profile;
                profile.endpoints.iter().enumerate().map(move |(i, endpoint)| (decision, endpoint, i))
            })
        };
        let up = endpoints().filter_map(|(decision, endpoint, i)| {
            let status = decision.endpoints.get(i).filter(|status| !matches!(status, Disabled | Inactive))?;
            let labels = [("profile", &*decision.profile.name), ("endpoint", &*endpoint.name)];
            Some((labels, f64::from(u8::from(status.is_available()))))
        });
        out.gauges(
            "tm_endpoint_up",
            "Is the endpoint up, as its monitor status says: 1 or 0; none where it or its profile is disabled",
            up,
        )?;
        let forced = endpoints().filter_map(|(decision, endpoint, i)| {
            let forced = decision.rulings.get(i)?.forced?;
            let to = if forced.up { "up" } else { "down" };
            let labels = [("profile", &*decision.profile.name), ("endpoint", &*endpoint.name), ("to", to)];
            Some((labels, 1.0))
        });
        out.gauges("tm_endpoint_forced", "An operator forces the endpoint up or down", forced)
    }

    fn configuration(&self, desired: &Desired, out: &mut Out<'_>) -> fmt::Result {
        let published = self.view.published.borrow().clone();
        let reload = self.view.reload.borrow().clone();
        out.gauge(
            "tm_config_generation",
            "Number of the configuration that is in force",
            published.generation as f64,
        )?;
        let serial = self.view.responder.serial().map_or(published.generation as f64, f64::from);
        out.gauge("tm_zone_serial", "The zone's serial", serial)?;
        out.gauge("tm_profiles", "Profiles that there are", desired.profiles.len() as f64)?;
        out.gauge(
            "tm_config_last_reload_successful",
            "Did the last load of the configuration succeed: 1 or 0",
            f64::from(u8::from(reload.ok)),
        )?;
        let loaded = reload.loaded.map(seconds);
        out.gauge(
            "tm_config_last_reload_success_timestamp_seconds",
            "When the configuration was last loaded with success",
            loaded,
        )?;
        let waiting = self.view.webhooks.count() as f64;
        out.gauge("tm_webhook_waiting_events", "Events that receivers have not taken yet", waiting)?;
        let (sent, dropped) = self.view.tap.counts();
        out.counters(
            "tm_dnstap_messages",
            "Messages for the dnstap collector, by what became of them",
            [([("result", "sent")], sent), ([("result", "dropped")], dropped)],
        )?;
        let store = f64::from(u8::from(self.view.catalog.alert().is_none()));
        out.gauge("tm_store_ok", "Is the store of what the API manages well: 1 or 0", store)?;
        let built = desired.atlas.as_ref().map(|atlas| seconds(atlas.survey.built));
        out.gauge("tm_geo_database_build_timestamp_seconds", "When the database of places was built", built)
    }

    fn tables(&self, desired: &Desired, out: &mut Out<'_>) -> fmt::Result {
        let tables = tables(&self.view);
        let attached: Vec<(String, String)> = {
            let kernel = self.view.tables.kernel();
            let attached = kernel.iter().flat_map(|kernel| kernel.attached());
            attached.map(|(name, _, mode)| (name.to_owned(), format!("{mode:?}").to_lowercase())).collect()
        };
        let of = |table: &'static str, elements: u32| ([("table", table)], f64::from(elements));
        out.gauges(
            "tm_table_used_elements",
            "Elements of a table that are in use",
            tables.iter().map(|(table, used, _)| of(table, *used)),
        )?;
        out.gauges(
            "tm_table_capacity_elements",
            "Elements that a table has in the kernel; larger tables are made where they do not suffice",
            tables.iter().filter_map(|(table, _, capacity)| Some(of(table, (*capacity)?))),
        )?;
        let interfaces = desired.node.listen.interfaces.iter().map(|name| {
            let mode = attached.iter().find(|(attached, _)| attached == name).map(|(_, mode)| mode.as_str());
            let labels = [("interface", name.as_str()), ("mode", mode.unwrap_or("none"))];
            (labels, f64::from(u8::from(mode.is_some())))
        });
        out.gauges("tm_xdp_attached", "Is the program on the interface: 1 or 0", interfaces)
    }

    fn certificates(&self, desired: &Desired, keys: &[EndpointKey], out: &mut Out<'_>) -> fmt::Result {
        let api =
            desired.node.api.as_ref().and_then(|api| tls::expiry_of_pem(&fs::read(&api.tls_cert).ok()?));
        let sockets = &desired.node.sockets;
        let dot = sockets.dot.as_ref().and_then(|dot| dot.identity.expires());
        let doh = sockets.doh.as_ref().and_then(|doh| doh.identity.expires());
        let own = [("api", api), ("dot", dot), ("doh", doh)];
        out.gauges(
            "tm_certificate_expiry_timestamp_seconds",
            "When the certificate expires that a listener shows",
            own.into_iter().filter_map(|(listener, at)| Some(([("listener", listener)], seconds(at?)))),
        )?;
        let shown = keys.iter().filter_map(|key| {
            let expires = self.view.details.get(key)?.last?.expires?;
            Some((endpoint_labels(key), seconds(expires)))
        });
        out.gauges(
            "tm_endpoint_certificate_expiry_timestamp_seconds",
            "When the certificate expires that the last probe of the endpoint was shown",
            shown,
        )
    }
}

/// Each table: its name, the elements of it that are in use, and those that it has in the kernel, if it is there.
pub(crate) fn tables(view: &View) -> Vec<(&'static str, u32, Option<u32>)> {
    let used = {
        let image = view.tables.image();
        elements(u32::try_from(image.names()).unwrap_or(u32::MAX), &image.sizes())
    };
    let sizes: Option<Sizes> = view.tables.kernel().as_ref().map(|kernel| kernel.sizes());
    let capacity = sizes.map(|sizes| elements(sizes.buckets.saturating_mul(PLACES), &sizes));
    let of = |(index, (table, used)): (usize, (&'static str, u32))| {
        (table, used, capacity.map(|capacity| capacity[index].1))
    };
    used.into_iter().enumerate().map(of).collect()
}

/// The program itself.
fn process(started: SystemTime, out: &mut Out<'_>) -> fmt::Result {
    let labels = [("version", VERSION)];
    out.gauges("tm_build_info", "The version that runs", [(labels, 1.0)])?;
    out.gauge("process_start_time_seconds", "When the daemon began", seconds(started))?;
    // Resident pages are the second number.
    let pages = fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.and_then(|text| text.split(' ').nth(1)?.parse::<f64>().ok());
    let octets = pages.map(|pages| pages * rustix::param::page_size() as f64);
    out.gauge("process_resident_memory_bytes", "Memory that the daemon has in use", octets)
}

/// The code of the replies that XDP sends for this reason; none where it sends none.
const fn rcode(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::Answered | Reason::Slipped => Some("NOERROR"),
        Reason::NoSuchName => Some("NXDOMAIN"),
        _ => None,
    }
}

fn endpoint_labels(key: &EndpointKey) -> Labels<'_, 2> {
    [("profile", &key.profile), ("endpoint", &key.endpoint)]
}

/// Each table's, by name; of the buckets these places.
fn elements(places: u32, sizes: &Sizes) -> [(&'static str, u32); 11] {
    [
        ("buckets", places),
        ("entries", sizes.entries),
        ("long_entries", sizes.long_entries),
        ("nodes", sizes.nodes),
        ("blocks", sizes.blocks),
        ("slots", sizes.slots),
        ("small_answers", sizes.small),
        ("medium_answers", sizes.medium),
        ("large_answers", sizes.large),
        ("turns", sizes.turns),
        ("counters", sizes.counters),
    ]
}

fn seconds(at: SystemTime) -> f64 {
    at.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

/// Where they are written.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn counters<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauges<'l, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = (Labels<'l, N>, f64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    /// One without labels, or none.
    fn gauge(&mut self, name: &str, help: &str, value: impl Into<Option<f64>>) -> fmt::Result {
        let metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        value.into().map_or(Ok(()), |value| ConstGauge::new(value).encode(metric))
    }
}
