//! How long a client's packets take to Azure's regions: a guess from where it is, and what the operator knows better.
//!
//! The guess goes by way of the region nearest to the client: the way there, as the distance has it, and from there the round trip between regions
//! that Microsoft publishes. A client's point is what a city database says, else the principal city of its country, or of its continent where not more
//! is known; a client of neither has no guess.
//!
//! The operator's file has a line for each thing known better, `client,region,milliseconds`; the client is a prefix, an address or a code:
//!
//! ```csv
//! # what we measured
//! 203.0.113.0/24,West Europe,12
//! US-CA,westus2,21.5
//! ```
//!
//! For each region the longest prefix counts that has a line for it, then the most specific code, then what was measured ([`RoundTrips`]), then for clients near to this node
//! what its probes learnt, then the guess.

use std::{collections::HashMap, fs, net::IpAddr, ops::RangeInclusive, path::Path, sync::LazyLock};

use anyhow::{Context as _, anyhow, bail};

use super::{
    code::Code,
    prefixes::{Prefixes, bits},
    region::{Point, Region, travel},
    round_trips::RoundTrips,
};
use crate::prefix::network;

/// What is known better than guessed: by the operator, and by measurement.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overrides {
    prefixes: Prefixes,
    codes: HashMap<Code, Vec<(Region, f64)>>,
    measured: Prefixes,
    /// Prefixes of clients near to this node.
    near: Vec<(IpAddr, u8)>,
    /// What its probes learnt, for these.
    learnt: Prefixes,
}

/// A client, as far as is known where it is.
#[derive(Clone, Copy, Debug)]
pub struct Client {
    /// Its address.
    pub address: IpAddr,
    /// The most specific code.
    pub code: Code,
    /// Where a database has it.
    pub point: Option<Point>,
}

impl Overrides {
    /// Reads a file; an error names the line and what to write.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut overrides = Overrides::default();
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            if !line.is_empty() && !line.starts_with('#') {
                overrides.add(line).with_context(|| format!("{}:{number}", path.display()))?;
            }
        }
        Ok(overrides)
    }

    fn add(&mut self, line: &str) -> anyhow::Result<()> {
        let (client, region, milliseconds) = cells(line)?;
        let is_new = match (prefix(client), Code::find(client)) {
            (Some(prefix), _) => self.prefixes.add(prefix?, region, milliseconds),
            (None, Some(code)) => {
                let known = self.codes.entry(code).or_default();
                let is_new = known.iter().all(|(other, _)| *other != region);
                known.push((region, milliseconds));
                is_new
            }
            (None, None) => {
                return Err(unknown(
                    "prefix, address or code",
                    client,
                    Code::meant(client).map(Code::as_str),
                ));
            }
        };
        if !is_new {
            bail!("{client} and {region} are there twice: remove one of the two");
        }
        Ok(())
    }

    /// The same for a node that is near to the clients of these prefixes.
    #[must_use]
    pub fn near(self, near: Vec<(IpAddr, u8)>) -> Self {
        Overrides { near, ..self }
    }

    /// Are there clients near to this node, for whom it learns from its probes?
    pub fn learns(&self) -> bool {
        !self.near.is_empty()
    }

    /// The same with what was measured.
    #[must_use]
    pub fn with(&self, measured: &RoundTrips) -> Self {
        let mut learnt = Prefixes::default();
        self.near.iter().for_each(|prefix| learnt.set(*prefix, measured.regions()));
        Overrides { measured: measured.enough().clone(), learnt, ..self.clone() }
    }

    /// Every prefix that something is known of; some may be there twice.
    pub fn prefixes(&self) -> impl Iterator<Item = (IpAddr, u8)> {
        self.prefixes.all().chain(self.measured.all()).chain(self.learnt.all())
    }

    /// Prefixes of which `other` says something else; none where they differ in more than prefixes.
    pub fn differing(&self, other: &Overrides) -> Option<Vec<(IpAddr, u8)>> {
        let same = self.codes == other.codes;
        let prefixes =
            self.prefixes.differing(&other.prefixes).chain(self.measured.differing(&other.measured));
        let prefixes = prefixes.chain(self.learnt.differing(&other.learnt));
        same.then(|| prefixes.collect())
    }

    /// Is what counts for a client and a region learnt from probes?
    pub fn is_learnt(&self, client: &Client, region: Region) -> bool {
        self.told(client, region).is_none() && self.learnt.find(client.address, region).is_some()
    }

    /// What is better than a guess for a client and a region.
    fn find(&self, client: &Client, region: Region) -> Option<f64> {
        self.told(client, region).or_else(|| self.learnt.find(client.address, region))
    }

    /// Milliseconds that the operator gives for a client and a region, or else that were measured.
    fn told(&self, client: &Client, region: Region) -> Option<f64> {
        let of = |code| self.codes.get(&code)?.iter().find(|(other, _)| *other == region);
        let by_prefix = self.prefixes.find(client.address, region);
        by_prefix
            .or_else(|| client.code.upwards().find_map(of).map(|(_, milliseconds)| *milliseconds))
            .or_else(|| self.measured.find(client.address, region))
    }
}

