//! How many connections there may be at once: those that come beyond wait until one ends.

use std::{io, pin::Pin, sync::Arc};

use axum::{Extension, middleware::AddExtension};
use axum_server::accept::Accept;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tower::Layer as _;

/// Connections at once.
const CONNECTIONS_AT_MOST: usize = 512;

/// Takes connections in while there is room, each of which holds its place for as long as its service lives.
#[derive(Clone, Debug)]
pub(super) struct Limited(Arc<Semaphore>);

impl Default for Limited {
    fn default() -> Self {
        Limited(Arc::new(Semaphore::new(CONNECTIONS_AT_MOST)))
    }
}

impl<S: Send + 'static> Accept<TcpStream, S> for Limited {
    type Stream = TcpStream;
    type Service = AddExtension<S, Arc<OwnedSemaphorePermit>>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(TcpStream, Self::Service)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let places = self.0.clone();
        Box::pin(async move {
            // Nobody closes it.
            let place = places.acquire_owned().await.map_err(io::Error::other)?;
            stream.set_nodelay(true)?;
            Ok((stream, Extension(Arc::new(place)).layer(service)))
        })
    }
}
