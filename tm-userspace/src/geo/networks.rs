//! A database gone through in the order of the addresses: network by network, each with where its record is, so that whoever asks reads each record once.

use std::{
    iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use maxminddb::{LookupResult, WithinOptions};

use super::{code::Code, database::Database, record::Record, region::Point};

/// A network of which a database says something.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its first address.
    pub first: IpAddr,
    /// The length of its prefix.
    pub length: u8,
    /// Where its record is: rows with the same one say the same.
    pub record: usize,
    lookup: LookupResult<'a, Vec<u8>>,
}

/// What a record says of where a client is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts {
    /// The most specific code.
    pub code: Code,
    /// The point, if there is one.
    pub point: Option<Point>,
}

impl Row<'_> {
    /// Reads its record.
    pub fn facts(&self) -> anyhow::Result<Facts> {
        let record = self.lookup.decode::<Record>()?.unwrap_or_default();
        Ok(Facts { code: record.code(), point: record.point() })
    }
}

impl Facts {
    /// Of facts that are alike, and no others, the same.
    pub fn key(&self) -> (Code, Option<[u64; 2]>) {
        (self.code, self.point.map(|point| [point.latitude, point.longitude].map(f64::to_bits)))
    }
}

impl Database {
    /// Every network, apart from one another and in order, IPv4 first. Those of IPv6 that hold IPv4 addresses are left out.
    pub fn networks(&self) -> anyhow::Result<impl Iterator<Item = anyhow::Result<Row<'_>>>> {
        let found = self.reader.networks(WithinOptions::default())?;
        Ok(found.flat_map(|lookup| {
            let row = lookup.map_err(Into::into).and_then(row).transpose();
            let whole = row.as_ref().and_then(|row| row.as_ref().ok()).and_then(Row::all_of_ipv4);
            whole.map(Ok).into_iter().chain(row)
        }))
    }

    /// The networks around the addresses from `first` to `last`, of one family, likewise: quicker where these are few.
    pub fn networks_in(&self, first: IpAddr, last: IpAddr) -> impl Iterator<Item = anyhow::Result<Row<'_>>> {
        let is_known = first.is_ipv4() || self.reader.metadata().ip_version == 6;
        let mut next = Some(first).filter(|_| is_known);
        iter::from_fn(move || {
            while let Some(address) = next.filter(|next| *next <= last) {
                let found = self.reader.lookup(address).map_err(anyhow::Error::from).and_then(|lookup| {
                    let network = lookup.network()?;
                    // Where IPv4 is not told apart, the network is one of IPv6.
                    let whole = address.is_ipv4() && !network.is_ipv4();
                    next = if whole { None } else { behind(network.ip(), network.prefix()) };
                    let row = row(lookup)?;
                    Ok(if whole { row.and_then(|row| row.all_of_ipv4()) } else { row })
                });
                match found {
                    Ok(None) => {}
                    Ok(Some(row)) => return Some(Ok(row)),
                    Err(error) => {
                        next = None;
                        return Some(Err(error));
                    }
                }
            }
            None
        })
    }
}

impl Row<'_> {
    /// As a row of IPv4, if it is one of IPv6 in which all of that lies.
    fn all_of_ipv4(&self) -> Option<Self> {
        let holds = self.first == IpAddr::V6(Ipv6Addr::UNSPECIFIED) && self.length <= 96;
        holds.then_some(Row { first: Ipv4Addr::UNSPECIFIED.into(), length: 0, ..self.clone() })
    }
}

/// None where nothing is said.
fn row(lookup: LookupResult<'_, Vec<u8>>) -> anyhow::Result<Option<Row<'_>>> {
    let Some(record) = lookup.offset() else { return Ok(None) };
    let network = lookup.network()?;
    Ok(Some(Row { first: network.ip(), length: network.prefix(), record, lookup }))
}

/// The first address behind a network.
fn behind(first: IpAddr, length: u8) -> Option<IpAddr> {
    match first {
        IpAddr::V4(first) => {
            let size = 1u32.checked_shl(32 - u32::from(length))?;
            first.to_bits().checked_add(size).map(|next| Ipv4Addr::from(next).into())
        }
        IpAddr::V6(first) => {
            let size = 1u128.checked_shl(128 - u32::from(length))?;
            first.to_bits().checked_add(size).map(|next| Ipv6Addr::from(next).into())
        }
    }
}
