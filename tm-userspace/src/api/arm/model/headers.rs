//! `customHeaders`: a list of names and values, in its order.

use serde_json::{Map, Value, json};

use super::Fields;
use crate::api::arm::fault::Fault;

/// The most that there may be, on a profile and on an endpoint.
const AT_MOST: usize = 8;

/// As the `headers` of a monitor; none where there are none.
pub(super) fn read(fields: &Fields<'_>) -> Result<Option<Value>, Fault> {
    let key = "customHeaders";
    let items = fields.objects(key)?;
    let path = fields.path(key);
    if items.len() > AT_MOST {
        let message =
            format!("The property '{path}' has {} headers; at most {AT_MOST} are allowed.", items.len());
        return Err(Fault::property(&path, message));
    }
    let mut headers: Map<String, Value> = Map::new();
    for item in &items {
        let name = item.needed("name")?;
        if headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
            return Err(Fault::property(&path, format!("The header '{name}' is given twice in '{path}'.")));
        }
        headers.insert(name.to_owned(), item.text("value")?.unwrap_or_default().into());
    }
    Ok((!headers.is_empty()).then_some(Value::Object(headers)))
}

/// Azure's form of the `headers` of a monitor; none where there are none.
pub(super) fn show(headers: Option<&Value>) -> Option<Value> {
    let headers = headers?.as_object()?;
    let items = headers.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    (!headers.is_empty()).then(|| items.collect())
}
