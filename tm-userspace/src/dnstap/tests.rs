//! What a collector is sent, octet by octet, and what is dropped where there is none.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
};

use super::*;
use crate::{desired::Dnstap, samples};

const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";

fn tapped(kind: Kind, client: &str, transport: Transport) -> Tapped {
    let server = if client.starts_with('[') { "[2001:db8::53]:53" } else { "192.0.2.53:53" };
    Tapped {
        kind,
        client: client.parse().unwrap(),
        server: server.parse().unwrap(),
        transport,
        at: UNIX_EPOCH + Duration::new(300, 7),
        message: vec![0xab, 0xcd],
    }
}

/// A tap that is on, with nobody to read what it is told.
fn on() -> (Tap, Waiting, Line) {
    let (tap, waiting) = Tap::new();
    tap.set_on(true);
    let line = tap.line("192.0.2.1:5353".parse().unwrap(), "192.0.2.53:53".parse().unwrap(), Transport::Udp);
    (tap, waiting, line)
}

/// A state in which this collector is wanted.
fn wanted(socket: Option<&Path>) -> Option<Desired> {
    let mut desired = samples::desired(&[], vec![]);
    Arc::make_mut(&mut desired.node).dnstap =
        socket.map(|socket| Dnstap { socket: socket.to_owned(), identity: "edge".into() });
    Some(desired)
}

fn control(kind: u32, fields: &[u8]) -> Vec<u8> {
    let length = 4 + fields.len() as u32;
    [&[0; 4][..], &length.to_be_bytes(), &kind.to_be_bytes(), fields].concat()
}

fn content_type() -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 0, 0, 22][..], CONTENT_TYPE].concat()
}

async fn expect(stream: &mut UnixStream, octets: &[u8]) {
    let mut read = vec![0; octets.len()];
    stream.read_exact(&mut read).await.unwrap();
    assert_eq!(read, octets);
}

/// A collector's socket, as long as the directory is there.
fn collector() -> (tempfile::TempDir, PathBuf, UnixListener) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("tap");
    let listener = UnixListener::bind(&socket).unwrap();
    (dir, socket, listener)
}

/// The collector's part of the beginning.
async fn agree(listener: &UnixListener) -> UnixStream {
    let (mut stream, _) = listener.accept().await.unwrap();
    expect(&mut stream, &control(4, &content_type())).await;
    stream.write_all(&control(1, &content_type())).await.unwrap();
    expect(&mut stream, &control(2, &content_type())).await;
    stream
}

