//! A profile as JSON, as the API takes and gives it: with the keys of a `[[profile]]` table, and checked as one.
//!
//! A document is written out as the TOML of such a table and goes the way of a file from there, so that the two cannot disagree about a rule. What is
//! wrong is told with a JSON pointer ([RFC 6901]) to the value.
//!
//! [RFC 6901]: https://www.rfc-editor.org/rfc/rfc6901

use std::{ops::Range, path::Path, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::{
    Spanned,
    de::{DeTable, DeValue, ValueDeserializer},
};

use super::report::{ConfigError, Finding, Source};

/// A profile in the words of a file.
pub type Document = serde_json::Map<String, Value>;

/// How deep a document may be nested: a list of endpoints with monitors with headers is four deep.
const DEPTH_AT_MOST: usize = 16;

/// A value of a document that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldFault {
    /// A JSON pointer; empty for the document as a whole, or where it contradicts another profile.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

/// What the places of findings in documents begin with.
pub(super) const DOCUMENTS: &str = "api/profiles";

/// The same of services.
pub(super) const SERVICES: &str = "api/services";

/// The text of a document, as a file with one `table`; its place begins with `place`.
pub(super) fn source(document: &Document, table: &str, place: &str) -> Result<Arc<Source>, FieldFault> {
    let mut written = toml::Table::new();
    for (key, value) in document {
        written.extend(convert(value, &mut pointer_to("", key))?.map(|value| (key.clone(), value)));
    }
    let whole = toml::Table::from_iter([(table.to_owned(), toml::Value::Array(vec![written.into()]))]);
    let text = toml::to_string(&whole)
        .map_err(|error| FieldFault::new("", &error.to_string(), "write what such a table takes"))?;
    let name = document.get("name").and_then(Value::as_str).unwrap_or("?");
    Ok(Source::new(usize::MAX, &Path::new(place).join(name), text))
}

/// What is wrong, as far as it can be told with a pointer into the document that `source` was made from.
pub(super) fn faults(error: &ConfigError, source: &Arc<Source>) -> Vec<FieldFault> {
    error.findings.iter().map(|finding| fault(finding, source)).collect()
}

/// One of them.
pub(super) fn fault(Finding { place, message, help, .. }: &Finding, source: &Arc<Source>) -> FieldFault {
    match &place.span {
        Some(span) if Arc::ptr_eq(&place.source, source) => {
            FieldFault::new(&pointer(&source.text, span), message, help)
        }
        _ => FieldFault::new("", &format!("{place}: {message}"), help),
    }
}

/// The document that a `[[profile]]` table of a file is, without the keys that say where it belongs.
pub(super) fn of_table(table: &Spanned<DeValue<'_>>) -> Document {
    let value = toml::Value::deserialize(ValueDeserializer::from(table.clone()));
    let value = value.ok().and_then(|value| serde_json::to_value(value).ok());
    let Some(Value::Object(mut document)) = value else { return Document::new() };
    // In their order, which headers have.
    document.shift_remove("subscription");
    document.shift_remove("resource_group");
    document
}

/// Do two documents say the same? A key without a value says nothing, and the order of keys is none, but that of headers.
pub fn is_same_document(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let said = |object: &Document| object.values().filter(|value| !value.is_null()).count();
            said(one) == said(other)
                && one.iter().filter(|(_, value)| !value.is_null()).all(|(key, value)| {
                    other.get(key).is_some_and(|there| {
                        is_same_document(value, there) && (key != "headers" || is_in_order(value, there))
                    })
                })
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same_document(one, other))
        }
        _ => one == other,
    }
}

fn is_in_order(one: &Value, other: &Value) -> bool {
    let keys = |value: &Value| value.as_object().map(|object| object.keys().cloned().collect::<Vec<_>>());
    keys(one) == keys(other)
}

impl FieldFault {
    /// A fault at `pointer`.
    pub fn new(pointer: &str, message: &str, help: &str) -> Self {
        FieldFault { pointer: pointer.to_owned(), message: message.to_owned(), help: help.to_owned() }
    }
}

/// TOML knows no null: a key without a value is a key left out.
fn convert(value: &Value, at: &mut str) -> Result<Option<toml::Value>, FieldFault> {
    let fault = |message: &str, help: &str| Err(FieldFault::new(at, message, help));
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.clone().into(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => number.into(),
            // Out of every range, as it was.
            (None, Some(_)) if number.is_u64() => i64::MAX.into(),
            (None, Some(number)) => number.into(),
            (None, None) => return fault("the number is too large", "write a smaller one"),
        },
        Value::Array(_) | Value::Object(_) if at.matches('/').count() >= DEPTH_AT_MOST => {
            return fault("nested too deep", "write what a [[profile]] table takes");
        }
        Value::Array(items) => {
            let mut array = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                let mut at = pointer_to(at, &index.to_string());
                match convert(item, &mut at)? {
                    Some(item) => array.push(item),
                    None => return Err(FieldFault::new(&at, "null in a list", "leave the item out")),
                }
            }
            array.into()
        }
        Value::Object(members) => {
            let mut table = toml::Table::new();
            for (key, value) in members {
                table.extend(convert(value, &mut pointer_to(at, key))?.map(|value| (key.clone(), value)));
            }
            table.into()
        }
    }))
}

fn pointer_to(above: &str, key: &str) -> String {
    format!("{above}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Where in the table the narrowest thing lies that covers `span` of the text.
fn pointer(text: &str, span: &Range<usize>) -> String {
    let Ok(root) = DeTable::parse(text) else { return String::new() };
    let table = root.get_ref().values().next().and_then(|list| list.get_ref().as_array()?.iter().next());
    let Some(DeValue::Table(table)) = table.map(Spanned::get_ref) else { return String::new() };
    let mut narrowest = (usize::MAX, String::new());
    in_table(table, span, "", &mut narrowest);
    narrowest.1
}

fn in_table(table: &DeTable<'_>, span: &Range<usize>, above: &str, narrowest: &mut (usize, String)) {
    for (key, value) in table {
        let at = pointer_to(above, key.get_ref());
        consider(key.span(), span, &at, narrowest);
        in_value(value, span, &at, narrowest);
    }
}

fn in_value(value: &Spanned<DeValue<'_>>, span: &Range<usize>, at: &str, narrowest: &mut (usize, String)) {
    consider(value.span(), span, at, narrowest);
    match value.get_ref() {
        DeValue::Table(table) => in_table(table, span, at, narrowest),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                in_value(item, span, &pointer_to(at, &index.to_string()), narrowest);
            }
        }
        _ => {}
    }
}

fn consider(place: Range<usize>, span: &Range<usize>, at: &str, narrowest: &mut (usize, String)) {
    if place.start <= span.start && span.end <= place.end && place.len() < narrowest.0 {
        *narrowest = (place.len(), at.to_owned());
    }
}
