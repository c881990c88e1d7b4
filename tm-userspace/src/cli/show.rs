//! What people read.

use comfy_table::Cell;

use super::out::{self, say};
use crate::api::{Answered, LimitView, Status};

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
    let answered: u64 =
        ["answered", "no_such_name"].iter().filter_map(|reason| status.packets.get(*reason)).sum();
    let by_sockets: u64 = status.messages.values().sum();
    // Who may look at some profiles alone is told nothing of the node.
    if !status.packets.is_empty() {
        say!("answered by XDP {answered}  seen by sockets {by_sockets}");
        let both =
            |label| [&status.packets, &status.messages].into_iter().filter_map(|of| of.get(label)).sum();
        let (limited, slipped): (u64, u64) = (both("limited"), both("slipped"));
        if let Some(LimitView { state, answers_per_second, armed_above: Some(above), .. }) =
            status.rate_limit.as_ref().filter(|limit| limit.state == "armed")
        {
            say!(
                "limit on answers {state}, {answers_per_second} a second to a prefix: there were over {above} of the whole node"
            );
        }
        if limited + slipped > 0 {
            say!("over the limit: dropped {limited}  told to come back over TCP {slipped}");
        }
    }
    say!();
    let mut table = out::table();
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
            Cell::new(&profile.name),
            Cell::new(""),
            Cell::new(&profile.dns_name),
            out::state(&profile.monitor_status),
            Cell::new(&profile.routing_method),
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
                Cell::new(""),
                Cell::new(&endpoint.name),
                match endpoint.child {
                    Some(_) => Cell::new(format_args!("profile {}", endpoint.target)),
                    None => Cell::new(&endpoint.target),
                },
                out::state(&endpoint.monitor_status),
                Cell::new(share(endpoint.share)),
                Cell::new(endpoint.since.as_deref().unwrap_or("-")),
                Cell::new(probed),
                Cell::new(answers),
                Cell::new(endpoint.notes.join("; ")),
            ]);
        }
    }
    say!("{table}");
}

/// A part of all answers.
pub(super) fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "by place".to_owned(), |share| format!("{:.1}%", share * 100.0))
}

/// The answer as `dig` would print its sections, and on the last line only what a script wants.
pub(super) fn answered(answered: &Answered) {
    say!("; {} by {} in {} octets", answered.rcode, answered.by, answered.size);
    answered.answers.iter().for_each(|line| say!("{line}"));
    answered.authorities.iter().for_each(|line| say!("; {line}"));
    say!("{}", if answered.data.is_empty() { answered.rcode.clone() } else { answered.data.join(" ") });
}
