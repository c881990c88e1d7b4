//! Host names as operators write them: letters, digits, hyphens and underscores, separated by dots ([RFC 1123, section 2.1]).
//!
//! [RFC 1123, section 2.1]: https://www.rfc-editor.org/rfc/rfc1123#section-2.1

use crate::names::DnsName;

use super::{report::Fault, value::quote};

/// Octets of a label.
const LABEL_AT_MOST: usize = 63;
/// Octets of a name with its length octets and the root's.
const NAME_AT_MOST: usize = 255;

/// A whole name; a dot at its end changes nothing.
pub(super) fn whole(text: &str) -> Result<DnsName, Fault> {
    relative(text.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(text))
}

/// The labels of `text`, which does not end in a dot, as a name of their own.
pub(super) fn relative(text: &str) -> Result<DnsName, Fault> {
    if !text.is_ascii() {
        return Err(Fault::new(
            format!("{} has letters outside ASCII", quote(text)),
            "write the form that DNS carries, with `xn--` labels",
        ));
    }
    let mut wire = Vec::with_capacity(text.len() + 2);
    for label in text.split('.') {
        check_label(label, text)?;
        // At most 63, as was checked.
        wire.push(label.len() as u8);
        wire.extend_from_slice(label.as_bytes());
    }
    wire.push(0);
    within_length(&wire, text)?;
    Ok(DnsName::from_wire(&wire))
}

/// The name of a profile, `*.` before it or not; `read` is [`whole`] or [`relative`].
pub(super) fn owner(text: &str, read: fn(&str) -> Result<DnsName, Fault>) -> Result<DnsName, Fault> {
    let Some(above) = text.strip_prefix("*.") else { return read(text) };
    read(above)?.with_asterisk().ok_or_else(|| {
        Fault::new(
            format!("{} is too long for a DNS name: over {NAME_AT_MOST} octets", quote(text)),
            "write a shorter name",
        )
    })
}

/// `name`, written as `text`, below `zone`.
pub(super) fn under(name: &DnsName, zone: &DnsName, text: &str) -> Result<DnsName, Fault> {
    name.under(zone).map_err(|_| {
        let octets = name.wire().len() + zone.wire().len() - 1;
        Fault::new(
            format!("{} and the zone make a name of {octets} octets, over {NAME_AT_MOST}", quote(text)),
            "write a shorter name",
        )
    })
}

/// Could only be an address: its last label is a number.
pub(super) fn ends_in_number(text: &str) -> bool {
    let last = text.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit())
}

fn check_label(label: &str, text: &str) -> Result<(), Fault> {
    let of_name = quote(text);
    let fault = |what: &str| {
        Err(Fault::new(
            format!("{of_name} is not a DNS name: {what}"),
            format!(
                "write labels of 1 to {LABEL_AT_MOST} letters, digits, hyphens and underscores, separated by single dots"
            ),
        ))
    };
    let odd = label.chars().find(|char| !char.is_ascii_alphanumeric() && !"-_".contains(*char));
    match odd {
        _ if label.is_empty() && text.is_empty() => fault("it is empty"),
        _ if label.is_empty() => fault("it has an empty label"),
        Some(char) => fault(&format!("it has {char:?} in it")),
        None if label.starts_with('-') || label.ends_with('-') => {
            fault(&format!("the label {} begins or ends with a hyphen", quote(label)))
        }
        None if label.len() > LABEL_AT_MOST => {
            fault(&format!("the label {} has {} octets", quote(label), label.len()))
        }
        None => Ok(()),
    }
}

fn within_length(wire: &[u8], text: &str) -> Result<(), Fault> {
    match wire.len() {
        0..=NAME_AT_MOST => Ok(()),
        octets => Err(Fault::new(
            format!("{} has {octets} octets as a DNS name, over {NAME_AT_MOST}", quote(text)),
            "write a shorter name",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_labels_between_dots() {
        assert_eq!(whole("WWW.Example.COM.").unwrap().wire(), b"\x03www\x07example\x03com\x00");
        assert_eq!(relative("_dmarc.a-b").unwrap().wire(), b"\x06_dmarc\x03a-b\x00");
        for bad in ["", ".", "a.", "a..b", ".a", "-a", "a-", "a b", "a*", "*", "a/b", "a\\046", "ä"] {
            assert!(relative(bad).is_err(), "{bad}");
        }
        assert!(whole(".").is_err() && whole("a..").is_err());
    }

    #[test]
    fn a_profile_may_have_all_names_below_one() {
        assert_eq!(owner("*.Shop", relative).unwrap().wire(), b"\x01*\x04shop\x00");
        assert_eq!(owner("*.shop.example.", whole).unwrap().wire(), b"\x01*\x04shop\x07example\x00");
        for bad in ["*", "*.", "a.*", "*a.shop", "*.*.shop", "**.shop"] {
            assert!(owner(bad, relative).is_err(), "{bad}");
        }
        let label = "a".repeat(63);
        let name = |last: usize| format!("*.{label}.{label}.{label}.{}", "a".repeat(last));
        assert_eq!(owner(&name(59), whole).unwrap().wire().len(), 255);
        assert!(owner(&name(60), whole).is_err());
    }

    #[test]
    fn lengths_are_held_to_the_octet() {
        let label = "a".repeat(63);
        assert!(whole(&label).is_ok());
        assert!(whole(&"a".repeat(64)).is_err());
        let name = |last: usize| format!("{label}.{label}.{label}.{}", "a".repeat(last));
        assert_eq!(whole(&name(61)).unwrap().wire().len(), 255);
        assert!(whole(&name(62)).is_err());
    }

    #[test]
    fn what_ends_in_a_number_is_no_name() {
        for text in ["300.1.2.3", "1.2.3.", "7"] {
            assert!(ends_in_number(text), "{text}");
        }
        for text in ["1.2.3.x", "x1", "", "1.example."] {
            assert!(!ends_in_number(text), "{text}");
        }
    }
}
