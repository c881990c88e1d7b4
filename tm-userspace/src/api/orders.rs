//! What operators order of an endpoint: force, release, restore.
//!
//! An order becomes a part of the health that everything is decided from, and is saved with it.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};

use super::View;
use crate::{
    decide::Held,
    desired::EndpointKey,
    health::Forced,
    time::{rfc3339, serde_rfc3339},
};

/// An endpoint and what is ordered of it.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The profile's name, without regard to case.
    pub profile: String,
    /// The endpoint's name, likewise.
    pub endpoint: String,
    /// The order.
    pub order: OrderKind,
}

/// What can be ordered.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderKind {
    /// It is to be up or down whatever the probes say.
    Force {
        /// Up or down.
        up: bool,
        /// Until when; none for until it is released.
        #[serde(default, with = "serde_rfc3339::option")]
        #[schema(value_type = Option<String>, format = DateTime)]
        until: Option<SystemTime>,
    },
    /// What the probes say counts again.
    Release,
    /// It is to answer again although failback would hold it back.
    Restore,
}

impl OrderKind {
    /// As the audit log has it.
    pub fn label(&self) -> &'static str {
        match self {
            OrderKind::Force { .. } => "force",
            OrderKind::Release => "release",
            OrderKind::Restore => "restore",
        }
    }
}

/// What came of it, in words.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ordered {
    /// The endpoint, as `profile/endpoint`.
    pub endpoint: String,
    /// `forced down until 2026-11-21T05:00:00.000Z`, `released`, `restored`.
    pub done: String,
}

/// Why it was not done.
pub(super) enum Refused {
    /// There is no such endpoint.
    Unknown(anyhow::Error),
    /// There is, but not in that state.
    Unfit(anyhow::Error),
}

/// A forced state may last this long at most; longer is surely a slip, and no arithmetic with it can go wrong.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 86_400);

pub(super) fn order(view: &View, order: &Order) -> Result<Ordered, Refused> {
    let key = find(view, order).map_err(Refused::Unknown)?;
    let done = carry_out(view, &key, &order.order, SystemTime::now()).map_err(Refused::Unfit)?;
    tracing::info!(endpoint = %key, done, "an operator's order");
    Ok(Ordered { endpoint: key.to_string(), done })
}

fn find(view: &View, order: &Order) -> anyhow::Result<EndpointKey> {
    let desired = view.desired.borrow().clone().context("no configuration is in force yet")?;
    let same = |name: &str, asked: &str| name.to_lowercase() == asked.to_lowercase();
    let profile = desired
        .profiles
        .values()
        .find(|profile| same(&profile.name, &order.profile))
        .with_context(|| format!("there is no profile `{}`", order.profile))?;
    let endpoint = profile
        .endpoints
        .iter()
        .find(|endpoint| same(&endpoint.name, &order.endpoint))
        .with_context(|| format!("profile `{}` has no endpoint `{}`", profile.name, order.endpoint))?;
    Ok(EndpointKey { profile: profile.name.clone(), endpoint: endpoint.name.clone() })
}

fn carry_out(view: &View, key: &EndpointKey, order: &OrderKind, now: SystemTime) -> anyhow::Result<String> {
    match order {
        OrderKind::Force { up, until } => {
            if let Some(until) = until
                && (*until <= now || *until > now + LONGEST)
            {
                bail!("{} is not within the next ten years", rfc3339(*until));
            }
            let forced = Forced { up: *up, since: now, until: *until };
            view.change_health(|health| {
                health.orders.force(key.clone(), forced);
                true
            });
            let word = if *up { "up" } else { "down" };
            Ok(match until {
                Some(until) => format!("forced {word} until {}", rfc3339(*until)),
                None => format!("forced {word}"),
            })
        }
        OrderKind::Release => {
            if !view.change_health(|health| health.orders.release(key, now)) {
                bail!("{key} is not forced");
            }
            Ok("released".to_owned())
        }
        OrderKind::Restore => {
            let published = view.published.borrow().clone();
            let decision = published.decisions.get(&key.profile);
            let index = decision.and_then(|decision| {
                decision.profile.endpoints.iter().position(|endpoint| endpoint.name == key.endpoint)
            });
            let held = decision.zip(index).and_then(|(decision, i)| decision.rulings.get(i)?.held);
            let Some(Held::Back { .. }) = held else { bail!("{key} is not held back by failback") };
            view.change_health(|health| {
                health.orders.restore(key.clone(), now);
                true
            });
            Ok("restored".to_owned())
        }
    }
}
