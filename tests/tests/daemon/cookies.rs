//! DNS cookies as clients meet them: over XDP, sockets, connections and TLS; secrets that are exchanged, and the daemon's own.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{IpAddr, SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::rdata::opt::{EdnsCode, EdnsOption},
};
use rustix::process::Signal;
use tm_tests::{
    DEADLINE,
    client::Asker,
    cookie::{CODE, made, now},
    daemon::Daemon,
    lab::{CLIENT_V4, CLIENT_V6, Lab, SERVER_V4, SERVER_V6},
    query::{Edns, Query, qtype},
};

use crate::{NODE, profile, wait_until_ready};

const FIRST: [u8; 16] = *b"the first secret";
const OTHER: [u8; 16] = *b"the other secret";
const CLIENT: [u8; 8] = *b"a client";
/// Names that XDP answers: a profile's, and one that is not there.
const NAMES: [&str; 2] = ["web.tm.example", "nobody.tm.example"];

/// A file of these secrets.
fn secrets(secrets: &[[u8; 16]]) -> String {
    let line =
        |secret: &[u8; 16]| secret.iter().map(|octet| format!("{octet:02x}")).collect::<String>() + "\n";
    secrets.iter().map(line).collect()
}

/// Serves with lines of `[listen]` and tables behind it, and these secrets.
fn serve(lab: &Lab, listen: &str, known: &[[u8; 16]]) -> Daemon {
    let node = format!("{NODE}{listen}[cookies]\nsecret_file = \"{{dir}}/secrets\"\n");
    let files = [
        ("tm.toml", &*node),
        ("conf.d/profiles.toml", &profile("web", "192.0.2.10")),
        ("secrets", &secrets(known)),
    ];
    let mut daemon = Daemon::start(lab, &files).unwrap();
    wait_until_ready(&mut daemon);
    daemon
}

/// One way to the server.
enum Way {
    Datagrams(Asker),
    Connection(TcpStream),
}

impl Way {
    fn connect(lab: &Lab, server: IpAddr) -> Self {
        let stream = lab.in_client(|| TcpStream::connect(SocketAddr::new(server, 53))).unwrap().unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        Way::Connection(stream)
    }

    fn ask(&mut self, query: &Query) -> Message {
        match self {
            Way::Datagrams(asker) => asker.ask(query).unwrap(),
            Way::Connection(stream) => {
                let query = query.build();
                stream.write_all(&[&(query.len() as u16).to_be_bytes()[..], &query].concat()).unwrap();
                let mut length = [0; 2];
                stream.read_exact(&mut length).unwrap();
                let mut reply = vec![0; u16::from_be_bytes(length).into()];
                stream.read_exact(&mut reply).unwrap();
                Message::from_vec(&reply).unwrap()
            }
        }
    }

    /// The code of the reply to a query with this cookie, and the reply's cookie.
    fn send(&mut self, name: &str, cookie: &[u8]) -> (ResponseCode, Option<Vec<u8>>) {
        let edns = Edns { options: vec![(CODE, cookie.to_vec())], ..Edns::default() };
        let reply = self.ask(&Query { edns: Some(edns), ..Query::new(name, qtype::A) });
        (reply.response_code, cookie_of(&reply))
    }

    /// The same of a query without a question, whose OPT stands where one would.
    fn ask_for_cookie(&mut self, cookie: &[u8]) -> (ResponseCode, Option<Vec<u8>>) {
        let length = cookie.len() as u8;
        let rest = [&[0, 0, 0, 0, 0, length + 4, 0, CODE as u8, 0, length][..], cookie].concat();
        let query = Query { counts: Some([0, 0, 0, 1]), qclass: 1232, trailing: rest, ..Query::new(".", 41) };
        let reply = self.ask(&query);
        assert!(reply.queries.is_empty() && !reply.metadata.authoritative);
        (reply.response_code, cookie_of(&reply))
    }

    /// A cookie that comes back as it was sent.
    fn knows(&mut self, name: &str, cookie: &[u8]) -> bool {
        self.send(name, cookie).1.unwrap() == cookie
    }
}

fn cookie_of(reply: &Message) -> Option<Vec<u8>> {
    match reply.edns.as_ref()?.option(EdnsCode::Cookie)? {
        EdnsOption::Unknown(CODE, cookie) => Some(cookie.clone()),
        other => panic!("{other:?}"),
    }
}

/// When a cookie was made, in seconds.
fn time_of(cookie: &Option<Vec<u8>>) -> u32 {
    u32::from_be_bytes(cookie.as_ref().unwrap()[12..16].try_into().unwrap())
}

