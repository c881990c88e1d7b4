//! "What would you answer?", asked of the program that answers.
//!
//! The question goes as a real frame through the loaded XDP program (`BPF_PROG_TEST_RUN`), which counts it like any other. What the program passes up,
//! and everything where no program is loaded, is answered by the code behind the sockets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context as _, bail};
use hickory_proto::{
    op::{Edns, Message, MessageType, OpCode, Query},
    rr::{
        Name, RecordType,
        rdata::opt::{ClientSubnet, EdnsOption},
    },
};
use serde::{Deserialize, Serialize};
use tm_common::verdict::Verdict;

use super::{
    View,
    line::{data, line},
};
use crate::{
    desired::Desired,
    dns::Transport,
    names::DnsName,
    xdp::frame::{frame, message},
};

/// Who asks, unless the question says: addresses for documentation (RFC 5737, RFC 3849).
const CLIENTS: (IpAddr, IpAddr) =
    (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)));
pub(super) const CLIENT_PORT: u16 = 5353;

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// A profile's DNS name, or its part before the zone.
    pub name: String,
    /// A record type: `A`, `AAAA`, `TYPE65`.
    pub kind: String,
    /// Who asks.
    #[schema(value_type = Option<String>)]
    pub client: Option<IpAddr>,
}

/// Its answer.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Answered {
    /// The name asked, in full.
    pub name: String,
    /// `xdp` or `sockets`.
    pub by: String,
    /// `NOERROR`, `NXDOMAIN` and so on; `DROPPED` where nobody would answer.
    pub rcode: String,
    /// The answer section, a line a record.
    pub answers: Vec<String>,
    /// The authority section.
    pub authorities: Vec<String>,
    /// The data of the answer's records alone.
    pub data: Vec<String>,
    /// Octets of the reply message.
    pub size: usize,
}

impl Answered {
    /// Nothing was said.
    fn dropped(name: &Name, by: &str) -> Self {
        let (answers, authorities, data) = Default::default();
        let (name, by, rcode) = (name.to_string(), by.to_owned(), "DROPPED".to_owned());
        Answered { name, by, rcode, answers, authorities, data, size: 0 }
    }
}

pub(super) fn query(view: &View, question: &Question) -> anyhow::Result<Answered> {
    let desired = view.desired.borrow().clone().context("no configuration is in force yet")?;
    let name = full_name(&question.name, &desired)?;
    let kind: RecordType = parse_type(&question.kind)?;
    let request = request(&name, kind, None)?;
    let (client, server) = hosts(view, question.client)?;
    // A client of a family that is not served is asked for at the sockets' code alone, which takes any.
    let card = view.tables.image().frozen().link.target();
    let frame = frame(&request, card, (client, CLIENT_PORT), (server, desired.node.listen.port));
    let in_kernel = match (&*view.tables.kernel(), frame) {
        (Some(kernel), Some(frame)) => match kernel.ask(&frame)? {
            (Verdict::Reply, reply) => message(&reply).map(<[u8]>::to_vec),
            (Verdict::Pass, _) => None,
            (Verdict::Drop, _) => return Ok(Answered::dropped(&name, "xdp")),
            (Verdict::Abort, _) => bail!("the program gave up on the frame; this is a bug worth a report"),
        },
        _ => None,
    };
    let (by, reply) = match in_kernel {
        Some(reply) => ("xdp", Some(reply)),
        None => ("sockets", view.responder.reply(&request, client, Transport::Udp)),
    };
    let Some(reply) = reply else { return Ok(Answered::dropped(&name, by)) };
    let message =
        Message::from_vec(&reply).context("the reply is no DNS message; this is a bug worth a report")?;
    let lines = |records: &[hickory_proto::rr::Record]| records.iter().map(line).collect();
    Ok(Answered {
        name: name.to_string(),
        by: by.to_owned(),
        rcode: rcode_name(message.metadata.response_code),
        answers: lines(&message.answers),
        authorities: lines(&message.authorities),
        data: message.answers.iter().map(data).collect(),
        size: reply.len(),
    })
}

