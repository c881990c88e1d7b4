//! The daemon: starts the stages, joins them, and stops them.

use std::{
    fs,
    path::PathBuf,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use crate::{
    api::{self, Events, Known, Rates, View},
    catalog::{Catalog, Opened},
    config::{self, ConfigError, Stored},
    control::{Control, Inputs, Published, Tables},
    cookies::Secrets,
    desired::{Desired, XdpMode},
    dns::{self, Plan, Responder, Transfers, ZoneView},
    dnstap::Tap,
    health::{self, Details, Prober, Slots},
    listen::{self, Host},
    metrics::Meters,
    reload::{self, Reload, Source, Trigger},
    state::{Keeper, Lock, Saved},
    store::{self, Store},
    time::Clock,
    traffic::Traffic,
    webhooks::Webhooks,
    xdp::{self, Pins},
};

/// How long stages may take to end.
const DRAIN: Duration = Duration::from_secs(5);

/// What the command line says.
#[derive(Debug)]
pub struct Options {
    /// Where the configuration is.
    pub source: Source,
    /// When it is to be loaded again.
    pub trigger: Trigger,
    /// Where to listen for the command line, instead of under `state_dir`.
    pub socket: Option<PathBuf>,
    /// Whether the program goes on answering after an orderly stop, whatever the files say.
    pub keep: bool,
}

/// Serves `desired`, and what the files say after it, until SIGTERM or SIGINT. A second signal does not wait for anything.
///
/// An orderly stop takes the program off the interfaces, unless it is to be kept; a daemon that fails or dies leaves it there, answering.
///
/// # Errors
///
/// A [`ConfigError`] where the files are wrong.
pub async fn run(options: Options) -> anyhow::Result<()> {
    // Before anything is begun that an end in order would have to undo.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let shutdown = CancellationToken::new();
    let state_dir = state_dir(&options.source)?;
    fs::create_dir_all(&state_dir)
        .with_context(|| format!("cannot make the state directory {}", state_dir.display()))?;
    let _lock = Lock::take(&state_dir)?;
    let socket = options.socket.unwrap_or_else(|| state_dir.join(api::SOCKET));
    // First of all: where another daemon serves, nothing of it is touched.
    let listener = api::bind(&socket)?;
    let (store, contents) = Store::open(&state_dir)?;
    let earlier = Saved::load(&state_dir);
    let generation = earlier.as_ref().map_or(0, |earlier| earlier.generation + 1);
    let (published_to, published) = watch::channel(Arc::<Published>::default());
    let Opened { catalog, desired, left_out } =
        Catalog::open(options.source, store, contents, generation, published.clone())?;
    let first = catalog.desired().context("no configuration")?;
    let pins = usable_pins(&first);
    let own_cookies = Secrets::own(&state_dir)?;
    let before = earlier.as_ref().map(|earlier| earlier.counted(&first, pins.as_ref()));
    let (known, memories) = earlier.as_ref().map(|earlier| earlier.health(&first)).unwrap_or_default();

    let (health_to, health) = watch::channel(known);
    let (host_to, host) = watch::channel::<Host>(xdp::interfaces()?);
    let now = SystemTime::now();
    let reloaded = Reload { ok: left_out.is_none(), at: now, loaded: Some(now), error: left_out };
    let (reload_to, reload) = watch::channel(reloaded);
    let tables = Tables::empty();
    let details = Arc::new(Details::with(memories));
    let meters = Meters::default();
    let undelivered = earlier.as_ref().map(|earlier| earlier.undelivered.clone());
    let webhooks = Webhooks::with(undelivered.unwrap_or_default());

    let rates = Rates::default();
    let mut inputs = Inputs {
        desired: desired.clone(),
        health,
        host: host.clone(),
        load: rates.load(),
        clock: Clock::System,
        meters: meters.clone(),
        own_cookies,
    };
    let control = Control::start(&mut inputs, tables.clone(), published_to, pins, before.unwrap_or_default())
        .context("no configuration")?;
    let (zone_to, zone) = watch::channel(zone_view(&desired, &published).context("no configuration")?);
    let (plan_to, plan) = watch::channel(plan_of(&desired, &published).context("no configuration")?);
    let (transfers, content) = Transfers::new(zone.clone(), published.clone());
    let (traffic, telling) = Traffic::new();
    let (tap, waiting) = Tap::new();
    let responder = Arc::new(Responder::new(tables.image_lock(), zone, content, traffic.clone()));
    let answering = responder.clone();
    if let Some(earlier) = &earlier {
        responder.add_earlier(&earlier.socket_messages);
    }
    let prober = Arc::new(Prober::new(desired.clone(), meters.clone())?);
    let view = View {
        catalog: catalog.clone(),
        desired: desired.clone(),
        health: health_to.clone(),
        details: details.clone(),
        published: published.clone(),
        reload,
        tables: tables.clone(),
        responder: responder.clone(),
        started: SystemTime::now(),
        failures: Default::default(),
        sessions: Default::default(),
        throttle: Default::default(),
        events: Events::default(),
        rates: rates.clone(),
        meters: meters.clone(),
        webhooks: webhooks.clone(),
        told: Default::default(),
        traffic: traffic.clone(),
        tap: tap.clone(),
    };
    let keeper = Keeper::new(state_dir, view.clone());
    let events = view.events.clone();

    let mut stages: JoinSet<(&str, anyhow::Result<()>)> = JoinSet::new();
    let token = || shutdown.clone();
    stages.spawn(named("state", keeper.clone().run(token())));
    stages.spawn(named("control", control.run(inputs, token())));
    stages.spawn(named("interfaces", listen::watch_host(host_to, token())));
    stages.spawn(named("sockets", dns::run(responder, tap.clone(), plan, token())));
    let known = Known { health: health_to.subscribe(), details: details.clone(), catalog: catalog.clone() };
    stages.spawn(named("user metrics", api::user_metrics::run(view.clone(), token())));
    stages.spawn(named("webhooks", webhooks.run(desired.clone(), events.clone(), meters, token())));
    stages.spawn(named("events", events.run(published.clone(), known, token())));
    let looked =
        traffic.run(telling, tables.clone(), desired.clone(), published.clone(), tap.clone(), token());
    stages.spawn(named("traffic", looked));
    stages.spawn(named("dnstap", tap.run(waiting, desired.clone(), token())));
    stages.spawn(named("rates", rates.run(tables, answering, published.clone(), token())));
    stages.spawn(named("zone", follow(desired.clone(), published, zone_to, plan_to, token())));
    stages.spawn(named("transfers", transfers.run(token())));
    stages.spawn(named("configuration", reload::run(catalog.clone(), options.trigger, reload_to, token())));
    stages.spawn(named("store", catalog.keep(token())));
    let run_api = {
        let token = token();
        async move { api::run(listener, &socket, view, token).await }
    };
    stages.spawn(named("control socket", run_api));
    let run_probes = health::run(prober, Slots::for_this_process(), desired, health_to, details, token());
    stages.spawn(named("probes", async move {
        run_probes.await;
        Ok(())
    }));
    tracing::info!("ready");

    let result = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        Some(ended) = stages.join_next() => match ended {
            Ok((name, Ok(()))) => Err(anyhow::anyhow!("the stage `{name}` ended early")),
            Ok((name, Err(error))) => Err(error.context(format!("the stage `{name}` failed"))),
            Err(error) => Err(anyhow::Error::new(error).context("a stage panicked")),
        },
    };
    tracing::info!("stopping");
    shutdown.cancel();
    let keep = options.keep || result.is_err() || keeper.is_to_be_kept();
    let drained = tokio::select! {
        drained = tokio::time::timeout(DRAIN, async { while stages.join_next().await.is_some() {} }) => drained.is_ok(),
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
    };
    keeper.close(keep);
    match drained {
        true => tracing::info!("stopped"),
        false => tracing::warn!("stopped without waiting any longer"),
    }
    result
}

