//! Where the sockets are to be, and how connections are treated: what a configuration and the host's addresses come to.

use std::net::{IpAddr, SocketAddr};

use super::reply::Transport;
use crate::desired::{Node, Tcp};

/// One whole state of the sockets.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Those to be open.
    pub sockets: Vec<(Transport, SocketAddr)>,
    /// Bounds of connections.
    pub tcp: Tcp,
}

impl Plan {
    /// The plan of a node whose addresses these are.
    pub fn of(node: &Node, addresses: &[IpAddr]) -> Self {
        let ports = [(Transport::Udp, node.listen.port), (Transport::Tcp, node.listen.port)];
        let at = |(transport, port)| addresses.iter().map(move |ip| (transport, SocketAddr::new(*ip, port)));
        Plan { sockets: ports.into_iter().flat_map(at).collect(), tcp: node.sockets.tcp }
    }
}
