//! `tm verify`: from the name that the public asks for, through its CNAMEs, to the profile that answers; and what is missing on the way.
//!
//! It asks a resolver, as the public does, for each step by itself, and the daemon for what it knows of the last one.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context as _, anyhow};
use clap::Args;
use hickory_proto::{
    op::ResponseCode,
    rr::{Name, RData, Record, RecordType},
};
use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig},
    net::{DnsError, NetError, runtime::TokioRuntimeProvider},
};
use reqwest::Method;
use serde::Serialize;

use super::{Failure, Output, Reach, daemon::Daemon, out::say};
use crate::{
    api::{
        Answered, Question,
        native::{Availability, ProfileResource, Summaries},
    },
    names::DnsName,
};

/// CNAMEs followed: resolvers follow about as many.
const STEPS_AT_MOST: usize = 16;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The name that the public asks for, as www.contoso.com.
    name: DnsName,
    /// The resolver to ask, an address with or without a port [default: those of /etc/resolv.conf].
    #[arg(long, value_name = "ADDR", value_parser = resolver_address)]
    resolver: Option<SocketAddr>,
    #[command(flatten)]
    reach: Reach,
}

/// What was found.
#[derive(Debug, Default, Serialize)]
struct Verdict {
    name: String,
    /// Nothing is missing.
    ok: bool,
    /// The records on the way, and those at its end.
    records: Vec<String>,
    /// The profile that the name leads to.
    profile: Option<String>,
    monitor_status: Option<String>,
    missing: Vec<String>,
}

pub(super) async fn run(verify: Verify) -> Result<(), Failure> {
    let resolver = resolver(verify.resolver).context("no resolver can be asked")?;
    let daemon = Daemon::find(&verify.reach.way)?;
    // Of no profile: the zone alone is wanted.
    let request = daemon.request(Method::GET, &["summaries"]).query(&[("profile", "")]);
    let summaries: Summaries = daemon.answer(request).await?;
    let zone = summaries.zones.first().context("the daemon names no zone")?;
    let zone: DnsName = zone.parse().map_err(anyhow::Error::from)?;
    let mut verdict = Verdict { name: verify.name.to_string(), ..Verdict::default() };
    if let Some(last) = follow(&resolver, &verify.name, &zone, &mut verdict).await? {
        judge(&daemon, &resolver, &last, &zone, &mut verdict).await?;
    }
    verdict.ok = verdict.missing.is_empty();
    match verify.reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&verdict)?,
        Output::Text => print(&verdict),
    }
    if verdict.ok { Ok(()) } else { Err(Failure::Silent) }
}

fn print(verdict: &Verdict) {
    verdict.records.iter().for_each(|record| say!("{record}"));
    if let (Some(profile), Some(status)) = (&verdict.profile, &verdict.monitor_status) {
        say!("profile {profile}  {status}");
    }
    verdict.missing.iter().for_each(|missing| say!("missing: {missing}"));
    if verdict.ok {
        say!("ok");
    }
}

/// Down the CNAMEs to a name within the zone; none where there is no way to one.
async fn follow(
    resolver: &TokioResolver,
    name: &DnsName,
    zone: &DnsName,
    verdict: &mut Verdict,
) -> Result<Option<DnsName>, Failure> {
    let mut at = name.clone();
    let mut seen = vec![at.clone()];
    while !at.is_within(zone) {
        let found = ask(resolver, &at, RecordType::CNAME).await?;
        let next = found.records().iter().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((record, target.0.clone())),
            _ => None,
        });
        let Some((record, target)) = next else {
            let missing = without_cname(resolver, &at, zone, &found).await?;
            verdict.missing.push(missing);
            return Ok(None);
        };
        verdict.records.push(record.to_string());
        at = target.to_ascii().parse().map_err(anyhow::Error::from)?;
        if seen.contains(&at) || seen.len() == STEPS_AT_MOST {
            let way: Vec<String> = seen.iter().chain([&at]).map(ToString::to_string).collect();
            verdict.missing.push(format!("the CNAMEs lead nowhere: {}", way.join(" -> ")));
            return Ok(None);
        }
        seen.push(at.clone());
    }
    Ok(Some(at))
}

