//! TCP connections without a network, on a clock that stands still until everybody waits.

use std::{io::ErrorKind, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::kit::{CLIENT, ask, responder, untapped};
use crate::{
    desired::Tcp,
    dns::{Responder, Transport, connections::Connections, converse::converse},
};

type Ended = JoinHandle<std::io::Result<()>>;

/// A connection that holds `room` octets on their way in each direction.
fn connect(room: usize) -> (Arc<Responder>, DuplexStream, Ended) {
    connect_by(room, Transport::Tcp, Tcp::default())
}

fn connect_by(room: usize, transport: Transport, bounds: Tcp) -> (Arc<Responder>, DuplexStream, Ended) {
    let (client, server) = duplex(room);
    let responder = Arc::new(responder());
    let task = {
        let responder = responder.clone();
        tokio::spawn(async move {
            converse(server, &untapped(transport), &responder, &Connections::new(bounds).enter(CLIENT)).await
        })
    };
    (responder, client, task)
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

/// All that is sent until the other side ends.
async fn rest(client: &mut DuplexStream) -> Vec<u8> {
    let mut octets = vec![];
    client.read_to_end(&mut octets).await.unwrap();
    octets
}

#[tokio::test(start_paused = true)]
async fn an_idle_client_is_left_after_ten_seconds() {
    let (responder, mut client, task) = connect(65_536);
    let start = Instant::now();
    let query = ask("web.tm.example A").octets();
    sleep(Duration::from_secs(9)).await;
    client.write_all(&framed(&query)).await.unwrap();
    let reply = responder.reply(&query, CLIENT, Transport::Tcp).unwrap();
    assert_eq!(rest(&mut client).await, framed(&reply));
    assert_eq!(start.elapsed().as_secs(), 9 + 10);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_drips_has_ten_seconds_in_all() {
    let (responder, mut client, task) = connect(65_536);
    let start = Instant::now();
    for octet in framed(&ask("web.tm.example A").octets()) {
        if client.write_all(&[octet]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(900)).await;
    }
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    assert!((10..12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert!(responder.counts().iter().all(|(_, count)| *count == 0));
}

#[tokio::test(start_paused = true)]
async fn octet_by_octet_in_time_is_answered() {
    let (responder, mut client, task) = connect(65_536);
    let query = ask("web.tm.example A").octets();
    for octet in framed(&query) {
        client.write_all(&[octet]).await.unwrap();
        sleep(Duration::from_millis(200)).await;
    }
    client.shutdown().await.unwrap();
    let reply = responder.reply(&query, CLIENT, Transport::Tcp).unwrap();
    assert_eq!(rest(&mut client).await, framed(&reply));
    task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left() {
    let (responder, mut client, task) = connect(1024);
    let query = framed(&ask("web.tm.example A").octets());
    let start = Instant::now();
    // It takes in what fits, and no more once its replies are not taken.
    let mut sent = 0u64;
    while client.write_all(&query).await.is_ok() {
        sent += 1;
    }
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 10);
    let answered = responder.counts()[0].1;
    assert!(answered <= sent && answered < (1024 + 4096 + 1024) / 40, "{answered} replies were kept for it");
}

#[tokio::test(start_paused = true)]
async fn rfc5936_5_a_refused_transfer_leaves_the_connection_as_it_was() {
    let (responder, mut client, task) = connect(65_536);
    let queries = ["tm.example 252", "web.tm.example A", "tm.example 251", "tm.example SOA"]
        .map(|what| ask(what).octets());
    client.write_all(&queries.each_ref().map(|query| framed(query)).concat()).await.unwrap();
    client.shutdown().await.unwrap();
    let replies = queries.map(|query| framed(&responder.reply(&query, CLIENT, Transport::Tcp).unwrap()));
    assert_eq!(replies.each_ref().map(|reply| reply[5] & 15), [5, 0, 5, 0]);
    assert_eq!(rest(&mut client).await, replies.concat());
    task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn how_long_is_as_the_settings_say() {
    let bounds = Tcp {
        idle_timeout: Duration::from_secs(3),
        message_timeout: Duration::from_secs(2),
        ..Tcp::default()
    };
    let start = Instant::now();
    let (_, mut client, task) = connect_by(1024, Transport::Tcp, bounds);
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(start.elapsed().as_secs(), 3);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);

    let start = Instant::now();
    let (_, mut client, task) = connect_by(1024, Transport::Tcp, bounds);
    client.write_all(&[0]).await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(start.elapsed().as_secs(), 2);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_message_behind_another_has_its_own_time() {
    let (responder, mut client, task) = connect(65_536);
    let start = Instant::now();
    let query = ask("web.tm.example A").octets();
    client.write_all(&framed(&query)[..5]).await.unwrap();
    sleep(Duration::from_secs(9)).await;
    // The rest of it, and half of the next, which then takes nine seconds more.
    client.write_all(&[&framed(&query)[5..], &framed(&query)[..20]].concat()).await.unwrap();
    sleep(Duration::from_secs(9)).await;
    client.write_all(&framed(&query)[20..]).await.unwrap();
    let reply = framed(&responder.reply(&query, CLIENT, Transport::Tcp).unwrap());
    assert_eq!(rest(&mut client).await, reply.repeat(2));
    assert_eq!(start.elapsed().as_secs(), 9 + 9 + 10);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn rfc7828_what_is_told_is_what_is_done() {
    let bounds = Tcp { idle_timeout: Duration::from_secs(40), ..Tcp::default() };
    let (_, mut client, task) = connect_by(1024, Transport::Tcp, bounds);
    client.write_all(&framed(&ask("web.tm.example A").opt(1232, 0, &[0, 11, 0, 0]).octets())).await.unwrap();
    let start = Instant::now();
    let reply = rest(&mut client).await;
    let [.., high, low] = reply[..] else { panic!("nothing came") };
    assert_eq!((start.elapsed().as_millis() / 100) as u16, u16::from_be_bytes([high, low]));
    assert_eq!(start.elapsed().as_secs(), 40);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn the_longest_message_that_can_be_framed_is_read_whole() {
    let (responder, mut client, task) = connect(1024);
    let query = ask("web.tm.example A").octets();
    let longest = [&query[..], &vec![0; 65_535 - query.len()]].concat();
    client.write_all(&[framed(&longest), framed(&query)].concat()).await.unwrap();
    client.shutdown().await.unwrap();
    let replies = [&longest, &query].map(|query| responder.reply(query, CLIENT, Transport::Tcp).unwrap());
    assert_eq!(rest(&mut client).await, [framed(&replies[0]), framed(&replies[1])].concat());
    task.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn memory_follows_what_came_and_not_what_was_announced() {
    let (_, mut client, task) = connect(1024);
    let start = Instant::now();
    client.write_all(&[0xff, 0xff, 1]).await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_query_ends_it_after_what_came_before_was_answered() {
    let good = ask("web.tm.example A").octets();
    let too_long_announced = b"GET / HTTP/1.1\r\n\r\n";
    for bad in [framed(&[]), framed(&good[..11]), framed(&ask("web.tm.example A").flags(0x8000).octets())] {
        let (responder, mut client, task) = connect(65_536);
        client.write_all(&[framed(&good), bad, framed(&good)].concat()).await.unwrap();
        let reply = responder.reply(&good, CLIENT, Transport::Tcp).unwrap();
        assert_eq!(rest(&mut client).await, framed(&reply));
        task.await.unwrap().unwrap();
    }
    let (_, mut client, task) = connect(65_536);
    client.write_all(too_long_announced).await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_ends_early_is_not_answered() {
    let (_, mut client, task) = connect(65_536);
    let query = framed(&ask("web.tm.example A").octets());
    client.write_all(&query[..query.len() - 1]).await.unwrap();
    client.shutdown().await.unwrap();
    assert_eq!(rest(&mut client).await, b"");
    assert_eq!(task.await.unwrap().unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[tokio::test(start_paused = true)]
async fn a_message_on_its_way_keeps_its_seat_before_an_idle_connection() {
    let connections = Connections::new(Tcp { connections: 2, ..Tcp::default() });
    let first = Arc::new(connections.enter(CLIENT));
    let (mut client, server) = duplex(1024);
    let task = {
        let first = first.clone();
        tokio::spawn(async move { converse(server, &untapped(Transport::Tcp), &responder(), &first).await })
    };
    client.write_all(&[0, 30, 1]).await.unwrap();
    sleep(Duration::from_millis(1)).await;
    let second = connections.enter(CLIENT);
    sleep(Duration::from_millis(1)).await;
    let third = connections.enter(CLIENT);
    tokio::select! {
        biased;
        () = first.is_needed() => panic!("the first was in the middle of a message"),
        () = third.is_needed() => panic!("the third has just come"),
        () = second.is_needed() => {}
    }
    task.abort();
}
