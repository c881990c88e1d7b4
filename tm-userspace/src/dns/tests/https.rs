//! DNS over HTTPS without a network: requests of HTTP/1.1 octet by octet, on a clock that stands still until everybody waits.

use std::{sync::Arc, time::Duration};

use data_encoding::BASE64URL_NOPAD;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex, split},
    time::{Instant, sleep},
};

use super::kit::{CLIENT, ask, responder, untapped};
use crate::{
    desired::Tcp,
    dns::{Responder, Transport, connections::Connections, https},
};

fn connect() -> (Arc<Responder>, DuplexStream) {
    let (client, server) = duplex(65_536);
    let responder = Arc::new(responder());
    let seat = Arc::new(Connections::new(Tcp::default()).enter(CLIENT));
    tokio::spawn(https::serve(
        server,
        untapped(Transport::Https),
        "/dns-query".into(),
        responder.clone(),
        seat,
    ));
    (responder, client)
}

/// What is answered to the first of these requests, after which the connection is closed: status, the headers that matter, and the content.
async fn said(request: &[u8]) -> (u16, Vec<String>, Vec<u8>) {
    let (mut client, mut sender) = split(connect().1);
    let request = request.to_vec();
    // It may be answered and closed before all of it is sent.
    tokio::spawn(async move { sender.write_all(&request).await.ok() });
    let (mut octets, head) = (vec![], b"\r\n\r\n");
    client.read_to_end(&mut octets).await.unwrap();
    let at = octets.windows(4).position(|window| window == head).unwrap();
    let text = String::from_utf8(octets[..at].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let mut headers: Vec<String> = lines.map(str::to_owned).collect();
    headers
        .retain(|line| ["content-type", "cache-control", "allow"].iter().any(|name| line.starts_with(name)));
    headers.sort();
    (status, headers, octets[at + 4..].to_vec())
}

fn get(message: &[u8]) -> String {
    format!(
        "GET /dns-query?dns={} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        BASE64URL_NOPAD.encode(message)
    )
}

fn post(content: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /dns-query HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/dns-message\r\ncontent-length: {}\r\n\r\n",
        content.len()
    );
    [head.as_bytes(), content].concat()
}

