//! What is counted and timed as it happens: probes, and how soon what is decided is in force.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use crate::health::Cause;

/// A label and its value.
type Label = [(&'static str, &'static str); 1];
/// A histogram for each value of a label.
type Histograms = Family<Label, Histogram, fn() -> Histogram>;

/// The label of probes that did not fail.
const OK: &str = "ok";
/// The labels of what becomes of the limit on answers.
const ARMED: &str = "armed";
const DISARMED: &str = "disarmed";

/// Counts and times. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Meters {
    probes: Family<Label, Counter>,
    phases: Histograms,
    published: Histograms,
    delivered: Family<Label, Counter>,
    limit_changes: Family<Label, Counter>,
}

/// A part of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The target's name was looked up.
    Resolve,
    /// A connection stood, TLS and all.
    Connect,
    /// The head of the answer came.
    Head,
    /// The rest of the answer came.
    Body,
    /// All of it, and of every attempt, however it ended.
    Whole,
}

/// What came of an attempt to tell a receiver of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It was taken.
    Taken,
    /// It was not; it is tried again.
    Failed,
    /// It was not, and is not tried again.
    GivenUp,
}

/// What the time runs from until the tables have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// The end of the probe that changed a verdict.
    Verdict,
    /// The moment at which something was to be decided anew.
    Decision,
    /// The moment at which another configuration was taken in.
    Configuration,
}

impl Default for Meters {
    /// All series are there from the start, so that the first event is seen as an increase.
    fn default() -> Self {
        let meters = Meters {
            probes: Family::default(),
            phases: Family::new_with_constructor(|| Histogram::new(PROBES)),
            published: Family::new_with_constructor(|| Histogram::new(PUBLISHING)),
            delivered: Family::default(),
            limit_changes: Family::default(),
        };
        for to in [ARMED, DISARMED] {
            drop(meters.limit_changes.get_or_create(&[("to", to)]));
        }
        for result in Cause::ALL.iter().map(|cause| cause.label()).chain([OK]) {
            drop(meters.probes.get_or_create(&[("result", result)]));
        }
        for phase in [Phase::Resolve, Phase::Connect, Phase::Head, Phase::Body, Phase::Whole] {
            drop(meters.phases.get_or_create(&[("phase", phase.label())]));
        }
        for begun in [Begun::Verdict, Begun::Decision, Begun::Configuration] {
            drop(meters.published.get_or_create(&[("since", begun.label())]));
        }
        for delivered in [Delivered::Taken, Delivered::Failed, Delivered::GivenUp] {
            drop(meters.delivered.get_or_create(&[("result", delivered.label())]));
        }
        meters
    }
}

/// Upper bounds, in seconds.
const PROBES: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const PUBLISHING: [f64; 16] =
    [25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

impl Meters {
    /// A probe has ended: well, or for this cause.
    pub fn probe_ended(&self, failed: Option<Cause>) {
        self.probes.get_or_create(&[("result", failed.map_or(OK, Cause::label))]).inc();
    }

    /// A part of a probe has ended.
    pub fn phase_ended(&self, phase: Phase, took: Duration) {
        self.phases.get_or_create(&[("phase", phase.label())]).observe(took.as_secs_f64());
    }

    /// The tables have what had begun so long ago.
    pub fn published(&self, begun: Begun, took: Duration) {
        self.published.get_or_create(&[("since", begun.label())]).observe(took.as_secs_f64());
    }

    /// It was tried to tell a receiver of an event.
    pub fn delivered(&self, delivered: Delivered) {
        self.delivered.get_or_create(&[("result", delivered.label())]).inc();
    }

    /// The limit on answers, which waits for floods, was armed, or was disarmed.
    pub fn limit_changed(&self, is_armed: bool) {
        let to = if is_armed { ARMED } else { DISARMED };
        self.limit_changes.get_or_create(&[("to", to)]).inc();
    }

    /// Names them.
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("tm_probes", "Probes that ended, by what they found", self.probes.clone());
        registry.register(
            "tm_probe_duration_seconds",
            "How long the parts of probes took: connecting includes TLS, the whole is of failed ones too",
            self.phases.clone(),
        );
        registry.register(
            "tm_publish_duration_seconds",
            "How long it took until the tables had a change, since a probe gave the verdict, something was to be decided, or another configuration was there",
            self.published.clone(),
        );
        registry.register(
            "tm_webhook_deliveries",
            "Attempts to tell receivers of events, by what came of them",
            self.delivered.clone(),
        );
        registry.register(
            "tm_rate_limit_changes",
            "How often the limit on answers was armed by a flood, and disarmed",
            self.limit_changes.clone(),
        );
    }
}

impl Phase {
    const fn label(self) -> &'static str {
        match self {
            Phase::Resolve => "resolve",
            Phase::Connect => "connect",
            Phase::Head => "head",
            Phase::Body => "body",
            Phase::Whole => "whole",
        }
    }
}

impl Delivered {
    const fn label(self) -> &'static str {
        match self {
            Delivered::Taken => "taken",
            Delivered::Failed => "failed",
            Delivered::GivenUp => "given_up",
        }
    }
}

impl Begun {
    const fn label(self) -> &'static str {
        match self {
            Begun::Verdict => "verdict",
            Begun::Decision => "decision",
            Begun::Configuration => "configuration",
        }
    }
}
