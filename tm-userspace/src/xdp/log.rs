//! What a program built with its debug switch says of each packet, passed on to the daemon's log. Other programs say nothing, and this does nothing.

use aya::Ebpf;
use aya_log::{EbpfLogger, Error};
use tokio::{
    io::{Interest, unix::AsyncFd},
    runtime::Handle,
};
use tokio_util::task::AbortOnDropHandle;

/// Follows the program for as long as what is returned lives.
#[expect(
    deprecated,
    reason = "what takes its place is unsafe; the ring buffer keeps its descriptor as long as it lives"
)]
pub(super) fn follow(bpf: &mut Ebpf) -> Option<AbortOnDropHandle<()>> {
    let runtime = Handle::try_current().ok()?;
    let logger = match EbpfLogger::init(bpf) {
        Ok(logger) => AsyncFd::with_interest(logger, Interest::READABLE),
        Err(Error::MapNotFound) => return None,
        Err(error) => {
            tracing::warn!(%error, "what the program says cannot be read");
            return None;
        }
    };
    let mut logger = logger
        .inspect_err(|error| tracing::warn!(%error, "what the program says cannot be followed"))
        .ok()?;
    tracing::warn!("the XDP program was built to log every packet, which is slow: for debugging only");
    let passing_on = async move {
        while let Ok(mut ready) = logger.readable_mut().await {
            ready.get_inner_mut().flush();
            ready.clear_ready();
        }
    };
    Some(AbortOnDropHandle::new(runtime.spawn(passing_on)))
}
