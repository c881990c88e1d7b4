//! Frees what was taken out of the tables, once nobody can still be reading it.

use std::time::Duration;

use tokio::sync::mpsc;

use super::Tables;
use crate::xdp::Barrier;

/// Frees what was given up, again and again. Waiting takes the kernel some milliseconds, so it has a thread of its own.
pub(super) async fn reclaim(tables: Tables, mut barriers: mpsc::UnboundedReceiver<Barrier>) {
    /// Not to be busy waiting for grace periods while flips come in bursts.
    const PAUSE: Duration = Duration::from_secs(1);
    let mut barrier: Option<Barrier> = None;
    loop {
        match tokio::time::timeout(PAUSE, barriers.recv()).await {
            Ok(Some(new)) => barrier = Some(new),
            Ok(None) => return,
            Err(_) => {}
        }
        if !tables.image_mut().begin_wait() {
            continue;
        }
        let Some(mut waiting) = barrier.take() else {
            // Nobody reads but the sockets, and they hold the lock while they do.
            tables.image_mut().reclaim();
            continue;
        };
        let waited = tokio::task::spawn_blocking(move || (waiting.wait(), waiting)).await;
        match waited {
            Ok((Ok(()), done)) => {
                tables.image_mut().reclaim();
                barrier = Some(done);
            }
            Ok((Err(error), done)) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "cannot wait for the kernel; what was given up is not used again"
                );
                barrier = Some(done);
            }
            Err(_) => return,
        }
    }
}
