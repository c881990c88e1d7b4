//! Tells secondaries that a zone has changed ([RFC 1996]), until they say that they have heard, or have been told often enough: they look by themselves too.
//!
//! [RFC 1996]: https://www.rfc-editor.org/rfc/rfc1996

use std::{
    collections::HashMap,
    future::pending,
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_proto::{
    op::{Message, MessageType, OpCode, Query, ResponseCode},
    rr::RecordType,
};
use tokio::{
    net::UdpSocket,
    sync::watch,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Content, Contents};
use crate::{
    desired::Secondary,
    dns::{ZoneView, tsig::Session},
    names::DnsName,
};

/// How long the first answer is waited for; each later one twice as long as the one before.
const WAIT: Duration = Duration::from_secs(1);
/// How often each is told: for half a minute.
const TIMES: u32 = 5;
/// Octets of the longest answer that is looked at.
const LONGEST: usize = 1232;

/// Tells everybody of each zone's new content, and of those that are there at the beginning.
pub(super) async fn run(mut contents: watch::Receiver<Contents>, zone: watch::Receiver<Arc<ZoneView>>) {
    // By zone, what is told, and who is being told.
    let mut telling: HashMap<DnsName, (Arc<Content>, Vec<AbortOnDropHandle<()>>)> = HashMap::new();
    loop {
        let now = contents.borrow_and_update().clone();
        let notify = zone.borrow().transfer().notify.clone();
        telling.retain(|zone, _| now.contains_key(zone));
        for (zone, content) in now {
            if telling.get(&zone).is_some_and(|(told, _)| Arc::ptr_eq(told, &content)) {
                continue;
            }
            let tell = |secondary| AbortOnDropHandle::new(tokio::spawn(tell(secondary, content.clone())));
            let handles = notify.iter().cloned().map(tell).collect();
            // Whoever has not yet heard of the one before is told of this one instead.
            telling.insert(zone, (content, handles));
        }
        if contents.changed().await.is_err() {
            // Nothing new will come.
            return pending().await;
        }
    }
}

async fn tell(secondary: Secondary, content: Arc<Content>) {
    let zone = &content.zone().name;
    let (address, serial) = (secondary.address, content.serial());
    match ask(&secondary, &content).await {
        Ok(ResponseCode::NoError) => {
            tracing::debug!(%address, %zone, serial, "a secondary knows of the new zone")
        }
        Ok(code) => {
            tracing::warn!(%address, %zone, serial, %code, "a secondary does not want to know of the new zone: is this server one of its primaries, and the key right?");
        }
        Err(error) => {
            tracing::warn!(%address, %zone, serial, %error, "a secondary could not be told of the new zone; it will look by itself");
        }
    }
}

/// What the secondary says to it.
async fn ask(secondary: &Secondary, content: &Content) -> io::Result<ResponseCode> {
    let (message, session) = message(secondary, content)?;
    let any: SocketAddr = match secondary.address {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(secondary.address).await?;
    let mut reply = [0; LONGEST];
    let mut why = io::Error::from(ErrorKind::TimedOut);
    for time in 0..TIMES {
        let until = Instant::now() + WAIT * 2_u32.pow(time);
        let mut sent = socket.send(&message).await.map(|_| ());
        while sent.is_ok() {
            match timeout_at(until, socket.recv(&mut reply)).await {
                Ok(Ok(length)) => {
                    if let Some(code) = answer(&message, &reply[..length], session.as_ref()) {
                        return Ok(code);
                    }
                }
                Ok(Err(error)) => sent = Err(error),
                Err(_) => break,
            }
        }
        if let Err(error) = sent {
            // Nobody listens there, perhaps not yet.
            why = error;
            tokio::time::sleep_until(until).await;
        }
    }
    Err(why)
}

/// NOTIFY with the new SOA, signed where there is a key.
fn message(secondary: &Secondary, content: &Content) -> io::Result<(Vec<u8>, Option<Session>)> {
    let mut message = Message::query();
    message.metadata.op_code = OpCode::Notify;
    message.metadata.authoritative = true;
    message.add_query(Query::query(content.zone().name.to_hickory(), RecordType::SOA));
    message.add_answer(content.soa());
    let message = message.to_vec().map_err(io::Error::other)?;
    let Some(key) = &secondary.key else { return Ok((message, None)) };
    let mut session = Session::begin(key).map_err(io::Error::other)?;
    let message = session.sign(message).map_err(io::Error::other)?;
    Ok((message, Some(session)))
}

/// What `reply` says, if it is the one to `message`: its ID, its opcode, and where that was signed its signature are right.
fn answer(message: &[u8], reply: &[u8], session: Option<&Session>) -> Option<ResponseCode> {
    let said = Message::from_vec(reply).ok()?;
    let is_ours = reply[..2] == message[..2]
        && said.metadata.message_type == MessageType::Response
        && said.metadata.op_code == OpCode::Notify;
    // Who knows no key cannot sign that it does not.
    let is_right = said.metadata.response_code != ResponseCode::NoError
        || session.is_none_or(|session| session.is_right(reply));
    (is_ours && is_right).then_some(said.metadata.response_code)
}
