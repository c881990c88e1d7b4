//! The engine on the host: what the programs in the kernel do together, from program to program as they do it.

mod harm;
mod tables;

use tm_common::{
    packet::Buffer,
    programs::{FIRST, NAMES, Shell, run},
    verdict::Reason,
};
use tm_userspace::sync::Image;

use harm::{Countdown, Frail};
use tables::Tables;

pub use harm::{Harm, Instead};

/// Room for a reply beyond its query, in octets.
const ROOM: usize = 2048;

/// What the programs made of a frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// Why.
    pub reason: Reason,
    /// The frame as they leave it.
    pub octets: Vec<u8>,
    /// What counts the answer in it, where it is one of those of which some are told of.
    pub sampled: Option<u32>,
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
    Host::new(&mut octets, frame.len(), image, None).run()
}

/// The same, where something fails on the way. `None` where nothing did: there are not so many look-ups or accesses.
pub fn run_harmed(frame: &[u8], image: &Image, harm: Harm) -> Option<Outcome> {
    let mut octets = frame.to_vec();
    octets.resize(frame.len() + ROOM, 0);
    let mut host = Host::new(&mut octets, frame.len(), image, Some(harm));
    let outcome = host.run();
    let has_failed = [&host.packet.countdown, &host.tables.countdown].map(|one| one.has_failed.get());
    has_failed.contains(&true).then_some(outcome)
}

/// How a program ends.
enum Step {
    /// It is done with the frame.
    Done(Reason),
    /// The program of this number goes on, which is what a tail call is: nobody comes back.
    GoOn(u32),
}

/// A frame on its way through the programs.
struct Host<'a> {
    packet: Frail<'a>,
    tables: Tables<'a>,
    programs: Vec<&'static str>,
}

impl<'a> Host<'a> {
    fn new(octets: &'a mut [u8], size: usize, image: &'a Image, harm: Option<Harm>) -> Self {
        let access = match harm {
            Some(Harm::Access { nth }) => Some(nth),
            _ => None,
        };
        let packet = Frail { buffer: Buffer::new(octets, size), countdown: Countdown::new(access, false) };
        Host { packet, tables: Tables::new(image, harm), programs: vec![] }
    }
    fn run(&mut self) -> Outcome {
        let mut step = run(self, FIRST);
        let reason = loop {
            match step {
                Step::Done(reason) => break reason,
                Step::GoOn(program) => step = run(self, program),
            }
        };
        let packet = &self.packet.buffer;
        let (octets, sampled) = (packet.contents().to_vec(), packet.sampled());
        Outcome { reason, octets, sampled, programs: std::mem::take(&mut self.programs) }
    }
}

impl<'a> Shell for Host<'a> {
    type Packet = Frail<'a>;
    type Tables = Tables<'a>;
    type End = Step;

    fn parts(&mut self) -> (&mut Frail<'a>, &Tables<'a>) {
        (&mut self.packet, &self.tables)
    }
    fn go_on(&mut self, program: u32) -> Option<Step> {
        self.programs.push(NAMES.get(program as usize)?);
        Some(Step::GoOn(program))
    }
    fn finish(&mut self, answered: Result<(), Reason>) -> Step {
        Step::Done(Reason::of(answered))
    }
    fn pass(&mut self, reason: Reason) -> Step {
        Step::Done(reason)
    }
    fn let_by(&mut self, reason: Reason) -> Step {
        Step::Done(reason)
    }
}
