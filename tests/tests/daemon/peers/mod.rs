//! The same zone at BIND, Knot DNS, NSD and here: thousands of random questions, and no difference that no rule explains.
//!
//! Types of no data, zone transfers and cookies are left out: servers may differ in these, and other tests have them.

mod cookies;
mod random;
mod servers;

use std::collections::{BTreeMap, BTreeSet};

use hickory_proto::op::{Message, ResponseCode};
use tm_tests::{daemon::Daemon, dice::Dice, lab::Lab, query::qtype};

use crate::{EDNS_RULE, NODE, profile, unmonitored, wait_until_ready};
use random::Question;
use servers::{Asker, Peer};

/// What the questions follow from: another number is another test.
const SEED: u64 = 0x5eed_0001;
/// How many are asked.
const QUESTIONS: usize = 3000;

/// A name of 255 octets, and one of which a CNAME to it fits no reply of 512.
fn longest(letter: &str) -> String {
    format!("{}.{}.{}.{}", letter.repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(50))
}

fn far() -> String {
    format!("{}.{}.{}.{}.far.test", "x".repeat(63), "y".repeat(63), "z".repeat(63), "w".repeat(50))
}

/// Type and data of records besides addresses, as zone files and profiles have them.
const CARRIED: [(&str, &str); 11] = [
    ("TXT", "\"v=spf1 mx -all\""),
    ("TXT", "one \"two; three\" \\\"\\065"),
    ("CAA", "0 issue \"ca.example; policy=ev\""),
    ("CAA", "128 iodef \"mailto:security@contoso.com\""),
    ("MX", "10 mail.contoso.com."),
    ("MX", "20 web.tm.example."),
    ("SRV", "0 5 443 virginia.contoso.com."),
    ("SRV", "0 6 443 web.tm.example."),
    ("HTTPS", "1 . alpn=h2,h3 mandatory=ipv4hint,alpn ipv4hint=192.0.2.1,192.0.2.2 key667=hello"),
    (
        "SVCB",
        "1 foo.example.org. port=53 no-default-alpn alpn=\"f\\\\\\\\oo\\\\,bar,h2\" ipv6hint=2001:db8::1",
    ),
    ("SVCB", "2 . ech=AAEC"),
];

/// The same as tables of a profile.
fn carried() -> String {
    let record = |(kind, data)| format!("[[profile.record]]\ntype = \"{kind}\"\ndata = '{data}'\n");
    CARRIED.map(record).concat()
}

/// Owner and data of every record that is a profile's, as a zone file has them, with the profile. TTLs are 60.
fn zone() -> Vec<(String, String, String)> {
    let one = |name: &str, data: &str, target: &str| {
        let keys = format!("[[profile]]\nttl = 60\nrelative_name = \"{name}\"");
        let known = name.split('.').next().unwrap_or_default().chars().take(20).collect::<String>();
        (name.to_owned(), data.to_owned(), profile(&known, target).replacen("[[profile]]", &keys, 1))
    };
    let mut zone = vec![
        one("web", "A 192.0.2.10", "192.0.2.10"),
        one("six", "AAAA 2001:db8::7", "2001:db8::7"),
        one("alias", "CNAME www.contoso.com.", "www.contoso.com"),
        one("follow", "CNAME web.tm.example.", "web.tm.example"),
        one("chain", "CNAME follow.tm.example.", "follow.tm.example"),
        // To names that have nothing: one that is not there, and one that has but names below it.
        one("gone", "CNAME nobody.tm.example.", "nobody.tm.example"),
        one("gone-over", "CNAME gone.tm.example.", "gone.tm.example"),
        one("between", "CNAME mid.top.tm.example.", "mid.top.tm.example"),
        // To names that are no profile's, but there: one that a wildcard has, a name server's, the apex.
        one("covered", "CNAME x.any.tm.example.", "x.any.tm.example"),
        one("server", "CNAME ns1.tm.example.", "ns1.tm.example"),
        one("to-apex", "CNAME tm.example.", "tm.example"),
        one("off-covered", "CNAME off.any.tm.example.", "off.any.tm.example"),
        one("leaf.mid.top", "A 192.0.2.11", "192.0.2.11"),
        one("below.web", "A 192.0.2.12", "192.0.2.12"),
        one(&longest("e"), "A 192.0.2.255", "192.0.2.255"),
        one(&longest("f"), &format!("CNAME {}.", far()), &far()),
    ];
    let endpoints = ["192.0.2.21", "192.0.2.22", "192.0.2.23"];
    let keys = "[[profile]]\nname = \"multi\"\nttl = 60\nrouting_method = \"multivalue\"\nmax_return = 3\n";
    let all = endpoints.map(|address| unmonitored(&address.replace('.', "-"), address)).concat();
    let data = endpoints.map(|address| format!("A {address}")).join("\nmulti 60 IN ");
    zone.push(("multi".to_owned(), data, keys.to_owned() + &all));
    for (name, known, target) in [("carrier", "carrier", "192.0.2.30"), ("*.any", "any", "192.0.2.31")] {
        let keys = "routing_method = \"priority\"\nttl = 60";
        let head = format!("[[profile]]\nname = \"{known}\"\nrelative_name = \"{name}\"\n{keys}\n");
        let records = CARRIED.map(|(kind, data)| format!("\n{name} 60 IN {kind} {data}"));
        let data = format!("A {target}{}", records.concat());
        zone.push((name.to_owned(), data, head + &carried() + &unmonitored("only", target)));
    }
    zone
}

