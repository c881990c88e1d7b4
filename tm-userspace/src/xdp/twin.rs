//! The loaded programs once more, over the same tables, to be asked without a trace.
//!
//! A question to the loaded program itself moves counters and turns, which packets move at the same time, so nothing can be given back. A twin is the same object, instruction by
//! instruction (the kernel's tags are compared), with the tables of the one that answers, but counters, limits and turns of its own: it says what would be answered, at whichever turn, and nobody
//! else notices. To load one takes the verifier some tenths of a second, so nothing is locked meanwhile.
#![expect(unsafe_code, reason = "a table in the place of another")]

use std::{
    io,
    os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd},
};

use anyhow::{Context as _, ensure};
use aya::{
    Ebpf, EbpfLoader,
    maps::{InnerMap, Map, MapFd, PerCpuHashMap, PerCpuValues},
    util::nr_cpus,
};
use tm_common::{
    limit::Allowed,
    verdict::{REASONS, Reason, Verdict},
};

use super::{Counters, Kernel, OBJECT, PROGRAM, load_programs, program, region::Region, run};

/// What is not shared: what programs write, and what leads to programs.
const OWN: [&str; 4] = ["TURNS", "COUNTS", "COLD", "ALLOWED"];

/// What a twin is made of.
#[derive(Debug)]
pub struct Model {
    id: String,
    tag: u64,
    tables: Vec<(String, OwnedFd)>,
}

/// Programs over the tables of others.
pub struct Twin {
    id: String,
    bpf: Ebpf,
    counters: Counters,
    turns: PerCpuHashMap<aya::maps::MapData, u32, u32>,
    cpus: usize,
}

impl Kernel {
    /// What a twin of these programs is made of; quickly, since this is under a lock.
    pub fn model(&self) -> anyhow::Result<Model> {
        let shared = self.bpf.maps().filter_map(|(name, map)| match map {
            Map::Array(data) if !OWN.contains(&name) => Some((name, data)),
            _ => None,
        });
        let tables = shared.map(|(name, data)| Ok((name.to_owned(), fd(data).as_fd().try_clone_to_owned()?)));
        Ok(Model {
            id: self.id.clone(),
            tag: program(&self.bpf, PROGRAM)?.info()?.tag(),
            tables: tables.collect::<io::Result<_>>().context("cannot share the tables")?,
        })
    }
}

impl Model {
    /// Loads the twin.
    pub fn load(self) -> anyhow::Result<Twin> {
        let mut bpf = EbpfLoader::new().map_max_entries("COUNTS", REASONS as u32).load(OBJECT)?;
        // Not by number, as there are as many turns as blocks, but by the one that is asked for.
        let turns = PerCpuHashMap::create(1, 0).context("cannot make a map of turns")?;
        put(&bpf, "TURNS", fd(&turns).as_fd())?;
        for (name, table) in &self.tables {
            put(&bpf, name, table.as_fd())?;
        }
        // Whoever asks, no question is one too many.
        Region::map(&bpf, "ALLOWED", 1, size_of::<Allowed>())?.store(0, &Allowed::ALL);
        load_programs(&mut bpf)?;
        let tag = program(&bpf, PROGRAM)?.info()?.tag();
        ensure!(tag == self.tag, "the programs are not those that were loaded");
        let cpus = nr_cpus().map_err(|(_, error)| error).context("cannot count the CPUs")?;
        Ok(Twin { id: self.id, counters: Counters::of(&bpf)?, bpf, turns, cpus })
    }
}

impl Twin {
    /// The load of the programs whose tables it reads.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Says what the program makes of a frame when it is `turn`'s turn in the block that has the turns `index`; with why, where it passes it up.
    pub fn ask(&mut self, frame: &[u8], index: u32, turn: u32) -> anyhow::Result<(Verdict, Vec<u8>, Reason)> {
        for gone in
            self.turns.keys().filter_map(Result::ok).filter(|known| *known != index).collect::<Vec<_>>()
        {
            self.turns.remove(&gone)?;
        }
        self.turns.insert(index, PerCpuValues::try_from(vec![turn; self.cpus])?, 0)?;
        let before = self.counters.refused();
        let (verdict, reply) = run(&self.bpf, frame)?;
        let reason = match verdict {
            Verdict::Reply => Some(Reason::Answered),
            _ => {
                let after = self.counters.refused();
                let counted = |reason: &&Reason| after[**reason as usize] > before[**reason as usize];
                Reason::ALL.iter().find(counted).copied()
            }
        };
        Ok((verdict, reply, reason.unwrap_or(Reason::Broken)))
    }
}

fn fd(map: &impl InnerMap) -> &MapFd {
    map.fd()
}

/// Puts a table in the place of one of an object whose programs are not loaded yet: they know it by the number of its descriptor.
fn put(bpf: &Ebpf, name: &str, table: BorrowedFd<'_>) -> anyhow::Result<()> {
    let (Some(Map::Array(data)) | Some(Map::PerCpuArray(data))) = bpf.map(name) else {
        anyhow::bail!("the object has no array `{name}`")
    };
    // SAFETY: the number stays that of a descriptor of a map, which `data` goes on owning. What it was is closed; nobody has it but `data`, which did not map its memory.
    let done = unsafe { libc::dup3(table.as_raw_fd(), fd(data).as_fd().as_raw_fd(), libc::O_CLOEXEC) };
    ensure!(done >= 0, "cannot share the table `{name}`: {}", io::Error::last_os_error());
    Ok(())
}
