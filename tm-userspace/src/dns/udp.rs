//! One UDP socket: a datagram in, a datagram out, from the address that was asked.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    sync::Arc,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::reply::{Responder, Transport};

/// Octets of the longest datagram.
const LONGEST: usize = 65_535;
/// Octets that may wait to be read; the kernel gives less where `net.core.rmem_max` says so.
const WAITING: usize = 4 << 20;
/// Datagrams answered before others get their turn.
const BATCH: usize = 64;

/// A socket at exactly this address.
pub(super) fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_recv_buffer_size(WAITING)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Answers until it is told to stop; an error is the socket's, and it is of no more use.
pub(super) async fn serve(
    socket: UdpSocket,
    responder: Arc<Responder>,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut query = vec![0; LONGEST];
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ready = socket.readable() => ready?,
        }
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut query) {
                Ok((length, client)) => answer(&socket, &responder, &query[..length], client).await,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
}

async fn answer(socket: &UdpSocket, responder: &Responder, query: &[u8], client: SocketAddr) {
    // Nobody listens at port 0: whoever writes it there wants the reply to do harm.
    if client.port() == 0 {
        return;
    }
    let Some(reply) = responder.reply(query, client.ip(), Transport::Udp) else {
        return;
    };
    if let Err(error) = socket.send_to(&reply, client).await {
        tracing::debug!(%client, %error, "a reply could not be sent");
    }
}
