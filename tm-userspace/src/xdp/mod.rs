//! The kernel's side: loads the programs, writes the tables through shared memory, attaches, and asks.
//!
//! `globals` tells the programs what they go by, `attach` puts them on interfaces (`hook` says what is there), `pin` lets them outlive the daemon, `mirror` keeps the tables what the daemon's
//! are, `counters` reads what was counted, `twin` asks without being noticed. The daemon's `unsafe` is in `region` (memory shared with the kernel), `interface` (one `ioctl`)
//! and `twin` (a descriptor in the place of another).

mod attach;
mod counters;
pub mod frame;
mod globals;
mod hook;
mod interface;
mod log;
mod mirror;
mod pin;
mod region;
mod rights;
mod twin;

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    io,
    sync::Arc,
    time::Duration,
};

use anyhow::Context as _;
use aya::{
    Ebpf, EbpfLoader, include_bytes_aligned,
    maps::{Array, ArrayOfMaps, Map, MapData, ProgramArray, RingBuf},
    programs::{TestRun as _, TestRunOptions, Xdp},
};
use tm_common::{programs::NAMES, verdict::Verdict};
use tokio_util::task::AbortOnDropHandle;

pub use attach::Attached;
use attach::Link;
pub use counters::{Counters, Counts};
use globals::Globals;
pub use interface::{Interface, interfaces, strips_vlan_tags};
use mirror::Mapped;
pub use mirror::Repair;
pub use pin::Pins;
pub use twin::{Model, Twin};

use crate::{
    frozen::Frozen,
    sync::{Image, Sizes},
};

/// The compiled programs.
pub static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tm-ebpf"));

/// The program that is attached.
pub const PROGRAM: &str = "tm";
/// The one that is attached where the way back is looked up: the first one comes behind it.
const ROUTED: &str = "tm_routed";

/// Octets of samples that may wait, a power of two: a good 5,000 of them.
const SAMPLES: u32 = 1 << 20;

/// Programs and tables in the kernel. Dropping it takes the program off every interface whose link is not pinned.
pub struct Kernel {
    /// Tells this load from all others.
    id: String,
    /// Holds all maps. Of the programs that are tail-called it must: their slots are emptied with the last descriptor, unless they are pinned.
    bpf: Ebpf,
    sizes: Sizes,
    /// What the programs go by, for good.
    frozen: Frozen,
    tables: Mapped,
    counters: Arc<Counters>,
    barrier: Option<Barrier>,
    /// What it tells of, and of which tables.
    samples: Option<(u64, RingBuf<MapData>)>,
    links: Vec<Link>,
    pins: Option<Pins>,
    /// Passes on what the programs say, where they say anything.
    _log: Option<AbortOnDropHandle<()>>,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("sizes", &self.sizes)
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

/// Waits for packets on their way.
pub struct Barrier(ArrayOfMaps<MapData, Array<MapData, u32>>);

impl Barrier {
    /// Waits until every packet that was in a program is out of it (some milliseconds).
    pub fn wait(&mut self) -> anyhow::Result<()> {
        let inner = Array::<MapData, u32>::create(1, 0).context("cannot make a map to wait with")?;
        self.0.set(0, &inner, 0).context("cannot wait for the kernel's readers")
    }
}

/// What the kernel says of a loaded program.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ProgramInfo {
    /// Its name.
    pub name: String,
    /// Instructions that the verifier processed, on kernels that tell (5.16).
    pub verified: Option<u32>,
    /// Octets of machine code.
    pub jited: u32,
    /// Runs that the kernel timed, which it does only while it is told to.
    pub runs: u64,
    /// How long they took, all together.
    pub run_time: Duration,
}

impl Kernel {
    /// Loads programs and tables for all that is in `image` and some more, and copies it. Nothing is attached yet.
    ///
    /// Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.
    ///
    /// # Errors
    ///
    /// Without these rights, or where memory does not suffice, or where the verifier refuses; each says what to do.
    pub fn load(image: &Image) -> anyhow::Result<Self> {
        Self::try_load(image).map_err(advise)
    }

    fn try_load(image: &Image) -> anyhow::Result<Self> {
        rights::check()?;
        let sizes = image.sizes().with_headroom();
        let mut loader = EbpfLoader::new();
        for (map, size) in [
            ("BUCKETS", sizes.buckets),
            ("ENTRIES", sizes.entries),
            ("LONG_ENTRIES", sizes.long_entries),
            ("NODES", sizes.nodes),
            ("BLOCKS", sizes.blocks),
            ("SLOTS", sizes.slots),
            ("SMALL_ANSWERS", sizes.small),
            ("MEDIUM_ANSWERS", sizes.medium),
            ("LARGE_ANSWERS", sizes.large),
            ("TURNS", sizes.turns),
            ("COUNTS", sizes.counters),
            ("SAMPLES", SAMPLES),
        ] {
            loader.map_max_entries(map, size);
        }
        let globals = Globals::of(image);
        globals.give(&mut loader);
        let mut bpf = loader.load(OBJECT)?;
        load_programs(&mut bpf)?;
        let tables = Mapped::of(&bpf, sizes)?;
        let counters = Arc::new(Counters::of(&bpf)?);
        let barrier = Some(Barrier(ArrayOfMaps::try_from(take(&mut bpf, "BARRIER")?)?));
        let samples = Some((image.hash_seed(), RingBuf::try_from(take(&mut bpf, "SAMPLES")?)?));
        let id = format!("{:016x}", RandomState::new().hash_one(image.hash_seed()));
        let log = log::follow(&mut bpf);
        let kernel = Kernel {
            id,
            bpf,
            sizes,
            frozen: image.frozen().clone(),
            tables,
            counters,
            barrier,
            samples,
            links: vec![],
            pins: None,
            _log: log,
        };
        let mut copy = Repair::default();
        while kernel.repair(image, &mut copy) {}
        Ok(kernel)
    }