/// What to do about a name that leads no further.
async fn without_cname(
    resolver: &TokioResolver,
    at: &DnsName,
    zone: &DnsName,
    found: &Found,
) -> Result<String, Failure> {
    let record = format!("make a record `{at}. CNAME PROFILE.{zone}.`");
    Ok(match found {
        Found::Nothing(ResponseCode::NXDomain) => format!("there is no {at}: {record}"),
        Found::Nothing(ResponseCode::NoError) | Found::Records(_) => {
            let top = ask(resolver, at, RecordType::SOA).await?;
            if top.records().iter().any(|record| record.record_type() == RecordType::SOA) {
                format!(
                    "{at} is the top of its zone, where no CNAME can be: point a name below it, as www.{at}, or use your provider's ALIAS"
                )
            } else {
                let addresses: Vec<String> = ask(resolver, at, RecordType::A)
                    .await?
                    .records()
                    .iter()
                    .map(|record| record.data.to_string())
                    .collect();
                match &addresses[..] {
                    [] => format!("{at} is no CNAME: {record}"),
                    some => format!(
                        "{at} has addresses of its own ({}): {record} in their place",
                        some.join(", ")
                    ),
                }
            }
        }
        Found::Nothing(code) => {
            format!("the resolver says {code} of {at}: its name servers do not answer as they should")
        }
    })
}

/// Does a profile answer this name, and does the public see that?
async fn judge(
    daemon: &Daemon,
    resolver: &TokioResolver,
    name: &DnsName,
    zone: &DnsName,
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    let request = daemon.request(Method::GET, &["names", &name.to_string()]);
    let holder: Availability = daemon.answer(request).await?;
    let Some(profile) = holder.profile else {
        let relative = name.to_string();
        let relative = relative.trim_end_matches(&zone.to_string()).trim_end_matches('.');
        verdict.missing.push(format!(
            "no profile answers {name}: make one, as `tm profile create {relative} routing_method=priority`, or let the CNAME name one that is there"
        ));
        return Ok(());
    };
    let there: ProfileResource = daemon.answer(daemon.request(Method::GET, &["profiles", &profile])).await?;
    if let Some(reason) = there.not_in_force {
        verdict.missing.push(format!("profile {profile} is not in force: {reason}"));
    }
    let question = Question { name: name.to_string(), kind: "A".to_owned(), client: None };
    let own: Answered = daemon.post("query", &question).await?;
    match (own.rcode.as_str(), there.monitor_status.as_deref()) {
        ("NXDOMAIN", Some("Disabled")) => {
            verdict.missing.push(format!("profile {profile} is disabled: `tm profile enable {profile}`"))
        }
        ("NXDOMAIN", _) => verdict.missing.push(format!("profile {profile} has no endpoint that is enabled")),
        _ => {}
    }
    let mut records = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        for record in ask(resolver, name, kind).await?.records() {
            let record = record.to_string();
            if !records.contains(&record) {
                records.push(record);
            }
        }
    }
    if records.is_empty() && own.rcode != "NXDOMAIN" {
        let missing = match own.answers.is_empty() {
            true => format!("profile {profile} has nobody who may answer: `tm explain {profile}` says why"),
            false => format!(
                "the daemon answers {name}, but the resolver has no answer: in the zone above {zone}, NS records must name this zone's name servers, with their addresses"
            ),
        };
        verdict.missing.push(missing);
    }
    verdict.records.append(&mut records);
    (verdict.profile, verdict.monitor_status) = (Some(profile), there.monitor_status);
    Ok(())
}

/// What a resolver said.
enum Found {
    Records(Vec<Record>),
    Nothing(ResponseCode),
}

impl Found {
    fn records(&self) -> &[Record] {
        match self {
            Found::Records(records) => records,
            Found::Nothing(_) => &[],
        }
    }
}

async fn ask(resolver: &TokioResolver, name: &DnsName, kind: RecordType) -> Result<Found, Failure> {
    let wanted: Name = name.to_hickory();
    match resolver.lookup(wanted, kind).await {
        Ok(lookup) => Ok(Found::Records(lookup.answers().to_vec())),
        Err(NetError::Dns(DnsError::NoRecordsFound(none))) => Ok(Found::Nothing(none.response_code)),
        Err(NetError::Dns(DnsError::ResponseCode(code))) => Ok(Found::Nothing(code)),
        Err(error) => Err(anyhow!("the resolver cannot be asked for {name}: {error}").into()),
    }
}

fn resolver(address: Option<SocketAddr>) -> Result<TokioResolver, NetError> {
    let provider = TokioRuntimeProvider::default();
    let mut builder = match address {
        None => TokioResolver::builder(provider)?,
        Some(address) => {
            let mut server = NameServerConfig::udp_and_tcp(address.ip());
            for connection in &mut server.connections {
                connection.port = address.port();
            }
            TokioResolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), provider)
        }
    };
    let options = builder.options_mut();
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    builder.build()
}

fn resolver_address(text: &str) -> Result<SocketAddr, String> {
    let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|address| (address, 53).into()));
    address.map_err(|_| "write an address, as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}
