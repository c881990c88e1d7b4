//! The kernel's side: loads the programs, writes the tables through shared memory, attaches, and asks.
//!
//! The daemon's `unsafe` is in `region` (memory shared with the kernel) and `interface` (one `ioctl`).

pub mod frame;
mod interface;
mod region;
mod rights;

use std::{
    fmt, io,
    sync::atomic::{Ordering, fence},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use aya::{
    Ebpf, EbpfLoader, include_bytes_aligned,
    maps::{Array, ArrayOfMaps, Map, MapData, PerCpuArray, ProgramArray},
    programs::{ProgramError, TestRun as _, TestRunOptions, Xdp, XdpMode as AttachMode, xdp::XdpLinkId},
};
use tm_common::{
    name::{LONG, SHORT},
    tables::{ADDRESS_LINES, Addresses, Answer, AnswerIndex, Bucket, Entry, LARGE, MEDIUM, OWN_BITS, SMALL},
    verdict::{REASONS, Reason, Verdict},
};

pub use interface::{Interface, interfaces, strips_vlan_tags};
use region::{Region, Whole};

use crate::{
    desired::XdpMode,
    sync::{Cell, Changes, Image, Sizes, Store, Table},
};

/// The compiled programs.
pub static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/tm-ebpf"));

/// The program that is attached.
pub const PROGRAM: &str = "tm";
/// What it tail-calls, by slot of `COLD`.
const COLD: [&str; 2] = ["tm_full", "tm_long"];

/// Programs and tables in the kernel. Dropping it detaches.
pub struct Kernel {
    bpf: Ebpf,
    sizes: Sizes,
    tables: Mapped,
    answered: PerCpuArray<MapData, u64>,
    barrier: Option<Barrier>,
    links: Vec<Link>,
    /// Holds the programs that are tail-called: the slots are emptied with the last descriptor.
    _cold: ProgramArray<MapData>,
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("sizes", &self.sizes)
            .field("links", &self.links)
            .finish_non_exhaustive()
    }
}

/// The program on an interface.
#[derive(Debug)]
struct Link {
    interface: String,
    index: u32,
    mode: Attached,
    id: XdpLinkId,
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

/// How the program came to be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attached {
    /// In the driver.
    Native,
    /// In the generic hook.
    Generic,
}

