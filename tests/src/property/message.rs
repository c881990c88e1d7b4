//! What holds for any message that a socket is given.

use std::net::{IpAddr, Ipv4Addr};

use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{RecordType, rdata::opt::EdnsCode},
    serialize::binary::{BinDecodable, BinDecoder},
};
use tm_common::{
    answer::answer_message,
    name::{LONG, SHORT},
    net::{BARE, Bare},
    packet::Buffer,
    verdict::{Reason, Verdict},
};
use tm_userspace::{desired::RoutingMethod, dns::Transport, names::DnsName};

use super::WORLD;

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 99));
/// Octets of a header.
const HEADER: usize = 12;
/// Octets that a reply may have beyond an error's question: its OPT.
const OPT: usize = 11;

/// The engine alone, and all that stands behind the sockets, over UDP and TCP.
pub fn check_message(message: &[u8]) {
    check_engine(message);
    for transport in [Transport::Udp, Transport::Tcp] {
        let reply = WORLD.responder.reply(message, CLIENT, transport);
        let is_query = message.len() >= HEADER && message[2] & 0x80 == 0;
        assert_eq!(reply.is_some(), is_query, "a query has a reply, and nothing else has: {message:02x?}");
        if let Some(reply) = reply {
            check_reply(message, &reply, transport);
        }
    }
}

fn check_engine(message: &[u8]) {
    let mut octets = [&Bare::prefix(CLIENT, 0)[..], message].concat();
    let before = octets.clone();
    let size = octets.len();
    octets.resize(size + 2048, 0);
    let mut packet = Buffer::new(&mut octets, size);
    let reason = Reason::of(match answer_message::<SHORT>(&mut packet, &WORLD.image.reader()) {
        Err(Reason::LongName) => answer_message::<LONG>(&mut packet, &WORLD.image.reader()),
        done => done,
    });
    match reason.verdict() {
        Verdict::Pass => assert_eq!(packet.contents(), before, "refused ({}) but changed", reason.label()),
        Verdict::Drop => panic!("dropped, though nobody can ask so much"),
        Verdict::Abort => panic!("half written: {message:02x?}"),
        Verdict::Reply => {
            let name = DnsName::from_wire(&check_answer(message, &packet.contents()[BARE..], Transport::Udp));
            assert!(WORLD.zones.find(&name).is_some(), "{name} is in no zone");
        }
    }
}

/// Of any reply: it re-parses with nothing left over, belongs to its query, and is no longer than it may be.
pub(super) fn check_reply(query: &[u8], reply: &[u8], transport: Transport) {
    let message = parse(reply);
    assert_eq!(reply[..2], query[..2], "ID");
    assert_eq!(reply[2] & 0xf9, query[2] & 0x79 | 0x80, "QR, opcode and RD");
    assert_eq!(reply[3] & 0xf0, 0, "RA, Z, AD, CD");
    assert!(message.queries.len() <= 1);
    let question = question(reply);
    if let Some(question) = question {
        assert!(query[HEADER..].starts_with(question), "the question is echoed octet by octet");
    }
    if let Some(edns) = &message.edns {
        assert!(query[10..12] != [0, 0], "an OPT answers an OPT");
        assert_eq!((edns.version(), edns.flags().z), (0, 0));
        let options = edns.options().as_ref();
        let why = EdnsCode::from(15);
        let count = |wanted| options.iter().filter(|(code, _)| *code == wanted).count();
        let (subnets, whys) = (count(EdnsCode::Subnet), count(why));
        assert!(subnets <= 1 && whys <= 1 && options.len() == subnets + whys, "{options:?}");
        assert!(whys == 0 || message.metadata.response_code != ResponseCode::NoError, "{options:?}");
    }
    if transport == Transport::Udp {
        assert!(reply.len() <= if message.edns.is_some() { 1232 } else { 512 }, "{} octets", reply.len());
    } else {
        assert!(!message.metadata.truncation, "nothing is too long for TCP");
    }
    let records = message.answers.len() + message.authorities.len() + message.additionals.len();
    if records == 0 {
        assert!(reply.len() <= query.len() + OPT, "an error grows by its OPT at most");
        assert_ne!((u16::from(message.metadata.response_code), message.metadata.truncation), (0, false));
        return;
    }
    // Whatever is said is said of a zone, with authority.
    let name = DnsName::from_wire(name_of(question.unwrap_or_else(|| panic!("records without a question"))));
    assert!(message.metadata.authoritative && WORLD.zones.find(&name).is_some());
    // Whatever else the query had, its question is answered alike.
    let plain = [&query[..2], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0], question.unwrap_or_default()].concat();
    let plain = WORLD.responder.reply(&plain, CLIENT, Transport::Tcp).map(|reply| reply[3] & 15);
    assert_eq!(plain, Some(reply[3] & 15), "another code than without what was beside the question");
    // An apex has more than its profile.
    if let Some(method) = WORLD.profiles.get(&name).filter(|_| WORLD.zones.get(&name).is_none()) {
        check_answer(query, reply, transport);
        let again = WORLD.responder.reply(query, CLIENT, transport);
        assert!(
            *method != RoutingMethod::Priority || again.as_deref() == Some(reply),
            "another answer to the same"
        );
    }
}