/// The zone's file, its SOA as the daemon has it.
fn zone_file(lab: &Lab) -> String {
    let soa = lab.answers(&["@10.53.0.1", "tm.example", "SOA"]).unwrap();
    let records = zone().into_iter().map(|(owner, data, _)| format!("{owner} 60 IN {data}\n"));
    let servers = "@ 3600 IN NS ns1\nns1 3600 IN A 10.53.0.1\nns1 3600 IN AAAA fd53::1\n";
    format!("$ORIGIN tm.example.\n{soa}\n{servers}{}", records.collect::<String>())
}

/// What a reply says, as far as servers have to agree.
#[derive(Clone, Debug, PartialEq)]
struct Said {
    code: ResponseCode,
    /// AA, TC, RD, RA, AD, CD.
    flags: [bool; 6],
    question: Vec<u8>,
    answers: BTreeSet<String>,
    authorities: BTreeSet<String>,
    /// Version and DO of the OPT.
    opt: Option<(u8, bool)>,
}

impl Said {
    fn read(reply: &[u8]) -> Self {
        let message = Message::from_vec(reply).unwrap();
        let metadata = &message.metadata;
        let lines = |records: &[hickory_proto::rr::Record]| {
            // RFC 4343: how letters are written is not what a name is.
            records.iter().map(|record| record.to_string().to_lowercase()).collect()
        };
        let flags = [
            metadata.authoritative,
            metadata.truncation,
            metadata.recursion_desired,
            metadata.recursion_available,
            metadata.authentic_data,
            metadata.checking_disabled,
        ];
        let end = (12..reply.len()).find(|at| reply[*at] == 0).map_or(12, |end| end + 5);
        Said {
            code: message.response_code,
            flags,
            question: if message.queries.is_empty() { vec![] } else { reply[12..end].to_vec() },
            answers: lines(&message.answers),
            authorities: lines(&message.authorities),
            opt: message.edns.as_ref().map(|edns| (edns.version(), edns.flags().dnssec_ok)),
        }
    }
}