impl Attached {
    /// Is this what the operator asks for?
    pub fn suits(self, mode: XdpMode) -> bool {
        match mode {
            XdpMode::Auto => true,
            XdpMode::Native => self == Attached::Native,
            XdpMode::Generic => self == Attached::Generic,
            XdpMode::Off => false,
        }
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
}

/// The tables that userspace writes.
#[derive(Debug)]
struct Mapped {
    vlans: Region,
    served: Region,
    own: Region,
    buckets: Region,
    entries: Region,
    long_entries: Region,
    slots: Region,
    small: Region,
    medium: Region,
    large: Region,
    reasons: Region,
}

impl Kernel {
    /// Loads programs and tables for all that is in `image` and some more, and copies it. Nothing is attached yet.
    ///
    /// Needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.
    pub fn load(image: &Image) -> anyhow::Result<Self> {
        rights::check()?;
        let sizes = image.sizes().with_headroom();
        let cpus = aya::util::nr_cpus().map_err(|(_, error)| error).context("cannot count the CPUs")? as u32;
        let mut loader = EbpfLoader::new();
        for (map, size) in [
            ("BUCKETS", sizes.buckets),
            ("ENTRIES", sizes.entries),
            ("LONG_ENTRIES", sizes.long_entries),
            ("SLOTS", sizes.slots),
            ("SMALL_ANSWERS", sizes.small),
            ("MEDIUM_ANSWERS", sizes.medium),
            ("LARGE_ANSWERS", sizes.large),
            ("TURNS", sizes.turns),
            ("ANSWERED", sizes.counters),
            ("REASON_COUNTS", cpus),
        ] {
            loader.map_max_entries(map, size);
        }
        let (port, seed, mask) = (image.served_port(), image.hash_seed(), sizes.buckets - 1);
        let vlans = u8::from(!image.vlan_ids().is_empty());
        loader
            .override_global("PORT", &port, true)
            .override_global("SEED", &seed, true)
            .override_global("BUCKET_MASK", &mask, true)
            .override_global("VLANS_LISTED", &vlans, true);
        let mut bpf = loader.load(OBJECT).map_err(|error| without_rights(error.into()))?;
        for (slot, name) in
            [(None, PROGRAM)].into_iter().chain(COLD.iter().enumerate().map(|(i, name)| (Some(i), *name)))
        {
            program_mut(&mut bpf, name)?.load().with_context(|| match slot {
                None => "the kernel refuses the XDP program".to_owned(),
                Some(_) => format!("the kernel refuses the XDP program `{name}`"),
            })?;
        }
        let mut cold = ProgramArray::try_from(take(&mut bpf, "COLD")?)?;
        for (slot, name) in COLD.iter().enumerate() {
            let program = program(&bpf, name)?.fd()?.try_clone().context("cannot keep the program")?;
            cold.set(slot as u32, &program, 0)?;
        }
        let tables = Mapped {
            vlans: Region::map(&bpf, "VLANS", 64, 8)?,
            served: Region::map(&bpf, "SERVED", ADDRESS_LINES, size_of::<Addresses>())?,
            own: Region::map(&bpf, "OWN", OWN_BITS / 64, 8)?,
            buckets: Region::map(&bpf, "BUCKETS", sizes.buckets, size_of::<Bucket>())?,
            entries: Region::map(&bpf, "ENTRIES", sizes.entries, size_of::<Entry<SHORT>>())?,
            long_entries: Region::map(&bpf, "LONG_ENTRIES", sizes.long_entries, size_of::<Entry<LONG>>())?,
            slots: Region::map(&bpf, "SLOTS", sizes.slots, 8)?,
            small: Region::map(&bpf, "SMALL_ANSWERS", sizes.small, size_of::<Answer<SMALL>>())?,
            medium: Region::map(&bpf, "MEDIUM_ANSWERS", sizes.medium, size_of::<Answer<MEDIUM>>())?,
            large: Region::map(&bpf, "LARGE_ANSWERS", sizes.large, size_of::<Answer<LARGE>>())?,
            reasons: Region::map(&bpf, "REASON_COUNTS", cpus, 8 * REASONS)?,
        };
        let answered = PerCpuArray::try_from(take(&mut bpf, "ANSWERED")?)?;
        let barrier = Some(Barrier(ArrayOfMaps::try_from(take(&mut bpf, "BARRIER")?)?));
        let kernel = Kernel { bpf, sizes, tables, answered, barrier, links: vec![], _cold: cold };
        kernel.repair(image);
        Ok(kernel)
    }

    /// Have the tables room for all that is in `image`?
    pub fn holds(&self, image: &Image) -> bool {
        self.sizes.hold(image.sizes()) && image.homeless() == 0
    }

    /// Copies what changed: first what nothing leads to, then, each as one word, what leads there.
    pub fn copy(&self, image: &Image, changes: &Changes) {
        for cell in &changes.staged {
            self.copy_cell(image, *cell);
        }
        fence(Ordering::Release);
        for cell in &changes.published {
            self.copy_cell(image, *cell);
        }
    }

    /// Compares everything, and rewrites what differs. Says how many elements did.
    pub fn repair(&self, image: &Image) -> usize {
        let tables = &self.tables;
        let mut vlans = [0u64; 64];
        for id in image.vlan_ids() {
            if let Some(word) = vlans.get_mut(usize::from(*id) / 64) {
                *word |= 1 << (id % 64);
            }
        }
        let mut differed = 0;
        differed += vlans.iter().zip(0..).filter(|(word, i)| tables.vlans.store(*i, *word)).count();
        differed += self.set_addresses(image);
        differed += repair_all(&tables.small, image.small_answers());
        differed += repair_all(&tables.medium, image.medium_answers());
        differed += repair_all(&tables.large, image.large_answers());
        differed += (0..image.slots().len()).filter(|i| self.copy_cell(image, (Table::Slots, *i))).count();
        differed += repair_all(&tables.entries, image.entries());
        differed += repair_all(&tables.long_entries, image.long_entries());
        fence(Ordering::Release);
        differed +=
            image.buckets().iter().zip(0..).filter(|(bucket, i)| tables.buckets.store(*i, *bucket)).count();
        differed
    }

