//! HTTP and TCP probes against servers that answer well, badly or not at all.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::Notify,
};

use super::servers::{Server, bad, closed, good, impatient, local_prober, patient, probe, prober, read_head};
use crate::{
    desired::{Monitor, Protocol},
    health::{resolve::Names, tls::Tls},
};

const SILENT: &str = "no answer within 200ms";

/// Probes a server that answers with `response`.
async fn answered(response: &str, adjust: impl Fn(&mut Monitor)) -> (bool, String) {
    let (server, _heads) = Server::http("127.0.0.1:0", response).await;
    let mut monitor = patient(Protocol::Http, server.address.port());
    adjust(&mut monitor);
    probe(&local_prober(), "127.0.0.1", &monitor).await
}

#[tokio::test]
async fn statuses_are_judged_by_what_is_expected() {
    let only_200 = |_: &mut Monitor| {};
    let wider = |monitor: &mut Monitor| monitor.expected_status = vec![200..=299, 301..=301];
    let response = |status: &str| format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
    assert_eq!(answered(&response("200 OK"), only_200).await, good("200 OK"));
    assert_eq!(answered(&response("200 Whatever"), only_200).await, good("200 OK"));
    assert_eq!(answered("HTTP/1.0 200 OK\r\n\r\n", only_200).await, good("200 OK"));
    assert_eq!(answered(&response("503 Busy"), only_200).await, bad("503 Service Unavailable, expected 200"));
    assert_eq!(answered(&response("404 No"), wider).await, bad("404 Not Found, expected 200-299, 301"));
    assert_eq!(answered(&response("299 Odd"), only_200).await, bad("299, expected 200"));
    assert_eq!(answered(&response("299 Odd"), wider).await, good("299"));
    assert_eq!(answered(&response("301 Gone"), wider).await, good("301 Moved Permanently"));
}

