//! The loaded programs and the engine on the host: same reason, same verdict, same octets, for every frame.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Result, ensure};
use tm_common::verdict::{Reason, Verdict};
use tm_userspace::{sync::Image, xdp::Kernel};

use crate::{host::answer_frame, reply::check_reply};

/// A loaded kernel, and the tables that it was loaded from.
///
/// The turns of weighted blocks are per CPU: whoever asks stays on one, which [`Pair::load`] sees to for its thread.
pub struct Pair {
    kernel: Kernel,
    image: Image,
}

impl Pair {
    /// Loads the tables, and keeps this thread on one CPU from now on.
    pub fn load(image: Image) -> Result<Self> {
        stay_on(0)?;
        Ok(Pair { kernel: Kernel::load(&image).context("the programs do not load")?, image })
    }

    /// Asks both with one frame and gives what they agree on. Fails where they do not, where a refused frame was changed, and where a reply is not right in
    /// every length and checksum.
    pub fn ask(&self, frame: &[u8]) -> Result<(Reason, Vec<u8>)> {
        let (reason, octets) = ask(&self.kernel, frame)?;
        if let Some(made) = cookie_time(&octets).filter(|_| reason == Reason::Answered) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
            ensure!(now.abs_diff(made.into()) < 3700, "a cookie of {made}, and it is {now}");
            self.image.set_time(made);
        }
        let (expected, wanted) = answer_frame(frame, &self.image);
        self.image.set_time(0);
        ensure!(
            (reason, &octets) == (expected, &wanted),
            "the kernel says {} {octets:02x?}, the host {} {wanted:02x?}, to {frame:02x?}",
            reason.label(),
            expected.label()
        );
        match reason.verdict() {
            Verdict::Pass | Verdict::Drop => {
                ensure!(octets == frame, "passed up or dropped, but changed: {octets:02x?}, was {frame:02x?}")
            }
            Verdict::Reply => {
                _ = check_reply(&octets).with_context(|| format!("{octets:02x?} to {frame:02x?}"))?
            }
            Verdict::Abort => anyhow::bail!("half written: {frame:02x?}"),
        }
        Ok((reason, octets))
    }

    /// Asks with every frame; says how many had which reason.
    pub fn ask_all<'a>(
        &self,
        frames: impl IntoIterator<Item = &'a Vec<u8>>,
    ) -> Result<BTreeMap<&'static str, usize>> {
        let mut reasons = BTreeMap::new();
        for frame in frames {
            *reasons.entry(self.ask(frame)?.0.label()).or_default() += 1;
        }
        Ok(reasons)
    }
}

/// When the cookie in a reply was made, if there is one: what the program's clock said, or whoever made it before.
fn cookie_time(reply: &[u8]) -> Option<u32> {
    let at = reply.windows(4).rposition(|head| head == [0, 10, 0, 24])? + 4 + 8;
    let [version, _, _, _, time @ ..] = reply.get(at..at + 8)? else { return None };
    (*version == 1).then(|| u32::from_be_bytes(time.try_into().unwrap_or_default()))
}

/// Keeps this thread on one CPU.
pub fn stay_on(cpu: usize) -> Result<()> {
    let mut one = rustix::thread::CpuSet::new();
    one.set(cpu);
    rustix::thread::sched_setaffinity(None, &one).with_context(|| format!("cannot stay on CPU {cpu}"))
}

/// Sends a frame through the loaded programs; the reason is the counter that moved.
pub fn ask(kernel: &Kernel, frame: &[u8]) -> Result<(Reason, Vec<u8>)> {
    let counters = kernel.counters();
    let before = counters.refused();
    let (verdict, octets) = kernel.ask(frame)?;
    let after = counters.refused();
    let mut moved: Vec<Reason> = Reason::ALL
        .iter()
        .copied()
        .filter(|reason| !matches!(reason, Reason::Answered | Reason::NoSuchName))
        .filter(|reason| after[*reason as usize] != before[*reason as usize])
        .collect();
    if verdict == Verdict::Reply && moved.is_empty() {
        moved.push(Reason::Answered);
    }
    let [reason] = moved[..] else { anyhow::bail!("one frame was counted under {moved:?}: {frame:02x?}") };
    ensure!(reason.verdict() == verdict, "counted as {} but {verdict:?}: {frame:02x?}", reason.label());
    Ok((reason, octets))
}

/// Frames cut at every length, spoilt at every octet, and behind tags that are listed and not: what surrounds a right one.
pub fn spoilt(frame: &[u8]) -> Vec<Vec<u8>> {
    const TAGS: [&[u8]; 4] = [
        &[0x81, 0, 0, 5],
        &[0x81, 0, 0, 6],
        &[0x88, 0xa8, 0, 7, 0x81, 0, 0x20, 5],
        &[0x81, 0, 0, 7, 0x81, 0, 0, 9],
    ];
    let mut spoilt: Vec<Vec<u8>> = (14..frame.len()).map(|length| frame[..length].to_vec()).collect();
    for at in 0..frame.len() {
        for value in [0, 1, 63, 64, 128, 255] {
            let mut frame = frame.to_vec();
            frame[at] = value;
            spoilt.push(frame);
        }
    }
    for tags in TAGS {
        let mut frame = frame.to_vec();
        frame.splice(12..12, tags.iter().copied());
        spoilt.push(frame);
    }
    spoilt
}
