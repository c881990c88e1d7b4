//! The API over TLS, where `[api]` says.
//!
//! It follows the configuration: another address is listened on when it is named, and another certificate is shown when its files have changed; what is wrong with either is
//! told, and what was there before goes on. That it cannot listen stops nothing else.

use std::{
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use axum_server::{
    Handle,
    tls_rustls::{RustlsAcceptor, RustlsConfig},
};
use hyper_util::rt::TokioTimer;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{View, limits::Limited, tls};
use crate::desired::Api;

/// How often files and address are looked at without any sign of a change.
const REPAIR: Duration = Duration::from_secs(60);
/// How soon it is tried again where it failed.
const RETRY: Duration = Duration::from_secs(5);
/// How long a request's head may take to come, from the moment that the connection waits for one.
const HEAD_AT_MOST: Duration = Duration::from_secs(30);
/// How long the TLS handshake may take.
const HANDSHAKE_AT_MOST: Duration = Duration::from_secs(10);
/// How long requests under way may take at the end.
const DRAIN: Duration = Duration::from_secs(3);

/// Serves `router` where the latest configuration says, until `shutdown`.
pub(super) async fn run(view: View, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (mut desired, mut reload) = (view.desired.clone(), view.reload.clone());
    let mut serving: Option<Serving> = None;
    let mut told = None;
    loop {
        let wanted = desired.borrow_and_update().as_ref().and_then(|desired| desired.node.api.clone());
        reload.mark_unchanged();
        let now = adapt(&mut serving, wanted, &router).await;
        let failed = now.err().map(|error| format!("{error:#}"));
        if failed != told {
            match &failed {
                Some(error) => tracing::error!(error, "the API is not served as it is configured; trying on"),
                None => tracing::info!("the API is served as it is configured"),
            }
            told = failed;
        }
        let pause = if told.is_some() { RETRY } else { REPAIR };
        tokio::select! {
            () = shutdown.cancelled() => break,
            Ok(()) = desired.changed() => {}
            Ok(()) = reload.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Some(serving) = serving {
        serving.stop().await;
    }
    Ok(())
}

/// A listener at work.
struct Serving {
    api: Api,
    octets: [Vec<u8>; 3],
    config: RustlsConfig,
    handle: Handle<SocketAddr>,
    task: JoinHandle<()>,
}

/// Brings what is served to what is wanted.
async fn adapt(serving: &mut Option<Serving>, wanted: Option<Api>, router: &Router) -> anyhow::Result<()> {
    let Some(api) = wanted else {
        if let Some(old) = serving.take() {
            old.stop().await;
            tracing::info!("the API is no longer served over TLS");
        }
        return Ok(());
    };
    let from = api.clone();
    let identity = tokio::task::spawn_blocking(move || tls::identity(&from)).await??;
    if let Some(same) =
        serving.as_mut().filter(|serving| serving.api.listen == api.listen && !serving.task.is_finished())
    {
        if same.octets != identity.octets || same.api.client_ca != api.client_ca {
            same.config.reload_from_config(identity.config);
            same.octets = identity.octets;
            tracing::info!("the API shows another certificate");
        }
        same.api = api;
        return Ok(());
    }
    if let Some(old) = serving.take() {
        old.stop().await;
    }
    let listener =
        TcpListener::bind(api.listen).with_context(|| format!("cannot listen at {}", api.listen))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let config = RustlsConfig::from_config(identity.config);
    let handle = Handle::new();
    let acceptor =
        RustlsAcceptor::new(config.clone()).handshake_timeout(HANDSHAKE_AT_MOST).acceptor(Limited::default());
    let mut server = axum_server::from_tcp(listener)?.acceptor(acceptor).handle(handle.clone()).http1_only();
    server.http_builder().http1().timer(TokioTimer::new()).header_read_timeout(HEAD_AT_MOST);
    let service = router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let task = tokio::spawn(async move {
        if let Err(error) = server.serve(service).await {
            tracing::error!(%error, "the API's listener failed");
        }
    });
    tracing::info!(%address, certificate = %api.tls_cert.display(), "the API listens");
    *serving = Some(Serving { api, octets: identity.octets, config, handle, task });
    Ok(())
}

impl Serving {
    async fn stop(self) {
        self.handle.graceful_shutdown(Some(DRAIN));
        // It ends at the latest when the time is over; a panic in it was told.
        let _ = self.task.await;
    }
}
