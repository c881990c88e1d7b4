//! Listens for connections, gives each a seat, and has it talked to over TCP as it is or over TLS.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::{
    connections::{Connections, Seat},
    converse::converse,
    https,
    plan::Plan,
    reply::Responder,
    transport::Transport,
};
use crate::dnstap::{Line, Tap};

/// How long to wait when no connection can be accepted: for want of descriptors or memory, most often.
const BACK_OFF: Duration = Duration::from_millis(500);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A listener at exactly this address.
pub(super) fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier run that linger in the kernel do not count.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What all listeners have in common.
#[derive(Clone, Debug)]
pub(super) struct House {
    pub(super) responder: Arc<Responder>,
    pub(super) connections: Arc<Connections>,
    pub(super) tap: Tap,
    pub(super) plan: watch::Receiver<Arc<Plan>>,
}

/// Accepts and answers until it is told to stop; then its connections are closed too.
pub(super) async fn serve(
    listener: TcpListener,
    transport: Transport,
    house: House,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = listener.local_addr()?;
    let mut tasks = JoinSet::new();
    let mut is_told = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                is_told = false;
                let seat = house.connections.enter(client.ip());
                let line = house.tap.line(client, server, transport);
                tasks.spawn(attend(stream, line, house.clone(), seat));
            }
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                if !is_told {
                    tracing::warn!(%error, "no connection can be accepted for now; raise the limit of open files (LimitNOFILE) if this lasts");
                }
                is_told = true;
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = sleep(BACK_OFF) => {}
                }
            }
        }
    }
}

/// Is it one connection that failed, before it was accepted, and not accepting?
fn is_of_client(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One connection, until it ends or its seat is needed.
async fn attend(stream: TcpStream, line: Line, house: House, seat: Seat) {
    let (client, transport) = (line.client.ip(), line.transport);
    // Replies leave as soon as they are flushed, not when the last one was acknowledged.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%client, %error, "a connection sends in larger pieces than it should");
    }
    let seat = Arc::new(seat);
    tokio::select! {
        () = seat.is_needed() => {}
        ended = talk(stream, line, house, &seat) => if let Err(error) = ended {
            tracing::debug!(%client, %transport, %error, "a connection was closed");
        }
    }
}

/// What is shown over TLS is as planned at this moment: a certificate that was renewed needs no more than that.
async fn talk(stream: TcpStream, line: Line, house: House, seat: &Arc<Seat>) -> io::Result<()> {
    let plan = house.plan.borrow().clone();
    let shown = match line.transport {
        Transport::Udp | Transport::Tcp => {
            return converse(stream, &line, &house.responder, seat).await;
        }
        Transport::Tls => &plan.tls,
        Transport::Https => &plan.https,
    };
    let acceptor = TlsAcceptor::from(shown.clone().ok_or(ErrorKind::NotConnected)?);
    let stream = timeout(seat.message_timeout(), acceptor.accept(stream)).await??;
    match line.transport {
        Transport::Https => {
            https::serve(stream, line, plan.path.clone(), house.responder, seat.clone()).await
        }
        _ => converse(stream, &line, &house.responder, seat).await,
    }
}