/// Where this daemon's state is. Files that are wrong without what the API manages may be right with it, so they are given up on only where there is nothing of the API.
fn state_dir(source: &Source) -> Result<PathBuf, ConfigError> {
    match source.load(None, Stored::default()) {
        Ok(loaded) => Ok(loaded.node.state_dir.clone()),
        Err(error) => {
            let state_dir = config::state_dir(&source.dir).ok();
            state_dir.filter(|dir| dir.join(store::NAME).exists()).ok_or(error)
        }
    }
}

/// Where to pin, if anything can be pinned there.
fn usable_pins(desired: &Desired) -> Option<Pins> {
    let listen = &desired.node.listen;
    let pins = Pins::of(&listen.pins, &desired.node.state_dir);
    if listen.mode == XdpMode::Off && !pins.dir().exists() {
        return None;
    }
    let prepared = pins.prepare().inspect_err(|error| {
        tracing::warn!(
            error = format!("{error:#}"),
            "XDP will not go on answering when this process is gone"
        );
    });
    prepared.is_ok().then_some(pins)
}

async fn named(
    name: &'static str,
    stage: impl Future<Output = anyhow::Result<()>>,
) -> (&'static str, anyhow::Result<()>) {
    (name, stage.await)
}

/// Keeps what the sockets know of the zone, and where they listen, what the latest states say.
async fn follow(
    mut desired: watch::Receiver<Option<Desired>>,
    mut published: watch::Receiver<Arc<Published>>,
    zone: watch::Sender<Arc<ZoneView>>,
    plan: watch::Sender<Arc<Plan>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let mut seen = (published.borrow().generation, published.borrow().listening.clone());
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            Ok(()) = desired.changed() => {}
            Ok(()) = published.changed() => {}
        }
        desired.mark_unchanged();
        let now = {
            let published = published.borrow_and_update();
            (published.generation, published.listening.clone())
        };
        // A flip publishes too, but changes neither.
        if now == seen {
            continue;
        }
        seen = now;
        if let Some(view) = zone_view(&desired, &published) {
            zone.send_replace(view);
        }
        if let Some(now) = plan_of(&desired, &published) {
            plan.send_replace(now);
        }
    }
}

fn zone_view(
    desired: &watch::Receiver<Option<Desired>>,
    published: &watch::Receiver<Arc<Published>>,
) -> Option<Arc<ZoneView>> {
    let desired = desired.borrow().clone()?;
    let served = published.borrow().listening.served.clone();
    Some(Arc::new(ZoneView::new(&desired, &served)))
}

fn plan_of(
    desired: &watch::Receiver<Option<Desired>>,
    published: &watch::Receiver<Arc<Published>>,
) -> Option<Arc<Plan>> {
    let desired = desired.borrow().clone()?;
    Some(Arc::new(Plan::of(&desired.node, &published.borrow().listening.served)))
}
