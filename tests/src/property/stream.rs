//! What holds for any octets that come over a TCP connection, in whatever pieces.

use std::{
    io::{ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, LazyLock, mpsc},
    thread,
};

use tm_userspace::{
    dns::{Plan, Transport, run},
    dnstap::Tap,
};
use tokio::{runtime::Builder, sync::watch};
use tokio_util::sync::CancellationToken;

use super::{WORLD, message::check_reply};
use crate::{DEADLINE, world::World};

/// A server for as long as the process lives, with tables of its own.
static SERVER: LazyLock<SocketAddr> = LazyLock::new(start);

/// Octets of a connection that are looked at: few enough that all replies fit what the kernel keeps for a client that reads at the end.
const LONGEST: usize = 2048;

/// Sends the octets behind the first one, in pieces whose length that one says, and the end. Each query is replied to, in their order and once, until
/// something comes that is no query; then nothing more is, and the connection ends (RFC 7766, sections 6.2.1 and 8; RFC 9210, section 4.3).
pub fn check_stream(octets: &[u8]) {
    let Some((pieces, octets)) = octets.split_first() else { return };
    let octets = &octets[..octets.len().min(LONGEST)];
    let mut stream = TcpStream::connect(*SERVER).expect("the server takes connections");
    stream.set_nodelay(true).and_then(|()| stream.set_read_timeout(Some(DEADLINE))).expect("a socket");
    for piece in octets.chunks(usize::from(*pieces).max(1)) {
        // Whoever says what is no query may be left before all is said.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Write);
    let said = read_to_end(&mut stream);
    let queries: Vec<&[u8]> =
        messages(octets).0.into_iter().take_while(|message| is_query(message)).collect();
    let (replies, rest) = messages(&said);
    assert!(rest.is_empty(), "half a reply: {rest:02x?}");
    assert_eq!(replies.len(), queries.len(), "replies {replies:02x?} to queries {queries:02x?}");
    for (query, reply) in queries.into_iter().zip(replies) {
        assert_eq!(reply[..2], query[..2], "ID");
        // RFC 7828: how long the connection may be idle is said on it alone, and not what the rest is compared with.
        if !matches!(reply, [.., 0, 11, 0, 2, _, _]) {
            check_reply(query, reply, Transport::Tcp);
        }
    }
}

/// Whole messages, each behind its length; and what is left.
fn messages(mut octets: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut messages = vec![];
    while let [high, low, rest @ ..] = octets {
        let Some((message, rest)) = rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))
        else {
            break;
        };
        messages.push(message);
        octets = rest;
    }
    (messages, octets)
}

fn is_query(message: &[u8]) -> bool {
    message.len() >= 12 && message[2] & 0x80 == 0
}

fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let (mut said, mut buffer) = (vec![], [0; 4096]);
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return said,
            Ok(length) => said.extend(&buffer[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // What was said to it is not read to its end by a server that has seen enough.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return said,
            Err(error) => panic!("the connection does not end: {error}"),
        }
    }
}

fn start() -> SocketAddr {
    // Free now, and nobody takes it at once: the kernel gives ports in turn.
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let address = free.expect("a free port on loopback");
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let responder = Arc::new(World::new().expect("the zone of the tests loads").responder);
            let plan = Plan { sockets: vec![(Transport::Tcp, address)], ..Plan::default() };
            let (_keep, plan) = watch::channel(Arc::new(plan));
            let serving = run(responder, Tap::new().0, plan, CancellationToken::new());
            ready.send(()).expect("somebody waits");
            serving.await.expect("it serves");
        });
    });
    is_ready.recv().expect("the server starts");
    LazyLock::force(&WORLD);
    address
}
