//! What people read.

use comfy_table::{Table, presets::NOTHING};

use super::out::say;
use crate::api::{Answered, Status};

pub(super) fn status(status: &Status) {
    say!("zone {}  generation {}  at {}", status.zone, status.generation, status.addresses.join(", "));
    for interface in &status.interfaces {
        let xdp = interface.xdp.as_deref().unwrap_or("not attached; sockets answer");
        say!("interface {}  XDP {xdp}", interface.name);
    }
    if status.mode == "off" {
        say!("XDP off; sockets answer");
    }
    if let Some(geo) = &status.geo {
        say!(
            "places from {}  {}  built {}  networks {} + {}",
            geo.database,
            geo.kind,
            geo.built,
            geo.rows_ipv4,
            geo.rows_ipv6
        );
    }
    if let Some(error) = &status.config_error {
        say!("the configuration on disk is wrong and not in force:\n{error}");
    }
    if let Some(error) = &status.store_error {
        say!("{error}");
    }
    let answered: u64 = status.packets.get("answered").copied().unwrap_or(0);
    let by_sockets: u64 = status.messages.values().sum();
    say!("answered by XDP {answered}  seen by sockets {by_sockets}");
    say!();
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "PROFILE",
        "ENDPOINT",
        "TARGET",
        "STATUS",
        "SHARE",
        "SINCE",
        "LAST PROBE OR CHILD",
        "ANSWERS",
        "NOTES",
    ]);
    for profile in &status.profiles {
        table.add_row([
            profile.name.clone(),
            String::new(),
            profile.dns_name.clone(),
            profile.monitor_status.clone(),
            profile.routing_method.clone(),
            String::new(),
            String::new(),
            String::new(),
            String::new(),
        ]);
        for endpoint in &profile.endpoints {
            // A nested endpoint is not probed, and what it answers counts for those below it.
            let (probed, answers) = match &endpoint.child {
                Some(child) => {
                    let (up, needed) = (child.available, child.min_child_endpoints);
                    (format!("{}: {up} available, {needed} needed", child.monitor_status), "-".to_owned())
                }
                None => (
                    endpoint.last_reason.clone().unwrap_or_else(|| "-".to_owned()),
                    endpoint.answers.to_string(),
                ),
            };
            table.add_row([
                String::new(),
                endpoint.name.clone(),
                match endpoint.child {
                    Some(_) => format!("profile {}", endpoint.target),
                    None => endpoint.target.clone(),
                },
                endpoint.monitor_status.clone(),
                endpoint
                    .share
                    .map_or_else(|| "by place".to_owned(), |share| format!("{:.1}%", share * 100.0)),
                endpoint.since.clone().unwrap_or_else(|| "-".to_owned()),
                probed,
                answers,
                endpoint.notes.join("; "),
            ]);
        }
    }
    say!("{table}");
}

/// The answer as `dig` would print its sections, and on the last line only what a script wants.
pub(super) fn answered(answered: &Answered) {
    say!("; {} by {} in {} octets", answered.rcode, answered.by, answered.size);
    answered.answers.iter().for_each(|line| say!("{line}"));
    answered.authorities.iter().for_each(|line| say!("; {line}"));
    say!("{}", if answered.data.is_empty() { answered.rcode.clone() } else { answered.data.join(" ") });
}
