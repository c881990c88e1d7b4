//! What the loaded programs tell of.

use aya::maps::{MapData, RingBuf};
use tm_common::sample::Head;
use tokio::io::unix::AsyncFd;

use super::{Told, told::Reply};
use crate::{control::Tables, dns::Transport, dnstap::Tap};

/// Samples read before others get their turn.
const BATCH: usize = 256;

/// The ring of one load of the programs, to be waited on.
pub(super) struct Ring {
    tables: u64,
    ring: AsyncFd<RingBuf<MapData>>,
}

impl Ring {
    /// That of the programs that are loaded now, if nobody has it yet.
    #[expect(
        deprecated,
        reason = "what stands in its place is unsafe, and the ring keeps its descriptor for as long as it lives"
    )]
    pub(super) fn of(tables: &Tables) -> anyhow::Result<Option<Self>> {
        let Some((tables, ring)) = tables.kernel().as_mut().and_then(|kernel| kernel.take_samples()) else {
            return Ok(None);
        };
        Ok(Some(Ring { tables, ring: AsyncFd::new(ring)? }))
    }
}

/// Waits for samples, and tells `tap` of them; gives some, and how many there was no room for. Without a ring it waits for ever.
pub(super) async fn next(ring: &mut Option<Ring>, tap: &Tap) -> anyhow::Result<(Vec<Told>, u64)> {
    let Some(Ring { tables, ring }) = ring else { return std::future::pending().await };
    let mut ready = ring.readable_mut().await?;
    let (mut samples, mut lost) = (vec![], 0);
    for _ in 0..BATCH {
        let Some(item) = ready.get_inner_mut().next() else {
            ready.clear_ready();
            break;
        };
        if let Some((head, frame)) = Head::split(&item) {
            lost += u64::from(head.lost);
            let Some(reply) = Reply::in_frame(frame) else { continue };
            tap.line(reply.client, reply.server, Transport::Udp).said(reply.message);
            samples.push(Told::of_sample(*tables, &head, &reply));
        }
    }
    Ok((samples, lost))
}