#[tokio::test(start_paused = true)]
async fn rfc8484_4_1_get_and_post_are_answered_alike_and_kept_as_long_as_the_records() {
    let cases = [
        ("web.tm.example A", "max-age=100"),
        ("alias.tm.example A", "max-age=30"),
        // RFC 8484, section 5.1: the SOA's, which for this profile is the profile's.
        ("six.tm.example A", "max-age=30"),
        ("nobody.tm.example A", "max-age=60"),
        ("off.tm.example A", "max-age=7"),
        ("tm.example NS", "max-age=3600"),
        ("tm.example SOA", "max-age=60"),
        ("www.contoso.com A", "no-store"),
    ];
    for (what, kept) in cases {
        let query = ask(what).opt(1232, 0, &[]).octets();
        let reply = responder().reply(&query, CLIENT, Transport::Tcp).unwrap();
        let headers =
            vec![format!("cache-control: {kept}"), "content-type: application/dns-message".to_owned()];
        assert_eq!(said(get(&query).as_bytes()).await, (200, headers.clone(), reply.clone()), "{what}");
        assert_eq!(said(&post(&query)).await, (200, headers.clone(), reply), "{what}");
        let head = get(&query).replacen("GET", "HEAD", 1);
        assert_eq!(said(head.as_bytes()).await, (200, headers, vec![]), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn rfc8484_4_2_what_is_no_query_is_told_so_in_http() {
    let query = ask("web.tm.example A").octets();
    let good = get(&query);
    let text = |request: &str| request.as_bytes().to_vec();
    let chunked = |octets: &[u8]| {
        let head = "POST /dns-query HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/dns-message\r\ntransfer-encoding: chunked\r\n\r\n";
        [head.as_bytes(), format!("{:x}\r\n", octets.len()).as_bytes(), octets, b"\r\n0\r\n\r\n"].concat()
    };
    let posted = String::from_utf8(post(b"")).unwrap();
    let cases = [
        (text(&good.replace("/dns-query", "/")), 404),
        (text(&good.replace("/dns-query", "/dns-query/")), 404),
        (text(&good.replacen("GET", "PUT", 1)), 405),
        (text(&good.replacen("GET", "DELETE", 1)), 405),
        (text(&good.replace("?dns=", "?DNS=")), 400),
        (text(&good.replace("?dns=", "?dns=!")), 400),
        (text(&good.replace(" HTTP/1.1", "== HTTP/1.1")), 400),
        (text(&good.replacen("?dns=", "?a=b&dns=", 1)), 200),
        (text(&get(&[])), 400),
        (text(&get(&query[..11])), 400),
        (text(&get(&ask("web.tm.example A").flags(0x8000).octets())), 400),
        (post(b""), 400),
        (post(&query[..11]), 400),
        (text(&posted.replace("content-type: application/dns-message\r\n", "")), 415),
        (text(&posted.replace("dns-message", "json")), 415),
        (text(&posted.replace("dns-message", "dns-message2")), 415),
        (text(&posted.replace("application/dns-message", "Application/DNS-Message; charset=x")), 400),
        (post(&[0; 65_535]), 200),
        (post(&[0; 65_536]), 413),
        (chunked(&query), 200),
        (chunked(&[0; 65_536]), 413),
        (text("GET / HTTP/1.1\r\nconnection: close\r\n\r\n"), 404),
    ];
    for (request, status) in cases {
        let shown = String::from_utf8_lossy(&request[..request.len().min(200)]).into_owned();
        assert_eq!(said(&request).await.0, status, "{shown}");
    }
    let refused = said(text(&good.replacen("GET", "PUT", 1)).as_slice()).await;
    assert_eq!(refused.1, ["allow: GET, HEAD, POST", "content-type: text/plain; charset=utf-8"]);
}

#[tokio::test(start_paused = true)]
async fn rfc8467_padded_queries_have_padded_replies() {
    let query = ask("web.tm.example A").opt(1232, 0, &[0, 12, 0, 0]).octets();
    assert_eq!(said(&post(&query)).await.2.len(), 468);
}

#[tokio::test(start_paused = true)]
async fn who_says_nothing_is_left_after_ten_seconds_and_so_is_whose_head_drips() {
    let start = Instant::now();
    let (responder, mut client) = connect();
    assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
    assert_eq!(start.elapsed().as_secs(), 10);

    let (start, query) = (Instant::now(), ask("web.tm.example A").octets());
    let (_, mut client) = connect();
    for octet in get(&query).as_bytes() {
        if client.write_all(&[*octet]).await.is_err() {
            break;
        }
        sleep(Duration::from_millis(900)).await;
    }
    assert!((10..12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    assert_eq!(responder.counts().iter().map(|(_, count)| count).sum::<u64>(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_exchange_gives_ten_seconds_more() {
    let (_, mut client) = connect();
    let start = Instant::now();
    sleep(Duration::from_secs(9)).await;
    let request = get(&ask("web.tm.example A").octets()).replace("connection: close\r\n", "");
    client.write_all(request.repeat(2).as_bytes()).await.unwrap();
    let mut octets = vec![];
    client.read_to_end(&mut octets).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&octets).matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(start.elapsed().as_secs(), 9 + 10);
}

#[tokio::test(start_paused = true)]
async fn what_will_be_too_long_is_not_awaited() {
    let (_, mut client) = connect();
    let start = Instant::now();
    let announced = String::from_utf8(post(b"")).unwrap().replace("length: 0", "length: 65536");
    client.write_all(announced.as_bytes()).await.unwrap();
    let mut octets = vec![];
    client.read_to_end(&mut octets).await.unwrap();
    assert!(octets.starts_with(b"HTTP/1.1 413 "), "{}", String::from_utf8_lossy(&octets));
    assert_eq!(start.elapsed().as_secs(), 0);
}

#[tokio::test(start_paused = true)]
async fn content_that_drips_has_ten_seconds_in_all() {
    let (_, mut client) = connect();
    let start = Instant::now();
    let request = post(&ask("web.tm.example A").octets());
    let head = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    client.write_all(&request[..head]).await.unwrap();
    for octet in &request[head..] {
        if client.write_all(&[*octet]).await.is_err() || start.elapsed().as_secs() >= 11 {
            break;
        }
        sleep(Duration::from_millis(900)).await;
    }
    let mut octets = vec![];
    client.read_to_end(&mut octets).await.unwrap();
    assert!(octets.starts_with(b"HTTP/1.1 408 Request Timeout\r\n"), "{}", String::from_utf8_lossy(&octets));
    assert!((10..13).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_head_without_end_is_not_kept() {
    let (_, mut client) = connect();
    let mut sent = 0;
    client.write_all(b"GET /dns-query?dns=").await.unwrap();
    while sent < 1 << 20 && client.write_all(&[b'A'; 1024]).await.is_ok() {
        sent += 1024;
    }
    assert!(sent < (64 + 32 + 8) << 10, "{sent} octets were taken");
}
