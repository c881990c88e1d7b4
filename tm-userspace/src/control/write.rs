//! What was decided and compiled, put into the tables in use.

use super::Control;
use crate::{
    compile::Compiled,
    desired::{Cookies, Desired},
    frozen::Frozen,
    listen::Listening,
    names::DnsName,
    sync::Image,
};

impl Control {
    pub(super) fn write(&mut self, changes: &[(DnsName, Option<Compiled>)]) {
        let mut image = self.tables.image_mut();
        let changed = image.apply(changes.iter().map(|(name, compiled)| (name, compiled.as_ref())));
        let mut outgrown = image.homeless() > 0;
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.copy(&image, &changed);
            outgrown |= !kernel.holds(&image);
        }
        if outgrown && !self.needs_tables {
            tracing::info!("the tables are full, making larger ones");
        }
        // Meanwhile the sockets answer what does not fit in the kernel's.
        self.needs_tables |= outgrown;
    }

    /// Puts the addresses into all tables, with what is frozen.
    pub(super) fn set_addresses(&mut self) {
        self.put_addresses(&mut self.tables.image_mut());
        let image = self.tables.image();
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.set_addresses(&image);
        }
        drop(image);
        self.set_frozen();
    }

    /// Puts what is frozen into the daemon's tables; programs that go by something else are loaded anew.
    pub(super) fn set_frozen(&mut self) {
        let frozen = self.frozen(&self.desired, &self.listening);
        let suits = self.tables.kernel().as_ref().is_none_or(|kernel| *kernel.frozen() == frozen);
        self.tables.image_mut().set_frozen(frozen);
        if !suits && !self.needs_tables {
            tracing::info!("the programs go by what is true no longer; loading them anew");
        }
        self.needs_tables |= !suits;
    }

    /// What programs are to go by for these settings, where it is listened there.
    pub(super) fn frozen(&self, desired: &Desired, listening: &Listening) -> Frozen {
        Frozen::of(&desired.node, listening, self.is_armed(), self.tables.image().frozen())
    }

    /// Puts what cookies are made with, and who is never over the limit, into all tables.
    pub(super) fn set_clients(&mut self) {
        self.put_clients(&mut self.tables.image_mut());
        let image = self.tables.image();
        if let Some(kernel) = &*self.tables.kernel() {
            kernel.set_cookies(&image);
            kernel.set_allowed(&image);
        }
    }

    /// Likewise into these tables of the daemon.
    pub(super) fn put_clients(&self, image: &mut Image) {
        image.set_cookies(self.cookie_secrets());
        image.set_allowed(&self.desired.node.rate_limit.allow);
    }

    fn cookie_secrets(&self) -> &[[u8; 16]] {
        match &self.desired.node.cookies {
            Cookies::Off => &[],
            Cookies::Own => self.own_cookies.all(),
            Cookies::Of(secrets) => secrets.all(),
        }
    }

    /// Puts the addresses into these tables of the daemon; the kernel's still have to follow.
    pub(super) fn put_addresses(&self, image: &mut Image) {
        let (served, own) = self.listening.keys();
        warn_left_out(image.set_addresses(&served, &own));
    }
}

fn warn_left_out(addresses: Vec<tm_common::tables::Address>) {
    if !addresses.is_empty() {
        tracing::warn!(
            addresses = addresses.len(),
            "too many addresses with the same hash; the sockets answer at the rest"
        );
    }
}