/// These regions with the milliseconds to them, the nearest first; those of which nothing is known are not there.
pub fn ranking(
    client: &Client,
    overrides: &Overrides,
    regions: impl IntoIterator<Item = Region>,
) -> Vec<(Region, f64)> {
    let guess = whereabouts(client).and_then(|point| {
        let nearest = point.nearest()?;
        Some((nearest, travel(point.distance(nearest.point()))))
    });
    let mut ranking: Vec<_> = regions
        .into_iter()
        .filter_map(|region| {
            let guessed = || guess.map(|(nearest, way)| way + nearest.round_trip(region));
            Some((region, overrides.find(client, region).or_else(guessed)?))
        })
        .collect();
    ranking.sort_by(|(a, to_a), (b, to_b)| to_a.total_cmp(to_b).then(a.cmp(b)));
    ranking
}

/// Where a client is held to be: where a database has it, else in the principal city of its country or continent; nowhere where not even that is known.
pub fn whereabouts(client: &Client) -> Option<Point> {
    client.point.or_else(|| principal_city(client.code))
}

/// The cells of a line.
pub(super) fn cells(line: &str) -> anyhow::Result<(&str, Region, f64)> {
    let cells: Vec<&str> = line.split(',').map(str::trim).collect();
    let [client, region, milliseconds] = cells[..] else {
        bail!("{line:?} is not `client,region,milliseconds`, as `203.0.113.0/24,West Europe,12`")
    };
    let number = milliseconds.parse().ok().filter(|number| MILLISECONDS.contains(number));
    let number =
        number.ok_or_else(|| anyhow!("{milliseconds:?} is not a number of milliseconds from 0 to 60000"))?;
    Ok((client, find_region(region)?, number))
}

/// The region so written.
pub(super) fn find_region(text: &str) -> anyhow::Result<Region> {
    Region::find(text).ok_or_else(|| unknown("region", text, Region::meant(text).map(Region::as_str)))
}

/// What a round trip may take.
pub(super) const MILLISECONDS: RangeInclusive<f64> = 0.0..=60_000.0;

/// Only of a regular file, since reading another kind may never end.
fn read(path: &Path) -> anyhow::Result<String> {
    match fs::metadata(path)?.is_file() {
        true => Ok(fs::read_to_string(path)?),
        false => bail!("it is not a regular file"),
    }
}

/// Where most of a country's clients are held to be, else most of its continent's.
fn principal_city(code: Code) -> Option<Point> {
    code.upwards().find_map(|code| CITIES.get(&code).copied())
}

static CITIES: LazyLock<HashMap<Code, Point>> = LazyLock::new(|| {
    let cities = super::points(include_str!("data/countries.csv"));
    cities.filter_map(|(country, point)| Some((Code::find(country)?, point))).collect()
});

/// A prefix; none of what is no prefix at all.
pub(super) fn prefix(text: &str) -> Option<anyhow::Result<(IpAddr, u8)>> {
    let (address, length) =
        text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
    let address: IpAddr = address.parse().ok()?;
    let bits = bits(address);
    let length = match length {
        None => bits,
        Some(length) => match length.parse::<u8>().ok().filter(|length| *length <= bits) {
            Some(length) => length,
            None => return Some(Err(anyhow!("{text:?} has a length that is not from 0 to {bits}"))),
        },
    };
    if network(address, length) != address {
        return Some(Err(anyhow!(
            "{text:?} has bits behind its length: write the first address of the network"
        )));
    }
    Some(Ok((address, length)))
}

