//! Transfers: what is given to whom, in which messages, and beside what else.

use std::sync::Arc;

use hickory_proto::{
    op::{Edns, Message, ResponseCode},
    rr::{
        Name, RData, Record, RecordType, TSigner,
        rdata::{SOA, tsig::TsigAlgorithm},
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
    task::JoinHandle,
    time::Instant,
};

use super::{
    kit::{CLIENT, untapped},
    signed::{SECRET, keyed, now, one, query, responder, responder_for, said, signed, signer},
};
use crate::{
    desired::{Desired, Profile, Tcp},
    dns::{Transport, connections::Connections, converse::converse},
};

fn axfr() -> Message {
    query("tm.example.", RecordType::AXFR)
}

fn ixfr(serial: u32) -> Message {
    let mut message = query("tm.example.", RecordType::IXFR);
    let (zone, root) = (Name::from_ascii("tm.example.").unwrap(), Name::root());
    let soa = SOA::new(root.clone(), root, serial, 1, 1, 1, 1);
    message.add_authority(Record::from_rdata(zone, 0, RData::SOA(soa)));
    message
}

#[test]
fn rfc5936_the_zone_is_given_in_signed_messages() {
    let responder = responder();
    for (asked, transport) in [(axfr(), Transport::Tcp), (axfr(), Transport::Tls), (ixfr(5), Transport::Tcp)]
    {
        let (octets, mut verifier) = signed(asked, &one(), now());
        let mut records = vec![];
        for message in said(&responder, &octets, transport) {
            verifier.verify(&message).unwrap();
            let message = Message::from_vec(&message).unwrap();
            assert!(message.metadata.authoritative);
            records.extend(message.answers);
        }
        // Two SOAs, three NS, three addresses of name servers, six profiles with an answer.
        let text = |record: &Record| format!("{} {} {}", record.name, record.record_type(), record.data);
        assert_eq!((records.len(), records[0].record_type()), (14, RecordType::SOA));
        assert_eq!(text(&records[0]), text(&records[13]));
        assert!(records.iter().any(|record| text(record) == "web.tm.example. A 192.0.2.10"));
        assert!(!records.iter().any(|record| record.name.to_ascii().starts_with("off.")));
    }
    assert_eq!(responder.counts().iter().find(|(label, _)| *label == "transfer"), Some(&("transfer", 3)));
}

#[test]
fn transfers_that_cannot_be_had_are_refused() {
    let responder = responder();
    let code = |message: Message, signer: Option<TSigner>, transport| {
        let octets = match signer {
            Some(signer) => signed(message, &signer, now()).0,
            None => message.to_vec().unwrap(),
        };
        let reply = Message::from_vec(&said(&responder, &octets, transport)[0]).unwrap();
        assert!(reply.answers.is_empty(), "{reply}");
        reply.metadata.response_code
    };
    let two = || signer("two.test.", TsigAlgorithm::HmacSha384, SECRET);
    use ResponseCode::{FormErr, NotAuth, Refused};
    use Transport::{Https, Tcp, Udp};
    assert_eq!(code(axfr(), None, Tcp), Refused);
    assert_eq!(code(ixfr(5), None, Tcp), Refused);
    assert_eq!(code(axfr(), Some(two()), Tcp), Refused);
    assert_eq!(code(axfr(), Some(one()), Udp), Refused);
    assert_eq!(code(axfr(), Some(one()), Https), Refused);
    assert_eq!(code(ixfr(5), Some(one()), Https), Refused);
    assert_eq!(code(query("web.tm.example.", RecordType::AXFR), Some(one()), Tcp), NotAuth);
    assert_eq!(code(query("contoso.com.", RecordType::AXFR), Some(one()), Tcp), NotAuth);
    assert_eq!(code(query("tm.example.", RecordType::IXFR), Some(one()), Tcp), FormErr);
    let mut later = axfr();
    let mut edns = Edns::new();
    edns.set_version(1);
    later.edns = Some(edns);
    assert_eq!(u16::from(code(later, Some(one()), Tcp)), 16, "BADVERS");
}

#[test]
fn rfc1995_2_who_has_it_and_who_asks_over_udp_are_given_the_soa_alone() {
    let responder = responder();
    for (asked, transport) in [
        (ixfr(1_800_000_000), Transport::Tcp),
        (ixfr(1_800_000_001), Transport::Tcp),
        (ixfr(1_800_000_000), Transport::Udp),
        (ixfr(5), Transport::Udp),
    ] {
        let (octets, mut verifier) = signed(asked, &one(), now());
        let [reply] = &said(&responder, &octets, transport)[..] else { panic!("one message was to come") };
        verifier.verify(reply).unwrap();
        let reply = Message::from_vec(reply).unwrap();
        let [Record { data: RData::SOA(soa), .. }] = &reply.answers[..] else { panic!("{reply}") };
        assert_eq!(soa.serial, 1_800_000_000);
    }
}

/// A thousand names more, and a connection to them that holds little on its way; messages are sent at once.
async fn converse_with(messages: &[Vec<u8>]) -> (DuplexStream, JoinHandle<std::io::Result<()>>) {
    let plain = keyed();
    let any = plain.profiles.values().find(|profile| &*profile.name == "web.tm.example").unwrap();
    let more = (0..1000).map(|i| {
        let name = format!("n{i}.tm.example");
        let profile = Profile { name: (&*name).into(), dns_name: name.parse().unwrap(), ..(**any).clone() };
        (profile.name.clone(), Arc::new(profile))
    });
    let desired = Desired {
        profiles: plain.profiles.iter().map(|(a, b)| (a.clone(), b.clone())).chain(more).collect(),
        ..plain
    };
    let (mut client, server) = duplex(4096);
    let seat = Connections::new(Tcp::default()).enter(CLIENT);
    let responder = responder_for(&desired);
    let task =
        tokio::spawn(async move { converse(server, &untapped(Transport::Tcp), &responder, &seat).await });
    for message in messages {
        client.write_all(&[&(message.len() as u16).to_be_bytes()[..], message].concat()).await.unwrap();
    }
    (client, task)
}

async fn next(client: &mut DuplexStream) -> Option<Vec<u8>> {
    let length = client.read_u16().await.ok()?;
    let mut message = vec![0; length.into()];
    client.read_exact(&mut message).await.unwrap();
    Some(message)
}

#[tokio::test(start_paused = true)]
async fn rfc7766_6_2_1_1_a_transfer_holds_no_other_answer_up() {
    let (octets, mut verifier) = signed(axfr(), &one(), now());
    let mut other = query("web.tm.example.", RecordType::A);
    other.metadata.id = 7;
    let (mut client, task) = converse_with(&[octets]).await;
    let (mut records, mut before) = (0, None);
    let other = other.to_vec().unwrap();
    let mut late = Some([&(other.len() as u16).to_be_bytes()[..], &other].concat());
    while let Some(message) = next(&mut client).await {
        let read = Message::from_vec(&message).unwrap();
        if read.metadata.id == 7 {
            assert_eq!(read.answers.len(), 1);
            before = Some(records);
            continue;
        }
        verifier.verify(&message).unwrap();
        records += read.answers.len();
        // Asked while the transfer is under way.
        if let Some(other) = late.take() {
            client.write_all(&other).await.unwrap();
            client.shutdown().await.unwrap();
        }
    }
    task.await.unwrap().unwrap();
    assert_eq!(records, 1014, "though the client had closed its side");
    assert!(before.unwrap() <= 500, "{before:?} records went before");
}

#[tokio::test(start_paused = true)]
async fn so_many_transfers_at_a_time_and_the_rest_after_them() {
    let messages: Vec<Vec<u8>> = (0..9)
        .map(|id| {
            let mut asked = axfr();
            asked.metadata.id = id;
            signed(asked, &one(), now()).0
        })
        .collect();
    let (mut client, task) = converse_with(&messages).await;
    client.shutdown().await.unwrap();
    let (mut records, mut begun) = ([0; 9], vec![]);
    while let Some(message) = next(&mut client).await {
        let read = Message::from_vec(&message).unwrap();
        let id = usize::from(read.metadata.id);
        if records[id] == 0 {
            begun.push(id);
            let under_way = begun.iter().filter(|id| records[**id] < 1014).count();
            assert!(under_way <= 4, "{records:?}");
        }
        records[id] += read.answers.len();
    }
    task.await.unwrap().unwrap();
    assert_eq!(records, [1014; 9]);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_take_its_transfer_is_left() {
    let (_client, task) = converse_with(&[signed(axfr(), &one(), now()).0]).await;
    let start = Instant::now();
    assert_eq!(task.await.unwrap().unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 10);
}
