//! Connections from outside: many questions over one, clients that say nothing or say it slowly, and more of them than there is room for.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
};

use tm_tests::{
    DEADLINE,
    daemon::Daemon,
    dig::answers,
    lab::{Lab, SERVER_V4, SERVER_V6},
    namespace::run,
    query::{Query, qtype},
};

use hickory_proto::op::Message;

use crate::{profile, serve};

const WEB: &str = "web.tm.example. 30 IN A 192.0.2.10";

fn served(lab: &Lab, tcp: &str) -> Daemon {
    serve(lab, &format!("[tcp]\n{tcp}"), &profile("web", "192.0.2.10"))
}

fn connect(lab: &Lab, server: impl Into<SocketAddr>) -> TcpStream {
    let server = server.into();
    let stream = lab.in_client(|| TcpStream::connect(server)).unwrap().unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

fn framed(id: u16) -> Vec<u8> {
    let query = Query { id, ..Query::new("web.tm.example", qtype::A) }.build();
    [&(query.len() as u16).to_be_bytes()[..], &query].concat()
}

fn read(stream: &mut TcpStream) -> Message {
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut reply).unwrap();
    Message::from_vec(&reply).unwrap()
}

fn ask(stream: &mut TcpStream) {
    stream.write_all(&framed(7)).unwrap();
    assert_eq!(answers(&read(stream)), [WEB]);
}

/// Does the server end it, without another word?
fn is_ended(stream: &mut TcpStream) -> bool {
    let mut octets = vec![];
    match stream.read_to_end(&mut octets) {
        Ok(_) => octets.is_empty(),
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn rfc7766_6_2_1_many_questions_over_one_connection() {
    let lab = Lab::new().unwrap();
    let _daemon = served(&lab, "");
    for server in [(SERVER_V4, 53).into(), SocketAddr::from((SERVER_V6, 53))] {
        let mut stream = connect(&lab, server);
        let queries: Vec<u8> = (0..500).flat_map(framed).collect();
        stream.write_all(&queries).unwrap();
        let mut ids: Vec<u16> = (0..500)
            .map(|_| {
                let reply = read(&mut stream);
                assert_eq!(answers(&reply), [WEB]);
                reply.metadata.id
            })
            .collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..500).collect::<Vec<u16>>());
        // RFC 7766, section 6.2.4: half-closed, and still answered.
        stream.write_all(&framed(9)).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(read(&mut stream).metadata.id, 9);
        assert!(is_ended(&mut stream));
    }
}

#[test]
fn rfc7828_clients_are_told_how_long_they_may_be_idle() {
    let lab = Lab::new().unwrap();
    let daemon = served(&lab, "idle_timeout = \"25s\"");
    let ask =
        |way: &[&str]| lab.kdig(&[&["@10.53.0.1", "web.tm.example", "+ednsopt=11"], way].concat()).unwrap();
    let told = ask(&["+tcp"]);
    assert!(told.contains("Option (11): 00FA") || told.contains("KEEPALIVE"), "{told}");
    assert!(!ask(&["+notcp"]).contains("00FA"));
    // As the files say now.
    let node = std::fs::read_to_string(daemon.directory().join("tm.toml")).unwrap();
    let mut daemon = daemon;
    daemon.write("tm.toml", &node.replace("25s", "17s")).unwrap();
    daemon.wait_for("the new state", |line| line.contains("configuration published"));
    let told = loop {
        let told = ask(&["+tcp"]);
        if !told.contains("00FA") {
            break told;
        }
    };
    assert!(told.contains("00AA"), "{told}");
    let kept = lab.dig(&[
        "@10.53.0.1",
        "+tcp",
        "+keepopen",
        "web.tm.example",
        "nobody.tm.example",
        "web.tm.example",
    ]);
    let kept = kept.unwrap();
    assert_eq!(kept.matches("192.0.2.10").count(), 2, "{kept}");
    assert_eq!(kept.matches("NXDOMAIN").count(), 1, "{kept}");
}

#[test]
fn rfc9210_4_2_who_says_nothing_is_left_and_so_is_who_says_it_slowly() {
    let lab = Lab::new().unwrap();
    let _daemon = served(&lab, "idle_timeout = \"1s\"\nmessage_timeout = \"1s\"\n");
    let (mut silent, mut half, mut drip) =
        (connect(&lab, (SERVER_V4, 53)), connect(&lab, (SERVER_V6, 53)), connect(&lab, (SERVER_V4, 53)));
    half.write_all(&framed(1)[..20]).unwrap();
    // Octet by octet for as long as it lasts: each comes soon after the one before, the last one never.
    drip.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
    let dripping = (0..65_535).find(|at| {
        let octet: &[u8] = if *at < 2 { &[255] } else { &[0] };
        drip.write_all(octet).is_err()
            || !matches!(drip.read(&mut [0]), Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted))
    });
    assert!(dripping.is_some(), "the message was awaited to its end");
    assert!(is_ended(&mut silent));
    assert!(is_ended(&mut half));
}

