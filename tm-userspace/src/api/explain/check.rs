//! Whether what answers says what is explained: the question as a packet, at every turn of the block that answers it, through a twin of the loaded programs over the kernel's
//! tables ([`Twin`]); what goes up, and everything where no program is loaded, through the sockets' code over the daemon's tables, which counts nothing either.

use std::net::IpAddr;

use anyhow::Context as _;
use hickory_proto::{
    op::{Message, ResponseCode},
    rr::{
        RecordType,
        rdata::opt::{EdnsCode, EdnsOption},
    },
};
use tm_common::verdict::{Reason, Verdict};

use super::{Question, outcome::Expected, report::Check};
use crate::{
    api::{View, line::line, query},
    compile::Records,
    desired::Profile,
    dns::Transport,
    names::DnsName,
    xdp::{
        Twin,
        frame::{frame, message},
    },
};

/// TC, in a header's third octet.
const TRUNCATED: u8 = 2;

/// What is asked, and where.
pub(super) struct Subject<'a> {
    pub(super) question: &'a Question<'a>,
    /// The name that is asked for.
    pub(super) name: &'a DnsName,
    /// Who answers it.
    pub(super) profile: &'a Profile,
    pub(super) server: IpAddr,
    pub(super) port: u16,
}

/// Goes through a whole round.
pub(super) fn check(view: &View, subject: &Subject<'_>, expected: &Expected) -> anyhow::Result<Check> {
    let Subject { question, name, profile, server, port } = subject;
    let asker = &question.asker;
    let request = query::request(&name.to_hickory(), question.kind, asker.subnet)?;
    let card = view.tables.image().frozen().link.target();
    let frame = frame(&request, card, (asker.sender, query::CLIENT_PORT), (*server, *port));
    let (mut twin, mut passed) = match (twin(view), &frame) {
        (Err(error), _) => (None, Some(format!("the program cannot be asked: {error:#}"))),
        (Ok(None), _) => (None, Some("no program is loaded".to_owned())),
        (Ok(_), None) => (None, Some("no address of the sender's family is served".to_owned())),
        (Ok(twin), Some(_)) => (twin, None),
    };
    let block = view.tables.image().block(&profile.dns_name, expected.place, question.kind.into());
    let slots = &expected.slots;
    let mut said = None;
    for (turn, slot) in (0..).zip(slots) {
        let in_kernel = match (&mut twin, &frame) {
            (Some(twin), Some(frame)) => {
                let (verdict, reply, reason) = twin.ask(frame, block.map_or(0, |block| block.turn), turn)?;
                match verdict {
                    Verdict::Reply => message(&reply).map(<[u8]>::to_vec),
                    Verdict::Pass | Verdict::Drop | Verdict::Abort => {
                        passed = Some(up(reason));
                        None
                    }
                }
            }
            _ => None,
        };
        let reply =
            in_kernel.or_else(|| view.responder.preview(&request, asker.sender, Transport::Udp, turn));
        let records = expected.choices.as_ref().and_then(|choices| choices.answers.get(usize::from(*slot)));
        // What is cut over UDP is whole over TCP.
        let reply = match reply.filter(|reply| reply.get(2).is_none_or(|flags| flags & TRUNCATED == 0)) {
            None => view.responder.preview(&request, asker.sender, Transport::Tcp, turn),
            whole => whole,
        };
        let reply = reply.unwrap_or_default();
        if !is_as_expected(&reply, records, expected.scope, request_end(name)) {
            said = Some(told(&reply));
            break;
        }
    }
    Ok(Check {
        by: if passed.is_none() { "xdp" } else { "sockets" }.to_owned(),
        reason: passed,
        turns: slots.len(),
        agrees: said.is_none(),
        said,
    })
}

/// What the sockets say behind a question, whoever asks.
pub(super) fn told_by_sockets(
    view: &View,
    name: &DnsName,
    kind: RecordType,
    sender: IpAddr,
) -> anyhow::Result<Records> {
    // Without an OPT, all behind the question are records.
    let end = request_end(name);
    let mut request = query::request(&name.to_hickory(), kind, None)?;
    request.truncate(end);
    request[10..12].fill(0);
    let reply = view.responder.preview(&request, sender, Transport::Tcp, 0).unwrap_or_default();
    let message = Message::from_vec(&reply).context("the sockets' reply is no message; this is a bug")?;
    Ok(Records {
        octets: reply[end..].into(),
        answers: message.answers.len() as u16,
        authorities: message.authorities.len() as u16,
        code: message.metadata.response_code.into(),
        counts_for: [].into(),
        one_in: 0,
        is_stale: false,
        first: None,
    })
}

/// The kernel's tables are locked only while it is looked what there is.
fn twin(view: &View) -> anyhow::Result<Option<Twin>> {
    let model = view.tables.kernel().as_ref().map(|kernel| kernel.model()).transpose()?;
    model.map(|model| model.load()).transpose()
}

fn up(reason: Reason) -> String {
    format!("the program hands the packet up: {}", reason.label())
}

/// Octets up to the end of the question.
fn request_end(name: &DnsName) -> usize {
    12 + name.wire().len() + 4
}

/// Has a reply exactly these records, and this scope? Without records, it is to say that there is no such name.
fn is_as_expected(reply: &[u8], records: Option<&Records>, scope: Option<u8>, at: usize) -> bool {
    let Ok(message) = Message::from_vec(reply) else { return false };
    let Some(records) = records else { return message.metadata.response_code == ResponseCode::NXDomain };
    // RFC 7871, section 7.4: that there is nothing is said to everybody.
    let scope = if records.answers == 0 { scope.map(|_| 0) } else { scope };
    u16::from(message.metadata.response_code) == records.code
        && message.answers.len() == usize::from(records.answers)
        && message.authorities.len() == usize::from(records.authorities)
        && reply.get(at..at + records.octets.len()) == Some(&*records.octets)
        && scope_of(&message) == scope
}

fn scope_of(message: &Message) -> Option<u8> {
    match message.edns.as_ref()?.option(EdnsCode::Subnet)? {
        EdnsOption::Subnet(subnet) => Some(subnet.scope_prefix()),
        _ => None,
    }
}

/// A reply in one line.
fn told(reply: &[u8]) -> String {
    let Ok(message) = Message::from_vec(reply) else { return "nothing".to_owned() };
    let lines: Vec<String> = message.answers.iter().chain(&message.authorities).map(line).collect();
    let scope = scope_of(&message).map_or_else(String::new, |scope| format!(", scope {scope}"));
    format!("{} {}{scope}", query::rcode_name(message.metadata.response_code), lines.join("; "))
}
