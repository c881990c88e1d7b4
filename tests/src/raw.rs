//! Whole Ethernet frames in and out of an interface.

use std::{
    io::{ErrorKind, Read},
    os::fd::AsRawFd,
};

use anyhow::{Context, Result};
use nix::{
    ifaddrs::getifaddrs,
    sys::socket::{AddressFamily, SockFlag, SockProtocol, SockType, bind, socket},
};
use socket2::{SockFilter, Socket};

use crate::DEADLINE;

/// A packet socket of the namespace it was opened in.
pub struct RawSocket(Socket);

impl RawSocket {
    /// Opens one on an interface of the calling thread's namespace. The kernel takes the outer VLAN tag off what it hands to it.
    pub fn open(interface: &str) -> Result<Self> {
        let addresses = getifaddrs().context("cannot list the interfaces")?;
        let address = addresses
            .filter(|entry| entry.interface_name == interface)
            .find_map(|entry| entry.address?.as_link_addr().copied());
        let address =
            address.with_context(|| format!("there is no interface {interface} in this namespace"))?;
        let protocol = SockProtocol::EthAll;
        let opened = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol);
        let opened = opened.context("cannot open a packet socket")?;
        bind(opened.as_raw_fd(), &address).with_context(|| format!("cannot bind to {interface}"))?;
        let socket = Socket::from(opened);
        socket.set_read_timeout(Some(DEADLINE))?;
        Ok(Self(socket))
    }

    /// Opens one that is given only frames whose outer tag is this one, tag protocol and tag control; the tag itself the kernel takes off.
    pub fn open_tagged(interface: &str, (protocol, control): (u16, u16)) -> Result<Self> {
        // Classic BPF of linux/filter.h; the ancillary words are what the kernel remembers of the tag.
        const LOAD: u16 = 0x20;
        const JUMP_IF_EQUAL: u16 = 0x15;
        const RETURN: u16 = 0x06;
        const ANCILLARY: u32 = 0xffff_f000;
        let [tag, present, tag_protocol] = [44, 48, 60].map(|word| ANCILLARY + word);
        let socket = Self::open(interface)?;
        socket.0.attach_filter(&[
            SockFilter::new(LOAD, 0, 0, present),
            SockFilter::new(JUMP_IF_EQUAL, 0, 5, 1),
            SockFilter::new(LOAD, 0, 0, tag),
            SockFilter::new(JUMP_IF_EQUAL, 0, 3, control.into()),
            SockFilter::new(LOAD, 0, 0, tag_protocol),
            SockFilter::new(JUMP_IF_EQUAL, 0, 1, protocol.into()),
            SockFilter::new(RETURN, 0, 0, u32::MAX),
            SockFilter::new(RETURN, 0, 0, 0),
        ])?;
        Ok(socket)
    }

    /// Sends one frame as it is.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        self.0.send(frame).map(|_| ()).context("cannot send a frame")
    }

    /// The next frame that `wanted` accepts; an error after ten seconds without any frame.
    pub fn receive(&mut self, wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        let mut octets = vec![0; 65_536];
        loop {
            match self.0.read(&mut octets) {
                Ok(length) if wanted(&octets[..length]) => return Ok(octets[..length].to_vec()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error).context("no such frame came"),
            }
        }
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
