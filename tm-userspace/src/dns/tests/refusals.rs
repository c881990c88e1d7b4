//! What is refused, and with which code; what is not answered at all.

use super::{
    cases::{FORMERR, NO_QUESTION, NOTIMP, NXDOMAIN, RD, REFUSED, SILENCE, WEB, check, check_all, with_opt},
    kit::{Ask, CLIENT, ask, ask_raw, record, responder, wire},
};
use crate::dns::Transport;

#[test]
fn malformed_names_are_refused_without_being_echoed() {
    let zone = wire("tm.example");
    let name = |octets: &[u8]| ask_raw(octets, 1);
    let tm = |labels: &[u8]| ask_raw(&[labels, &zone].concat(), 1);
    check_all(&[
        // Pointers: to itself, into the header, forward, past the end, half of one, behind a label.
        (name(&[0xc0, 12]), NO_QUESTION),
        (name(&[0xc0, 0]), NO_QUESTION),
        (name(&[0xc0, 30]), NO_QUESTION),
        (name(&[0xff, 0xff]), NO_QUESTION),
        (name(&[3, b'w', b'e', b'b', 0xc0, 12]), NO_QUESTION),
        (Ask { question: vec![0xc0], ..ask("web.tm.example A") }, NO_QUESTION),
        (tm(&[&[64][..], &[b'x'; 64]].concat()), NO_QUESTION),
        (tm(&[0x80, b'x']), NO_QUESTION),
        // 256 octets.
        (tm(&[&b"\x01x".repeat(120)[..], b"\x03xyz"].concat()), NO_QUESTION),
        (tm(&b"\x01x".repeat(122)), NO_QUESTION),
        // Cut off: no question at all, in the name, before and in the class.
        (Ask { question: vec![], ..ask("web.tm.example A") }, NO_QUESTION),
        (Ask { question: b"\x03we".to_vec(), ..ask("web.tm.example A") }, NO_QUESTION),
        (Ask { question: wire("web.tm.example"), ..ask("web.tm.example A") }, NO_QUESTION),
        (
            Ask { question: [wire("web.tm.example"), vec![0, 1, 0]].concat(), ..ask("web.tm.example A") },
            NO_QUESTION,
        ),
    ]);
}

#[test]
fn other_zones_and_classes_are_refused() {
    check_all(&[
        (ask(". NS"), REFUSED),
        (ask("example A"), REFUSED),
        (ask("xtm.example A"), REFUSED),
        (ask("www.contoso.com A").flags(RD), &["REFUSED rd"]),
        (ask("www.contoso.com A").opt(1232, 0x8000, &[]), &["REFUSED", "opt 1232 do why [0, 20]"]),
        (ask("web.tm.example A").class(3), REFUSED),
        (ask("web.tm.example A").class(0), REFUSED),
        (ask("web.tm.example A").class(254), REFUSED),
        (ask("web.tm.example ANY").class(255), REFUSED),
        (ask("tm.example SOA").class(255), REFUSED),
        (ask("version.bind TXT").class(3), REFUSED),
        (ask("tm.example 252"), REFUSED),
        (ask("tm.example 251"), REFUSED),
        (ask("web.tm.example 252"), REFUSED),
    ]);
}

#[test]
fn rfc_8914_errors_say_why_to_who_understands_it() {
    let why = |asked: Ask| asked.opt(1232, 0, &[]);
    check_all(&[
        (why(ask("www.contoso.com A")), &["REFUSED", "opt 1232 why [0, 20]"]),
        (why(ask(". NS")), &["REFUSED", "opt 1232 why [0, 20]"]),
        (why(ask("tm.example 252")), &["REFUSED", "opt 1232 why [0, 18]"]),
        (why(ask("web.tm.example 251")), &["REFUSED", "opt 1232 why [0, 18]"]),
        (why(ask("web.tm.example A").class(3)), &["REFUSED", "opt 1232 why [0, 21]"]),
        (why(ask("web.tm.example 253")), &["NOTIMP", "opt 1232 why [0, 21]"]),
        (why(ask("web.tm.example 128")), &["FORMERR", "opt 1232 why [0, 30]"]),
        // Answers say nothing more, nor does what cannot be read.
        (why(ask("web.tm.example A")), &with_opt(WEB)),
        (why(ask("nobody.tm.example A")), &with_opt(NXDOMAIN)),
        (why(ask("web.tm.example A")).counts([2, 0, 0, 1]), NO_QUESTION),
        (ask("web.tm.example A").opt(1232, 0x0001_0000, &[]), &["BADVERS", "opt 1232"]),
    ]);
    // Nor does a cookie change it, where cookies are off.
    let cookie = [0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];
    let asked = ask("www.contoso.com A").opt(1232, 0, &cookie);
    check(&responder(), &asked, &["REFUSED", "opt 1232 why [0, 20]"]);
}

#[test]
fn types_that_are_no_data_are_refused_wherever_they_are_asked_for() {
    for name in ["web.tm.example", "tm.example", "nobody.tm.example", "top.tm.example", "contoso.com"] {
        let asked = |kind: u16| ask(&format!("{name} {kind}"));
        // 0, OPT, NXNAME, an unassigned one, TKEY, TSIG.
        check_all(&[0, 41, 128, 200, 249, 250].map(|kind| (asked(kind), FORMERR)));
        // MAILB, MAILA.
        check_all(&[253, 254].map(|kind| (asked(kind), NOTIMP)));
    }
}

