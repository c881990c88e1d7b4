//! What is told of a message: `dnstap.proto`, as far as an authoritative server fills it in ([dnstap.info](https://dnstap.info)).

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use prost::Message as _;

use crate::dns::Transport;

/// A DNS message that came or went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tapped {
    /// A query or a reply.
    pub(super) kind: Kind,
    /// Whoever asks.
    pub(super) client: SocketAddr,
    /// Where it was asked.
    pub(super) server: SocketAddr,
    /// What it came over.
    pub(super) transport: Transport,
    /// When.
    pub(super) at: SystemTime,
    /// The message.
    pub(super) message: Vec<u8>,
}

/// Which way a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// To us.
    Query = 1,
    /// From us.
    Response = 2,
}

/// `dnstap.Dnstap`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Dnstap {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) identity: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) version: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    pub(super) message: Option<Message>,
    /// `MESSAGE`, 1.
    #[prost(int32, required, tag = "15")]
    pub(super) kind: i32,
}

/// `dnstap.Message`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    /// `AUTH_QUERY`, 1, or `AUTH_RESPONSE`, 2.
    #[prost(int32, required, tag = "1")]
    pub(super) kind: i32,
    /// `INET`, 1, or `INET6`, 2.
    #[prost(int32, optional, tag = "2")]
    pub(super) socket_family: Option<i32>,
    /// `UDP`, 1, `TCP`, 2, `DOT`, 3, `DOH`, 4.
    #[prost(int32, optional, tag = "3")]
    pub(super) socket_protocol: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    pub(super) response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    pub(super) query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    pub(super) response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    pub(super) query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    pub(super) query_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    pub(super) query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    pub(super) response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    pub(super) response_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    pub(super) response_message: Option<Vec<u8>>,
}

impl Tapped {
    /// Its octets in a frame, from the server of this name.
    pub(super) fn encode(self, identity: &str) -> Vec<u8> {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let (seconds, nanoseconds) = (Some(since.as_secs()), Some(since.subsec_nanos()));
        let mut message = Message {
            kind: self.kind as i32,
            socket_family: Some(if self.client.is_ipv4() { 1 } else { 2 }),
            socket_protocol: Some(match self.transport {
                Transport::Udp => 1,
                Transport::Tcp => 2,
                Transport::Tls => 3,
                Transport::Https => 4,
            }),
            query_address: Some(octets(self.client.ip())),
            response_address: Some(octets(self.server.ip())),
            query_port: Some(self.client.port().into()),
            response_port: Some(self.server.port().into()),
            ..Message::default()
        };
        match self.kind {
            Kind::Query => {
                (message.query_time_sec, message.query_time_nsec) = (seconds, nanoseconds);
                message.query_message = Some(self.message);
            }
            Kind::Response => {
                (message.response_time_sec, message.response_time_nsec) = (seconds, nanoseconds);
                message.response_message = Some(self.message);
            }
        }
        let dnstap = Dnstap {
            identity: (!identity.is_empty()).then(|| identity.as_bytes().to_vec()),
            version: Some(format!("tm {}", crate::api::VERSION).into_bytes()),
            message: Some(message),
            kind: 1,
        };
        dnstap.encode_to_vec()
    }
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    }
}
