//! Which interfaces carry the program: those that are listed and there.

use super::Control;
use crate::xdp::{Attached, strips_vlan_tags};

/// The families in which the loopback interface does not forward: the routing table then answers nobody who asks as if from this host.
fn closed_families() -> impl Iterator<Item = &'static str> {
    ["v4", "v6"].into_iter().filter(|family| {
        let setting = std::fs::read_to_string(format!("/proc/sys/net/ip{family}/conf/lo/forwarding"));
        // Where there is no such setting, there is no such family.
        setting.is_ok_and(|value| value.trim() == "0")
    })
}

impl Control {
    /// Attaches to every listed interface that is there and not attached to, and lets go of those that are not listed, gone, made anew, or attached in
    /// another hook than is wanted.
    pub(super) fn attach(&mut self) {
        let listen = &self.desired.node.listen;
        let mut kernel = self.tables.kernel();
        let Some(kernel) = kernel.as_mut() else {
            // A program that an earlier run left would go on answering what was true then.
            if let Some(pins) = &self.pins {
                pins.tidy(&[], None);
            }
            return;
        };
        let attached: Vec<(String, u32, Attached)> =
            kernel.attached().map(|(name, index, how)| (name.to_owned(), index, how)).collect();
        for (name, index, how) in &attached {
            let now = self.host.get(name).map(|interface| interface.index);
            if !listen.interfaces.contains(name) || now != Some(*index) || !how.suits(listen.mode) {
                match now {
                    None => tracing::error!(
                        interface = name,
                        "the interface is gone; waiting for it to come back"
                    ),
                    Some(_) => tracing::info!(interface = name, "detached"),
                }
                kernel.detach(name);
            }
        }
        for name in &listen.interfaces {
            if kernel.attached().any(|(attached, ..)| attached == name) {
                continue;
            }
            if !self.host.contains_key(name) {
                tracing::error!(interface = name, "there is no such interface; waiting for it");
                continue;
            }
            if strips_vlan_tags(name) == Some(true) && !listen.vlans.is_empty() {
                tracing::error!(
                    interface = name,
                    "the card strips VLAN tags before XDP sees them: `ethtool -K {name} rx-vlan-offload off`, or tagged queries are taken for untagged ones"
                );
            }
            if listen.route_lookup {
                for family in closed_families() {
                    tracing::error!(
                        interface = name,
                        "the kernel looks no way back up over IP{family}, and the sockets answer it: `sysctl -w net.ip{family}.conf.lo.forwarding=1`"
                    );
                }
            }
            match kernel.attach(name, listen.mode) {
                Ok(mode) => tracing::info!(interface = name, ?mode, "XDP attached"),
                Err(error) => tracing::error!(
                    interface = name,
                    error = format!("{error:#}"),
                    "XDP does not answer here; the sockets do"
                ),
            }
        }
        kernel.tidy_pins();
    }
}
