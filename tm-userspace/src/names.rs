//! Domain names as they lie on the wire, lower-cased: what profiles, targets and zones are called everywhere past the configuration.
//!
//! Presentation format in and out is hickory's ([RFC 1035, section 5.1], [RFC 4343]).
//!
//! [RFC 1035, section 5.1]: https://www.rfc-editor.org/rfc/rfc1035#section-5.1
//! [RFC 4343]: https://www.rfc-editor.org/rfc/rfc4343

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

use hickory_proto::{rr::Name, serialize::binary::BinEncodable};

/// A fully qualified name: 1 to 255 octets of length-prefixed labels and the root's zero octet, ASCII letters in lower case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DnsName(Arc<[u8]>);

// Equal, ordered and hashed as its octets are.
impl Borrow<[u8]> for DnsName {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// The label of a wildcard.
const ASTERISK: &[u8] = b"\x01*";

/// Why a text is no name.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NameError {
    /// An empty text, an empty label, an unfinished escape or a label over 63 octets.
    #[error("`{0}` is not a domain name: labels have 1 to 63 octets, separated by single dots")]
    Malformed(String),
    /// Over 255 octets on the wire.
    #[error("`{0}` is too long for a domain name: at most 255 octets with their length octets")]
    TooLong(String),
}

impl DnsName {
    /// The wire form, with the root's zero octet.
    pub fn wire(&self) -> &[u8] {
        &self.0
    }

    /// Takes a wire form that is known to be whole, lower-casing it.
    pub fn from_wire(wire: &[u8]) -> Self {
        DnsName(wire.to_ascii_lowercase().into())
    }

    /// The root.
    pub fn root() -> Self {
        DnsName(Arc::new([0]))
    }

    /// This name with `suffix` behind it, both without regard to whether they end in a dot.
    pub fn under(&self, suffix: &DnsName) -> Result<Self, NameError> {
        let labels = &self.0[..self.0.len() - 1];
        if labels.len() + suffix.0.len() > 255 {
            return Err(NameError::TooLong(format!("{self}.{suffix}")));
        }
        Ok(DnsName([labels, &suffix.0].concat().into()))
    }

    /// `*` and this name, if that is a name.
    pub fn with_asterisk(&self) -> Option<Self> {
        (self.0.len() <= 253).then(|| DnsName([ASTERISK, &self.0].concat().into()))
    }

    /// What stands behind its `*`, if that is its first label.
    pub fn without_asterisk(&self) -> Option<Self> {
        self.0.strip_prefix(ASTERISK).map(|above| DnsName(above.into()))
    }

    /// Is it `other` or below it?
    pub fn is_within(&self, other: &DnsName) -> bool {
        self.suffixes().any(|suffix| suffix == &other.0[..])
    }

    /// The wire forms of this name and of each name above it, the root last.
    pub fn suffixes(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = Some(&self.0[..]);
        std::iter::from_fn(move || {
            let name = rest?;
            let label = usize::from(*name.first()?);
            rest = (label > 0).then(|| name.get(label + 1..)).flatten();
            Some(name)
        })
    }

    /// The labels from the root on, each behind its length: a name below this one begins so, and no other does.
    pub fn from_root(&self) -> Vec<u8> {
        let labels: Vec<&[u8]> = self.suffixes().map(|name| &name[..=usize::from(name[0])]).collect();
        labels.iter().rev().skip(1).flat_map(|label| label.iter().copied()).collect()
    }

    /// A name of hickory's codec.
    pub fn from_hickory(name: &Name) -> Self {
        let labels = name.iter().flat_map(|label| [&[label.len() as u8], label].concat());
        DnsName::from_wire(&labels.chain([0]).collect::<Vec<_>>())
    }

    /// The same name for hickory's codec.
    pub fn to_hickory(&self) -> Name {
        let labels =
            self.suffixes().filter(|name| name.len() > 1).map(|name| &name[1..=usize::from(name[0])]);
        let mut name = Name::from_labels(labels).unwrap_or_else(|_| Name::root());
        name.set_fqdn(true);
        name
    }
}

impl FromStr for DnsName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let malformed = || NameError::Malformed(text.to_owned());
        if text.is_empty() {
            return Err(malformed());
        }
        let mut name = Name::from_ascii(text).map_err(|error| match error.to_string().contains("255") {
            true => NameError::TooLong(text.to_owned()),
            false => malformed(),
        })?;
        name.set_fqdn(true);
        let wire = name.to_bytes().map_err(|_| malformed())?;
        match wire.len() {
            0..=255 => Ok(DnsName::from_wire(&wire)),
            _ => Err(NameError::TooLong(text.to_owned())),
        }
    }
}

impl fmt::Display for DnsName {
    /// Without the final dot, as operators write it; the root is a dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_hickory().to_ascii();
        // One dot: another before it belongs to the last label, behind a backslash.
        f.write_str(text.strip_suffix('.').filter(|text| !text.is_empty()).unwrap_or(&text))
    }
}

impl fmt::Debug for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_wire_agree() {
        let name: DnsName = "WWW.Contoso.tm.Example.".parse().unwrap();
        assert_eq!(name.wire(), b"\x03www\x07contoso\x02tm\x07example\x00");
        assert_eq!(name.to_string(), "www.contoso.tm.example");
        assert_eq!(DnsName::root().to_string(), ".");
        let dotted: DnsName = "a.b\\.".parse().unwrap();
        assert_eq!(
            (dotted.wire(), dotted.to_string().parse()),
            (&b"\x01a\x02b.\x00"[..], Ok(dotted.clone()))
        );
    }

    #[test]
    fn lengths_are_held() {
        let label = "a".repeat(63);
        assert!(label.parse::<DnsName>().is_ok());
        assert!("a".repeat(64).parse::<DnsName>().is_err());
        let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(longest.parse::<DnsName>().unwrap().wire().len(), 255);
        let over = format!("{label}.{label}.{label}.{}", "a".repeat(62));
        assert_eq!(over.parse::<DnsName>(), Err(NameError::TooLong(over.clone())));
        for bad in ["", "a..b", ".a"] {
            assert!(bad.parse::<DnsName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_is_within_itself_and_what_is_above_it() {
        let zone: DnsName = "tm.example".parse().unwrap();
        let within = |text: &str| text.parse::<DnsName>().unwrap().is_within(&zone);
        assert!(within("tm.example") && within("a.b.tm.example"));
        assert!(!within("example") && !within("xtm.example"));
    }
}
