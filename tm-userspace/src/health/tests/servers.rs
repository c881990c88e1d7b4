//! Servers on loopback addresses, well-behaved and hostile, and a prober that may reach them.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, ResponseCode},
    rr::{RData, Record, RecordType},
};
use hickory_resolver::{
    Hosts,
    config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::{mpsc, watch},
};

use crate::{
    desired::{Monitor, Protocol},
    health::{Probe as _, Prober, resolve::Names, tls::Tls},
    samples::{desired, monitor, target},
};

/// A listening server: where, and how often it was connected to.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    pub(super) connections: Arc<AtomicUsize>,
}

impl Server {
    /// Hands each connection to `serve`.
    pub(super) async fn start<F, S>(address: &str, serve: F) -> Self
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Server { address, connections }
    }

    /// Answers each request with `response`; the heads of the requests come out of the receiver.
    pub(super) async fn http(address: &str, response: &str) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (heads, received) = mpsc::unbounded_channel();
        let response: Arc<str> = response.into();
        let server = Server::start(address, move |mut stream| {
            let (heads, response) = (heads.clone(), response.clone());
            async move {
                heads.send(read_head(&mut stream).await).unwrap();
                stream.write_all(response.as_bytes()).await.unwrap();
            }
        });
        (server.await, received)
    }

    pub(super) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// An address that nobody listens at.
pub(super) async fn closed(address: &str) -> SocketAddr {
    TcpListener::bind(address).await.unwrap().local_addr().unwrap()
}

/// The head of a request.
pub(super) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// A name server that gives `answer` to the nth query (from 0) of a name and family, and counts all queries.
pub(super) async fn name_server<F>(answer: F) -> (Names, Arc<AtomicUsize>)
where
    F: Fn(&str, RecordType, usize) -> Answer + Send + 'static,
{
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut server = ConnectionConfig::udp();
    server.port = socket.local_addr().unwrap().port();
    let servers = vec![NameServerConfig::new(IpAddr::from([127, 0, 0, 1]), true, vec![server])];
    let queries = Arc::new(AtomicUsize::new(0));
    let count = queries.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        let mut asked = std::collections::HashMap::new();
        while let Ok((length, client)) = socket.recv_from(&mut buffer).await {
            count.fetch_add(1, Ordering::SeqCst);
            let query = Message::from_vec(&buffer[..length]).unwrap();
            let question = query.queries[0].clone();
            let nth: &mut usize = asked.entry(question.clone()).or_default();
            let (ttl, addresses, code) =
                match answer(&question.name().to_ascii(), question.query_type(), *nth) {
                    Answer::Silence => continue,
                    Answer::Code(code) => (0, Vec::new(), code),
                    Answer::Addresses(ttl, addresses) => (ttl, addresses, ResponseCode::NoError),
                };
            *nth += 1;
            let mut reply = query.clone();
            reply.metadata.message_type = MessageType::Response;
            reply.metadata.response_code = code;
            reply.additionals.clear();
            reply.edns = None;
            for address in addresses {
                let address: IpAddr = address.parse().unwrap();
                let record = Record::from_rdata(question.name().clone(), ttl, RData::from(address));
                if record.record_type() == question.query_type() {
                    reply.add_answer(record);
                }
            }
            socket.send_to(&reply.to_vec().unwrap(), client).await.unwrap();
        }
    });
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    // Silence is then never over by itself.
    let mut options = ResolverOpts::default();
    options.timeout = Duration::from_secs(3600);
    (Names::new(Hosts::default(), Ok((config, options))), queries)
}

/// What a name server says.
pub(super) enum Answer {
    /// Nothing.
    Silence,
    /// A failure.
    Code(ResponseCode),
    /// Those of the addresses that are of the family asked for, with a TTL.
    Addresses(u32, Vec<&'static str>),
}

/// A prober that may probe `allow`, asks `names` and trusts by `tls`.
pub(super) fn prober(allow: &[(&str, u8)], names: Names, tls: Tls) -> Prober {
    Prober::with(watch::channel(Some(desired(allow, Vec::new()))).1, names, tls)
}

/// A prober that may probe 127.0.0.0/8 and `::1`.
pub(super) fn local_prober() -> Prober {
    prober(&[("127.0.0.0", 8), ("::1", 128)], Names::from_system(), Tls::from_system().unwrap())
}

/// A monitor of `port`, patient unless the probe is to end by its timeout.
pub(super) fn patient(protocol: Protocol, port: u16) -> Monitor {
    Monitor { protocol, port, timeout: Duration::from_secs(60), ..monitor() }
}

/// The same, but with a timeout of 200 ms.
pub(super) fn impatient(protocol: Protocol, port: u16) -> Monitor {
    Monitor { timeout: Duration::from_millis(200), ..patient(protocol, port) }
}

/// Probes and tells success and reason.
pub(super) async fn probe(prober: &Prober, to: &str, monitor: &Monitor) -> (bool, String) {
    let outcome = prober.probe(target(to), Arc::new(monitor.clone())).await;
    (outcome.ok, outcome.reason.to_string())
}

/// A success with `reason`.
pub(super) fn good(reason: &str) -> (bool, String) {
    (true, reason.to_owned())
}

/// A failure with `reason`.
pub(super) fn bad(reason: &str) -> (bool, String) {
    (false, reason.to_owned())
}
