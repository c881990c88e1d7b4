//! What a packet costs in the kernel, by class, beside a program that only turns packets round.
//!
//! Time is `BPF_PROG_TEST_RUN`'s. Instructions come from the processor's counters; where there are none, from a virtual machine under
//! `qemu -icount shift=0`, in which a nanosecond is one instruction: the same measurement is run as its init, and its times are the counts.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use tm_userspace::{
    desired::Limit,
    frozen::Frozen,
    sync::Image,
    xdp::{Kernel, PROGRAM},
};

use crate::{
    classes::{COMPARABLE, Class, FRAMES, HIT, Most, classes, image},
    rig::{Cost, Rig},
};

/// What `tm-vm` prints before the figures of one table size.
pub const FIGURES: &str = "figures: ";

/// The figures for tables of one size.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Packets {
    /// Profiles in the tables.
    pub profiles: usize,
    /// The kernel that ran the programs.
    pub kernel: String,
    /// The product's programs as that kernel took them.
    pub programs: Vec<Loaded>,
    /// By class.
    pub classes: Vec<PacketCost>,
}

/// A loaded program.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loaded {
    /// Its name.
    pub name: String,
    /// Instructions that the verifier walked, where the kernel tells.
    pub verified: Option<u32>,
    /// Octets of machine code.
    pub octets: u32,
}

/// What one packet of a class costs, the harness subtracted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PacketCost {
    /// The class.
    pub class: String,
    /// Time.
    pub nanoseconds: f64,
    /// The least that any reply to it costs.
    pub reflect_nanoseconds: f64,
    /// Instructions, where they were counted.
    pub instructions: Option<f64>,
    /// The same for the least that any reply costs.
    pub reflect_instructions: Option<f64>,
    /// What it may cost; none where nothing is promised.
    pub most: Option<Most>,
}

impl Packets {
    /// Most instructions that a packet may cost, as far as that is promised and the hits were counted.
    fn most(&self, cost: &PacketCost) -> Option<f64> {
        match cost.most? {
            Most::Count(most) => Some(most),
            Most::AboveHit(_) if self.profiles < COMPARABLE => None,
            Most::AboveHit(more) => {
                let hit = self.classes.iter().find(|class| class.class == HIT)?;
                hit.instructions.map(|hit| hit + more)
            }
        }
    }
}

/// Measures with tables of so many profiles: the best of so many rounds.
pub fn measure(profiles: usize, rounds: usize) -> Result<Packets> {
    let kernel = Kernel::load(&image(profiles)).context("cannot load the program")?;
    let mut rig = Rig::load(FRAMES, rounds)?;
    let programs = kernel.programs()?.into_iter().map(|program| Loaded {
        name: program.name.to_string(),
        verified: program.verified,
        octets: program.jited,
    });
    Ok(Packets {
        profiles,
        kernel: crate::kernel::release()?,
        programs: programs.collect(),
        classes: classes(profiles)
            .iter()
            .map(|class| match class.limit.answers_per_second {
                0 => cost(&mut rig, &kernel, class),
                _ => cost(&mut rig, &Kernel::load(&limited(profiles, class.limit))?, class),
            })
            .collect::<Result<_>>()?,
    })
}

/// Tables of which no more answers are given.
fn limited(profiles: usize, limit: Limit) -> Image {
    let mut image = image(profiles);
    image.set_frozen(Frozen { limit, ..image.frozen().clone() });
    image
}

/// Puts the counts of a virtual machine, its times, beside what this machine measured.
pub fn count_by(measured: &mut [Packets], machine: &[Packets]) {
    for here in measured {
        let Some(there) = machine.iter().find(|there| there.profiles == here.profiles) else { continue };
        for cost in &mut here.classes {
            if let Some(counted) = there.classes.iter().find(|counted| counted.class == cost.class) {
                cost.instructions = Some(counted.nanoseconds);
                cost.reflect_instructions = Some(counted.reflect_nanoseconds);
            }
        }
    }
}

/// The figures as a table, and last how many classes cost more instructions than promised.
pub fn table(measured: &[Packets]) -> String {
    let mut lines = vec![];
    let mut over = 0;
    for packets in measured {
        lines.push(format!("A packet's cost, {} profiles, kernel {}", packets.profiles, packets.kernel));
        for Loaded { name, verified, octets } in &packets.programs {
            let verified = verified.map_or_else(|| "?".to_owned(), |count| count.to_string());
            lines.push(format!("  {name:8} {verified} verified instructions, {octets} octets of code"));
        }
        lines.push(format!(
            "  {:32} {:>12} {:>8} {:>8} {:>14} {:>10}",
            "class", "instructions", "at most", "reflect", "ns", "reflect ns"
        ));
        for cost in &packets.classes {
            let whole =
                |count: Option<f64>| count.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
            let most = packets.most(cost);
            over += usize::from(most.is_some() && cost.instructions > most);
            lines.push(format!(
                "  {:32} {:>12} {:>8} {:>8} {:14.0} {:10.0}",
                cost.class,
                whole(cost.instructions),
                whole(most),
                whole(cost.reflect_instructions),
                cost.nanoseconds,
                cost.reflect_nanoseconds
            ));
        }
    }
    lines.push(format!("{over} over their most"));
    lines.join("\n")
}

fn cost(rig: &mut Rig, kernel: &Kernel, class: &Class) -> Result<PacketCost> {
    rig.set_frames(&class.frames)?;
    let floor = rig.cost_of_own("floor")?;
    let cost: Cost = rig.cost(kernel.program_fd(PROGRAM)?)? - floor;
    let reflect: Cost = rig.cost_of_own("reflect")? - floor;
    Ok(PacketCost {
        class: class.name.to_owned(),
        nanoseconds: cost.nanoseconds,
        reflect_nanoseconds: reflect.nanoseconds,
        instructions: cost.instructions,
        reflect_instructions: reflect.instructions,
        most: class.most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(profiles: usize, nanoseconds: f64) -> Packets {
        let cost = PacketCost {
            class: "miss".to_owned(),
            nanoseconds,
            reflect_nanoseconds: 2.0,
            instructions: None,
            reflect_instructions: None,
            most: Some(Most::Count(450.0)),
        };
        Packets { profiles, kernel: "6.12".to_owned(), programs: vec![], classes: vec![cost] }
    }

    #[test]
    fn a_machine_counts_for_the_same_class_and_size_only() {
        let mut here = [packets(10, 70.0), packets(1000, 75.0)];
        assert!(table(&here).ends_with("0 over their most"));
        count_by(&mut here, &[packets(1000, 451.0)]);
        let counts = here.each_ref().map(|packets| {
            let cost = &packets.classes[0];
            (cost.nanoseconds, cost.instructions, cost.reflect_instructions)
        });
        assert_eq!(counts, [(70.0, None, None), (75.0, Some(451.0), Some(2.0))]);
        assert!(table(&here).ends_with("1 over their most"));
    }
}
