//! Azure's regions: their names, where they are, and how long a packet takes between them.

use std::{collections::HashMap, fmt, sync::LazyLock};

use serde::{Serialize, Serializer};

/// A region, such as `West Europe`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(u8);

/// A point on the globe, in degrees; north and east are positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// -90 to 90.
    pub latitude: f64,
    /// -180 to 180.
    pub longitude: f64,
}

/// Milliseconds of a round trip between regions of which none was measured, and what each 1,000 km add: the least squares over those that were.
const UNMEASURED: (f64, f64) = (25.9, 14.3);
/// Milliseconds of a round trip within a region.
const WITHIN: f64 = 1.0;
/// Mean radius of the globe, km.
const RADIUS: f64 = 6371.0;

impl Region {
    /// The region so written, without regard to case and spaces: `West Europe`, `westeurope`.
    pub fn find(text: &str) -> Option<Region> {
        TABLE.by_text.get(&bare(text)).copied()
    }

    /// What someone meant who wrote this, which is no region; none where that cannot be told.
    pub fn meant(text: &str) -> Option<Region> {
        let text = bare(text);
        let (distance, nearest) = Region::all()
            .map(|region| {
                let bare = bare(region.as_str());
                // The words in another order: Europe West.
                let turned = region.as_str().split(' ').rev().collect::<String>().to_lowercase();
                (
                    strsim::damerau_levenshtein(&text, &bare)
                        .min(strsim::damerau_levenshtein(&text, &turned)),
                    region,
                )
            })
            .min()?;
        (distance * 4 <= text.len()).then_some(nearest)
    }

    /// Every region, by name.
    pub fn all() -> impl Iterator<Item = Region> {
        // Fewer than a hundred.
        (0..TABLE.regions.len()).map(|index| Region(index as u8))
    }

    /// Its name as Azure writes it.
    pub fn as_str(self) -> &'static str {
        TABLE.regions[usize::from(self.0)].0
    }

    /// Where it is.
    pub fn point(self) -> Point {
        TABLE.regions[usize::from(self.0)].1
    }

    /// Milliseconds of a round trip from this region to another: as measured, else by the distance.
    pub fn round_trip(self, other: Region) -> f64 {
        if self == other {
            return WITHIN;
        }
        let measured = |from, to| TABLE.measured.get(&(from, to)).copied();
        measured(self, other)
            .or_else(|| measured(other, self))
            .unwrap_or_else(|| UNMEASURED.0 + travel(self.point().distance(other.point())))
    }
}

/// Milliseconds that a distance in km adds to a round trip.
pub(super) fn travel(distance: f64) -> f64 {
    UNMEASURED.1 * distance / 1000.0
}

impl Point {
    /// Kilometres along the globe.
    pub fn distance(self, other: Point) -> f64 {
        let (a, b) = (self.latitude.to_radians(), other.latitude.to_radians());
        let (north, east) = (b - a, (other.longitude - self.longitude).to_radians());
        let h = (north / 2.0).sin().powi(2) + a.cos() * b.cos() * (east / 2.0).sin().powi(2);
        2.0 * RADIUS * h.sqrt().min(1.0).asin()
    }

    /// The region that is nearest, the first by name of several.
    pub fn nearest(self) -> Option<Region> {
        // The farther apart, the less of one direction is in the other; that is told without a look at angles.
        let here = self.direction();
        let apart = |region: &Region| -> f64 {
            let there = &TABLE.directions[usize::from(region.0)];
            -here.iter().zip(there).map(|(a, b)| a * b).sum::<f64>()
        };
        Region::all().min_by(|a, b| apart(a).total_cmp(&apart(b)))
    }

    /// As seen from the middle of the globe.
    fn direction(self) -> [f64; 3] {
        let (north, east) = (self.latitude.to_radians(), self.longitude.to_radians());
        [north.cos() * east.cos(), north.cos() * east.sin(), north.sin()]
    }
}