/// In what servers may differ, and what to take for the same.
type Rule = (&'static str, fn(&Question, &mut Said, &mut Said));

const RULES: [Rule; 6] = [
    (
        "RFC 1035, section 3.3.1: what is behind a CNAME may be left to be asked for",
        |question, ours, theirs| {
            // What an apex has beside addresses.
            let leads_there = |record: &String| record.ends_with("cname tm.example.");
            let ends_in_cname = ours.answers.len() == 1
                && ours.authorities.is_empty()
                && ours.answers.iter().all(leads_there);
            let is_address = [qtype::A, qtype::AAAA].contains(&question.query.qtype);
            if !is_address
                && ends_in_cname
                && theirs.code == ours.code
                && theirs.answers.is_superset(&ours.answers)
            {
                theirs.answers.clone_from(&ours.answers);
                theirs.authorities.clear();
            }
        },
    ),
    ("RFC 8482, section 4.1: of ANY, one RRset is enough, whichever", |question, ours, theirs| {
        // All of them may be too many for a reply.
        let has = |said: &Said| !said.answers.is_empty() || said.flags[1];
        if question.query.qtype == qtype::ANY && !ours.answers.is_empty() && has(theirs) {
            theirs.flags[1] = ours.flags[1];
            theirs.answers.clone_from(&ours.answers);
        }
    }),
    ("RFC 4035, section 3.1.6, and RFC 6840, section 5.8: AD and CD may be copied", |question, _, theirs| {
        theirs.flags[4] &= question.query.flags & 0x0020 == 0;
        theirs.flags[5] &= question.query.flags & 0x0010 == 0;
    }),
    // BIND writes owners as the zone has them, in full where the question has other letters.
    (
        "RFC 1035, section 4.1.4: whether names are compressed is the server's choice",
        |question, ours, theirs| {
            let other_letters = question.query.name.iter().any(u8::is_ascii_uppercase);
            if theirs.flags[1]
                && !ours.answers.is_empty()
                && other_letters
                && question.query.name.len() == 255
            {
                theirs.flags[1] = false;
                theirs.answers.clone_from(&ours.answers);
            }
        },
    ),
    ("RFC 8906, section 3.2.1: BADVERS is about the OPT alone", |_, ours, theirs| {
        if u16::from(ours.code) == 16 && theirs.code == ours.code {
            theirs.flags[0] = ours.flags[0];
            theirs.question.clone_from(&ours.question);
            theirs.opt = ours.opt;
        }
    }),
    ("RFC 1034, section 4.3.2: class ANY may be refused, or not known", |question, ours, theirs| {
        let codes = [ResponseCode::Refused, ResponseCode::FormErr, ResponseCode::NotImp];
        if question.query.qclass != 1 && [&ours, &theirs].iter().all(|said| codes.contains(&said.code)) {
            theirs.clone_from(ours);
        }
    }),
];

/// What is left of the difference when every rule was heard; notes which were needed.
fn difference(
    question: &Question,
    ours: &Said,
    theirs: &Said,
    used: &mut BTreeMap<&str, usize>,
) -> Option<String> {
    let (mut here, mut there) = (ours.clone(), theirs.clone());
    for (rule, make_alike) in RULES {
        let before = there.clone();
        make_alike(question, &mut here, &mut there);
        if before != there {
            *used.entry(rule).or_default() += 1;
        }
    }
    there.question.eq(&here.question).then(|| (here.question.clear(), there.question.clear()));
    (here != there).then(|| format!("{here:?}\n    but {there:?}"))
}

#[test]
fn no_difference_to_bind_knot_and_nsd_is_left_unexplained() {
    let lab = Lab::new().unwrap();
    let profiles: String = zone().into_iter().map(|(.., profile)| profile).collect();
    let node = format!("{NODE}{EDNS_RULE}[soa]\nminimum = 60\n");
    let mut daemon = Daemon::start(&lab, &[("tm.toml", &node), ("conf.d/profiles.toml", &profiles)]).unwrap();
    wait_until_ready(&mut daemon);
    let zone = zone_file(&lab);
    let peers = [Peer::named(&lab, 5301, &zone), Peer::knot(&lab, 5302, &zone), Peer::nsd(&lab, 5303, &zone)];
    let mut us = Asker::new(&lab, 53);
    let mut them: Vec<Asker> = peers.iter().map(|peer| peer.asker(&lab)).collect();
    let mut dice = Dice(SEED);
    let (mut used, mut wrong) = (BTreeMap::new(), Vec::new());
    for number in 0..QUESTIONS {
        let question = Question::random(&mut dice, number as u16);
        let octets = question.query.build();
        us.send(&octets);
        them.iter_mut().for_each(|asker| asker.send(&octets));
        let ours = Said::read(&us.receive(&octets));
        for (peer, asker) in peers.iter().zip(&mut them) {
            let theirs = Said::read(&asker.receive(&octets));
            if let Some(difference) = difference(&question, &ours, &theirs, &mut used) {
                wrong.push(format!("{} to {question}:\n    {difference}", peer.name));
            }
        }
    }
    let shown = wrong.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} differences, seed {SEED:#x}\n{shown}", wrong.len());
    eprintln!("{used:#?}");
    let status = daemon.status(&lab).unwrap();
    assert!(status.packets("answered") > 500, "{}", status.packets("answered"));
}
