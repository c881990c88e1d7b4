//! "Why that answer?", and "what would happen if": the walk of `decide` from the live state, in words and numbers.
//!
//! | file | what it owns |
//! | --- | --- |
//! | `report` | what is said: the JSON of `tm explain` |
//! | `world` | the state that is explained: the live one, or one in which endpoints are up, down or disabled |
//! | `place`, `why` | where the client is, and why the profiles put it there |
//! | `outcome` | the way through the profiles, and the answers at its end |
//! | `clients` | the shares of all clients, before and after |
//! | `check` | whether the loaded program answers what is said |
//!
//! Nothing changes by asking: deciding is pure, and what is asked of the tables leaves no trace in them.

mod check;
mod clients;
mod outcome;
mod place;
mod report;
mod why;
mod world;

use std::{cell::OnceCell, net::IpAddr, sync::Arc, time::SystemTime};

use anyhow::{Context as _, anyhow};
use hickory_proto::rr::RecordType;
use serde::{Deserialize, Serialize};

use super::{View, query};
use crate::{
    compile::{Records, Tree, Zones, row_index},
    desired::Profile,
};

pub use report::{
    Assumed, Check, Client, EndpointStep, Explained, Group, Outcome, Part, ProfileStep, Shares, Sticky,
};

use place::Asker;
use world::{Stead, World};

/// What is to be explained.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inquiry {
    /// A profile's name without regard to case, or its DNS name.
    pub profile: String,
    /// A record type: `A`, `AAAA`, `TYPE65`.
    pub kind: String,
    /// Who asks.
    pub client: Option<IpAddr>,
    /// The client's prefix as a resolver would give it (EDNS Client Subnet), address and length.
    pub ecs: Option<(IpAddr, u8)>,
    /// What is assumed, as `endpoint=down` or `profile/endpoint=down`; also `up` and `disabled`.
    #[serde(default)]
    pub assume: Vec<String>,
    /// Whether the shares of all clients are told too.
    #[serde(default)]
    pub all_clients: bool,
}

/// Why it was not explained.
pub(super) enum Refused {
    /// There is no such profile or endpoint.
    Unknown(anyhow::Error),
    /// The question is none.
    Unfit(anyhow::Error),
    /// A new configuration is on its way into the tables.
    Changing,
}

/// The profile that is asked for, if it is there.
pub(super) fn name_of(view: &View, inquiry: &Inquiry) -> Option<Arc<str>> {
    let desired = view.desired.borrow().clone()?;
    world::find_profile(&desired, &inquiry.profile).ok().map(|profile| profile.name.clone())
}

/// Explains, as of now.
pub(super) fn explain(view: &View, inquiry: &Inquiry) -> Result<Explained, Refused> {
    let desired = view.desired.borrow().clone().context("no configuration is in force yet");
    let desired = desired.map_err(Refused::Unfit)?;
    let published = view.published.borrow().clone();
    let health = view.health.borrow().clone();
    let moment = SystemTime::now();
    let named = world::find_profile(&desired, &inquiry.profile).map_err(Refused::Unknown)?;
    let tree = Tree::of(&desired, Arc::new(Zones::of(&desired)), &published.listening.served);
    let stead = Stead::of(&desired.profiles, &tree, &named.dns_name, &named);
    let profile = stead.profile.clone();
    let kind = query::parse_type(&inquiry.kind).map_err(Refused::Unfit)?;
    if row_index(&[], kind.into()).is_none() {
        return Err(Refused::Unfit(anyhow!("no name has records of type {kind}")));
    }
    let Some(decision) =
        published.decisions.get(&profile.name).filter(|_| published.generation == desired.generation)
    else {
        return Err(Refused::Changing);
    };
    let assumptions = world::assumptions(&desired, &profile, &inquiry.assume)?;
    let (sender, server) = query::hosts(view, inquiry.client).map_err(Refused::Unfit)?;
    let asker = Asker { sender, subnet: inquiry.ecs };
    let told = || check::told_by_sockets(view, &named.dns_name, kind, sender);
    let question = Question { asker, kind, told: &told, left: OnceCell::new(), moment };

    let now = World::live(&desired, tree, stead, decision.view.clone(), health);
    let (outcome, expected) = outcome::outcome(&now, &question).map_err(Refused::Unfit)?;
    let subject = check::Subject {
        question: &question,
        name: &named.dns_name,
        profile: &profile,
        server,
        port: desired.node.listen.port,
    };
    let check = check::check(view, &subject, &expected).map_err(Refused::Unfit)?;
    let then =
        (!assumptions.is_empty()).then(|| now.assuming(&desired, &named.dns_name, &assumptions, moment));
    let foreseen = then.as_ref().map(|then| outcome::outcome(then, &question)).transpose();
    let foreseen = foreseen.map_err(Refused::Unfit)?;
    let all_clients = inquiry.all_clients.then(|| clients::shares(&now, then.as_ref(), &question));
    let all_clients = all_clients.transpose().map_err(Refused::Unfit)?;
    Ok(Explained {
        name: named.dns_name.to_hickory().to_string(),
        kind: kind.to_string(),
        note: note(&named, &now, then.as_ref()),
        client: question.asker.client(now.view()),
        assumed: assumptions.iter().map(|assumption| assumption.report(&now)).collect(),
        now: outcome,
        then: foreseen.map(|(outcome, _)| outcome),
        check,
        all_clients,
    })
}

/// Who answers, where it is not the profile that was named.
fn note(named: &Profile, now: &World, then: Option<&World>) -> Option<String> {
    let shown = then.unwrap_or(now).profile();
    let has = match then {
        Some(_) if now.profile().name == named.name => "would have no name",
        _ => "has no name as it is",
    };
    let (name, other) = (&named.name, &shown.name);
    (shown.name != named.name)
        .then(|| format!("profile {name} {has}; profile {other} has all that are not there"))
}

/// A question, put together.
struct Question<'a> {
    asker: Asker,
    kind: RecordType,
    /// Asks the sockets.
    told: &'a dyn Fn() -> anyhow::Result<Records>,
    /// What they say, once they were asked.
    left: OnceCell<Records>,
    moment: SystemTime,
}

impl Question<'_> {
    /// What the sockets say, for where the tables leave it to them.
    fn left(&self) -> anyhow::Result<Records> {
        if let Some(left) = self.left.get() {
            return Ok(left.clone());
        }
        let told = (self.told)()?;
        Ok(self.left.get_or_init(|| told).clone())
    }

    /// Does the answer follow names in the zone?
    fn follows(&self) -> bool {
        !matches!(self.kind, RecordType::ANY | RecordType::CNAME)
    }
}

/// An endpoint of a profile, by index.
type At = (Arc<Profile>, usize);
