//! What programs are told once, when they are loaded, and go by for good: the verifier knows the values, and drops what they switch off.
//!
//! One value, made from what is wanted. The daemon's tables have it, and its sockets go by it at once; the loader gives it to the programs, which keep it, so
//! whether the programs in the kernel are those that are wanted is whether theirs is the same.

use tm_common::{edns::Payload, link::Link};

use crate::{
    desired::{Limit, Node},
    listen::Listening,
};

/// What is frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The UDP port that is served.
    pub port: u16,
    /// VLANs whose frames are answered.
    pub vlans: Vec<u16>,
    /// What frames to us begin with.
    pub link: Link,
    /// Is the way back looked up?
    pub is_routed: bool,
    /// How long replies over UDP may be.
    pub payload: Payload,
    /// How many there may be.
    pub limit: Limit,
}

impl Default for Frozen {
    /// For any card, at port 53, with replies as long as they are where nothing is configured, and any number of them.
    fn default() -> Self {
        Frozen {
            port: 53,
            vlans: Vec::new(),
            link: Link::ANY,
            is_routed: false,
            payload: Payload::default(),
            limit: Limit::default(),
        }
    }
}

impl Frozen {
    /// What is wanted by these settings on this host, with the limit on answers armed or not where it waits for a flood. While none of its cards is there, it stays what it was `before` for those.
    pub fn of(node: &Node, listening: &Listening, is_armed: bool, before: &Frozen) -> Self {
        let listen = &node.listen;
        Frozen {
            port: listen.port,
            vlans: listen.vlans.clone(),
            link: listening.link.unwrap_or(before.link),
            is_routed: listen.route_lookup,
            payload: listening.payload(node.sockets.payload),
            limit: node.rate_limit.in_force(is_armed),
        }
    }
}