    /// Copies the addresses; says how many elements differed.
    pub fn set_addresses(&self, image: &Image) -> usize {
        let (own, served) = (&self.tables.own, &self.tables.served);
        let differed = image.own_words().iter().zip(0..).filter(|(word, i)| own.store(*i, *word)).count();
        differed + image.served_lines().iter().zip(0..).filter(|(line, i)| served.store(*i, *line)).count()
    }

    /// Elements past the end of a table are left out: nothing the programs find there leads to an answer, and the sockets have it.
    fn copy_cell(&self, image: &Image, (table, index): Cell) -> bool {
        let tables = &self.tables;
        match table {
            Table::Buckets => {
                image.buckets().get(index as usize).is_some_and(|b| tables.buckets.store(index, b))
            }
            Table::Entries => copy_from(&tables.entries, image.entries(), index),
            Table::LongEntries => copy_from(&tables.long_entries, image.long_entries(), index),
            Table::Slots => image
                .slots()
                .get(index)
                .is_some_and(|slot: &AnswerIndex| tables.slots.store(index, &u64::from(slot.0))),
            Table::Small => copy_from(&tables.small, image.small_answers(), index),
            Table::Medium => copy_from(&tables.medium, image.medium_answers(), index),
            Table::Large => copy_from(&tables.large, image.large_answers(), index),
        }
    }

    /// The means to wait for its readers, once.
    pub fn take_barrier(&mut self) -> Option<Barrier> {
        self.barrier.take()
    }

    /// Attaches to an interface, in the driver if `mode` and the driver allow it.
    ///
    /// # Errors
    ///
    /// No such interface, another program in the way, or a driver that cannot do what `mode` asks for.
    pub fn attach(&mut self, interface: &str, mode: XdpMode) -> anyhow::Result<Attached> {
        let index =
            interface::index_of(interface).ok_or_else(|| anyhow!("there is no interface `{interface}`"))?;
        let program = program_mut(&mut self.bpf, PROGRAM)?;
        let mut attach = |how: Attached| {
            let flags = match how {
                Attached::Native => AttachMode::Driver,
                Attached::Generic => AttachMode::Skb,
            };
            program.attach_to_if_index(index, flags).map(|id| (how, id))
        };
        let attached = match mode {
            XdpMode::Off => bail!("`mode = \"off\"` attaches to no interface"),
            XdpMode::Native => attach(Attached::Native),
            XdpMode::Generic => attach(Attached::Generic),
            XdpMode::Auto => attach(Attached::Native).or_else(|native| {
                let generic = attach(Attached::Generic)?;
                tracing::warn!(interface, reason = %reason_of(&native), "no native XDP here, attached in the generic hook, which is slower");
                Ok(generic)
            }),
        };
        let (mode, id) =
            attached.map_err(|error| anyhow!("cannot attach to `{interface}`: {}", reason_of(&error)))?;
        self.links.push(Link { interface: interface.to_owned(), index, mode, id });
        Ok(mode)
    }

    /// The interfaces it is attached to: name, index, and how.
    pub fn attached(&self) -> impl Iterator<Item = (&str, u32, Attached)> {
        self.links.iter().map(|link| (link.interface.as_str(), link.index, link.mode))
    }

    /// Takes the program off an interface, or forgets one that is gone.
    pub fn detach(&mut self, interface: &str) {
        let Some(at) = self.links.iter().position(|link| link.interface == interface) else { return };
        let link = self.links.swap_remove(at);
        if let Ok(program) = program_mut(&mut self.bpf, PROGRAM)
            && let Err(error) = program.detach(link.id)
        {
            tracing::debug!(interface, %error, "already detached");
        }
    }

