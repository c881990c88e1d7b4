//! What is said: the JSON of `tm explain`. Shares are 0 to 1; a list is never left out, what there is none of is `null`.

use serde::{Deserialize, Serialize};

/// Why a profile answers as it does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Explained {
    /// The name asked for, in full.
    pub name: String,
    /// The record type asked for.
    pub kind: String,
    /// Who answers, where it is not the profile that was named.
    pub note: Option<String>,
    /// Whose place counts.
    pub client: Client,
    /// What `then` rests on.
    pub assumed: Vec<Assumed>,
    /// As it is.
    pub now: Outcome,
    /// As it would be, where something is assumed.
    pub then: Option<Outcome>,
    /// Whether what answers says the same as `now`.
    pub check: Check,
    /// The shares of all clients, where they were asked for: by what the profiles choose for them.
    pub all_clients: Option<Vec<Group>>,
}

impl Explained {
    /// Every profile on the way, some more than once.
    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        let mut found = Vec::new();
        let mut left: Vec<&ProfileStep> =
            [&self.now].into_iter().chain(&self.then).map(|outcome| &outcome.profile).collect();
        while let Some(step) = left.pop() {
            found.push(&*step.name);
            left.extend(step.endpoints.iter().filter_map(|endpoint| endpoint.profile.as_ref()));
        }
        found.into_iter()
    }
}

/// A client.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Client {
    /// Its address or prefix.
    pub address: String,
    /// `ecs` where EDNS Client Subnet names it, `sender` where it is who sends the query.
    pub by: String,
    /// What of the question did not count, and why.
    pub note: Option<String>,
}

/// An assumption.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Assumed {
    /// As `profile/endpoint`.
    pub endpoint: String,
    /// `up`, `down` or `disabled`.
    pub state: String,
    /// Why it changes nothing, where that is known from the start.
    pub note: Option<String>,
}

/// The way to the answer, and the answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
    /// `NOERROR`, or `NXDOMAIN`.
    pub rcode: String,
    /// The profile that is asked.
    pub profile: ProfileStep,
    /// The different answers, those of the largest share first.
    pub answers: Vec<Part>,
    /// Where clients stick to one of the answers: this client's.
    pub sticky: Option<Sticky>,
    /// Seconds that the answer may be kept; the least of all answers' records.
    pub ttl: u32,
    /// The scope that EDNS Client Subnet is answered with, where there is a record (where not, it is 0); none where the query has none.
    pub scope: Option<u8>,
}

/// The answer that clients of a prefix are always given.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sticky {
    /// The prefix.
    pub clients: String,
    /// Records of the answer section, a line each.
    pub records: Vec<String>,
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    /// How often it is given.
    pub share: f64,
    /// For which endpoints it counts, as `profile/endpoint`; none where there is no data.
    pub endpoints: Vec<String>,
    /// Records of the answer section, a line each.
    pub records: Vec<String>,
    /// Of the authority section: the SOA, where there is no data; or the name servers.
    pub authorities: Vec<String>,
    /// Why there is no data, where there is none.
    pub reason: Option<String>,
}

/// A profile on the way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProfileStep {
    /// Its name.
    pub name: String,
    /// The name it answers.
    pub dns_name: String,
    /// As it is written in files.
    pub routing_method: String,
    /// Seconds.
    pub ttl: u32,
    /// As derived.
    pub monitor_status: String,
    /// What it chooses for the client's place, and why; none where it does not look at the client.
    pub place: Option<String>,
    /// Why nobody answers here, where nobody does.
    pub nobody: Option<String>,
    /// In the order they were written.
    pub endpoints: Vec<EndpointStep>,
}

/// An endpoint, and why it answers or does not.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EndpointStep {
    /// Its name.
    pub name: String,
    /// What it answers with; of a nested one, the profile.
    pub target: String,
    /// As derived from the probes, or from the nested profile.
    pub monitor_status: String,
    /// The part of its profile's answers that it is in; of those of its address family where the method is MultiValue.
    pub share: f64,
    /// The same of all answers to the question.
    pub share_of_all: f64,
    /// Its state, and why it answers or does not, in words.
    pub reason: String,
    /// `nested`, or `followed` where its target is the name of a profile, or one that its wildcard has, and the answer goes on there; none for any other.
    pub leads: Option<String>,
    /// The profile that it leads to; none where that does not matter, because it is disabled.
    pub profile: Option<ProfileStep>,
}

/// Whether what answers says the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Check {
    /// `xdp`, or `sockets` where the packet goes up.
    pub by: String,
    /// Why it goes up.
    pub reason: Option<String>,
    /// How many turns were gone through: a whole round, in which each answer comes as often as its share is; one where clients stick to theirs.
    pub turns: usize,
    /// Was every answer the one that is explained?
    pub agrees: bool,
    /// The first one that was not.
    pub said: Option<String>,
}

/// Clients for whom the shares are the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// What the profiles choose for them, a line for each place that is told apart.
    pub clients: Vec<String>,
    /// Every endpoint that answers them now or then, and who gets no data.
    pub shares: Vec<Shares>,
}

/// An endpoint's share of the answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// As `profile/endpoint`; none for answers without data, or without the name.
    pub endpoint: Option<String>,
    /// As it is.
    pub now: f64,
    /// As it would be, where something is assumed.
    pub then: Option<f64>,
}
