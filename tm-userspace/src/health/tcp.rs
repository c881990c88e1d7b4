//! A TCP probe: connect and close.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::TcpSocket, time::Instant};

use super::reason::{self, Cause, Failure};

/// Connects, from `source` where there is one, and closes; says how long the handshake took.
pub(super) async fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<Duration, Failure> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| reason::of_io(&error))?;
    if let Some(source) = source {
        socket.bind((source, 0).into()).map_err(|error| cannot_bind(source, &error))?;
    }
    let began = Instant::now();
    match socket.connect(address).await {
        Ok(_) => Ok(began.elapsed()),
        Err(error) => Err(reason::of_io(&error)),
    }
}

fn cannot_bind(source: IpAddr, error: &std::io::Error) -> Failure {
    Failure::new(Cause::Local, format!("cannot probe from {source}: {}", reason::of_io(error)))
}