    /// Takes over all interfaces of `old`, each in one step: no packet meets neither program.
    pub fn replace(&mut self, old: &mut Kernel) -> anyhow::Result<()> {
        for Link { interface, index, mode, id } in std::mem::take(&mut old.links) {
            let link = program_mut(&mut old.bpf, PROGRAM)?.take_link(id)?;
            let id = program_mut(&mut self.bpf, PROGRAM)?
                .attach_to_link(link)
                .with_context(|| format!("cannot replace the program on `{interface}`"))?;
            self.links.push(Link { interface, index, mode, id });
        }
        Ok(())
    }

    /// Sends a frame through the loaded program, which counts it like any other, and says what it made of it.
    pub fn ask(&self, frame: &[u8]) -> anyhow::Result<(Verdict, Vec<u8>)> {
        let mut out = vec![0; 4096];
        let options =
            TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), ..TestRunOptions::default() };
        let result =
            program(&self.bpf, PROGRAM)?.test_run(options).context("the kernel does not run the program")?;
        out.truncate(result.data_size_out as usize);
        let verdict = match result.return_value {
            2 => Verdict::Pass,
            3 => Verdict::Reply,
            _ => Verdict::Abort,
        };
        Ok((verdict, out))
    }

    /// Packets by reason, over all CPUs.
    pub fn reasons(&self) -> Vec<(Reason, u64)> {
        let region = &self.tables.reasons;
        let count =
            |reason: &Reason| (0..region.elements()).map(|cpu| region.load(cpu, *reason as usize)).sum();
        Reason::ALL.iter().map(|reason| (*reason, count(reason))).collect()
    }

    /// Answers given, by counter, over all CPUs.
    pub fn answered(&self, counter: u32) -> u64 {
        self.answered.get(&counter, 0).map(|counts| counts.iter().sum()).unwrap_or(0)
    }

    /// The loaded programs.
    pub fn programs(&self) -> anyhow::Result<Vec<ProgramInfo>> {
        [PROGRAM]
            .iter()
            .chain(&COLD)
            .map(|name| {
                let info = program(&self.bpf, name)?.info()?;
                Ok(ProgramInfo {
                    name: (*name).to_owned(),
                    verified: info.verified_instruction_count(),
                    jited: info.size_jitted(),
                })
            })
            .collect()
    }

    /// A descriptor of a loaded program, for harnesses that run it.
    pub fn program_fd(&self, name: &str) -> anyhow::Result<&aya::programs::ProgramFd> {
        Ok(program(&self.bpf, name)?.fd()?)
    }
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

fn copy_from<T: Whole + Clone>(region: &Region, store: &Store<T>, index: u32) -> bool {
    store.get(index).is_some_and(|item| region.store(index, item))
}

fn repair_all<T: Whole + Clone>(region: &Region, store: &Store<T>) -> usize {
    (0..store.len()).filter(|index| copy_from(region, store, *index)).count()
}

/// Says what an attach error means to an operator.
fn reason_of(error: &ProgramError) -> String {
    let code = match error {
        ProgramError::SyscallError(error) => error.io_error.raw_os_error(),
        _ => None,
    };
    match code {
        Some(libc::EOPNOTSUPP) => {
            "the driver has no native XDP (use mode = \"generic\" or \"auto\")".to_owned()
        }
        Some(libc::EBUSY | libc::EEXIST) => {
            "another XDP program is attached (see `ip link show`; `ip link set dev NAME xdp off` removes it)"
                .to_owned()
        }
        Some(libc::EPERM | libc::EACCES) => {
            format!("not allowed: {}", rights::NEEDED)
        }
        _ => format!("{:#}", anyhow!("{error}")),
    }
}

fn without_rights(error: anyhow::Error) -> anyhow::Error {
    let denied = error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    });
    match denied {
        true => error.context(format!("the kernel does not let us load BPF: {}", rights::NEEDED)),
        false => error.context("cannot load the XDP program"),
    }
}

/// How long a whole comparison of the tables may wait for its turn: lost writes are found at the latest after this.
pub const REPAIR_INTERVAL: Duration = Duration::from_secs(60);
