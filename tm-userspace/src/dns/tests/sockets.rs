//! Real sockets on loopback.

use std::{
    net::{Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    sync::watch,
    time::timeout,
};
use tokio_util::sync::CancellationToken;

use super::kit::{CLIENT, ask, responder};
use crate::{
    desired::Tcp,
    dns::{
        Plan, Responder, Transport,
        connections::Connections,
        run,
        tcp::{self, House},
        udp,
    },
    dnstap::Tap,
};

/// Longer than anything here takes; only a test that fails waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap()
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

async fn read_framed(stream: &mut TcpStream) -> Vec<u8> {
    let mut message = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut message).await.unwrap();
    message
}

/// A listener of its own, and what it says to a query.
fn listen(address: &str, most: usize) -> (SocketAddr, Arc<Responder>, CancellationToken) {
    let listener = tcp::open(address.parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let (responder, stop) = (Arc::new(responder()), CancellationToken::new());
    let (_, plan) = watch::channel(Arc::default());
    let connections = Connections::new(Tcp { connections: most, ..Tcp::default() });
    let house = House { responder: responder.clone(), connections, tap: Tap::new().0, plan };
    tokio::spawn(tcp::serve(listener, Transport::Tcp, house, stop.clone()));
    (address, responder, stop)
}

#[tokio::test]
async fn datagrams_are_answered_from_the_address_that_was_asked() {
    for address in ["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"] {
        let socket = udp::open(address.parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let (responder, stop) = (Arc::new(responder()), CancellationToken::new());
        let task = tokio::spawn(udp::serve(socket, responder.clone(), Tap::new().0, stop.clone()));
        let client = UdpSocket::bind((address.ip(), 0)).await.unwrap();
        // Longer than fits, no query, a reply; each of these is followed by one that is answered.
        let mut octets = [0; 2000];
        for silent in [vec![], vec![0; 11], ask("web.tm.example A").flags(0x8000).octets()] {
            client.send_to(&silent, address).await.unwrap();
            for what in ["web.tm.example A", "nobody.tm.example A", "tm.example NS"] {
                let query = ask(what).octets();
                client.send_to(&query, address).await.unwrap();
                let (length, from) = soon(client.recv_from(&mut octets)).await.unwrap();
                assert_eq!(from, address);
                let expected = responder.reply(&query, CLIENT, Transport::Udp).unwrap();
                assert_eq!(octets[..length], expected, "{what}");
            }
        }
        stop.cancel();
        soon(task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn both_families_may_have_the_same_port() {
    let v6 = (udp::open("[::]:0".parse().unwrap()).unwrap(), tcp::open("[::]:0".parse().unwrap()).unwrap());
    let ports = (v6.0.local_addr().unwrap().port(), v6.1.local_addr().unwrap().port());
    udp::open(([0, 0, 0, 0], ports.0).into()).unwrap();
    tcp::open(([0, 0, 0, 0], ports.1).into()).unwrap();
}

#[tokio::test]
async fn replies_over_udp_are_never_cut_on_the_word_of_an_icmp_message() {
    use rustix::net::sockopt::{
        Ipv4PathMtuDiscovery, Ipv6PathMtuDiscovery, ip_mtu_discover, ipv6_mtu_discover,
    };
    let open = |address: &str| udp::open(address.parse().unwrap()).unwrap();
    assert_eq!(ip_mtu_discover(open("127.0.0.1:0")).unwrap(), Ipv4PathMtuDiscovery::PROBE);
    assert_eq!(ipv6_mtu_discover(open("[::1]:0")).unwrap(), Ipv6PathMtuDiscovery::PROBE);
}

#[tokio::test]
async fn five_hundred_queries_in_one_go_are_answered_in_order() {
    let (address, responder, _stop) = listen("127.0.0.1:0", 10);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let names = ["web.tm.example A", "nobody.tm.example A", "tm.example NS", "contoso.com A"];
    let queries: Vec<Vec<u8>> = (0..500u16)
        .map(|id| {
            let mut query = ask(names[usize::from(id) % names.len()]).octets();
            query[..2].copy_from_slice(&id.to_be_bytes());
            query
        })
        .collect();
    stream.write_all(&queries.iter().flat_map(|query| framed(query)).collect::<Vec<_>>()).await.unwrap();
    stream.shutdown().await.unwrap();
    for query in &queries {
        let expected = responder.reply(query, CLIENT, Transport::Tcp).unwrap();
        assert_eq!(soon(read_framed(&mut stream)).await, expected);
    }
    assert_eq!(soon(stream.read(&mut [0])).await.unwrap(), 0, "it ends when the client has ended");
}

#[tokio::test]
async fn a_length_may_come_in_halves() {
    let (address, responder, _stop) = listen("[::1]:0", 10);
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let query = ask("web.tm.example A").octets();
    let expected = responder.reply(&query, CLIENT, Transport::Tcp).unwrap();
    for split in [1, 2, 3, 14] {
        let (first, second) = (framed(&query)[..split].to_vec(), framed(&query)[split..].to_vec());
        stream.write_all(&first).await.unwrap();
        tokio::task::yield_now().await;
        stream.write_all(&second).await.unwrap();
        assert_eq!(soon(read_framed(&mut stream)).await, expected, "split after {split}");
    }
}

#[tokio::test]
async fn a_newcomer_is_served_however_many_are_connected() {
    let (address, responder, stop) = listen("127.0.0.1:0", 3);
    let query = ask("web.tm.example A").octets();
    let expected = responder.reply(&query, CLIENT, Transport::Tcp).unwrap();
    let mut streams = vec![];
    for _ in 0..5 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(&framed(&query)).await.unwrap();
        assert_eq!(soon(read_framed(&mut stream)).await, expected);
        streams.push(stream);
    }
    for stream in &mut streams[..2] {
        assert_eq!(soon(stream.read(&mut [0])).await.unwrap_or(0), 0, "the first two had to go");
    }
    for stream in &mut streams[2..] {
        stream.write_all(&framed(&query)).await.unwrap();
        assert_eq!(soon(read_framed(stream)).await, expected);
    }
    stop.cancel();
    for stream in &mut streams[2..] {
        assert_eq!(soon(stream.read(&mut [0])).await.unwrap_or(0), 0, "all go when it stops");
    }
}

/// An address whose port was free a moment ago, over UDP and TCP.
fn free(ip: &str) -> SocketAddr {
    loop {
        let tcp = std::net::TcpListener::bind((ip, 0)).unwrap();
        let address = tcp.local_addr().unwrap();
        if std::net::UdpSocket::bind(address).is_ok() {
            return address;
        }
    }
}

/// UDP and TCP at these addresses.
fn plan(addresses: &[SocketAddr]) -> Arc<Plan> {
    let both = |address: &SocketAddr| [Transport::Udp, Transport::Tcp].map(|transport| (transport, *address));
    Arc::new(Plan { sockets: addresses.iter().flat_map(both).collect(), ..Plan::default() })
}

/// Asks over TCP and UDP until both answer.
async fn answers(address: SocketAddr, responder: &Responder) {
    let query = ask("web.tm.example A").octets();
    let expected = responder.reply(&query, CLIENT, Transport::Udp).unwrap();
    let mut stream = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    stream.write_all(&framed(&query)).await.unwrap();
    assert_eq!(read_framed(&mut stream).await, expected);
    let client = UdpSocket::bind((address.ip(), 0)).await.unwrap();
    client.connect(address).await.unwrap();
    let mut octets = [0; 1232];
    loop {
        // Refused, for as long as nobody listens.
        let answered = match client.send(&query).await {
            Ok(_) => client.recv(&mut octets).await,
            Err(error) => Err(error),
        };
        match answered {
            Ok(length) => return assert_eq!(octets[..length], expected),
            Err(_) => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test]
async fn sockets_follow_the_list_of_addresses() {
    let (first, second) = (free("127.0.0.3"), free("127.0.0.4"));
    let v6 = free("::1");
    // Nobody has this one: 2001:db8::/32 is for documentation.
    let nowhere = SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 53));
    let responder = Arc::new(responder());
    let (plan_to, plans) = watch::channel(plan(&[nowhere, first]));
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(run(responder.clone(), Tap::new().0, plans, shutdown.clone()));
    soon(answers(first, &responder)).await;
    plan_to.send_replace(plan(&[second, v6]));
    soon(answers(second, &responder)).await;
    soon(answers(v6, &responder)).await;
    soon(async {
        // Given up altogether: somebody else can have it.
        while udp::open(first).is_err() || tcp::open(first).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    plan_to.send_replace(plan(&[first, second]));
    soon(answers(first, &responder)).await;
    soon(answers(second, &responder)).await;
    drop(plan_to);
    soon(answers(first, &responder)).await;
    shutdown.cancel();
    soon(task).await.unwrap().unwrap();
    assert!(TcpStream::connect(first).await.is_err());
}

#[tokio::test]
async fn an_address_that_was_taken_is_bound_when_it_is_free() {
    let address = free("127.0.0.5");
    let taken = std::net::UdpSocket::bind(address).unwrap();
    let responder = Arc::new(responder());
    let (_plan_to, plans) = watch::channel(plan(&[address]));
    let shutdown = CancellationToken::new();
    let task = tokio::spawn(run(responder.clone(), Tap::new().0, plans, shutdown.clone()));
    // TCP serves though UDP cannot.
    let query = ask("web.tm.example A").octets();
    let mut stream = soon(async {
        loop {
            match TcpStream::connect(address).await {
                Ok(stream) => break stream,
                Err(_) => tokio::task::yield_now().await,
            }
        }
    })
    .await;
    stream.write_all(&framed(&query)).await.unwrap();
    assert_eq!(
        soon(read_framed(&mut stream)).await,
        responder.reply(&query, CLIENT, Transport::Tcp).unwrap()
    );
    drop(taken);
    soon(answers(address, &responder)).await;
    shutdown.cancel();
    soon(task).await.unwrap().unwrap();
}