pub(super) fn unknown(what: &str, text: &str, meant: Option<&str>) -> anyhow::Error {
    let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
    anyhow!("there is no {what} {text:?}{meant}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str, code: &str, point: Option<(f64, f64)>) -> Client {
        let point = point.map(|(latitude, longitude)| Point { latitude, longitude });
        Client { address: address.parse().unwrap(), code: Code::find(code).unwrap(), point }
    }

    fn first(client: &Client, overrides: &Overrides) -> (&'static str, f64) {
        let (region, milliseconds) = ranking(client, overrides, Region::all())[0];
        (region.as_str(), (milliseconds * 10.0).round() / 10.0)
    }

    fn overrides(lines: &[&str]) -> anyhow::Result<Overrides> {
        let mut overrides = Overrides::default();
        lines.iter().try_for_each(|line| overrides.add(line))?;
        Ok(overrides)
    }

    #[test]
    fn every_country_has_a_city() {
        let countries = Code::all().filter(|code| code.upwards().count() == 3);
        let without: Vec<_> = countries.filter(|code| !CITIES.contains_key(code)).collect();
        assert!(without.is_empty(), "{without:?}");
    }

    #[test]
    fn a_guess_goes_by_the_nearest_region() {
        let none = Overrides::default();
        let berlin = client("192.0.2.1", "DE", None);
        let all = ranking(&berlin, &none, Region::all());
        assert_eq!(all.len(), 56);
        assert_eq!(all[0].0.as_str(), "Germany North");
        let of = |name| all.iter().find(|(region, _)| region.as_str() == name).unwrap().1;
        let north = Region::find("Germany North").unwrap();
        let west = north.round_trip(Region::find("West Europe").unwrap());
        assert!((of("West Europe") - of("Germany North") - (west - 1.0)).abs() < 1e-9);
        // Seattle, by a city database, though the country's city is Washington.
        assert_eq!(first(&client("192.0.2.1", "US-WA", Some((47.6, -122.3))), &none).0, "West US 2");
        assert_eq!(first(&client("192.0.2.1", "US-WA", None), &none).0, "East US 2");
        assert_eq!(first(&client("192.0.2.1", "GEO-NA", None), &none).0, "North Central US");
        assert_eq!(first(&client("192.0.2.1", "GEO-AS", None), &none).0, "Southeast Asia");
        assert!(ranking(&client("192.0.2.1", "WORLD", None), &none, Region::all()).is_empty());
    }

    #[test]
    fn the_operator_knows_better() {
        let known = overrides(&[
            "192.0.2.0/24,France Central,0.5",
            "192.0.2.0/25,westeurope,0.4",
            "2001:db8::/32,UK South,0.3",
            "DE,Norway East,0.2",
            "GEO-EU,Sweden Central,0.1",
            "0.0.0.0/0,France Central,900",
        ])
        .unwrap();
        let of = |client: &Client, name: &str| {
            ranking(client, &known, Region::all())
                .into_iter()
                .find(|(region, _)| region.as_str() == name)
                .unwrap()
                .1
        };
        let near = client("192.0.2.1", "DE", None);
        assert_eq!(
            ["France Central", "West Europe", "Norway East", "Sweden Central"].map(|name| of(&near, name)),
            [0.5, 0.4, 0.2, 0.1]
        );
        assert_ne!(of(&near, "UK South"), 0.3);
        let beside = client("192.0.2.128", "FR", None);
        assert_eq!((of(&beside, "France Central"), of(&beside, "Sweden Central")), (0.5, 0.1));
        assert!(of(&beside, "West Europe") > 1.0 && of(&beside, "Norway East") > 1.0);
        assert_eq!(of(&client("198.51.100.1", "DE", None), "France Central"), 900.0);
        // All that is known of a client of no place.
        assert_eq!(
            ranking(&client("2001:db8::1", "WORLD", None), &known, Region::all()),
            [(Region::find("UK South").unwrap(), 0.3)]
        );
    }

    #[test]
    fn what_is_wrong_in_a_line_is_told() {
        for (line, said) in [
            ("DE,West Europe", "is not `client,region,milliseconds`"),
            ("DE,West Europ,1", "there is no region \"West Europ\"; did you mean West Europe?"),
            ("UK,UK South,1", "there is no prefix, address or code \"UK\"; did you mean GB?"),
            ("DE,UK South,-1", "\"-1\" is not a number of milliseconds"),
            ("DE,UK South,NaN", "\"NaN\" is not a number of milliseconds"),
            ("192.0.2.1/24,UK South,1", "has bits behind its length"),
            ("192.0.2.0/33,UK South,1", "has a length that is not from 0 to 32"),
        ] {
            let error = overrides(&[line]).unwrap_err().to_string();
            assert!(error.contains(said), "{line}: {error}");
        }
        assert!(
            overrides(&["DE,UK South,1", "de,uksouth,2"]).unwrap_err().to_string().contains("there twice")
        );
    }
}
