//! The engine on the host: what the programs in the kernel do together.

use tm_common::{
    answer::{answer, answer_below, udp},
    edns::{ALL, NONE},
    encloser::{self, Encloser, FEW},
    name::{LONG, SHORT},
    packet::Buffer,
    verdict::Reason,
};
use tm_userspace::sync::Image;

/// Room for a reply beyond its query, in octets.
const ROOM: usize = 2048;

/// What the programs do together with a frame: why, and the frame as they leave it.
pub fn answer_frame(frame: &[u8], image: &Image) -> (Reason, Vec<u8>) {
    let mut octets = frame.to_vec();
    octets.resize(frame.len() + ROOM, 0);
    let mut packet = Buffer::new(&mut octets, frame.len());
    let answered = match answer::<SHORT, false>(&mut packet, image) {
        Err(Reason::Full | Reason::Options | Reason::Cookie) => answer::<SHORT, true>(&mut packet, image),
        Err(Reason::LongName) => answer::<LONG, true>(&mut packet, image),
        done => done,
    };
    let answered = answered.or_else(|reason| match reason {
        Reason::UnknownName if encloser::may_be(&packet, image) => {
            let udp = udp(&packet, image).unwrap_or(usize::MAX);
            let encloser = encloser::find::<FEW, _>(&mut packet, udp, image).unwrap_or(Encloser::NOTHING);
            match answer_below::<NONE>(&mut packet, encloser, image) {
                Err(Reason::Full | Reason::Options | Reason::Cookie) => {
                    answer_below::<ALL>(&mut packet, encloser, image)
                }
                done => done,
            }
        }
        other => Err(other),
    });
    (Reason::of(answered), packet.contents().to_vec())
}
