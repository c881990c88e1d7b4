//! What the kernel asks of who loads and attaches XDP programs.

use anyhow::bail;
use rustix::thread::{CapabilitySet, capabilities};

/// What to do where they are missing.
pub(super) const NEEDED: &str = "run as root or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN";

/// Are all rights there? Asked first, since without CAP_PERFMON, which lets programs work with addresses, the verifier refuses them with a
/// long log that does not say why. Where the kernel does not tell, it is left to refuse.
pub(super) fn check() -> anyhow::Result<()> {
    let Ok(sets) = capabilities(None) else { return Ok(()) };
    let has = |capability| sets.effective.intersects(capability | CapabilitySet::SYS_ADMIN);
    let wanted = [("CAP_BPF", CapabilitySet::BPF), ("CAP_PERFMON", CapabilitySet::PERFMON)];
    let mut missing: Vec<&str> =
        wanted.into_iter().filter(|(_, capability)| !has(*capability)).map(|(name, _)| name).collect();
    if !sets.effective.contains(CapabilitySet::NET_ADMIN) {
        missing.push("CAP_NET_ADMIN");
    }
    match missing.is_empty() {
        true => Ok(()),
        false => bail!("the kernel does not let us load BPF without {}: {NEEDED}", missing.join(" and ")),
    }
}
