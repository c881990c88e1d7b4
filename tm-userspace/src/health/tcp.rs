//! A TCP probe: connect and close.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::reason;

/// Success once the handshake is done.
pub(super) async fn connect(address: SocketAddr) -> Result<String, String> {
    match TcpStream::connect(address).await {
        Ok(_) => Ok("connected".to_owned()),
        Err(error) => Err(reason::of_io(&error)),
    }
}
