//! What a database says of a network, in the two schemas that there are: MaxMind's nested one, and the flat one of ip-location-db.
//!
//! | | MaxMind, DB-IP | ip-location-db, IPinfo |
//! | --- | --- | --- |
//! | country | `country.iso_code` | `country_code`, or `country` |
//! | state or province | `subdivisions[0].iso_code` | `state1` (a name) |
//! | coordinates | `location.latitude`, `.longitude` | `latitude`, `longitude` |
//!
//! A network that has only a `registered_country` (the seat of its owner) has no known place.

use serde::Deserialize;

use super::{code::Code, region::Point};

/// A record as it stands; other fields are passed over.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Record {
    country_code: Option<String>,
    country: Option<Country>,
    #[serde(default)]
    subdivisions: Vec<Division>,
    state1: Option<String>,
    location: Option<Location>,
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
}

#[derive(Debug, Deserialize)]
struct Location {
    latitude: Option<Degrees>,
    longitude: Option<Degrees>,
}

/// An object with a code, or the code itself.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Country {
    Nested { iso_code: Option<String> },
    Flat(String),
}

/// A number, which some write as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Degrees {
    Number(f64),
    Text(String),
}

#[derive(Debug, Deserialize)]
struct Division {
    iso_code: Option<String>,
}

impl Degrees {
    fn number(&self) -> Option<f64> {
        match self {
            Degrees::Number(number) => Some(*number),
            Degrees::Text(text) => text.parse().ok(),
        }
    }
}

impl Record {
    /// The country's code as the database gives it; none where it names no country.
    pub(super) fn country(&self) -> Option<&str> {
        let country = self.country_code.as_deref().or(match &self.country {
            Some(Country::Nested { iso_code }) => iso_code.as_deref(),
            Some(Country::Flat(code)) => Some(code),
            None => None,
        });
        country.filter(|code| !code.is_empty())
    }

    /// The state or province as the database gives it, by code or by name.
    pub(super) fn division(&self) -> Option<&str> {
        let first = self.subdivisions.first().and_then(|division| division.iso_code.as_deref());
        first.or(self.state1.as_deref()).filter(|text| !text.is_empty())
    }

    /// Where it is, if the database has coordinates and they are on the globe.
    pub(super) fn point(&self) -> Option<Point> {
        let flat = (&self.latitude, &self.longitude);
        let (latitude, longitude) =
            self.location.as_ref().map_or(flat, |location| (&location.latitude, &location.longitude));
        let point =
            Point { latitude: latitude.as_ref()?.number()?, longitude: longitude.as_ref()?.number()? };
        (point.latitude.abs() <= 90.0 && point.longitude.abs() <= 180.0).then_some(point)
    }

    /// The most specific code of the hierarchy that holds it: `WORLD` where the country is in none.
    pub(super) fn code(&self) -> Code {
        let Some(country) = self.country().and_then(Code::find) else { return Code::WORLD };
        self.division().and_then(|division| country.division(division)).unwrap_or(country)
    }
}
