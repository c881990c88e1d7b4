//! A program of the rig on an interface.

use anyhow::{Context, Result};
use aya::{
    Ebpf,
    programs::{Xdp, XdpMode},
};

use crate::objects::RIG;

/// The program; it leaves the interface with this handle.
pub struct Attached {
    _rig: Ebpf,
}

impl Attached {
    /// Attaches it, natively, to an interface of the calling thread's namespace.
    pub fn new(name: &str, interface: &str) -> Result<Self> {
        let mut rig = Ebpf::load(RIG).context("cannot load the rig's programs")?;
        let program = rig.program_mut(name).with_context(|| format!("the rig has no program `{name}`"))?;
        let program: &mut Xdp = program.try_into()?;
        program.load().with_context(|| format!("the kernel refused the rig's program `{name}`"))?;
        program
            .attach(interface, XdpMode::Driver)
            .with_context(|| format!("cannot attach `{name}` to {interface}"))?;
        Ok(Self { _rig: rig })
    }
}
