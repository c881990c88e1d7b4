//! Writes databases in MaxMind's format, as large as they are wanted: a tree of bits, and the records that it leads to.

use std::{collections::HashMap, net::IpAddr};

/// A side of a node that leads nowhere yet.
const NOTHING: u32 = u32::MAX;
/// A side that leads to a record, whose number is in the other bits.
const RECORD: u32 = 1 << 31;

/// A database of countries in the making.
#[derive(Clone, Debug)]
pub struct Writer {
    nodes: Vec<[u32; 2]>,
    countries: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Default for Writer {
    fn default() -> Self {
        Writer { nodes: vec![[NOTHING; 2]], countries: vec![], numbers: HashMap::new() }
    }
}

impl Writer {
    /// Says which country a network is in; networks lie apart from one another.
    pub fn add(&mut self, first: IpAddr, length: u8, country: &str) {
        let new = self.countries.len() as u32;
        let number = *self.numbers.entry(country.to_owned()).or_insert(new);
        if number == new {
            self.countries.push(country.to_owned());
        }
        let (bits, length) = match first {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), length + 96),
            IpAddr::V6(v6) => (v6.to_bits(), length),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits << depth >> 127 == 1);
            if depth + 1 == length {
                self.nodes[node][side] = RECORD | number;
                return;
            }
            if self.nodes[node][side] == NOTHING {
                self.nodes[node][side] = self.nodes.len() as u32;
                self.nodes.push([NOTHING; 2]);
            }
            node = self.nodes[node][side] as usize;
        }
    }

    /// The octets of the file.
    pub fn finish(self) -> Vec<u8> {
        let count = self.nodes.len() as u32;
        let (mut data, mut at) = (vec![], vec![]);
        for country in &self.countries {
            at.push(data.len() as u32);
            // A map of one pair.
            data.push(0xe1);
            text(&mut data, "country_code");
            text(&mut data, country);
        }
        let mut file = Vec::with_capacity(self.nodes.len() * 8 + data.len() + 256);
        for side in self.nodes.iter().flatten() {
            let value = match *side {
                NOTHING => count,
                record if record & RECORD != 0 => count + 16 + at[(record & !RECORD) as usize],
                node => node,
            };
            file.extend(value.to_be_bytes());
        }
        file.extend([0; 16]);
        file.extend(data);
        file.extend(b"\xab\xcd\xefMaxMind.com");
        // A map of nine pairs. Unsigned numbers of two, four and eight octets are types 5, 6 and 9; a list is 11.
        file.push(0xe9);
        text(&mut file, "node_count");
        file.push(0xc4);
        file.extend(count.to_be_bytes());
        for (key, value) in [
            ("record_size", 32u16),
            ("ip_version", 6),
            ("binary_format_major_version", 2),
            ("binary_format_minor_version", 0),
        ] {
            text(&mut file, key);
            file.push(0xa2);
            file.extend(value.to_be_bytes());
        }
        text(&mut file, "database_type");
        text(&mut file, "Tests-Country");
        text(&mut file, "languages");
        file.extend([0x00, 0x04]);
        text(&mut file, "build_epoch");
        file.extend([0x08, 0x02]);
        file.extend(1_767_323_045u64.to_be_bytes());
        text(&mut file, "description");
        file.push(0xe0);
        file
    }
}

/// A text of less than 29 octets.
fn text(file: &mut Vec<u8>, text: &str) {
    file.push(0x40 | text.len() as u8);
    file.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use tm_userspace::geo::{Atlas, Code};

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut writer = Writer::default();
        let rows = [("203.0.113.0", 25, "DE"), ("203.0.113.128", 25, "FR"), ("2001:db8::", 33, "DE")];
        for (first, length, country) in rows {
            writer.add(first.parse().unwrap(), length, country);
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), writer.finish()).unwrap();
        let atlas = Atlas::load(file.path()).unwrap();
        assert_eq!((atlas.survey.rows_ipv4, atlas.survey.rows_ipv6, atlas.survey.countries), (2, 1, 2));
        for (address, country) in [
            ("203.0.113.127", "DE"),
            ("203.0.113.128", "FR"),
            ("203.0.114.0", "WORLD"),
            ("2001:db8:7fff::", "DE"),
            ("2001:db8:8000::", "WORLD"),
        ] {
            assert_eq!(
                atlas.database.find(address.parse().unwrap()).unwrap().code,
                Code::find(country).unwrap(),
                "{address}"
            );
        }
    }
}