#[tokio::test]
async fn the_request_is_a_get_of_the_path_with_the_headers_given() {
    let (server, mut heads) = Server::http("127.0.0.1:0", "HTTP/1.1 200 OK\r\n\r\n").await;
    let port = server.address.port();
    let prober = local_prober();
    let mut monitor = patient(Protocol::Http, port);
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, good("200 OK"));
    let agent = concat!("user-agent: tm-probe/", env!("CARGO_PKG_VERSION"));
    let lines = |head: String| {
        let mut lines: Vec<_> = head.trim_end().lines().map(str::to_owned).collect();
        lines[1..].sort();
        lines
    };
    let host = format!("host: 127.0.0.1:{port}");
    assert_eq!(
        lines(heads.recv().await.unwrap()),
        ["GET / HTTP/1.1", "accept: */*", "connection: close", &host, agent]
    );
    monitor.path = "//@evil.example/a b/../c?x=1&y=?#z".to_owned();
    monitor.headers = [("HOST", "www.Contoso.com"), ("X-Probe", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, good("200 OK"));
    assert_eq!(
        lines(heads.recv().await.unwrap()),
        [
            "GET //@evil.example/c?x=1&y=?%23z HTTP/1.1",
            "accept: */*",
            "connection: close",
            "host: www.Contoso.com",
            agent,
            "x-probe: 1",
        ]
    );
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_host_that_is_an_address_leads_nowhere_else() {
    let decoy = Server::start("127.0.0.2:0", |_| async {}).await;
    let listener = format!("127.0.0.1:{}", decoy.address.port());
    let (server, mut heads) = Server::http(&listener, "HTTP/1.1 200 OK\r\n\r\n").await;
    let mut monitor = patient(Protocol::Http, server.address.port());
    for host in ["127.0.0.2", "2130706434", "127.2", "me:x@www.example.com", "127.0.0.2/x", "*"] {
        monitor.headers = vec![("Host".to_owned(), host.to_owned())];
        assert_eq!(probe(&local_prober(), "127.0.0.1", &monitor).await, good("200 OK"), "{host}");
        let head = heads.recv().await.unwrap();
        assert!(head.contains(&format!("host: {host}\r\n")) && !head.contains("authorization"), "{head}");
    }
    assert_eq!(decoy.connections(), 0);
}

#[tokio::test]
async fn a_header_that_cannot_be_sent_fails_the_probe() {
    let inject = |monitor: &mut Monitor| monitor.headers = vec![("X".to_owned(), "a\r\nb".to_owned())];
    assert_eq!(answered("", inject).await, bad("the header `X: a\r\nb` cannot be sent"));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let decoy = Server::start("127.0.0.1:0", |_| async {}).await;
    let response = format!("HTTP/1.1 302 Found\r\nlocation: http://{}/\r\n\r\n", decoy.address);
    assert_eq!(answered(&response, |_| {}).await, bad("302 Found, expected 200"));
    assert_eq!(decoy.connections(), 0);
}

/// Probes a server that sends `first`, then `again` for ever, `pause` after each; ends when the server has seen its client go.
async fn flooded(first: &'static str, again: &'static str, pause: Option<Duration>) -> (bool, String) {
    let gone = Arc::new(Notify::new());
    let told = gone.clone();
    let server = Server::start("127.0.0.1:0", move |mut stream| {
        let gone = gone.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(first.as_bytes()).await.unwrap();
            while stream.write_all(again.as_bytes()).await.is_ok() {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
            gone.notify_one();
        }
    })
    .await;
    let found = probe(&local_prober(), "127.0.0.1", &impatient(Protocol::Http, server.address.port())).await;
    told.notified().await;
    found
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_failure() {
    let head = "HTTP/1.1 200 OK\r\n\r\n";
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = Some(Duration::from_millis(1));
    let (slow, long) =
        ("200 OK, but the body does not end within 200ms", "200 OK, but the body is longer than 64 KiB");
    assert_eq!(flooded(head, &"x".repeat(65_536).leak()[..], None).await, bad(long));
    assert_eq!(
        flooded(chunked, &*("1000\r\n".to_owned() + &"x".repeat(4096) + "\r\n").leak(), None).await,
        bad(long)
    );
    assert_eq!(flooded(head, "x", drip).await, bad(slow));
    assert_eq!(flooded(chunked, "1\r\nx\r\n", drip).await, bad(slow));
    // A status that is wrong is the reason, whatever follows.
    assert_eq!(
        flooded("HTTP/1.1 500 No\r\n\r\n", "x", drip).await,
        bad("500 Internal Server Error, expected 200")
    );
}

#[tokio::test]
async fn a_body_has_to_end_and_to_be_of_some_length_at_most() {
    let of = |length: usize, sent: usize| {
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{}", "x".repeat(sent))
    };
    assert_eq!(answered(&of(65_536, 65_536), |_| {}).await, good("200 OK"));
    assert_eq!(
        answered(&of(65_537, 65_537), |_| {}).await,
        bad("200 OK, but the body is longer than 64 KiB")
    );
    let (ok, reason) = answered(&of(10, 9), |_| {}).await;
    assert!(!ok && reason.starts_with("200 OK, but the body breaks off: "), "{reason}");
}

#[tokio::test]
async fn a_head_that_never_ends_is_a_failure() {
    let drip = Some(Duration::from_millis(1));
    assert_eq!(flooded("HTTP/1.1 200 OK\r\n", "x", drip).await, bad(SILENT));
    let too_large = "HTTP: message head is too large";
    let line = &*("x: ".to_owned() + &"y".repeat(8_000) + "\r\n").leak();
    assert_eq!(flooded("HTTP/1.1 200 OK\r\n", line, None).await, bad(too_large));
    assert_eq!(flooded("HTTP/1.1 200 ", &line[3..8_000], None).await, bad(too_large));
    assert_eq!(flooded("", "HTTP/1.1 100 Continue\r\n\r\n", None).await, bad(SILENT));
}

#[tokio::test]
async fn answers_that_are_no_http_are_failures() {
    assert_eq!(answered("SSH-2.0-x\r\n\r\n", |_| {}).await, bad("HTTP: invalid HTTP version parsed"));
    assert_eq!(answered("HTTP/9.9 200 OK\r\n\r\n", |_| {}).await, bad("HTTP: invalid HTTP version parsed"));
    assert_eq!(
        answered("HTTP/1.1 200 OK\r\n", |_| {}).await,
        bad("HTTP: connection closed before message completed")
    );
}

#[tokio::test]
async fn connections_that_come_to_nothing_are_failures() {
    let prober = local_prober();
    let refused = closed("127.0.0.1:0").await.port();
    let mut silent = Server::start("127.0.0.1:0", |mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    for protocol in [Protocol::Http, Protocol::Https] {
        let monitor = impatient(protocol, silent.address.port());
        assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad(SILENT));
    }
    for protocol in [Protocol::Http, Protocol::Https, Protocol::Tcp] {
        let monitor = patient(protocol, refused);
        assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad("connection refused"));
    }
    silent = Server::start("127.0.0.1:0", |stream| async move { reset(stream) }).await;
    let monitor = patient(Protocol::Http, silent.address.port());
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad("connection reset"));
}

