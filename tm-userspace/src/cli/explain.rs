//! `tm explain`: why a profile answers as it does, as a tree.

use std::net::IpAddr;

use anyhow::anyhow;
use clap::Args;

use super::{Failure, Output, Reach, client, out::say};
use crate::api::{Check, EndpointStep, Explained, Group, Inquiry, Outcome, ProfileStep};

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// A profile's name, or its DNS name.
    profile: String,
    /// Record type: A, AAAA, TXT, TYPE65 ...
    #[arg(long = "type", short = 't', value_name = "TYPE", default_value = "A")]
    kind: String,
    /// Address that sends the query.
    #[arg(long, value_name = "ADDR")]
    client: Option<IpAddr>,
    /// Prefix of the client that the query names, as 198.51.100.0/24 (EDNS Client Subnet).
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    ecs: Option<(IpAddr, u8)>,
    /// What if: an endpoint of the profile, or PROFILE/ENDPOINT below it, were up, down or disabled; may be repeated.
    #[arg(long = "if", value_name = "ENDPOINT=STATE", value_parser = assumption)]
    assume: Vec<String>,
    /// Show the shares of all clients too.
    #[arg(long)]
    all_clients: bool,
    #[command(flatten)]
    reach: Reach,
}

pub(super) async fn run(explain: Explain) -> Result<(), Failure> {
    let Explain { profile, kind, client, ecs, assume, all_clients, reach } = explain;
    let inquiry = Inquiry { profile, kind, client, ecs, assume, all_clients };
    let explained = client::explain(&reach, &inquiry).await?;
    match reach.output {
        form @ (Output::Json | Output::Yaml) => form.print(&explained)?,
        Output::Text => say!("{}", text(&explained).trim_end()),
    }
    match explained.check.agrees {
        true => Ok(()),
        false => Err(anyhow!("what answers is not what was decided; this is a bug worth a report").into()),
    }
}

fn assumption(text: &str) -> Result<String, String> {
    match text.rsplit_once('=') {
        Some((endpoint, "up" | "down" | "disabled")) if !endpoint.is_empty() => Ok(text.to_owned()),
        _ => Err("write the endpoint's name and =up, =down or =disabled".to_owned()),
    }
}

/// An address alone is its own prefix; bits beyond the length do not count.
fn prefix(text: &str) -> Result<(IpAddr, u8), String> {
    let wrong = || format!("`{text}` is not a prefix: write 198.51.100.0/24 or 2001:db8::/56");
    let (address, length) = text.split_once('/').unzip();
    let address: IpAddr = address.unwrap_or(text).parse().map_err(|_| wrong())?;
    let bits = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Ok(bits), |length| length.parse().map_err(|_| wrong()))?;
    if length > bits {
        return Err(wrong());
    }
    let beyond = u128::MAX.checked_shr((128 - bits + length).into()).unwrap_or(0);
    Ok(match address {
        IpAddr::V4(address) => ((address & !std::net::Ipv4Addr::from_bits(beyond as u32)).into(), length),
        IpAddr::V6(address) => ((address & !std::net::Ipv6Addr::from_bits(beyond)).into(), length),
    })
}

fn text(explained: &Explained) -> String {
    let Explained { name, kind, client, .. } = explained;
    let by = if client.by == "ecs" { "EDNS Client Subnet" } else { "who sends the query" };
    let mut text = format!("{name} {kind} for {} ({by})\n", client.address);
    text.extend(explained.note.iter().chain(&client.note).map(|note| format!("{note}\n")));
    for assumed in &explained.assumed {
        let note =
            assumed.note.as_ref().map_or_else(String::new, |note| format!(": changes nothing, {note}"));
        text += &format!("if {} is {}{note}\n", assumed.endpoint, assumed.state);
    }
    let shown = explained.then.as_ref().unwrap_or(&explained.now);
    text.push('\n');
    draw(&mut text, &shown.profile, "");
    text.push('\n');
    text += &answers(shown);
    if explained.then.is_some() {
        text += &format!("\nnow\n{}", answers(&explained.now));
    }
    text += &checked(&explained.check, explained.then.is_some());
    for group in explained.all_clients.iter().flatten() {
        text += &shares(group);
    }
    text
}

