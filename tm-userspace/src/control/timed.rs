//! How soon the tables had a verdict.

use imbl::ordmap::DiffItem;

use super::Control;
use crate::{health::Health, metrics::Begun};

impl Control {
    /// Notes how long ago the verdicts were given that were not there `before`; the tables have them now.
    pub(super) fn time_verdicts(&self, before: &Health) {
        let now = self.clock.now();
        for item in before.verdicts.diff(&self.health.verdicts) {
            if let DiffItem::Add(_, verdict) | DiffItem::Update { new: (_, verdict), .. } = item {
                let took = now.duration_since(verdict.since).unwrap_or_default();
                self.meters.published(Begun::Verdict, took);
            }
        }
    }
}
