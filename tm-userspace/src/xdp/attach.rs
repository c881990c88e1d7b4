//! The program on interfaces: put there, handed over to the next one, taken off.

use anyhow::{Context as _, anyhow, bail};
use aya::programs::{ProgramError, XdpMode as AttachMode, xdp::XdpLinkId};

use super::{Kernel, PROGRAM, interface, program_mut};
use crate::desired::XdpMode;

/// How the program came to be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Attached {
    /// In the driver.
    Native,
    /// In the generic hook.
    Generic,
}

/// The program on an interface.
#[derive(Debug)]
pub(super) struct Link {
    interface: String,
    index: u32,
    mode: Attached,
    id: XdpLinkId,
}

impl Kernel {
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
            "not allowed: run as root or with CAP_BPF and CAP_NET_ADMIN".to_owned()
        }
        _ => format!("{:#}", anyhow!("{error}")),
    }
}
