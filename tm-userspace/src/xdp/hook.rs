//! Which program is on an interface, ours or not: asked of the kernel by netlink (`RTM_GETLINK`).

use std::os::fd::{AsRawFd as _, OwnedFd};

use aya::programs::loaded_programs;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, recv, sendto, socket,
};

use super::attach::Attached;

/// The program on an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occupant {
    /// Its number, as `bpftool prog` shows it.
    pub(super) id: u32,
    /// In which hook it is; none for one in the card.
    pub(super) mode: Option<Attached>,
}

const RTM_GETLINK: u16 = 18;
const RTM_NEWLINK: u16 = 16;
const NLM_F_REQUEST: u16 = 1;
/// Octets of `nlmsghdr` and of `ifinfomsg`.
const HEADERS: usize = 16 + 16;
const IFLA_XDP: u16 = 43;
const IFLA_XDP_ATTACHED: u16 = 2;
const IFLA_XDP_PROG_ID: u16 = 4;
/// Upper bits of an attribute's type are flags.
const ATTRIBUTE_TYPE: u16 = 0x3fff;

impl Occupant {
    /// The program on the interface of this index. `None` also where the kernel does not say.
    pub(super) fn of(index: u32) -> Option<Self> {
        in_reply(&ask(index)?)
    }

    /// For an operator: which program, and what to do about it.
    pub(super) fn describe(self) -> String {
        let Occupant { id, .. } = self;
        let name = loaded_programs().flatten().find(|program| program.id() == id);
        let name = name.and_then(|program| program.name_as_str().map(str::to_owned)).unwrap_or_default();
        match name.as_str() {
            super::PROGRAM | super::ROUTED => format!(
                "another tm's program is there (id {id}): stop that one or, where it is dead, run `tm detach` with its --config"
            ),
            _ => format!(
                "another XDP program is there, id {id} `{name}` (see `bpftool prog show id {id}`): stop what loaded it, or take it off by `ip link set dev NAME xdp off`"
            ),
        }
    }
}

fn ask(index: u32) -> Option<Vec<u8>> {
    let socket: OwnedFd =
        socket(AddressFamily::Netlink, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::NetlinkRoute)
            .ok()?;
    let mut request = Vec::with_capacity(HEADERS);
    request.extend((HEADERS as u32).to_ne_bytes());
    request.extend(RTM_GETLINK.to_ne_bytes());
    request.extend(NLM_F_REQUEST.to_ne_bytes());
    request.extend([0; 12]); // sequence and port, then family, padding and type
    request.extend(index.to_ne_bytes());
    request.extend([0; 8]); // flags and which of them change
    sendto(socket.as_raw_fd(), &request, &NetlinkAddr::new(0, 0), MsgFlags::empty()).ok()?;
    let mut reply = vec![0; 1 << 16];
    let length = recv(socket.as_raw_fd(), &mut reply, MsgFlags::empty()).ok()?;
    reply.truncate(length);
    Some(reply)
}

fn in_reply(reply: &[u8]) -> Option<Occupant> {
    let length = usize::try_from(u32::from_ne_bytes(word(reply, 0)?)).ok()?;
    if u16::from_ne_bytes(word(reply, 4)?) != RTM_NEWLINK {
        return None;
    }
    let xdp = attribute(reply.get(HEADERS..length)?, IFLA_XDP)?;
    let id = u32::from_ne_bytes(word(attribute(xdp, IFLA_XDP_PROG_ID)?, 0)?);
    let mode = match attribute(xdp, IFLA_XDP_ATTACHED)?.first()? {
        1 => Some(Attached::Native),
        2 => Some(Attached::Generic),
        _ => None,
    };
    (id != 0).then_some(Occupant { id, mode })
}

/// The value of the first attribute of this type.
fn attribute(mut octets: &[u8], wanted: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(word(octets, 0)?));
        let kind = u16::from_ne_bytes(word(octets, 2)?) & ATTRIBUTE_TYPE;
        let value = octets.get(4..length)?;
        if kind == wanted {
            return Some(value);
        }
        octets = octets.get(length.next_multiple_of(4)..)?;
    }
}

fn word<const N: usize>(octets: &[u8], at: usize) -> Option<[u8; N]> {
    octets.get(at..at + N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut octets = (4 + value.len() as u16).to_ne_bytes().to_vec();
        octets.extend(kind.to_ne_bytes());
        octets.extend(value);
        octets.resize(octets.len().next_multiple_of(4), 0);
        octets
    }

    fn reply(attributes: &[u8]) -> Vec<u8> {
        let mut octets = ((HEADERS + attributes.len()) as u32).to_ne_bytes().to_vec();
        octets.extend(RTM_NEWLINK.to_ne_bytes());
        octets.resize(HEADERS, 0);
        octets.extend(attributes);
        octets
    }

    #[test]
    fn a_program_is_found_among_other_attributes() {
        let xdp = [nested(IFLA_XDP_ATTACHED, &[2]), nested(IFLA_XDP_PROG_ID, &7u32.to_ne_bytes())].concat();
        let attributes = [nested(3, b"eth0\0"), nested(IFLA_XDP | 0x8000, &xdp)].concat();
        assert_eq!(in_reply(&reply(&attributes)), Some(Occupant { id: 7, mode: Some(Attached::Generic) }));
    }

    #[test]
    fn no_program_and_no_sense_are_none() {
        let none = nested(IFLA_XDP, &nested(IFLA_XDP_ATTACHED, &[0]));
        assert_eq!(in_reply(&reply(&none)), None);
        let whole = reply(&nested(IFLA_XDP, &nested(IFLA_XDP_PROG_ID, &[1; 4])));
        for length in 0..whole.len() {
            assert_eq!(in_reply(&whole[..length]), None, "{length}");
        }
        assert_eq!(in_reply(&reply(&[0; 8])), None, "an attribute without a length goes nowhere");
        assert_eq!(Occupant::of(u32::MAX >> 1), None);
    }
}