/// A query as a resolver sends it, for a client in this prefix if one is given.
pub(super) fn request(
    name: &Name,
    kind: RecordType,
    subnet: Option<(IpAddr, u8)>,
) -> anyhow::Result<Vec<u8>> {
    let mut request = Message::new(0x746d, MessageType::Query, OpCode::Query);
    request.add_query(Query::query(name.clone(), kind));
    let mut edns = Edns::new();
    edns.set_max_payload(1232);
    if let Some((address, length)) = subnet {
        edns.options_mut().insert(EdnsOption::Subnet(ClientSubnet::new(address, length, 0)));
    }
    request.set_edns(edns);
    request.to_vec().context("cannot encode the question")
}

/// Who asks, and which of the served addresses: one of the same family where there is one.
pub(super) fn hosts(view: &View, client: Option<IpAddr>) -> anyhow::Result<(IpAddr, IpAddr)> {
    let served = view.published.borrow().listening.served.clone();
    let family = |like: &IpAddr| served.iter().copied().find(|address| address.is_ipv4() == like.is_ipv4());
    let client = match client {
        Some(client) => client,
        None if family(&CLIENTS.0).is_some() => CLIENTS.0,
        None => CLIENTS.1,
    };
    let server =
        family(&client).or(served.first().copied()).context("no address is served: check [listen]")?;
    Ok((client, server))
}

/// A name that ends in a zone or in a dot, or is a profile's in full, is taken as it is; others are completed by the default zone. Letters stay as they are written: the reply echoes them.
pub(super) fn full_name(text: &str, desired: &Desired) -> anyhow::Result<Name> {
    let known: DnsName = text.parse()?;
    let mut name = Name::from_ascii(text).with_context(|| format!("`{text}` is not a domain name"))?;
    let zone = &desired.node.zone().name;
    let is_profiles = || desired.profiles.values().any(|profile| profile.dns_name == known);
    if !text.ends_with('.') && !desired.node.has_zone_of(&known) && !is_profiles() {
        known.under(zone)?;
        name = name.append_name(&zone.to_hickory())?;
    }
    name.set_fqdn(true);
    Ok(name)
}

pub(super) fn parse_type(text: &str) -> anyhow::Result<RecordType> {
    let upper = text.to_ascii_uppercase();
    match upper.strip_prefix("TYPE").and_then(|number| number.parse::<u16>().ok()) {
        Some(number) => Ok(RecordType::from(number)),
        None => upper
            .parse()
            .ok()
            .with_context(|| format!("`{text}` is not a record type (write A, AAAA, TXT, TYPE65 ...)")),
    }
}

/// As `dig` writes it.
pub(super) fn rcode_name(code: hickory_proto::op::ResponseCode) -> String {
    use hickory_proto::op::ResponseCode;
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        other => format!("{other:?}").to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{desired::Profile, samples};

    #[test]
    fn names_are_completed_and_keep_their_letters() {
        let outside = Profile {
            dns_name: "www.contoso.com".parse().unwrap(),
            ..samples::profile("contoso", samples::monitor(), vec![])
        };
        let desired = samples::desired(&[], vec![outside]);
        let full = |text: &str| full_name(text, &desired).map(|name| name.to_ascii());
        assert_eq!(full("WWW.contoso.com").unwrap(), "WWW.contoso.com.");
        assert_eq!(full("contoso.com").unwrap(), "contoso.com.tm.example.");
        assert_eq!(full("cOnToSo").unwrap(), "cOnToSo.tm.example.");
        assert_eq!(full("a.B").unwrap(), "a.B.tm.example.");
        assert_eq!(full("cOnToSo.TM.Example").unwrap(), "cOnToSo.TM.Example.");
        assert_eq!(full("Other.example.").unwrap(), "Other.example.");
        let labels = ["x"; 4].map(|letter| letter.repeat(60)).join(".");
        assert!(full(&labels).unwrap_err().to_string().contains("too long"));
    }
}