#[test]
fn rfc9210_4_2_who_takes_no_replies_is_left_and_holds_nobody_up() {
    let lab = Lab::new().unwrap();
    // Small buffers of the kernel's, so that they are soon full.
    run(lab.server("sysctl").args(["-q", "-w", "net.ipv4.tcp_wmem=4096 4096 4096"])).unwrap();
    run(lab.client("sysctl").args(["-q", "-w", "net.ipv4.tcp_rmem=4096 4096 4096"])).unwrap();
    let daemon = served(&lab, "message_timeout = \"1s\"\n");
    let mut greedy: Vec<TcpStream> = (0..3).map(|_| connect(&lab, (SERVER_V4, 53))).collect();
    let queries: Vec<u8> = (0..1000).flat_map(framed).collect();
    thread::scope(|scope| {
        let sent = greedy.iter_mut().map(|stream| {
            stream.set_write_timeout(Some(DEADLINE)).unwrap();
            scope.spawn(|| {
                // Until it is closed; what is sent in between waits in the kernel, which has no room for this much.
                let ended = (0..100).find_map(|_| stream.write_all(&queries).err()).unwrap();
                assert!(
                    matches!(ended.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                    "{ended}"
                );
            })
        });
        let sent: Vec<_> = sent.collect();
        while !sent.iter().all(thread::ScopedJoinHandle::is_finished) {
            ask(&mut connect(&lab, (SERVER_V6, 53)));
            assert_eq!(lab.answers(&["@10.53.0.1", "web.tm.example"]).unwrap(), WEB);
        }
    });
    // They had no more of it than there was room for: 49 octets a reply, in what the kernel and the daemon keep of each.
    let answered = daemon.status(&lab).unwrap().messages("engine");
    assert!(answered > 3 && answered < 3 * 100_000 / 49 + 200, "{answered}");
}

#[test]
fn what_is_no_dns_is_left_without_a_word() {
    let lab = Lab::new().unwrap();
    let _daemon = served(&lab, "message_timeout = \"1s\"\n");
    let reply = { Query { flags: 0x8000, ..Query::new("web.tm.example", qtype::A) } }.build();
    let reply = [&(reply.len() as u16).to_be_bytes()[..], &reply].concat();
    let http = b"GET / HTTP/1.1\r\nhost: web.tm.example\r\n\r\n".to_vec();
    let tls = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec();
    for octets in [vec![0, 0], vec![0, 5, 1, 2, 3, 4, 5], reply, http, tls] {
        let mut stream = connect(&lab, (SERVER_V4, 53));
        stream.write_all(&octets).unwrap();
        assert!(is_ended(&mut stream), "{octets:?}");
    }
}

#[test]
fn rfc9210_4_4_two_hundred_idle_connections_shut_nobody_out() {
    let lab = Lab::new().unwrap();
    let _daemon = served(&lab, "idle_timeout = \"10m\"\nconnections = 150\nconnections_per_client = 120\n");
    let mut idle: Vec<TcpStream> = (0..200).map(|_| connect(&lab, (SERVER_V4, 53))).collect();
    // The first 80 had to go, the others may stay.
    assert!(idle[..80].iter_mut().all(is_ended));
    idle[80..].iter_mut().for_each(ask);
    // Which of two asked one behind the other was idle first is known to nobody; these come a whole round later.
    idle[110..].iter_mut().for_each(ask);
    assert_eq!(lab.answers(&["@10.53.0.1", "web.tm.example"]).unwrap(), WEB);
    assert_eq!(lab.answers(&["@10.53.0.1", "+tcp", "web.tm.example"]).unwrap(), WEB);
    // Another client's fill what is left, and then take the places of those that were idle longest.
    let mut others: Vec<TcpStream> = (0..60).map(|_| connect(&lab, (SERVER_V6, 53))).collect();
    others.iter_mut().for_each(ask);
    // One gave way to dig, 29 to these, and one more if dig was not yet seen to be gone.
    assert!(idle[80..110].iter_mut().all(is_ended));
    idle[111..].iter_mut().for_each(ask);
}
