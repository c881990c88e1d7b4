//! Where addresses are: databases in MaxMind's format, and Azure's hierarchy of codes.
//!
//! A database says the country of a network, and some its state or province. The most specific [`Code`] of the hierarchy that holds it
//! stands for the place; whoever is mapped to a code has all that lies in it. What the hierarchy does not have, and what the
//! database does not know, lies in `WORLD` alone. Without a database the continent is guessed ([`registries`]).

mod code;
mod database;
mod hierarchy;
mod latency;
mod learnt;
mod mapping;
mod name;
mod networks;
mod prefixes;
mod record;
mod region;
mod registries;
mod round_trips;

pub use code::Code;
pub use database::{Database, Found, Survey, placed_by};
pub use latency::{Client, Overrides, ranking, whereabouts};
pub use learnt::Smoothed;
pub use mapping::{Mapping, Network, Rows};
pub use networks::{Facts, Row};
pub use region::{Point, Region};
pub use registries::{code_of_registry, registries};
pub use round_trips::{Measured, RoundTrips, Sample};

use std::path::Path;

/// A database that was looked through and found whole.
#[derive(Debug)]
pub struct Atlas {
    /// The database.
    pub database: Database,
    /// What is in it.
    pub survey: Survey,
}

impl Atlas {
    /// Reads a file and looks at every row: some tenths of a second for a million of them.
    pub fn load(path: &Path) -> anyhow::Result<Self> {
        let database = Database::open(path)?;
        let survey = database.survey()?;
        Ok(Atlas { database, survey })
    }
}

/// What a committed table holds: its lines without comments.
fn lines(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#'))
}

/// A committed table of names and points.
fn points(text: &'static str) -> impl Iterator<Item = (&'static str, Point)> {
    lines(text).filter_map(|line| {
        let mut cells = line.split(',');
        let name = cells.next()?;
        Some((name, Point { latitude: cells.next()?.parse().ok()?, longitude: cells.next()?.parse().ok()? }))
    })
}
