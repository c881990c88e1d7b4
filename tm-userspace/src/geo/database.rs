//! A database in MaxMind's format, whole in memory: read once, so that a file changed in place harms nobody who looks in it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt, fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
    time::SystemTime,
};

use anyhow::{Context as _, anyhow, bail};
use maxminddb::{LookupResult, MaxMindDbError, Reader};
use serde::Serialize;

use super::{
    code::Code,
    mapping::{self, Mapping, Network, Rows},
    record::Record,
    region::Point,
};
use crate::print::Print;

/// A database.
pub struct Database {
    path: PathBuf,
    print: Print,
    pub(super) reader: Reader<Vec<u8>>,
}

/// What a database says of an address.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// The largest network around the address of which it says this: the database's row, as `prefix/length`.
    pub network: String,
    /// The country as the database gives it.
    pub country: Option<String>,
    /// The state or province as the database gives it.
    pub division: Option<String>,
    /// The most specific code.
    pub code: Code,
    /// Where it is, as the database gives it.
    pub point: Option<Point>,
}

/// A database as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// What its maker calls its kind.
    pub kind: String,
    /// When it was built.
    #[serde(with = "crate::time::serde_rfc3339")]
    pub built: SystemTime,
    /// Networks of IPv4 that it says something of.
    pub rows_ipv4: u64,
    /// Networks of IPv6 that it says something of.
    pub rows_ipv6: u64,
    /// Countries that it tells apart.
    pub countries: usize,
    /// States and provinces of the hierarchy that it tells apart.
    pub divisions: usize,
    /// Rows without a country.
    pub without_country: u64,
    /// Its countries that have no place in the hierarchy, and their rows: only `WORLD` matches there.
    pub unknown: BTreeMap<String, u64>,
}

impl Database {
    /// Reads a file and looks at the frame of it; [`Self::survey`] looks at all.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let print = Print::of(path)?;
        if !fs::metadata(path)?.is_file() {
            bail!(io::Error::other("it is not a regular file"));
        }
        let reader = Reader::from_source(fs::read(path)?).map_err(|error| match error {
            MaxMindDbError::InvalidDatabase { .. } => {
                anyhow!("not a database in MaxMind's format, or only a part of one: {error}")
            }
            error => error.into(),
        })?;
        reader.metadata().build_time()?;
        Ok(Database { path: path.to_owned(), print, reader })
    }

    /// Where it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Is the file still the one that was read?
    pub fn is_current(&self) -> bool {
        Print::of(&self.path).is_ok_and(|print| print == self.print)
    }

    /// What it says of `address`; of one that it knows nothing of, that nothing but `WORLD` matches.
    pub fn find(&self, address: IpAddr) -> anyhow::Result<Found> {
        if address.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(Found {
                network: "::/0".to_owned(),
                country: None,
                division: None,
                code: Code::WORLD,
                point: None,
            });
        }
        let row = self.reader.lookup(address)?;
        let record = row.decode::<Record>()?.unwrap_or_default();
        Ok(Found {
            network: row.network()?.to_string(),
            country: record.country().map(str::to_owned),
            division: record.division().map(str::to_owned),
            code: record.code(),
            point: record.point(),
        })
    }

    /// Looks at every row. An error says that the file is damaged, or that it is no database of countries.
    pub fn survey(&self) -> anyhow::Result<Survey> {
        let metadata = self.reader.metadata();
        let mut survey = Survey {
            kind: metadata.database_type.clone(),
            built: metadata.build_time()?,
            rows_ipv4: 0,
            rows_ipv6: 0,
            countries: 0,
            divisions: 0,
            without_country: 0,
            unknown: BTreeMap::new(),
        };
        // Many rows share a record.
        let mut rows_of: HashMap<usize, (Record, u64)> = HashMap::new();
        for row in self.reader.networks(maxminddb::WithinOptions::default())? {
            let row = row?;
            match row.network()?.is_ipv4() {
                true => survey.rows_ipv4 += 1,
                false => survey.rows_ipv6 += 1,
            }
            count(&row, &mut rows_of)
                .with_context(|| format!("the record of {} is damaged", describe(&row)))?;
        }
        let (mut countries, mut divisions) = (BTreeSet::new(), BTreeSet::new());
        for (record, rows) in rows_of.values() {
            let Some(country) = record.country() else {
                survey.without_country += rows;
                continue;
            };
            countries.insert(country);
            match Code::find(country) {
                None => *survey.unknown.entry(country.to_owned()).or_default() += rows,
                Some(code) if record.code() != code => _ = divisions.insert(record.code()),
                Some(_) => {}
            }
        }
        (survey.countries, survey.divisions) = (countries.len(), divisions.len());
        if survey.countries == 0 {
            bail!("it names no countries: its kind is `{}`", survey.kind);
        }
        Ok(survey)
    }
}

impl Database {
    /// Every network by whom it belongs to.
    pub fn rows(&self, mapping: &Mapping) -> anyhow::Result<Rows> {
        let mut rows = Rows { rest: mapping.owner(Code::WORLD), ..Rows::default() };
        // Many rows share a record.
        let mut owners: HashMap<usize, Option<usize>> = HashMap::new();
        for row in self.reader.networks(maxminddb::WithinOptions::default())? {
            let row = row?;
            let offset = row.offset().context("a row of the database leads nowhere")?;
            let owner = match owners.get(&offset) {
                Some(owner) => *owner,
                None => {
                    let owner = mapping.owner(row.decode::<Record>()?.unwrap_or_default().code());
                    owners.insert(offset, owner);
                    owner
                }
            };
            // Where nobody is mapped, nobody has the rest either.
            let Some(owner) = owner.filter(|_| owner != rows.rest) else { continue };
            let network = row.network()?;
            let length = network.prefix();
            match network.ip() {
                IpAddr::V4(start) => {
                    mapping::append(&mut rows.v4, Network { start: start.to_bits(), length }, owner)
                }
                IpAddr::V6(start) => {
                    mapping::append(&mut rows.v6, Network { start: start.to_bits(), length }, owner)
                }
            }
        }
        Ok(rows)
    }
}

fn count(row: &LookupResult<'_, Vec<u8>>, rows_of: &mut HashMap<usize, (Record, u64)>) -> anyhow::Result<()> {
    let offset = row.offset().context("it leads nowhere")?;
    if let Some((_, rows)) = rows_of.get_mut(&offset) {
        *rows += 1;
    } else {
        rows_of.insert(offset, (row.decode()?.unwrap_or_default(), 1));
    }
    Ok(())
}

fn describe(row: &LookupResult<'_, Vec<u8>>) -> String {
    row.network().map_or_else(|_| "a network".to_owned(), |network| network.to_string())
}

/// The address by which `address` is placed: the IPv4 address inside one of IPv6 that carries it (v4-mapped, 6to4, 64:ff9b::/96,
/// Teredo), else itself.
pub fn placed_by(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let segments = v6.segments();
    let v4 = |high: u16, low: u16| IpAddr::V4(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match segments {
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // RFC 4380, section 4: the client's address, inverted.
        [0x2001, 0, .., high, low] => v4(!high, !low),
        _ => IpAddr::V6(Ipv6Addr::from(segments)),
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path)
            .field("print", &self.print)
            .finish_non_exhaustive()
    }
}
