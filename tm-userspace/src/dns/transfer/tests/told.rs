//! Secondaries that listen, do not listen, or are somebody else.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hickory_proto::{
    op::{Message, MessageType, OpCode, ResponseCode},
    rr::{Name, RData, RecordType, TSigner, rdata::tsig::TsigAlgorithm},
};
use tokio::{net::UdpSocket, sync::watch, time::Instant};

use super::{desired, key, on, zone};
use crate::{
    compile::Zone,
    desired::{Secondary, Transfer},
    dns::transfer::{Content, Contents, Names, notify},
};

fn contents(serial: u64) -> Contents {
    let desired = desired(serial, on(), vec![]);
    let zone = Zone::of(desired.node.zone(), desired.generation);
    let content = Content::next(None, &zone, Names::new()).map(Arc::new);
    content.into_iter().map(|content| (zone.name.clone(), content)).collect()
}

/// Begins to tell `address`, signed or not.
fn telling(address: SocketAddr, is_signed: bool) -> watch::Sender<Contents> {
    let secondary = Secondary { address, key: is_signed.then(key) };
    let desired = desired(7, Transfer { notify: vec![secondary], ..on() }, vec![]);
    let (content_to, contents) = watch::channel(contents(7));
    let (_, zone) = watch::channel(zone(&desired));
    tokio::spawn(notify::run(contents, zone));
    content_to
}

async fn listen() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

async fn heard(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut octets = [0; 512];
    // Longer than anything here waits for; what never comes is to fail and not to hang.
    let come = tokio::time::timeout(Duration::from_secs(200), socket.recv_from(&mut octets)).await;
    let (length, from) = come.unwrap().unwrap();
    (octets[..length].to_vec(), from)
}

fn reply(message: &[u8]) -> Message {
    let mut reply = Message::from_vec(message).unwrap();
    reply.metadata.message_type = MessageType::Response;
    reply.answers.clear();
    reply.signature = None;
    reply
}

/// How often it is told again, and over how long, until it is given up.
async fn more(socket: &UdpSocket) -> (usize, u64) {
    let (start, mut times, mut last) = (Instant::now(), 0, Instant::now());
    while tokio::time::timeout(Duration::from_secs(100), heard(socket)).await.is_ok() {
        (times, last) = (times + 1, Instant::now());
    }
    (times, (last - start).as_secs())
}

#[tokio::test(start_paused = true)]
async fn rfc1996_3_a_secondary_is_told_until_it_has_heard() {
    let (socket, address) = listen().await;
    let content_to = telling(address, false);
    let (first, _) = heard(&socket).await;
    let message = Message::from_vec(&first).unwrap();
    assert_eq!((message.metadata.op_code, message.metadata.authoritative), (OpCode::Notify, true));
    assert_eq!(message.metadata.message_type, MessageType::Query);
    let question = &message.queries[0];
    assert_eq!(
        (question.name().to_ascii(), question.query_type()),
        ("tm.example.".to_owned(), RecordType::SOA)
    );
    let RData::SOA(soa) = &message.answers[0].data else { panic!("{message}") };
    assert_eq!(soa.serial, 7);
    // Not heard: again, the same. Not an answer to it: another's ID, another's opcode, a query.
    let (second, from) = heard(&socket).await;
    assert_eq!(second, first);
    let right = reply(&second);
    let mut wrong = [right.clone(), right.clone(), right.clone()];
    wrong[0].metadata.id ^= 1;
    wrong[1].metadata.op_code = OpCode::Query;
    wrong[2].metadata.message_type = MessageType::Query;
    for wrong in wrong {
        socket.send_to(&wrong.to_vec().unwrap(), from).await.unwrap();
    }
    socket.send_to(b"no message", from).await.unwrap();
    let (third, from) = heard(&socket).await;
    assert_eq!(third, first);
    socket.send_to(&right.to_vec().unwrap(), from).await.unwrap();
    assert_eq!(more(&socket).await.0, 0);
    // The next change is told of in turn.
    content_to.send_replace(contents(8));
    let (next, _) = heard(&socket).await;
    let RData::SOA(soa) = &Message::from_vec(&next).unwrap().answers[0].data.clone() else { panic!() };
    assert_eq!(soa.serial, 8);
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_told_five_times_in_fifteen_seconds() {
    let (socket, address) = listen().await;
    let _content_to = telling(address, false);
    assert_eq!(more(&socket).await, (5, 1 + 2 + 4 + 8));
}

#[tokio::test(start_paused = true)]
async fn who_is_there_later_is_told_then() {
    let (socket, address) = listen().await;
    drop(socket);
    let _content_to = telling(address, false);
    tokio::time::sleep(Duration::from_secs(2)).await;
    let socket = UdpSocket::bind(address).await.unwrap();
    let (message, from) = heard(&socket).await;
    socket.send_to(&reply(&message).to_vec().unwrap(), from).await.unwrap();
    assert_eq!(more(&socket).await.0, 0);
}

#[tokio::test(start_paused = true)]
async fn a_signed_word_wants_a_signed_answer_unless_it_is_no() {
    let signer =
        TSigner::new(vec![7; 32], TsigAlgorithm::HmacSha256, Name::from_ascii("one.").unwrap(), 300).unwrap();
    let (socket, address) = listen().await;
    let content_to = telling(address, true);
    let (first, from) = heard(&socket).await;
    let (mac, ..) = signer.verify_message_byte(&first, None, true).unwrap();
    let unsigned = reply(&first).to_vec().unwrap();
    socket.send_to(&unsigned, from).await.unwrap();
    let (again, from) = heard(&socket).await;
    assert_eq!(again, first, "anybody can say so");
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let context =
        hickory_proto::rr::TSigResponseContext::new(reply(&first).metadata.id, now, signer, mac, None);
    let mut signed = reply(&first);
    signed.signature = Some(context.sign(&unsigned).unwrap());
    socket.send_to(&signed.to_vec().unwrap(), from).await.unwrap();
    assert_eq!(more(&socket).await.0, 0);
    content_to.send_replace(contents(8));
    let (next, from) = heard(&socket).await;
    let mut no = reply(&next);
    no.metadata.response_code = ResponseCode::NotAuth;
    socket.send_to(&no.to_vec().unwrap(), from).await.unwrap();
    assert_eq!(more(&socket).await.0, 0);
}
