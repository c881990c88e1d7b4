//! One UDP socket: a datagram in, a datagram out, from the address that was asked.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use nix::{
    setsockopt_impl,
    sys::socket::{setsockopt, sockopt::SetBool},
};
use rustix::net::sockopt::{self, Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio_util::sync::CancellationToken;

use super::{reply::Responder, transport::Transport};
use crate::dnstap::{Line, Tap};

/// Octets of the longest datagram.
const LONGEST: usize = 65_535;
/// Octets that may wait to be read; the kernel gives less where `net.core.rmem_max` says so.
const WAITING: usize = 4 << 20;
/// Datagrams answered before others get their turn.
const BATCH: usize = 64;

/// Does the kernel give each flow a label ([RFC 6438](https://www.rfc-editor.org/rfc/rfc6438))? Replies of XDP have none, and no one can tell them apart by that.
#[derive(Clone)]
struct AutoFlowLabel;

setsockopt_impl!(AutoFlowLabel, libc::IPPROTO_IPV6, libc::IPV6_AUTOFLOWLABEL, bool, SetBool);

/// A socket at exactly this address.
pub(super) fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
        setsockopt(&socket, AutoFlowLabel, &false)?;
    }
    never_fragment(&socket, address)?;
    socket.set_recv_buffer_size(WAITING)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Replies fit every link, so nobody's word that a path takes less (ICMP, which is easily forged) is to have them sent in fragments,
/// whose second one an attacker could write; nor may anybody on the way cut them ([RFC 9715, section 3]). Those of XDP are marked so too, and no one can tell them apart.
///
/// [RFC 9715, section 3]: https://www.rfc-editor.org/rfc/rfc9715#section-3
fn never_fragment(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    match address {
        SocketAddr::V4(_) => sockopt::set_ip_mtu_discover(socket, Ipv4PathMtuDiscovery::PROBE)?,
        SocketAddr::V6(_) => sockopt::set_ipv6_mtu_discover(socket, Ipv6PathMtuDiscovery::PROBE)?,
    }
    Ok(())
}

/// Answers until it is told to stop; an error is the socket's, and it is of no more use.
pub(super) async fn serve(
    socket: UdpSocket,
    responder: Arc<Responder>,
    tap: Tap,
    stop: CancellationToken,
) -> io::Result<()> {
    let server = socket.local_addr()?;
    // One for all clients in turn: making one is work for every datagram.
    let mut line = tap.line(server, server, Transport::Udp);
    let mut query = vec![0; LONGEST];
    loop {
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            ready = socket.readable() => ready?,
        }
        for _ in 0..BATCH {
            match socket.try_recv_from(&mut query) {
                Ok((length, client)) => {
                    line.client = client;
                    answer(&socket, &responder, &query[..length], &line).await;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
    }
}

async fn answer(socket: &UdpSocket, responder: &Responder, query: &[u8], line: &Line) {
    let client = line.client;
    // Nobody listens at port 0: whoever writes it there wants the reply to do harm.
    if client.port() == 0 || is_reserved(client.ip()) {
        return;
    }
    line.heard(query);
    let Some(reply) = responder.reply(query, client.ip(), Transport::Udp) else {
        return;
    };
    match socket.send_to(&reply, client).await {
        Ok(_) => line.said(&reply),
        Err(error) => tracing::debug!(%client, %error, "a reply could not be sent"),
    }
}

/// Is it an address that no host has (RFC 1122, section 3.2.1.3; RFC 1112, section 4), though the kernel lets it through: of 0.0.0.0/8 and 240.0.0.0/4?
fn is_reserved(client: IpAddr) -> bool {
    matches!(client, IpAddr::V4(address) if matches!(address.octets()[0], 0 | 240..))
}
