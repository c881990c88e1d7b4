//! What the engine makes of a message that a socket was given.

use std::net::IpAddr;

use tm_common::{
    answer::{answer_message, answer_message_below},
    name::{LONG, SHORT},
    net::{BARE, Bare},
    packet::{Buffer, Packet},
    verdict::Reason,
};

use super::{counts::Outcome, transport::Transport};
use crate::sync::Reader;

/// How much longer the engine's reply may be than the query: records of the large class and an OPT.
const ROOM: usize = 2048;

/// What became of a message.
pub(super) struct Answered {
    pub(super) outcome: Outcome,
    pub(super) reply: Option<Vec<u8>>,
    /// What counted the answer, where it is to be told of.
    pub(super) sampled: Option<u32>,
}

/// Asks the engine: for what it makes of the message, the reply where it says something, and what counted it where it is to be told of.
pub(super) fn ask(
    tables: Reader<'_>,
    message: &[u8],
    client: IpAddr,
    transport: Transport,
) -> Result<Answered, Reason> {
    let limit = match transport {
        Transport::Udp => 0,
        Transport::Tcp | Transport::Tls | Transport::Https => u16::MAX,
    };
    let size = BARE + message.len();
    let mut octets = Vec::with_capacity(size + ROOM);
    octets.extend(Bare::prefix(client, limit));
    octets.extend(message);
    octets.resize(size + ROOM, 0);
    let mut packet = Buffer::new(&mut octets, size);
    let made = match answer_message::<SHORT>(&mut packet, &tables) {
        Err(Reason::LongName) => answer_message::<LONG>(&mut packet, &tables),
        done => done,
    }
    .or_else(|reason| match reason {
        Reason::UnknownName => answer_message_below(&mut packet, &tables),
        other => Err(other),
    });
    let (size, sampled) = (packet.size(), packet.sampled());
    octets.truncate(size);
    octets.drain(..BARE);
    match made {
        Ok(()) => Ok(Answered { outcome: Outcome::of_engine(&octets), reply: Some(octets), sampled }),
        Err(Reason::Slipped) => {
            Ok(Answered { outcome: Outcome::Slipped, reply: Some(octets), sampled: None })
        }
        Err(Reason::Limited) => Ok(Answered { outcome: Outcome::Limited, reply: None, sampled: None }),
        Err(reason) => Err(reason),
    }
}