/// A profile and what lies below, each line behind `margin`.
fn draw(text: &mut String, step: &ProfileStep, margin: &str) {
    let ProfileStep { name, routing_method, monitor_status, ttl, .. } = step;
    *text += &format!("{margin}{name}  {routing_method}  {monitor_status}  TTL {ttl}\n");
    let notes = step.place.iter().chain(&step.nobody);
    text.extend(notes.map(|note| format!("{margin}│  {note}\n")));
    let rows: Vec<[String; 5]> = step.endpoints.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let [name, target, status, share] = [0, 1, 2, 3].map(width);
    for (i, (endpoint, row)) in step.endpoints.iter().zip(&rows).enumerate() {
        let (branch, below) = if i + 1 < rows.len() { ("├─ ", "│  ") } else { ("└─ ", "   ") };
        *text += &format!(
            "{margin}{branch}{:name$}  {:target$}  {:status$}  {:>share$}  {}\n",
            row[0], row[1], row[2], row[3], row[4]
        );
        if let Some(profile) = endpoint.profile.as_ref().filter(|_| endpoint.share > 0.0) {
            draw(text, profile, &format!("{margin}{below}"));
        }
    }
}

fn row(endpoint: &EndpointStep) -> [String; 5] {
    let share = if endpoint.share > 0.0 { percent(endpoint.share_of_all) } else { "-".to_owned() };
    let target = match endpoint.leads.as_deref() {
        Some("nested") => format!("profile {}", endpoint.target),
        _ => endpoint.target.clone(),
    };
    [endpoint.name.clone(), target, endpoint.monitor_status.clone(), share, endpoint.reason.clone()]
}

fn answers(outcome: &Outcome) -> String {
    let mut text = String::new();
    for part in &outcome.answers {
        let share = percent(part.share);
        match part.records.is_empty() {
            true => {
                let what = if outcome.rcode == "NXDOMAIN" { "no such name" } else { "no data" };
                text += &format!("{share:>6}  {what}: {}\n", part.reason.as_deref().unwrap_or_default());
            }
            false => {
                part.records.iter().for_each(|line| text += &format!("{share:>6}  {line}\n"));
                text.extend(part.reason.iter().map(|reason| format!("        and no more: {reason}\n")));
            }
        }
    }
    if let Some(sticky) = &outcome.sticky {
        let records =
            if sticky.records.is_empty() { "no data".to_owned() } else { sticky.records.join("\n        ") };
        text += &format!("always  {records}  for {}\n", sticky.clients);
    }
    let scope = outcome.scope.map_or_else(String::new, |scope| format!("  scope {scope}"));
    text + &format!("TTL {}{scope}\n", outcome.ttl)
}

fn checked(check: &Check, is_before: bool) -> String {
    let who = if check.by == "xdp" { "the loaded program" } else { "the sockets" };
    let why = check.reason.as_ref().map_or_else(String::new, |reason| format!(" ({reason})"));
    let now = if is_before { "now, " } else { "" };
    match &check.said {
        Some(said) => format!("checked: {now}not so: {who}{why} answers {said}\n"),
        None if check.turns > 1 => {
            format!("checked: {now}{who}{why} answers so, in {} turns\n", check.turns)
        }
        None => format!("checked: {now}{who}{why} answers so\n"),
    }
}

fn shares(group: &Group) -> String {
    /// Kinds of clients that people are shown.
    const SHOWN: usize = 5;
    let mut text = format!(
        "\nclients {}\n",
        group.clients.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("\n        ")
    );
    if group.clients.len() > SHOWN {
        text += &format!("        and {} more\n", group.clients.len() - SHOWN);
    }
    for shares in &group.shares {
        let endpoint = shares.endpoint.as_deref().unwrap_or("(no data)");
        let then = shares.then.map_or_else(String::new, |then| format!(" -> {}", percent(then)));
        text += &format!("{:>6}{then}  {endpoint}\n", percent(shares.now));
    }
    text
}

fn percent(share: f64) -> String {
    format!("{:.1}%", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_cut_to_their_length() {
        let read = |text: &str| prefix(text).map(|(address, length)| format!("{address}/{length}"));
        for (text, cut) in [
            ("198.51.100.7", "198.51.100.7/32"),
            ("198.51.100.7/24", "198.51.100.0/24"),
            ("198.51.100.7/0", "0.0.0.0/0"),
            ("2001:db8:ffff::1/35", "2001:db8:e000::/35"),
            ("::1", "::1/128"),
            ("ffff::/0", "::/0"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(cut));
        }
        for text in ["198.51.100.0/33", "198.51.100/24", "::/129", "/24", "x", "1.2.3.4/"] {
            assert!(read(text).unwrap_err().contains("is not a prefix"), "{text}");
        }
    }
}