/// The committed tables, which are checked by a test.
struct Table {
    regions: Vec<(&'static str, Point)>,
    directions: Vec<[f64; 3]>,
    by_text: HashMap<String, Region>,
    measured: HashMap<(Region, Region), f64>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let regions: Vec<_> = super::points(include_str!("data/regions.csv")).collect();
    let by_text: HashMap<_, _> =
        (0..).zip(&regions).map(|(index, (name, _))| (bare(name), Region(index))).collect();
    let mut measured = HashMap::new();
    let mut lines = super::lines(include_str!("data/latency.csv"));
    let columns: Vec<_> =
        lines.next().unwrap_or_default().split(',').map(|name| by_text.get(&bare(name))).collect();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let Some(from) = cells.first().and_then(|name| by_text.get(&bare(name))) else { continue };
        for (to, cell) in columns.iter().zip(cells).skip(1) {
            if let (Some(to), Ok(milliseconds)) = (to, cell.parse()) {
                measured.insert((*from, **to), milliseconds);
            }
        }
    }
    let directions = regions.iter().map(|(_, point)| point.direction()).collect();
    Table { regions, directions, by_text, measured }
});

fn bare(text: &str) -> String {
    text.chars().filter(|char| !char.is_whitespace()).collect::<String>().to_lowercase()
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        Region::find(text).unwrap()
    }

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(Region::all().count(), 56);
        assert_eq!(TABLE.by_text.len(), 56);
        // What the file holds: 50 regions, each pair of which both ways, less the cells that are empty.
        let cells = super::super::lines(include_str!("data/latency.csv")).skip(1);
        let filled: usize =
            cells.map(|line| line.split(',').skip(1).filter(|cell| !cell.is_empty()).count()).sum();
        assert_eq!((filled, TABLE.measured.len()), (2350, 2350));
    }

    #[test]
    fn round_trips_are_measured_or_estimated() {
        assert_eq!(region("Australia Central").round_trip(region("Australia East")), 8.0);
        assert_eq!(region("Australia Central 2").round_trip(region("australiacentral")), 4.0);
        assert_eq!(region("East US").round_trip(region("East US")), 1.0);
        // Madrid to Brussels: 1,316 km, of which no measurement is there.
        let estimate = region("Spain Central").round_trip(region("Belgium Central"));
        assert!((estimate - (25.9 + 14.3 * 1.316)).abs() < 0.1, "{estimate}");
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let point = |latitude, longitude| Point { latitude, longitude };
        // A quarter of the equator, and half of a meridian.
        assert!((point(0.0, 0.0).distance(point(0.0, 90.0)) - 10_007.5).abs() < 1.0);
        assert!((point(90.0, 0.0).distance(point(-90.0, 50.0)) - 20_015.1).abs() < 1.0);
        assert!((point(0.0, 179.0).distance(point(0.0, -179.0)) - 222.4).abs() < 0.1);
        assert_eq!(point(52.5, 13.4).nearest(), Region::find("Germany North"));
        assert_eq!(point(-36.8, 174.8).nearest(), Region::find("New Zealand North"));
        for (latitude, longitude) in (-9..=9).flat_map(|n| (-18..=18).map(move |e| (n * 10, e * 10))) {
            let here = point(f64::from(latitude), f64::from(longitude));
            let nearest = here.nearest().unwrap();
            let least = Region::all().map(|region| here.distance(region.point())).fold(f64::MAX, f64::min);
            assert!(here.distance(nearest.point()) - least < 0.001, "{here:?} {nearest}");
        }
    }

    #[test]
    fn what_was_meant_is_guessed() {
        for (written, expected) in [
            ("West Europ", "West Europe"),
            ("europe west", "West Europe"),
            ("UK-South", "UK South"),
            ("eastus3", "East US"),
            ("Frankfurt", ""),
            ("", ""),
        ] {
            assert_eq!(Region::meant(written).map_or("", Region::as_str), expected, "{written}");
        }
    }
}
