//! The zone that golden cases, corpus and properties ask for: read by the product from the files in `golden/zone`, and in every form that answers.

use std::{
    collections::HashMap,
    fs,
    path::Path,
    sync::{Arc, RwLock},
    time::SystemTime,
};

use anyhow::{Context, Result};
use include_dir::{Dir, include_dir};
use tm_common::{edns::Payload, link::Link};
use tm_userspace::{
    compile::{Tree, Zones, compile},
    config::load,
    decide::{Decision, decide},
    desired::{Cookies, Desired, Profile, RoutingMethod, Status},
    dns::{Contents, Responder, ZoneView},
    frozen::Frozen,
    health::Health,
    listen::{Listening, key},
    names::DnsName,
    places::Views,
    sync::{Image, buckets_for},
};
use tokio::sync::watch;

use crate::lab::{SERVER_MAC, SERVER_V4, SERVER_V6};

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/golden/zone");

/// Where its clients are; `make.py` beside it tells what is in it.
static DATABASE: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../tm-userspace/tests/geo/places.mmdb"));

/// The zone's serial.
pub const SERIAL: u64 = 2026;

/// The zone, and who answers for it.
pub struct World {
    /// The tables, for the engine on the host and to be loaded.
    pub image: Image,
    /// The sockets' side, with tables of its own.
    pub responder: Responder,
    /// How the profiles that answer choose, by name.
    pub profiles: HashMap<DnsName, RoutingMethod>,
    /// What it has authority for.
    pub zones: Zones,
}

impl World {
    /// As the files have it, before any probe.
    pub fn new() -> Result<Self> {
        Self::of(&desired()?)
    }

    /// The same with what is said of replies left out: by default.
    pub fn by_default() -> Result<Self> {
        let mut desired = desired()?;
        Arc::make_mut(&mut desired.node).sockets.payload = Payload::default();
        Self::of(&desired)
    }

    /// Of this configuration, before any probe.
    pub fn of(desired: &Desired) -> Result<Self> {
        Self::made(desired, |_| {})
    }

    /// As the files have it, with cookies made with this secret at this time, in seconds since 1970, whatever the clock says.
    pub fn with_cookies(secret: [u8; 16], time: u32) -> Result<Self> {
        Self::made(&desired()?, |image| {
            image.set_cookies(&[secret]);
            image.set_time(time);
        })
    }

    /// With something done to both copies of the tables.
    fn made(desired: &Desired, set: impl Fn(&mut Image)) -> Result<Self> {
        let made = || {
            let mut image = image(desired, &Health::default());
            set(&mut image);
            image
        };
        let listening = [SERVER_V4.into(), SERVER_V6.into()];
        let (_, zone) = watch::channel(Arc::new(ZoneView::new(desired, &listening)));
        let (_, contents) = watch::channel(Contents::new());
        let tables = Arc::new(RwLock::new(made()));
        let responder = Responder::new(tables, zone, contents, tm_userspace::traffic::Traffic::new().0);
        let profiles = desired.profiles.values().filter(|profile| {
            profile.status == Status::Enabled
                && profile.endpoints.iter().any(|endpoint| endpoint.status == Status::Enabled)
        });
        let profiles = profiles.map(|profile| (profile.dns_name.clone(), profile.routing_method)).collect();
        Ok(World { image: made(), responder, profiles, zones: Zones::of(desired) })
    }
}

/// What the files say.
pub fn desired() -> Result<Desired> {
    let directory = tempfile::tempdir().context("no temporary directory")?;
    FILES.extract(directory.path()).context("cannot write the zone's files")?;
    fs::write(directory.path().join("places.mmdb"), DATABASE)?;
    let node = directory.path().join("tm.toml");
    fs::write(&node, fs::read_to_string(&node)?.replace("{dir}", &directory.path().display().to_string()))?;
    load_from(directory.path())
}

/// The tables of these profiles, with these endpoints up or down, at the lab's addresses.
pub fn image(desired: &Desired, health: &Health) -> Image {
    let tree = Tree::of(desired, Arc::new(Zones::of(desired)), &[SERVER_V4.into(), SERVER_V6.into()]);
    let mut image = Image::new(buckets_for(desired.profiles.len()), 0x7472_6166_6669_636d);
    let views = Views::of(desired, &Views::default());
    for profile in desired.profiles.values() {
        let view = views.get(&profile.name);
        let decision = decide(&desired.profiles, profile, &view, health, SystemTime::UNIX_EPOCH);
        image.apply([(&profile.dns_name, compile(&decision, &tree).as_ref())]);
    }
    for (name, compiled) in tree.all() {
        image.apply([(&name, Some(&compiled))]);
    }
    let served = [key(&SERVER_V4.into()), key(&SERVER_V6.into())];
    let listening = Listening { link: Link::of([SERVER_MAC]), ..Listening::default() };
    image.set_frozen(Frozen::of(&desired.node, &listening, false, &Frozen::default()));
    image.set_allowed(&desired.node.rate_limit.allow);
    if let Cookies::Of(secrets) = &desired.node.cookies {
        image.set_cookies(secrets.all());
    }
    image.set_addresses(&served, &served);
    image
}

/// The product's decision for a profile, for any client.
pub fn decide_now(desired: &Desired, profile: &Arc<Profile>, health: &Health) -> Decision {
    let view = Views::of(desired, &Views::default()).get(&profile.name);
    decide(&desired.profiles, profile, &view, health, SystemTime::UNIX_EPOCH)
}

/// What `tm.toml` and a file of profiles say.
pub fn desired_of(node: &str, profiles: &str) -> Result<Desired> {
    let directory = tempfile::tempdir().context("no temporary directory")?;
    fs::create_dir(directory.path().join("conf.d"))?;
    fs::write(directory.path().join("tm.toml"), node)?;
    fs::write(directory.path().join("conf.d/a.toml"), profiles)?;
    load_from(directory.path())
}

fn load_from(directory: &Path) -> Result<Desired> {
    let loaded = load(directory).map_err(|error| anyhow::anyhow!("{error}"))?;
    Ok(Desired {
        generation: SERIAL,
        node: loaded.node,
        profiles: loaded.profiles,
        services: loaded.services,
        atlas: loaded.atlas,
        overrides: loaded.overrides.into(),
    })
}
