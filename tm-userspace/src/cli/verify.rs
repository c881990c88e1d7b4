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

/// What the daemon answers.
struct Ours {
    daemon: Daemon,
    /// That of relative names first; a profile of a name in none of them is a zone of its own.
    zones: Vec<DnsName>,
}

/// A name that the daemon answers.
struct Reached {
    name: DnsName,
    /// The topmost name of the zone that it is in.
    zone: DnsName,
    /// Whose it is, as far as that may be told.
    profile: Option<String>,
}

pub(super) async fn run(verify: Verify) -> Result<(), Failure> {
    let resolver = resolver(verify.resolver).context("no resolver can be asked")?;
    let daemon = Daemon::find(&verify.reach.way)?;
    // Of no profile: the zone alone is wanted.
    let request = daemon.request(Method::GET, &["summaries"]).query(&[("profile", "")]);
    let summaries: Summaries = daemon.answer(request).await?;
    let zones = summaries.zones.iter().map(|zone| zone.parse());
    let zones: Vec<DnsName> = zones.collect::<Result<_, _>>().map_err(anyhow::Error::from)?;
    let ours = Ours { daemon, zones };
    let mut verdict = Verdict { name: verify.name.to_string(), ..Verdict::default() };
    if let Some(last) = follow(&ours, &resolver, &verify.name, &mut verdict).await? {
        judge(&ours, &resolver, &last, &mut verdict).await?;
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

impl Ours {
    /// Is it a name in one of the zones, or that of a profile?
    async fn reached(&self, name: &DnsName) -> Result<Option<Reached>, Failure> {
        // The smallest of those that it is in.
        let within = self.zones.iter().filter(|zone| name.is_within(zone));
        let zone = within.max_by_key(|zone| zone.wire().len()).cloned();
        let holder = self.holder(&format!("{name}.")).await?;
        let is_held = holder.profile.is_some() || !holder.available;
        Ok(match zone {
            Some(zone) => {
                let profile = match holder.profile {
                    None => self.wildcard_above(name, &zone).await?,
                    some => some,
                };
                Some(Reached { name: name.clone(), zone, profile })
            }
            None if is_held => {
                Some(Reached { name: name.clone(), zone: name.clone(), profile: holder.profile })
            }
            None => None,
        })
    }

    /// The profile of the longest wildcard that a name is below; the daemon's answer says whether it counts.
    async fn wildcard_above(&self, name: &DnsName, zone: &DnsName) -> Result<Option<String>, Failure> {
        for above in name.suffixes().skip(1).map(DnsName::from_wire) {
            if !above.is_within(zone) {
                break;
            }
            let holder = self.holder(&format!("*.{above}.")).await?;
            if holder.profile.is_some() {
                return Ok(holder.profile);
            }
        }
        Ok(None)
    }

    async fn holder(&self, name: &str) -> Result<Availability, Failure> {
        self.daemon.answer(self.daemon.request(Method::GET, &["names", name])).await
    }

    /// That in which a new profile has its name unless it says otherwise.
    fn first_zone(&self) -> String {
        self.zones.first().map(ToString::to_string).unwrap_or_default()
    }
}

/// Down the CNAMEs to a name that the daemon answers; none where there is no way to one.
async fn follow(
    ours: &Ours,
    resolver: &TokioResolver,
    name: &DnsName,
    verdict: &mut Verdict,
) -> Result<Option<Reached>, Failure> {
    let mut at = name.clone();
    let mut seen = vec![at.clone()];
    loop {
        if let Some(reached) = ours.reached(&at).await? {
            return Ok(Some(reached));
        }
        let found = ask(resolver, &at, RecordType::CNAME).await?;
        let next = found.records().iter().find_map(|record| match &record.data {
            RData::CNAME(target) => Some((record, target.0.clone())),
            _ => None,
        });
        let Some((record, target)) = next else {
            let missing = without_cname(resolver, &at, &ours.first_zone(), &found).await?;
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
}

/// What to do about a name that leads no further.
async fn without_cname(
    resolver: &TokioResolver,
    at: &DnsName,
    zone: &str,
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
    ours: &Ours,
    resolver: &TokioResolver,
    Reached { name, zone, profile }: &Reached,
    verdict: &mut Verdict,
) -> Result<(), Failure> {
    let daemon = &ours.daemon;
    let Some(profile) = profile else {
        let full = name.to_string();
        let relative = full.strip_suffix(&format!(".{}", ours.first_zone()));
        let create = match relative {
            Some(relative) => format!("{relative} routing_method=priority"),
            None => format!("NAME dns_name={full} routing_method=priority"),
        };
        verdict.missing.push(format!(
            "no profile answers {name}: make one, as `tm profile create {create}`, or let the CNAME name one that is there"
        ));
        return Ok(());
    };
    let there: ProfileResource = daemon.answer(daemon.request(Method::GET, &["profiles", profile])).await?;
    if let Some(reason) = there.not_in_force {
        verdict.missing.push(format!("profile {profile} is not in force: {reason}"));
    }
    let question = Question { name: format!("{name}."), kind: "A".to_owned(), client: None };
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
    (verdict.profile, verdict.monitor_status) = (Some(profile.clone()), there.monitor_status);
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
