//! Where the sockets are to be, and how connections are treated: what a configuration and the host's addresses come to.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use rustls::ServerConfig;

use super::transport::Transport;
use crate::desired::{Node, Tcp};

/// One whole state of the sockets.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Those to be open.
    pub sockets: Vec<(Transport, SocketAddr)>,
    /// Bounds of connections.
    pub tcp: Tcp,
    /// What connections over TLS are shown.
    pub tls: Option<Arc<ServerConfig>>,
    /// What those over HTTPS are shown.
    pub https: Option<Arc<ServerConfig>>,
    /// The path of DNS over HTTPS, from `/`.
    pub path: Arc<str>,
}

impl Plan {
    /// The plan of a node whose addresses these are.
    pub fn of(node: &Node, addresses: &[IpAddr]) -> Self {
        let (dot, doh) = (&node.sockets.dot, &node.sockets.doh);
        let ports = [
            (Transport::Udp, Some(node.listen.port)),
            (Transport::Tcp, Some(node.listen.port)),
            (Transport::Tls, dot.as_ref().map(|dot| dot.port)),
            (Transport::Https, doh.as_ref().map(|doh| doh.port)),
        ];
        let at = |(transport, port): (Transport, Option<u16>)| {
            port.into_iter()
                .flat_map(move |port| addresses.iter().map(move |ip| (transport, SocketAddr::new(*ip, port))))
        };
        Plan {
            sockets: ports.into_iter().flat_map(at).collect(),
            tcp: node.sockets.tcp,
            // RFC 7858 has no protocol name of its own; clients that give one say "dot".
            tls: dot.as_ref().map(|dot| dot.identity.server(&["dot"])),
            https: doh.as_ref().map(|doh| doh.identity.server(&["h2", "http/1.1"])),
            path: doh.as_ref().map(|doh| doh.path.clone()).unwrap_or_default(),
        }
    }
}
