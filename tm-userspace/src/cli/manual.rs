//! `tm completions` and `tm man`: made from the same definitions that the words are read by.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Cli, Failure, out};

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// For which shell: `tm completions bash > /etc/bash_completion.d/tm`.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// A directory for the pages of all commands, each a file: `tm man --to /usr/local/share/man/man1`.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub(super) fn complete(completions: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(completions.shell, &mut Cli::command(), "tm", &mut script);
    out::data(format_args!("{}", String::from_utf8_lossy(&script)));
    Ok(())
}

pub(super) fn print(man: &Man) -> Result<(), Failure> {
    if let Some(to) = &man.to {
        let write = || {
            fs::create_dir_all(to)?;
            clap_mangen::generate_to(Cli::command(), to)
        };
        return Ok(write().with_context(|| format!("cannot write the pages to {}", to.display()))?);
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(anyhow::Error::from)?;
    out::data(format_args!("{}", String::from_utf8_lossy(&page)));
    Ok(())
}
