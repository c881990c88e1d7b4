//! Whole Ethernet frames in and out of an interface.

use std::io::ErrorKind;

use anyhow::{Context, Result, bail};
use pnet_datalink::{Channel, Config, DataLinkReceiver, DataLinkSender};

use crate::DEADLINE;

/// A packet socket of the namespace it was opened in. The kernel takes the outer VLAN tag off what it hands to such sockets:
/// open one on a VLAN's own interface to see what came with its tag.
pub struct RawSocket {
    sender: Box<dyn DataLinkSender>,
    receiver: Box<dyn DataLinkReceiver>,
}

impl RawSocket {
    /// Opens one on an interface of the calling thread's namespace.
    pub fn open(interface: &str) -> Result<Self> {
        let found = pnet_datalink::interfaces().into_iter().find(|candidate| candidate.name == interface);
        let found = found.with_context(|| format!("there is no interface {interface} in this namespace"))?;
        let config = Config { read_timeout: Some(DEADLINE), promiscuous: false, ..Config::default() };
        match pnet_datalink::channel(&found, config) {
            Ok(Channel::Ethernet(sender, receiver)) => Ok(Self { sender, receiver }),
            Ok(_) => bail!("{interface} does not carry Ethernet frames"),
            Err(error) => Err(error).with_context(|| format!("cannot open a packet socket on {interface}")),
        }
    }

    /// Sends one frame as it is.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.sender
            .send_to(frame, None)
            .context("the packet socket has no room")?
            .context("cannot send a frame")
    }

    /// The next frame that `wanted` accepts; an error after ten seconds without any frame.
    pub fn receive(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        loop {
            match self.receiver.next() {
                Ok(frame) if wanted(frame) => return Ok(frame.to_vec()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("no such frame came"),
            }
        }
    }

    /// Sends a frame and returns the next one that comes from where it went: Ethernet source and destination exchanged.
    pub fn exchange(&mut self, frame: &[u8]) -> Result<Vec<u8>> {
        self.send(frame)?;
        self.receive(|reply| reply.len() >= 14 && reply[..6] == frame[6..12] && reply[6..12] == frame[..6])
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::{frame::Frame, lab::Lab, query, reply::check_reply};

    #[test]
    fn frames_reach_the_server_and_its_answers_are_whole() {
        let lab = Lab::new().unwrap();
        let mut raw = lab.raw().unwrap();
        let query = query::Query::with_edns("www.x", query::qtype::A).build();
        for (address, frame) in
            [("10.53.0.1", Frame::v4(query.clone())), ("fd53::1", Frame::v6(query.clone()))]
        {
            let server = lab.in_server(|| UdpSocket::bind((address, 53)).unwrap()).unwrap();
            server.set_read_timeout(Some(DEADLINE)).unwrap();
            raw.send(&frame.build()).unwrap();
            let mut bytes = [0; 512];
            let (length, from) = server.recv_from(&mut bytes).unwrap();
            assert_eq!((&bytes[..length], from), (&query[..], frame.source));
            server.send_to(&bytes[..length], from).unwrap();
            // A half-made checksum, as offload leaves it, would be refused here.
            let reply = raw.receive(|reply| reply[..6] == frame.source_mac).unwrap();
            let reply = check_reply(&reply).unwrap();
            assert_eq!((reply.source, reply.destination), (frame.destination, frame.source));
            assert_eq!(reply.payload, query);
        }
    }
}
