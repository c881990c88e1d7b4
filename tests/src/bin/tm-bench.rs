//! `cargo xtask bench`: what a packet costs in the kernel, by class, beside a program that only turns packets round.
//!
//! Instructions are counted where the processor lets us. Where it does not, run the bench as the init of a virtual machine under
//! `qemu -icount shift=0`: there a nanosecond is an instruction.

use clap::Parser;
use serde_json::json;
use tm_tests::{
    classes::{FRAMES, classes, image},
    namespace::require_root,
    rig::Rig,
};
use tm_userspace::xdp::{Kernel, PROGRAM};

/// Measures the XDP programs.
#[derive(Debug, Parser)]
struct Options {
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Numbers of profiles to measure with.
    #[arg(long, value_delimiter = ',', default_values_t = [20, 1_000, 100_000])]
    profiles: Vec<usize>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    require_root();
    let mut rows = vec![];
    for profiles in options.profiles {
        let kernel = Kernel::load(&image(profiles))?;
        let mut rig = Rig::load(FRAMES)?;
        if !options.json {
            println!("{profiles} profiles");
            for program in kernel.programs()? {
                let verified = program.verified.map_or_else(|| "?".to_owned(), |count| count.to_string());
                println!(
                    "  {:8} {verified} verified instructions, {} octets of code",
                    program.name, program.jited
                );
            }
            println!("  {:32} {:>8} {:>12} {:>12}", "class", "ns", "instructions", "reflect ns");
        }
        for class in classes(profiles) {
            rig.set_frames(&class.frames)?;
            let floor = rig.cost_of_own("floor")?;
            let cost = rig.cost(kernel.program_fd(PROGRAM)?)? - floor;
            let reflect = rig.cost_of_own("reflect")? - floor;
            if !options.json {
                let counted = cost.instructions.map_or_else(|| "-".to_owned(), |count| format!("{count:.0}"));
                println!(
                    "  {:32} {:8.0} {counted:>12} {:12.0}",
                    class.name, cost.nanoseconds, reflect.nanoseconds
                );
            }
            rows.push(json!({
                "profiles": profiles, "class": class.name, "nanoseconds": cost.nanoseconds,
                "instructions": cost.instructions, "reflect_nanoseconds": reflect.nanoseconds, "most_instructions": class.most,
            }));
        }
    }
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    Ok(())
}
