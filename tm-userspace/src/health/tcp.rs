//! A TCP probe: connect and close.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpSocket;

use super::reason;

/// Success once the handshake is done, from `source` where there is one.
pub(super) async fn connect(address: SocketAddr, source: Option<IpAddr>) -> Result<String, String> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| reason::of_io(&error))?;
    if let Some(source) = source {
        socket.bind((source, 0).into()).map_err(|error| cannot_bind(source, &error))?;
    }
    match socket.connect(address).await {
        Ok(_) => Ok("connected".to_owned()),
        Err(error) => Err(reason::of_io(&error)),
    }
}

fn cannot_bind(source: IpAddr, error: &std::io::Error) -> String {
    format!("cannot probe from {source}: {}", reason::of_io(error))
}
