//! `tm detach`: takes away what a daemon left answering, when that one is gone.

use std::path::Path;

use anyhow::Context as _;

use super::{Failure, Output, out::say, report};
use crate::{config, state::Lock, xdp::Pins};

/// Needs the right to remove the pins, and that no daemon runs.
pub(super) fn run(dir: &Path, output: Output) -> Result<(), Failure> {
    let node = config::load(dir).map_err(report)?.node;
    // Where there is no state directory, no daemon of this configuration can be running.
    let _lock = node.state_dir.is_dir().then(|| Lock::take(&node.state_dir)).transpose()?;
    let pins = Pins::of(&node.listen.pins, &node.state_dir);
    let indexes =
        pins.remove_all().with_context(|| format!("cannot remove the pins in {}", pins.dir().display()))?;
    let names: Vec<String> = indexes.iter().map(|index| name_of(*index)).collect();
    match output {
        form @ (Output::Json | Output::Yaml) => form.print(&serde_json::json!({ "detached": names }))?,
        Output::Text if names.is_empty() => say!("nothing was attached"),
        Output::Text => say!("detached from {}", names.join(", ")),
    }
    Ok(())
}

/// Its name, if it is one of this network namespace.
fn name_of(index: u32) -> String {
    let name = nix::net::if_::if_indextoname(index).ok();
    name.and_then(|name| name.into_string().ok()).unwrap_or_else(|| format!("index {index}"))
}