/// Closes with RST.
fn reset(stream: TcpStream) {
    socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

#[tokio::test]
async fn a_tcp_probe_connects_and_closes() {
    let closed = Arc::new(Notify::new());
    let told = closed.clone();
    let server = Server::start("127.0.0.1:0", move |mut stream| {
        let closed = closed.clone();
        async move {
            assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
            closed.notify_one();
        }
    })
    .await;
    let monitor = patient(Protocol::Tcp, server.address.port());
    assert_eq!(probe(&local_prober(), "127.0.0.1", &monitor).await, good("connected"));
    told.notified().await;
}

#[tokio::test]
async fn ipv6_is_probed_alike() {
    let (server, mut heads) = Server::http("[::1]:0", "HTTP/1.1 200 OK\r\n\r\n").await;
    let port = server.address.port();
    let (prober, mut monitor) = (local_prober(), patient(Protocol::Http, port));
    assert_eq!(probe(&prober, "::1", &monitor).await, good("200 OK"));
    assert!(heads.recv().await.unwrap().contains(&format!("host: [::1]:{port}\r\n")));
    monitor.protocol = Protocol::Tcp;
    assert_eq!(probe(&prober, "::1", &monitor).await, good("connected"));
}

#[tokio::test]
async fn proxies_of_the_environment_are_not_asked() {
    // In a process of its own: the environment is shared by all tests of this one.
    let nobody = format!("http://{}", closed("127.0.0.1:0").await);
    let variables = ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"].map(|name| (name, &nobody));
    let output = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "health::tests::http::redirects_are_not_followed"])
        .envs(variables)
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[tokio::test]
async fn guarded_addresses_are_not_connected_to() {
    let server = Server::start("127.0.0.1:0", |_| async {}).await;
    let prober = prober(&[], Names::from_system(), Tls::from_system().unwrap());
    for protocol in [Protocol::Http, Protocol::Https, Protocol::Tcp] {
        let monitor = patient(protocol, server.address.port());
        let reason = "127.0.0.1 may not be probed: loopback (list it in [probes] allow)";
        assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad(reason));
        assert_eq!(probe(&prober, "::ffff:127.0.0.1", &monitor).await, bad(reason));
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_body_may_have_to_contain_something() {
    let wanted =
        |text: &'static str| move |monitor: &mut Monitor| monitor.body_contains = Some(text.to_owned());
    let response = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
    };
    let healthy = response("200 OK", "{\"state\": \"healthy\"}");
    assert_eq!(answered(&healthy, wanted("healthy")).await, good("200 OK"));
    assert_eq!(answered(&healthy, wanted("{\"state\": \"healthy\"}")).await, good("200 OK"));
    let missing = |text| bad(&format!("200 OK, but the body does not contain `{text}`"));
    assert_eq!(answered(&healthy, wanted("Healthy")).await, missing("Healthy"), "letters count");
    assert_eq!(answered(&response("200 OK", ""), wanted("x")).await, missing("x"));
    let failed = response("500 No", "healthy");
    assert_eq!(
        answered(&failed, wanted("healthy")).await,
        bad("500 Internal Server Error, expected 200"),
        "the status is judged first"
    );
    // It may lie across what comes piece by piece, and at the very end of what is read.
    let pieces = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nhea\r\n4\r\nlthy\r\n0\r\n\r\n";
    assert_eq!(answered(pieces, wanted("healthy")).await, good("200 OK"));
    let long = response("200 OK", &("x".repeat(65_536 - 7) + "healthy"));
    assert_eq!(answered(&long, wanted("healthy")).await, good("200 OK"));
}

#[tokio::test]
async fn probes_come_from_the_address_that_is_wanted() {
    let (sent, mut received) = tokio::sync::mpsc::unbounded_channel();
    let server = Server::start("127.0.0.1:0", move |mut stream| {
        let sent = sent.clone();
        async move {
            sent.send(stream.peer_addr().unwrap().ip().to_string()).unwrap();
            // A TCP probe says nothing.
            let mut head = [0; 4096];
            if stream.read(&mut head).await.is_ok_and(|length| length > 0) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
        }
    })
    .await;
    for (protocol, reason) in [(Protocol::Http, "200 OK"), (Protocol::Tcp, "connected")] {
        let mut monitor = patient(protocol, server.address.port());
        let mut from = async |source: Option<&str>| {
            monitor.source = source.map(|source| source.parse().unwrap());
            probe(&local_prober(), "127.0.0.1", &monitor).await
        };
        assert_eq!(from(None).await, good(reason));
        assert_eq!(received.recv().await.unwrap(), "127.0.0.1");
        assert_eq!(from(Some("127.0.0.9")).await, good(reason));
        assert_eq!(received.recv().await.unwrap(), "127.0.0.9");
        assert_eq!(from(Some("::1")).await, bad("127.0.0.1 has no address that can be probed from ::1"));
        let (ok, reason) = from(Some("192.0.2.77")).await;
        assert!(!ok && reason.contains("address not available"), "{reason}");
    }
}
