//! `subnets` of an endpoint: ranges as Azure's clients write them, and as documents have them.
//!
//! | in a body | in a document |
//! | --- | --- |
//! | `{first}` | `first` |
//! | `{first, last}` | `first-last` |
//! | `{first, scope}`, or `{first: "first/scope"}` | `first/scope` |
//! | `{first, last, scope}`, where they are one range | `first/scope` |

use std::net::IpAddr;

use serde_json::{Value, json};

use super::Fields;
use crate::api::arm::fault::Fault;

/// As documents have them; none where there are none.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Value>, Fault> {
    let items = fields.objects("subnets")?;
    let texts: Vec<Value> =
        items.iter().map(|item| range(item).map(Value::from)).collect::<Result<_, _>>()?;
    Ok((!texts.is_empty()).then_some(Value::Array(texts)))
}

/// As Azure shows them.
pub(super) fn show(written: Option<&Value>) -> Option<Value> {
    let items = written?.as_array()?.iter().filter_map(Value::as_str).map(|text| {
        if let Some((first, last)) = text.split_once('-') {
            return json!({ "first": first.trim(), "last": last.trim() });
        }
        match text.split_once('/').map(|(first, scope)| (first, scope.parse::<u8>())) {
            Some((first, Ok(scope))) => json!({ "first": first, "scope": scope }),
            _ => json!({ "first": text }),
        }
    });
    Some(items.collect())
}

fn range(item: &Fields<'_>) -> Result<String, Fault> {
    let first = item.needed("first")?;
    let (last, scope) = (item.text("last")?, item.integer("scope")?);
    let (first, scope) = match (first.split_once('/'), scope) {
        (Some((address, length)), None) => {
            let malformed = || no_range(item, &format!("'{first}' is not an address with a prefix length"));
            (address, Some(length.parse::<i64>().map_err(|_| malformed())?))
        }
        (Some(_), Some(_)) => return Err(no_range(item, "it has a prefix length in 'first' and in 'scope'")),
        (None, scope) => (first, scope),
    };
    let address = |text: &str| {
        text.parse::<IpAddr>().map_err(|_| no_range(item, &format!("'{text}' is not an IP address")))
    };
    let from = address(first)?;
    let most = if from.is_ipv4() { 32 } else { 128 };
    if scope.is_some_and(|scope| !(0..=most).contains(&scope)) {
        return Err(no_range(item, &format!("'scope' must be between 0 and {most}")));
    }
    match (last, scope) {
        (None, None) => Ok(first.to_owned()),
        (Some(last), None) => {
            address(last)?;
            Ok(format!("{first}-{last}"))
        }
        (None, Some(scope)) => Ok(format!("{first}/{scope}")),
        (Some(last), Some(scope)) if last_of(from, scope, most) == Some(address(last)?) => {
            Ok(format!("{first}/{scope}"))
        }
        (Some(_), Some(_)) => Err(no_range(item, "'last' and 'scope' say different ranges")),
    }
}

/// The last address of a network; none where that is not its first one.
fn last_of(first: IpAddr, scope: i64, bits: i64) -> Option<IpAddr> {
    // Within 0 to 128.
    let host = (bits - scope) as u32;
    let rest = 1_u128.checked_shl(host).map_or(u128::MAX, |size| size - 1);
    let plus = |number: u128| (number & rest == 0).then_some(number | rest);
    Some(match first {
        IpAddr::V4(address) => IpAddr::V4((plus(address.to_bits().into())? as u32).into()),
        IpAddr::V6(address) => IpAddr::V6(plus(address.to_bits())?.into()),
    })
}

fn no_range(item: &Fields<'_>, what: &str) -> Fault {
    let path = item.path("first");
    let path = path.trim_end_matches(".first");
    Fault::property(path, format!("The subnet '{path}' is not valid: {what}."))
}
