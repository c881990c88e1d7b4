//! The programs' globals: what is frozen, and what they have to know of the tables, as they have it.

use aya::EbpfLoader;
use nix::time::{ClockId, clock_getres};
use tm_common::{edns::Opt, limit::Rate};

use crate::{desired::Limit, frozen::Frozen, sync::Image};

/// Their values. The loader borrows them until it has loaded.
#[derive(Debug)]
pub(super) struct Globals {
    port: u16,
    seed: u64,
    bucket_mask: u32,
    vlans_listed: u8,
    link: [u64; 2],
    routed: u8,
    opt: u64,
    most: u16,
    without_cookie: u16,
    rate: Rate,
    slip: u32,
}

impl Globals {
    /// For programs that answer from the tables of this image.
    pub(super) fn of(image: &Image) -> Self {
        let Frozen { port, vlans, link, is_routed, payload, limit } = image.frozen();
        Globals {
            port: port.to_be(),
            seed: image.hash_seed(),
            bucket_mask: image.sizes().buckets - 1,
            vlans_listed: u8::from(!vlans.is_empty()),
            link: [link.octets, link.mask],
            routed: u8::from(*is_routed),
            opt: Opt::new(payload.most).0,
            most: payload.most,
            without_cookie: payload.without_cookie,
            rate: rate_of(*limit),
            slip: limit.slip,
        }
    }

    /// Gives each to the programs that are loaded then.
    pub(super) fn give<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        let Globals {
            port,
            seed,
            bucket_mask,
            vlans_listed,
            link,
            routed,
            opt,
            most,
            without_cookie,
            rate: Rate { most: rate, shift: window },
            slip,
        } = self;
        loader
            .override_global("PORT", port, true)
            .override_global("SEED", seed, true)
            .override_global("BUCKET_MASK", bucket_mask, true)
            .override_global("VLANS_LISTED", vlans_listed, true)
            .override_global("LINK", link, true)
            .override_global("ROUTED", routed, true)
            .override_global("OPT", opt, true)
            .override_global("MOST", most, true)
            .override_global("WITHOUT_COOKIE", without_cookie, true)
            .override_global("RATE", rate, true)
            .override_global("WINDOW", window, true)
            .override_global("SLIP", slip, true);
    }
}

/// The limit as the programs have it, by the kernel's ticks.
fn rate_of(limit: Limit) -> Rate {
    // The coarse clock goes on with each tick.
    let tick = clock_getres(ClockId::CLOCK_MONOTONIC_COARSE).map_or(4_000_000, |tick| tick.tv_nsec());
    let tick = u64::try_from(tick).unwrap_or(0).clamp(100_000, 100_000_000);
    // The first window of 0.75 s or more, and so below 1.5 s.
    let shift = (0..).find(|shift| tick << shift >= 750_000_000).unwrap_or(0);
    Rate { most: limit.most_in((tick << shift) / 1_000_000), shift }
}