#[test]
fn other_opcodes_are_not_implemented() {
    let no_question = ["NOTIMP", "0 questions"];
    for opcode in [1, 2, 3, 4, 5, 6, 15] {
        check_all(&[
            (ask("web.tm.example A").flags(opcode << 11), NOTIMP),
            (ask("web.tm.example A").flags(opcode << 11 | RD), &["NOTIMP rd"]),
            (ask("web.tm.example A").flags(opcode << 11 | 0x07ff), &["NOTIMP rd"]),
            (
                ask("web.tm.example A").flags(opcode << 11).opt(1232, 0, &[]),
                &["NOTIMP", "opt 1232 why [0, 21]"],
            ),
            (Ask { question: vec![], ..ask(". A") }.counts([0; 4]).flags(opcode << 11), &no_question),
            (Ask { question: vec![], ..ask(". A") }.flags(opcode << 11), &no_question),
        ]);
    }
}

#[test]
fn malformed_messages() {
    let web = || ask("web.tm.example A");
    let none = || Ask { question: vec![], ..web() }.counts([0; 4]);
    let opt = record(&[0], 41, 1232, 0, &[]);
    let twice = Ask { question: web().question.repeat(2), ..web() };
    let formerr_opt = with_opt(FORMERR);
    let no_question_opt = with_opt(NO_QUESTION);
    check_all(&[
        // RFC 9619: exactly one question.
        (none(), NO_QUESTION),
        (none().opt(1232, 0, &[]), &no_question_opt),
        (twice.clone().counts([2, 0, 0, 0]), NO_QUESTION),
        (twice.clone().counts([2, 0, 0, 1]).and(&opt), &no_question_opt),
        (web().counts([2, 0, 0, 0]), NO_QUESTION),
        (web().counts([65535, 0, 0, 0]), NO_QUESTION),
        (web().flags(RD).counts([0; 4]), &["FORMERR rd", "0 questions"]),
        // More records than there are.
        (web().counts([1, 1, 0, 0]), FORMERR),
        (web().counts([1, 0, 1, 0]), FORMERR),
        (web().counts([1, 0, 0, 1]), FORMERR),
        (web().counts([1, 65535, 65535, 65535]), FORMERR),
        (web().opt(1232, 0, &[]).counts([1, 0, 0, 2]), &formerr_opt),
        // Data that goes past the end; an owner that points to itself, and past the end.
        (web().record(3, b"\0\0\x10\0\x01\0\0\0\0\0\xff"), FORMERR),
        (web().record(3, &record(&[0xc0, 32], 16, 1, 0, &[])), FORMERR),
        (web().record(3, &record(&[0xff, 0xff], 16, 1, 0, &[])), FORMERR),
        // Two OPTs, with a version or without; one in another section; one with a name; one that is cut off.
        (web().opt(1232, 0, &[]).opt(1232, 0, &[]), FORMERR),
        (web().opt(1232, 0, &[]).opt(1232, 0x0001_0000, &[]), FORMERR),
        (web().opt(1232, 0, &[]).opt(1232, 0, &[]).opt(1232, 0, &[]), FORMERR),
        (web().record(1, &opt), FORMERR),
        (web().record(2, &opt), FORMERR),
        (web().record(3, &record(&wire("a"), 41, 1232, 0, &[])), FORMERR),
        (web().record(3, &record(&[0xc0, 12], 41, 1232, 0, &[])), FORMERR),
        (web().record(3, &opt[..10]), FORMERR),
        // Options that do not fill it: too long by one, without a length, with the rest of one.
        (web().opt(1232, 0, &[0, 10, 0, 5, 1, 2, 3, 4]), FORMERR),
        (web().opt(1232, 0, &[0, 10, 0]), FORMERR),
        (web().opt(1232, 0, &[0, 10, 0, 0, 0]), FORMERR),
        (web().opt(1232, 0, &[0, 10, 0xff, 0xff]), FORMERR),
    ]);
}

#[test]
fn later_versions_of_edns() {
    let badvers = with_opt(&["BADVERS"]);
    check_all(&[
        (ask("web.tm.example A").opt(1232, 0x0001_0000, &[]), &badvers),
        (ask("web.tm.example A").opt(1232, 0x00ff_8000, &[]), &["BADVERS", "opt 1232 do"]),
        (ask("web.tm.example A").flags(RD).opt(1232, 0x0001_0000, &[]), &["BADVERS rd", "opt 1232"]),
        (ask("web.tm.example A").opt(1232, 0x0001_0000, b"whatever this is then"), &badvers),
        (ask("contoso.com A").opt(1232, 0x0001_0000, &[]), &badvers),
        (ask("tm.example NS").opt(1232, 0x0001_0000, &[]), &badvers),
    ]);
}

#[test]
fn what_is_no_query_is_not_answered() {
    let responder = responder();
    for length in 0..12 {
        assert_eq!(
            responder.reply(&ask("web.tm.example A").octets()[..length], CLIENT, Transport::Udp),
            None
        );
    }
    for flags in [0x8000, 0x8180, 0x8001, 0xffff] {
        check(&responder, &ask("web.tm.example A").flags(flags), SILENCE);
        check(&responder, &ask("nobody.tm.example A").flags(flags), SILENCE);
        check(&responder, &Ask { question: vec![], ..ask(". A") }.flags(flags), SILENCE);
    }
    assert_eq!(responder.counts().last(), Some(&("ignored", 12 + 4 * 3 * 2)));
}
