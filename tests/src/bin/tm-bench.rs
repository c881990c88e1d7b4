//! One part of `cargo xtask bench`, which builds this and calls it part by part.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use serde::Serialize;
use tm_tests::{
    bench::packets::{self, Packets},
    namespace::require_root,
};

/// Rounds of which the best counts.
const ROUNDS: usize = 15;

/// Measures one thing.
#[derive(Debug, Parser)]
struct Options {
    /// Print JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    part: Part,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// What a packet costs.
    Packets {
        /// Numbers of profiles.
        #[arg(long, value_delimiter = ',')]
        profiles: Vec<usize>,
        /// A file with the figures of a virtual machine that counted instructions: those of each size on a line.
        #[arg(long)]
        counted: Option<PathBuf>,
    },
}

fn main() -> Result<()> {
    let options = Options::parse();
    require_root();
    match options.part {
        Part::Packets { profiles, counted } => {
            let mut measured = vec![];
            for profiles in profiles {
                measured.push(packets::measure(profiles, ROUNDS)?);
            }
            if let Some(file) = counted {
                let text = fs::read_to_string(&file)
                    .with_context(|| format!("cannot read the counts in {}", file.display()))?;
                let machine: Result<Vec<Packets>, _> = text.lines().map(serde_json::from_str).collect();
                packets::count_by(&mut measured, &machine.context("the counts are not a machine's")?);
            }
            say(options.json, &measured[..], packets::table)
        }
    }
}

fn say<F: Serialize + ?Sized>(json: bool, figures: &F, table: impl Fn(&F) -> String) -> Result<()> {
    println!("{}", if json { serde_json::to_string_pretty(figures)? } else { table(figures) });
    Ok(())
}