#[test]
fn a_message_is_what_its_description_says() {
    // Tags and types as in dnstap.proto: number of the field shifted by three, and 0 for a number, 2 for octets, 5 for four octets.
    let version = format!("tm {}", env!("CARGO_PKG_VERSION"));
    let around = |message: &[u8]| {
        let head = [&[0x0a, 4][..], b"edge", &[0x12, version.len() as u8], version.as_bytes()].concat();
        [&head[..], &[0x72, message.len() as u8], message, &[0x78, 1]].concat()
    };
    let v4 = [0x22, 4, 192, 0, 2, 1, 0x2a, 4, 192, 0, 2, 53, 0x30, 0xe9, 0x29, 0x38, 53];
    let query =
        [&[0x08, 1, 0x10, 1, 0x18, 1][..], &v4, &[0x40, 0xac, 0x02, 0x4d, 7, 0, 0, 0, 0x52, 2, 0xab, 0xcd]];
    let encoded = tapped(Kind::Query, "192.0.2.1:5353", Transport::Udp).encode("edge");
    assert_eq!(encoded, around(&query.concat()));

    let mut v6 = vec![0x22, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
    v6.extend([0x2a, 16, 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x53]);
    v6.extend([0x30, 0xe9, 0x29, 0x38, 53]);
    for (transport, number) in [(Transport::Tcp, 2), (Transport::Tls, 3), (Transport::Https, 4)] {
        let response = [
            &[0x08, 2, 0x10, 2, 0x18, number][..],
            &v6,
            &[0x60, 0xac, 0x02, 0x6d, 7, 0, 0, 0, 0x72, 2, 0xab, 0xcd],
        ];
        let encoded = tapped(Kind::Response, "[2001:db8::1]:5353", transport).encode("edge");
        assert_eq!(encoded, around(&response.concat()));
    }
    let nameless = tapped(Kind::Query, "192.0.2.1:5353", Transport::Udp).encode("");
    assert_eq!(nameless[..2], [0x12, version.len() as u8]);
}

#[test]
fn what_does_not_fit_is_dropped_and_counted() {
    let (tap, mut waiting, line) = on();
    (0..WAITING + 3).for_each(|_| line.heard(b"query"));
    assert_eq!(tap.counts(), (0, 3));
    let first = waiting.0.try_recv().unwrap();
    tap.take(&[first]);
    line.said(b"reply");
    line.said(b"reply");
    assert_eq!(tap.counts(), (0, 4), "there was room for one");

    // Of the longest 256 fit, and not one more.
    let (tap, _waiting, line) = on();
    (0..258).for_each(|_| line.said(&[0; 65_535]));
    assert_eq!(tap.counts(), (0, 2));

    let (tap, mut waiting, line) = on();
    tap.set_on(false);
    line.heard(b"query");
    assert!(waiting.0.try_recv().is_err() && tap.counts() == (0, 0), "nobody wants to know");
}

#[tokio::test]
async fn a_collector_is_agreed_with_and_told_the_end() {
    let (_dir, socket, listener) = collector();
    let (tap, waiting, line) = on();
    line.heard(b"first");
    let (desired_to, desired) = watch::channel(wanted(Some(&socket)));
    let stop = CancellationToken::new();
    let task = tokio::spawn(tap.clone().run(waiting, desired, stop.clone()));
    let mut stream = agree(&listener).await;
    let next = async |stream: &mut UnixStream, octets: &[u8]| {
        let mut frame = vec![0; stream.read_u32().await.unwrap() as usize];
        stream.read_exact(&mut frame).await.unwrap();
        assert!(frame.windows(octets.len()).any(|window| window == octets), "{frame:?}");
    };
    next(&mut stream, b"first").await;
    line.said(b"second");
    next(&mut stream, b"second").await;
    // Another state of the same wish is no reason to begin anew.
    desired_to.send_replace(wanted(Some(&socket)));
    line.said(b"third");
    next(&mut stream, b"third").await;
    stop.cancel();
    expect(&mut stream, &control(3, &[])).await;
    stream.write_all(&control(5, &[])).await.unwrap();
    task.await.unwrap().unwrap();
    assert_eq!(tap.counts(), (3, 0));
}

#[tokio::test]
async fn a_collector_that_wants_something_else_is_given_nothing() {
    let (_dir, socket, listener) = collector();
    let (tap, waiting, line) = on();
    line.heard(b"first");
    let (desired_to, desired) = watch::channel(wanted(Some(&socket)));
    let task = tokio::spawn(tap.clone().run(waiting, desired, CancellationToken::new()));
    for answer in [control(1, &[0, 0, 0, 1, 0, 0, 0, 1, b'x']), control(5, &[]), vec![0, 0, 0, 9, 0, 0, 0, 0]]
    {
        let (mut stream, _) = listener.accept().await.unwrap();
        expect(&mut stream, &control(4, &content_type())).await;
        stream.write_all(&answer).await.unwrap();
        let mut rest = vec![];
        // It may be a reset, where it did not read all.
        _ = stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    }
    // What waits for nobody is dropped.
    desired_to.send_replace(wanted(None));
    while tap.counts() != (0, 1) {
        tokio::task::yield_now().await;
    }
    task.abort();
}

#[tokio::test]
async fn a_collector_that_takes_nothing_does_not_hold_up_the_end() {
    let (_dir, socket, listener) = collector();
    let (tap, waiting, line) = on();
    let (_desired_to, desired) = watch::channel(wanted(Some(&socket)));
    let stop = CancellationToken::new();
    let task = tokio::spawn(tap.run(waiting, desired, stop.clone()));
    let _stream = agree(&listener).await;
    // More than lies between two ends of a socket.
    (0..200).for_each(|_| line.said(&[0; 65_535]));
    tokio::task::yield_now().await;
    stop.cancel();
    task.await.unwrap().unwrap();
}
