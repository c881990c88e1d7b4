//! The program on interfaces: put there, found there, handed over to the next one, taken off.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use aya::programs::{ProgramError, Xdp, XdpMode as AttachMode, links::FdLink, xdp::XdpLink};

use super::{Kernel, PROGRAM, Pins, ROUTED, hook::Occupant, interface, program_mut, rights};
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

/// The program on an interface.
#[derive(Debug)]
pub(super) struct Link {
    interface: String,
    index: u32,
    mode: Attached,
    link: XdpLink,
    pinned: bool,
}

impl Kernel {
    /// From here on links and tables are pinned, so that they outlive the process.
    ///
    /// # Errors
    ///
    /// The file system refuses; then nothing is pinned.
    pub fn pin(&mut self, pins: &Pins) -> anyhow::Result<()> {
        let dir = pins.make_tables(&self.id)?;
        let pinned = self.pin_tables(&dir);
        if pinned.is_err() {
            // Half of them are of no use; what cannot be removed either is tidied up by a later start.
            let _ = std::fs::remove_dir_all(&dir);
        }
        self.pins = pinned.is_ok().then(|| pins.clone());
        pinned
    }

    fn pin_tables(&self, dir: &Path) -> anyhow::Result<()> {
        for (name, file) in [("COLD", "cold"), ("COUNTS", "counts")] {
            let map = self.bpf.map(name).with_context(|| format!("the object has no map `{name}`"))?;
            map.pin(dir.join(file)).with_context(|| format!("cannot pin {}", dir.join(file).display()))?;
        }
        Ok(())
    }

    /// Attaches to an interface, in the driver if `mode` and the driver allow it. Where an earlier run's program is there, it is replaced in one step.
    ///
    /// # Errors
    ///
    /// No such interface, another program in the way, or a driver that cannot do what `mode` asks for.
    pub fn attach(&mut self, interface: &str, mode: XdpMode) -> anyhow::Result<Attached> {
        let index =
            interface::index_of(interface).ok_or_else(|| anyhow!("there is no interface `{interface}`"))?;
        let (how, link, pinned) = match self.adopt(interface, index, mode) {
            Some((how, link)) => (how, link, true),
            None => self
                .attach_anew(interface, index, mode)
                .map_err(|error| anyhow!("cannot attach to `{interface}`: {}", reason_of(&error, index)))?,
        };
        self.links.push(Link { interface: interface.to_owned(), index, mode: how, link, pinned });
        Ok(how)
    }

    /// Takes over what an earlier run left on the interface. A link that is of no use (its interface is gone, or it is in the wrong hook) is removed.
    fn adopt(&mut self, interface: &str, index: u32, mode: XdpMode) -> Option<(Attached, XdpLink)> {
        let pins = self.pins.clone()?;
        let adopted = pins.open_link(index)?.and_then(|link| {
            let occupant = Occupant::of(index).context("there is no program on the interface any more")?;
            if link.info()?.program_id() != occupant.id {
                bail!("the program on the interface is another one");
            }
            let how = occupant
                .mode
                .filter(|how| how.suits(mode))
                .context("it is not in the hook that is asked for")?;
            Ok((how, self.put_on(XdpLink::try_from(link)?)?))
        });
        match adopted {
            Ok((how, link)) => {
                tracing::info!(interface, "took over from the program that an earlier run left here");
                Some((how, link))
            }
            Err(error) => {
                tracing::warn!(
                    interface,
                    reason = format!("{error:#}"),
                    "what an earlier run left here is removed"
                );
                pins.remove_link(index);
                None
            }
        }
    }

    fn attach_anew(
        &mut self,
        interface: &str,
        index: u32,
        mode: XdpMode,
    ) -> Result<(Attached, XdpLink, bool), ProgramError> {
        let (how, link) = self.attach_in_one_of(interface, index, mode)?;
        let Some(pins) = &self.pins else { return Ok((how, link, false)) };
        let kept = FdLink::try_from(link).map_err(anyhow::Error::from);
        match kept.and_then(|link| Ok(XdpLink::try_from(pins.keep_link(index, link)?)?)) {
            Ok(link) => Ok((how, link, true)),
            Err(error) => {
                tracing::warn!(
                    interface,
                    error = format!("{error:#}"),
                    "the program will not outlive this process here"
                );
                // The attempt took the link with it.
                let (how, link) = self.attach_in_one_of(interface, index, mode)?;
                Ok((how, link, false))
            }
        }
    }