/// Cookies of every kind, and what comes back. So many queries are sent that a program of XDP has an answer to.
fn check(way: &mut Way, client: IpAddr) -> u64 {
    let mut sent = 0;
    for name in NAMES {
        for query in [Query::new(name, qtype::A), Query::with_edns(name, qtype::A)] {
            assert_eq!(cookie_of(&way.ask(&query)), None, "nobody asked for one");
        }
        let code = if name == NAMES[0] { ResponseCode::NoError } else { ResponseCode::NXDomain };
        let aged = |secret, age: i32| made(secret, CLIENT, [0; 3], now().wrapping_add_signed(-age), client);
        let (said, fresh) = way.send(name, &CLIENT);
        let fresh = fresh.unwrap();
        let time = u32::from_be_bytes(fresh[12..16].try_into().unwrap());
        assert!(now().abs_diff(time) <= 5, "made at {time}, and it is {}", now());
        assert_eq!((said, &fresh), (code, &made(FIRST, CLIENT, [0; 3], time, client)));
        let same = [fresh.clone(), aged(FIRST, 1700), made(FIRST, CLIENT, [1, 2, 3], now(), client)];
        for cookie in &same {
            assert_eq!(way.send(name, cookie), (code, Some(cookie.clone())));
        }
        let mut spoilt = fresh.clone();
        spoilt[17] ^= 1;
        let stranger = if client.is_ipv4() { CLIENT_V6.into() } else { IpAddr::from(CLIENT_V4) };
        let renewed = [
            spoilt,
            aged(FIRST, 1900),
            aged(FIRST, 3700),
            aged(FIRST, -400),
            aged(OTHER, 10),
            made(FIRST, CLIENT, [0; 3], now(), stranger),
            fresh[..16].to_vec(),
            [&fresh[..], &[0; 16]].concat(),
        ];
        for cookie in &renewed {
            let (said, fresh) = way.send(name, cookie);
            let fresh = fresh.unwrap();
            let time = u32::from_be_bytes(fresh[12..16].try_into().unwrap());
            assert!(now().abs_diff(time) <= 5, "{cookie:02x?}: made at {time}, and it is {}", now());
            assert_eq!((said, &fresh), (code, &made(FIRST, CLIENT, [0; 3], time, client)), "{cookie:02x?}");
        }
        // RFC 7873, section 5.2.2: a length that the rules forbid.
        for length in [0, 1, 7, 9, 15, 41] {
            let (said, cookie) = way.send(name, &vec![1; length]);
            assert_eq!((said, cookie), (ResponseCode::FormErr, None), "{length} octets");
        }
        // RFC 7873, section 5.4: without a question; a cookie is all that is asked for, and whether it is right.
        let stranger = [&fresh[..8], &[7; 16]].concat();
        for (sent, due) in [
            (&CLIENT[..], ResponseCode::NoError),
            (&fresh, ResponseCode::NoError),
            (&stranger, ResponseCode::BADCOOKIE),
        ] {
            let (said, cookie) = way.ask_for_cookie(sent);
            assert_eq!(
                (said, cookie.as_deref()),
                (due, Some(&made(FIRST, CLIENT, [0; 3], time_of(&cookie), client)[..]))
            );
        }
        sent += 3 + (same.len() + renewed.len()) as u64;
    }
    sent
}

#[test]
fn rfc7873_5_2_cookies_of_every_kind_on_every_path() {
    let lab = Lab::new().unwrap();
    for (listen, has_xdp) in [("", true), ("mode = \"off\"\n", false)] {
        let daemon = serve(&lab, listen, &[FIRST, OTHER]);
        let mut by_xdp = 0;
        for (server, client) in
            [(SERVER_V4.into(), CLIENT_V4.into()), (SERVER_V6.into(), IpAddr::from(CLIENT_V6))]
        {
            by_xdp += check(&mut Way::Datagrams(lab.asker_from(client, server).unwrap()), client);
            check(&mut Way::connect(&lab, server), client);
        }
        let status = daemon.status(&lab).unwrap();
        assert_eq!(
            status.packets("answered") + status.packets("no_such_name"),
            if has_xdp { by_xdp } else { 0 }
        );
    }
}

#[test]
fn rfc9018_5_secrets_are_exchanged_in_three_steps() {
    let lab = Lab::new().unwrap();
    let mut daemon = serve(&lab, "", &[FIRST]);
    let client = IpAddr::from(CLIENT_V4);
    let mut ways = [
        Way::Datagrams(lab.asker_from(client, SERVER_V4.into()).unwrap()),
        Way::connect(&lab, SERVER_V4.into()),
    ];
    let of = |secret| made(secret, CLIENT, [0; 3], now(), client);
    let (first, other) = (of(FIRST), of(OTHER));
    // Which makes them; those of the second secret come back made anew, as do those of none.
    for (known, maker) in [(&[FIRST, OTHER][..], FIRST), (&[OTHER, FIRST], OTHER), (&[OTHER], OTHER)] {
        daemon.write("secrets", &secrets(known)).unwrap();
        daemon.signal(Signal::HUP).unwrap();
        daemon.wait_for("the new secrets", |line| line.contains("configuration published"));
        for way in &mut ways {
            let is_first = maker == FIRST;
            assert_eq!((way.knows(NAMES[0], &first), way.knows(NAMES[0], &other)), (is_first, !is_first));
            let fresh = way.send(NAMES[0], &CLIENT).1.unwrap();
            let time = u32::from_be_bytes(fresh[12..16].try_into().unwrap());
            assert_eq!(fresh, made(maker, CLIENT, [0; 3], time, client));
        }
    }
}

#[test]
fn the_daemons_own_secret_is_for_nobody_to_read_and_outlives_it() {
    let lab = Lab::new().unwrap();
    let mut daemon = crate::serve(&lab, "", &profile("web", "192.0.2.10"));
    let path = daemon.directory().join("state/cookie-secret");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let secret = fs::read(&path).unwrap();
    assert_eq!((secret.len(), secret[32]), (33, b'\n'));
    let ask = || Way::Datagrams(lab.asker(SERVER_V4.into()).unwrap());
    let cookie = ask().send(NAMES[0], &CLIENT).1.unwrap();
    daemon.restart(&lab).unwrap();
    wait_until_ready(&mut daemon);
    assert!(ask().knows(NAMES[0], &cookie));
    assert_eq!(fs::read(&path).unwrap(), secret);
    // Switched off, the option is one like any other.
    daemon.write("tm.toml", &format!("{NODE}[cookies]\nenabled = false\n")).unwrap();
    daemon.signal(Signal::HUP).unwrap();
    daemon.wait_for("the new configuration", |line| line.contains("configuration published"));
    assert_eq!(ask().send(NAMES[0], &cookie), (ResponseCode::NoError, None));
}
