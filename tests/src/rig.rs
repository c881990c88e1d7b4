//! Runs a program over many different frames in the kernel, and says what one costs.
//!
//! The wrapper method: a program restores the next template and tail-calls the program under test, `BPF_PROG_TEST_RUN` repeats that, and the same with a program that
//! does nothing is subtracted. Instructions come from the processor's counters where there are any.

use anyhow::{Context as _, ensure};
use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, MapData, ProgramArray},
    programs::{ProgramFd, TestRun as _, TestRunOptions, Xdp},
};
use perf_event::{Builder, Counter, events::Hardware};

use crate::objects::RIG;

/// Words of a template: its length and tail, 48 words of octets, its last eight.
type Template = [u64; 50];

/// Runs of a round: every one of 1,024 templates comes up about ten times.
const REPEAT: u32 = 10_240;

/// The loaded rig.
pub struct Rig {
    bpf: Ebpf,
    under_test: ProgramArray<MapData>,
    rounds: usize,
}

/// What one packet costs: the best of several rounds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost {
    /// Time.
    pub nanoseconds: f64,
    /// Instructions, where the processor counts them.
    pub instructions: Option<f64>,
}

impl std::ops::Sub for Cost {
    type Output = Cost;
    fn sub(self, floor: Cost) -> Cost {
        let instructions = self.instructions.zip(floor.instructions).map(|(all, floor)| all - floor);
        Cost { nanoseconds: self.nanoseconds - floor.nanoseconds, instructions }
    }
}

impl Rig {
    /// Loads the rig with room for so many templates, a power of two; the best of so many rounds is what it says.
    pub fn load(templates: usize, rounds: usize) -> anyhow::Result<Self> {
        let mut loader = EbpfLoader::new();
        loader.map_max_entries("TEMPLATES", templates as u32);
        let mut bpf = loader.load(RIG).context("cannot load the rig")?;
        for name in ["wrap", "floor", "reflect", "pass"] {
            xdp_mut(&mut bpf, name)?.load().with_context(|| format!("cannot load `{name}`"))?;
        }
        let under_test = ProgramArray::try_from(bpf.take_map("UNDER_TEST").context("no UNDER_TEST")?)?;
        Ok(Rig { bpf, under_test, rounds })
    }

    /// Puts the frames in place; their number is a power of two.
    pub fn set_frames(&mut self, frames: &[Vec<u8>]) -> anyhow::Result<()> {
        ensure!(frames.len().is_power_of_two(), "{} frames are not a power of two", frames.len());
        let mut templates: Array<_, Template> =
            self.bpf.map_mut("TEMPLATES").context("no TEMPLATES")?.try_into()?;
        for (i, frame) in frames.iter().enumerate() {
            templates.set(i as u32, template(frame)?, 0)?;
        }
        let mut mask: Array<_, u32> =
            self.bpf.map_mut("TEMPLATE_MASK").context("no TEMPLATE_MASK")?.try_into()?;
        mask.set(0, frames.len() as u32 - 1, 0)?;
        Ok(())
    }

    /// What a program of the rig costs.
    pub fn cost_of_own(&mut self, name: &str) -> anyhow::Result<Cost> {
        let program = xdp(&self.bpf, name)?.fd()?.try_clone()?;
        self.cost(&program)
    }

    /// What a program costs, harness included.
    pub fn cost(&mut self, program: &ProgramFd) -> anyhow::Result<Cost> {
        self.under_test.set(0, program, 0)?;
        let wrap = xdp(&self.bpf, "wrap")?;
        let mut counter = instruction_counter();
        let mut best = Cost { nanoseconds: f64::MAX, instructions: counter.as_ref().map(|_| f64::MAX) };
        let input = vec![0; 256];
        let mut output = vec![0; 4096];
        for round in 0..=self.rounds {
            if let Some(counter) = &mut counter {
                counter.reset()?;
                counter.enable()?;
            }
            let options = TestRunOptions {
                data_in: Some(&input),
                data_out: Some(&mut output),
                repeat: REPEAT,
                ..TestRunOptions::default()
            };
            let result = wrap.test_run(options)?;
            let counted = match &mut counter {
                Some(counter) => {
                    counter.disable()?;
                    Some(counter.read()? as f64 / f64::from(REPEAT))
                }
                None => None,
            };
            ensure!(result.return_value != 0, "the program under test aborted");
            // The first round warms up.
            if round > 0 {
                best.nanoseconds = best.nanoseconds.min(result.duration.as_nanos() as f64);
                best.instructions = best.instructions.zip(counted).map(|(best, counted)| best.min(counted));
            }
        }
        Ok(best)
    }

    /// A program of the rig, to attach.
    pub fn program(&mut self, name: &str) -> anyhow::Result<&mut Xdp> {
        xdp_mut(&mut self.bpf, name)
    }
}

/// Instructions of this thread in the kernel, where the processor and the host let us count them.
fn instruction_counter() -> Option<Counter> {
    Builder::new(Hardware::INSTRUCTIONS).exclude_user(true).exclude_kernel(false).build().ok()
}

fn template(frame: &[u8]) -> anyhow::Result<Template> {
    let mut template = [0; 50];
    let tail = frame.len().checked_sub(8).context("a frame of under eight octets")?;
    ensure!(frame.len() <= 8 * 48, "a frame of {} octets is too long for the rig", frame.len());
    let word = |octets: &[u8]| octets.iter().rev().fold(0u64, |word, octet| word << 8 | u64::from(*octet));
    template[0] = frame.len() as u64 | (tail as u64) << 32;
    for (to, chunk) in template[1..49].iter_mut().zip(frame.chunks(8)) {
        *to = word(chunk);
    }
    template[49] = word(&frame[tail..]);
    Ok(template)
}

fn xdp<'a>(bpf: &'a Ebpf, name: &str) -> anyhow::Result<&'a Xdp> {
    Ok(bpf.program(name).with_context(|| format!("no program `{name}`"))?.try_into()?)
}

fn xdp_mut<'a>(bpf: &'a mut Ebpf, name: &str) -> anyhow::Result<&'a mut Xdp> {
    Ok(bpf.program_mut(name).with_context(|| format!("no program `{name}`"))?.try_into()?)
}