    fn attach_in_one_of(
        &mut self,
        interface: &str,
        index: u32,
        mode: XdpMode,
    ) -> Result<(Attached, XdpLink), ProgramError> {
        let mut attach = |how: Attached| {
            let flags = match how {
                Attached::Native => AttachMode::Driver,
                Attached::Generic => AttachMode::Skb,
            };
            let program = self.first().map_err(|_| ProgramError::NotLoaded)?;
            let id = program.attach_to_if_index(index, flags)?;
            Ok((how, program.take_link(id)?))
        };
        match mode {
            XdpMode::Off => Err(ProgramError::NotAttached),
            XdpMode::Native => attach(Attached::Native),
            XdpMode::Generic => attach(Attached::Generic),
            XdpMode::Auto => attach(Attached::Native).or_else(|native| {
                let generic = attach(Attached::Generic)?;
                tracing::warn!(
                    interface,
                    reason = reason_of(&native, index),
                    "no native XDP here, attached in the generic hook, which is slower"
                );
                Ok(generic)
            }),
        }
    }

    /// The interfaces it is attached to: name, index, and how.
    pub fn attached(&self) -> impl Iterator<Item = (&str, u32, Attached)> {
        self.links.iter().map(|link| (link.interface.as_str(), link.index, link.mode))
    }

    /// Takes the program off an interface, or forgets one that is gone.
    pub fn detach(&mut self, interface: &str) {
        let Some(at) = self.links.iter().position(|link| link.interface == interface) else { return };
        let link = self.links.swap_remove(at);
        if let Some(pins) = self.pins.as_ref().filter(|_| link.pinned) {
            pins.remove_link(link.index);
        }
    }

    /// Takes the program off every interface.
    pub fn detach_all(&mut self) {
        let names: Vec<String> = self.attached().map(|(name, ..)| name.to_owned()).collect();
        names.iter().for_each(|name| self.detach(name));
    }

    /// Takes over all interfaces of `old`, each in one step: no packet meets neither program. One that cannot be taken over is left without a program.
    pub fn replace(&mut self, old: &mut Kernel) {
        for Link { interface, index, mode, link, pinned } in std::mem::take(&mut old.links) {
            match self.put_on(link) {
                Ok(link) => self.links.push(Link { interface, index, mode, link, pinned }),
                Err(error) => {
                    tracing::error!(
                        interface,
                        error = format!("{error:#}"),
                        "cannot replace the program; it is taken off"
                    );
                    if let Some(pins) = old.pins.as_ref().filter(|_| pinned) {
                        pins.remove_link(index);
                    }
                }
            }
        }
    }

    /// Will it go on answering somewhere when this process is gone?
    pub fn is_kept(&self) -> bool {
        self.links.iter().any(|link| link.pinned)
    }

    /// The end: takes every pin away, and with them the program off every interface.
    pub fn remove(mut self) {
        self.detach_all();
        if let Some(pins) = &self.pins
            && let Err(error) = pins.remove_all()
        {
            tracing::warn!(pins = %pins.dir().display(), %error, "pins stay behind");
        }
    }

    /// Makes a link carry this load's program instead of the one it carries, in one step.
    fn put_on(&mut self, link: XdpLink) -> anyhow::Result<XdpLink> {
        let program = self.first()?;
        let id = program.attach_to_link(link)?;
        Ok(program.take_link(id)?)
    }

    /// The program that interfaces carry.
    fn first(&mut self) -> anyhow::Result<&mut Xdp> {
        program_mut(&mut self.bpf, if self.frozen.is_routed { ROUTED } else { PROGRAM })
    }

    /// Removes the pins of links and tables that are not in use: of interfaces no longer listed or gone, and of earlier loads.
    pub fn tidy_pins(&self) {
        if let Some(pins) = &self.pins {
            let indexes: Vec<u32> =
                self.links.iter().filter(|link| link.pinned).map(|link| link.index).collect();
            pins.tidy(&indexes, Some(&self.id));
        }
    }
}

/// Says what an attach error means to an operator.
fn reason_of(error: &ProgramError, index: u32) -> String {
    let code = match error {
        ProgramError::SyscallError(error) => error.io_error.raw_os_error(),
        _ => None,
    };
    match code {
        Some(libc::EOPNOTSUPP) => {
            "the driver has no native XDP (use mode = \"generic\" or \"auto\")".to_owned()
        }
        Some(libc::EBUSY | libc::EEXIST) => match Occupant::of(index) {
            Some(occupant) => occupant.describe(),
            None => "another XDP program is attached (see `ip link show`)".to_owned(),
        },
        Some(libc::EPERM | libc::EACCES) => {
            format!("not allowed: {}", rights::NEEDED)
        }
        _ => format!("{:#}", anyhow!("{error}")),
    }
}