    /// Have the tables room for all that is in `image`, and do the programs go by what is frozen there?
    pub fn holds(&self, image: &Image) -> bool {
        self.sizes.hold(image.sizes()) && image.homeless() == 0 && self.frozen == *image.frozen()
    }

    /// What the programs go by.
    pub fn frozen(&self) -> &Frozen {
        &self.frozen
    }

    /// How much there is room for.
    pub fn sizes(&self) -> Sizes {
        self.sizes
    }

    /// The means to wait for its readers, once.
    pub fn take_barrier(&mut self) -> Option<Barrier> {
        self.barrier.take()
    }

    /// The ring of what it tells of, once, and the [`hash_seed`](Image::hash_seed) of the tables that it answers from.
    pub fn take_samples(&mut self) -> Option<(u64, RingBuf<MapData>)> {
        self.samples.take()
    }

    /// Sends a frame through the loaded program, which counts it like any other, and says what it made of it.
    pub fn ask(&self, frame: &[u8]) -> anyhow::Result<(Verdict, Vec<u8>)> {
        run(&self.bpf, frame)
    }

    /// All that is counted.
    pub fn counters(&self) -> Arc<Counters> {
        self.counters.clone()
    }

    /// What this load's tables are called among the pins.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The loaded programs.
    pub fn programs(&self) -> anyhow::Result<Vec<ProgramInfo>> {
        [ROUTED]
            .iter()
            .chain(&NAMES)
            .map(|name| {
                let info = program(&self.bpf, name)?.info()?;
                Ok(ProgramInfo {
                    name: (*name).to_owned(),
                    verified: info.verified_instruction_count(),
                    jited: info.size_jitted(),
                    runs: info.run_count(),
                    run_time: info.run_time(),
                })
            })
            .collect()
    }

    /// A descriptor of a loaded program, for harnesses that run it.
    pub fn program_fd(&self, name: &str) -> anyhow::Result<&aya::programs::ProgramFd> {
        Ok(program(&self.bpf, name)?.fd()?)
    }
}

/// Loads all programs of an object, and puts those in their slots that are tail-called.
fn load_programs(bpf: &mut Ebpf) -> anyhow::Result<()> {
    for name in [ROUTED].iter().chain(&NAMES) {
        program_mut(bpf, name)?
            .load()
            .with_context(|| format!("the kernel refuses the XDP program `{name}`"))?;
    }
    let programs: Vec<_> = NAMES
        .iter()
        .map(|name| anyhow::Ok(program(bpf, name)?.fd()?.try_clone()?))
        .collect::<Result<_, _>>()?;
    let cold = bpf.map_mut("COLD").context("the object has no map `COLD`")?;
    let mut cold = ProgramArray::try_from(cold)?;
    for (slot, program) in (0..).zip(&programs) {
        cold.set(slot, program, 0)?;
    }
    Ok(())
}

/// Sends a frame through a loaded program, and says what it made of it.
fn run(bpf: &Ebpf, frame: &[u8]) -> anyhow::Result<(Verdict, Vec<u8>)> {
    let mut out = vec![0; 4096];
    let options =
        TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), ..TestRunOptions::default() };
    let result = program(bpf, PROGRAM)?.test_run(options).context("the kernel does not run the program")?;
    out.truncate(result.data_size_out as usize);
    let verdict = match result.return_value {
        1 => Verdict::Drop,
        2 => Verdict::Pass,
        3 => Verdict::Reply,
        _ => Verdict::Abort,
    };
    Ok((verdict, out))
}

fn program<'a>(bpf: &'a Ebpf, name: &str) -> anyhow::Result<&'a Xdp> {
    Ok(bpf.program(name).with_context(|| format!("the object has no program `{name}`"))?.try_into()?)
}

fn program_mut<'a>(bpf: &'a mut Ebpf, name: &str) -> anyhow::Result<&'a mut Xdp> {
    Ok(bpf.program_mut(name).with_context(|| format!("the object has no program `{name}`"))?.try_into()?)
}

fn take(bpf: &mut Ebpf, name: &str) -> anyhow::Result<Map> {
    bpf.take_map(name).with_context(|| format!("the object has no map `{name}`"))
}

/// Says what a failed load means to an operator.
fn advise(error: anyhow::Error) -> anyhow::Error {
    let code = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<io::Error>() {
        Some(error) => error.raw_os_error(),
        None => None,
    };
    match error.chain().find_map(code) {
        Some(libc::EPERM | libc::EACCES) => {
            error.context(format!("the kernel does not let us load BPF: {}", rights::NEEDED))
        }
        Some(libc::ENOMEM | libc::E2BIG) => error.context(
            "no memory for the tables: free some, raise the service's memory limit, or serve fewer names",
        ),
        _ => error.context("cannot load the XDP program"),
    }
}