/// Of a reply with a profile's answer or the proof that it has none: the question as asked, at most ten records, an OPT for an OPT. Gives the name asked for.
pub(super) fn check_answer(query: &[u8], reply: &[u8], transport: Transport) -> Vec<u8> {
    let message = parse(reply);
    assert_eq!(reply[..2], query[..2], "ID");
    assert_eq!(query[2] & 0xf8, 0, "a plain query");
    assert_eq!((reply[2], reply[3] & 0xfc), (0x84 | query[2] & 1, 0), "QR, AA and RD as it came");
    assert!([0, 3].contains(&reply[3]), "NOERROR or NXDOMAIN");
    let question = question(reply).unwrap_or_else(|| panic!("an answer without its question"));
    assert!(query[HEADER..].starts_with(question), "the question is echoed octet by octet");
    assert_eq!(question[question.len() - 2..], [0, 1], "class IN");
    // RFC 6604: of the last name.
    let leads = message.answers.iter().all(|record| record.record_type() == RecordType::CNAME);
    assert!(reply[3] == 0 || leads && message.authorities.len() == 1, "NXDOMAIN with an answer");
    match message.answers.len() {
        0 => assert_eq!(message.authorities.len(), 1),
        // Where that is too short to be alone, the name servers are with it, which are two at most.
        answers => assert!(answers <= 18 && message.authorities.len() <= 2),
    }
    assert!(message.additionals.is_empty());
    // Where there is nothing but question and OPT, the OPT says how much the client takes.
    let rest = query.get(HEADER + question.len()..).unwrap_or_default();
    let limit = match (rest, &message.edns) {
        ([0, 0, 41, high, low, ..], Some(_)) => u16::from_be_bytes([*high, *low]).clamp(512, 1232),
        ([], None) => 512,
        _ => 1232,
    };
    assert!(transport == Transport::Tcp || reply.len() <= usize::from(limit), "over {limit} octets");
    name_of(question).to_vec()
}

fn parse(reply: &[u8]) -> Message {
    let mut decoder = BinDecoder::new(reply);
    let message = Message::read(&mut decoder).expect("hickory-proto reads the reply");
    assert!(decoder.is_empty(), "octets behind the message");
    message
}

/// Name, type and class as they lie in a message of ours; `None` where it has no question.
fn question(message: &[u8]) -> Option<&[u8]> {
    let mut at = HEADER;
    if message[4..6] == [0, 0] {
        return None;
    }
    while message[at] > 0 {
        at += 1 + usize::from(message[at]);
    }
    Some(&message[HEADER..at + 5])
}

fn name_of(question: &[u8]) -> &[u8] {
    &question[..question.len() - 4]
}
