//! bench (scratch)
use tm_tests::{classes, rig::Rig};
use tm_userspace::xdp::Kernel;
fn main() -> anyhow::Result<()> {
    for profiles in [1000usize] {
        let image = classes::image(profiles);
        let kernel = Kernel::load(&image)?;
        for p in kernel.programs()? {
            println!("{p:?}");
        }
        let mut rig = Rig::load(1024)?;
        for class in classes::classes(profiles) {
            rig.set_frames(&class.frames)?;
            let floor = rig.cost_of_own("floor")?;
            let before = kernel.reasons();
            let cost = rig.cost(kernel.program_fd("tm")?)? - floor;
            let reflect = rig.cost_of_own("reflect")? - floor;
            let after = kernel.reasons();
            let d: Vec<_> = after
                .iter()
                .zip(&before)
                .filter(|(a, b)| a.1 != b.1)
                .map(|(a, b)| (a.0, a.1 - b.1))
                .collect();
            println!(
                "{:32} {:8.1} ns {:?} reflect {:.1} floor {:.1} {:?}",
                class.name, cost.nanoseconds, cost.instructions, reflect.nanoseconds, floor.nanoseconds, d
            );
        }
    }
    Ok(())
}
