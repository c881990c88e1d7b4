//! The engine on the host: what the programs in the kernel do together, from program to program as they do it.

mod tables;

use tm_common::{
    packet::{Buffer, Packet as _},
    programs::{NAMES, Shell, run, run_first},
    verdict::Reason,
};
use tm_userspace::sync::Image;

use tables::Tables;

/// Room for a reply beyond its query, in octets.
const ROOM: usize = 2048;

/// What the programs made of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Why.
    pub reason: Reason,
    /// The frame as they leave it.
    pub octets: Vec<u8>,
    /// Those behind the first one, in the order they ran.
    pub programs: Vec<&'static str>,
}

/// What the programs do together with a frame: why, and the frame as they leave it.
pub fn answer_frame(frame: &[u8], image: &Image) -> (Reason, Vec<u8>) {
    let Outcome { reason, octets, .. } = run_programs(frame, image, ROOM);
    (reason, octets)
}

/// The same, where a frame may grow by so many octets.
pub fn run_programs(frame: &[u8], image: &Image, room: usize) -> Outcome {
    let mut octets = frame.to_vec();
    octets.resize(frame.len() + room, 0);
    let mut host =
        Host { packet: Buffer::new(&mut octets, frame.len()), tables: Tables::new(image), programs: vec![] };
    let reason = run_first(&mut host);
    let Host { packet, programs, .. } = host;
    let size = packet.size();
    octets.truncate(size);
    Outcome { reason, octets, programs }
}

/// A tail call is a call here.
struct Host<'a> {
    packet: Buffer<'a>,
    tables: Tables<'a>,
    programs: Vec<&'static str>,
}

impl<'a> Shell for Host<'a> {
    type Packet = Buffer<'a>;
    type Tables = Tables<'a>;
    type End = Reason;

    fn parts(&mut self) -> (&mut Buffer<'a>, &Tables<'a>) {
        (&mut self.packet, &self.tables)
    }
    fn go_on(&mut self, program: u32) -> Option<Reason> {
        self.programs.push(NAMES.get(program as usize)?);
        run(self, program)
    }
    fn finish(&mut self, answered: Result<(), Reason>) -> Reason {
        Reason::of(answered)
    }
    fn pass(&mut self, reason: Reason) -> Reason {
        reason
    }
    fn let_by(&mut self, reason: Reason) -> Reason {
        reason
    }
}
