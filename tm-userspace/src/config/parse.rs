//! TOML text to what is written: syntax, unknown and missing keys, wrong types.
//!
//! A file whose syntax is broken yields nothing. Unknown keys are taken down and passed over, so that all of them are told at once;
//! another mistake of form stops the one table (`[[profile]]`, or all of `tm.toml`) that holds it.

use std::ops::Range;

use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Error, ValueDeserializer},
};

use super::{
    document::{self, Document},
    raw,
    report::{Fault, Notes},
};

/// Unknown keys told for one table before giving up on it.
const UNKNOWN_KEYS_AT_MOST: usize = 20;

/// `tm.toml`.
pub(super) fn node(notes: &mut Notes<'_>) -> Option<raw::Node> {
    let root = root(notes)?;
    let span = root.span();
    read(Spanned::new(span, DeValue::Table(root.into_inner())), notes)
}

/// A profile as written.
pub(super) struct Written {
    /// With the place of its table.
    pub(super) raw: Spanned<raw::Profile>,
    /// The same as JSON.
    pub(super) document: Document,
}

/// What a file of `conf.d` has in it.
#[derive(Default)]
pub(super) struct Tables {
    /// `[[profile]]`.
    pub(super) profiles: Vec<Written>,
    /// `[[service]]`.
    pub(super) services: Vec<Spanned<raw::Service>>,
}

/// A file of `conf.d`.
pub(super) fn tables(notes: &mut Notes<'_>) -> Tables {
    let mut tables = Tables::default();
    for (key, value) in root(notes).map(Spanned::into_inner).unwrap_or_default() {
        let span = value.span();
        match value.into_inner() {
            _ if !["profile", "service"].contains(&key.get_ref().as_ref()) => {
                let known =
                    "a file in conf.d holds [[profile]] and [[service]] tables; all else belongs in tm.toml";
                notes.error(key.span(), format!("unknown key `{}`", key.get_ref()), known);
            }
            DeValue::Array(items) if key.get_ref() == "service" => {
                for item in items {
                    let span = item.span();
                    tables.services.extend(read(item, notes).map(|raw| Spanned::new(span, raw)));
                }
            }
            DeValue::Array(items) => {
                for item in items {
                    let span = item.span();
                    let document = document::of_table(&item);
                    let raw = read(item, notes).map(|profile| Spanned::new(span, profile));
                    tables.profiles.extend(raw.map(|raw| Written { raw, document }));
                }
            }
            _ => notes.error(
                if span.is_empty() { key.span() } else { span },
                format!("`{}` is not a list of tables", key.get_ref()),
                format!("write [[{0}]], in double brackets, above each {0}", key.get_ref()),
            ),
        }
    }
    tables
}

/// The file's syntax.
fn root<'i>(notes: &mut Notes<'i>) -> Option<Spanned<DeTable<'i>>> {
    let (root, mut errors) = DeTable::parse_recoverable(&notes.source.text);
    errors.sort_by_key(|error| error.span().map_or(0, |span| span.start));
    // What follows the first error on a line is mostly its echo.
    let mut last_line = None;
    for error in &errors {
        let span = within(error.span().unwrap_or_default(), &notes.source.text);
        let line = notes.source.text.get(..span.start).map(|before| before.matches('\n').count());
        if last_line.replace(line) != Some(line) {
            let (message, expected) = error.message().split_once(", expected ").unzip();
            let message = message.unwrap_or(error.message());
            let help = expected.map_or("correct the TOML here (https://toml.io)".to_owned(), |text| {
                format!("expected {text}")
            });
            notes.error(span, format!("invalid TOML: {message}"), help);
        }
    }
    errors.is_empty().then_some(root)
}

/// One table, told as often as it takes to pass over its unknown keys.
fn read<T: for<'de> Deserialize<'de>>(mut value: Spanned<DeValue<'_>>, notes: &mut Notes<'_>) -> Option<T> {
    let table = value.span();
    for _ in 0..UNKNOWN_KEYS_AT_MOST {
        let error = match T::deserialize(ValueDeserializer::from(value.clone())) {
            Ok(read) => return Some(read),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| table.clone());
        let unknown = error.message().starts_with("unknown field");
        notes.fault(within(span.clone(), &notes.source.text), explain(&error));
        if !unknown || !remove_key(value.get_mut(), &span) {
            return None;
        }
    }
    None
}

/// Takes the key at `span` out of the table that holds it.
fn remove_key(value: &mut DeValue<'_>, span: &Range<usize>) -> bool {
    match value {
        DeValue::Table(table) => {
            let key = table.iter().map(|(key, _)| key).find(|key| key.span() == *span).cloned();
            match key {
                Some(key) => table.remove(&key).is_some(),
                None => table.iter_mut().any(|(_, value)| remove_key(value.get_mut(), span)),
            }
        }
        DeValue::Array(items) => items.iter_mut().any(|item| remove_key(item.get_mut(), span)),
        _ => false,
    }
}

/// Serde's words in ours.
fn explain(error: &Error) -> Fault {
    let message = error.message();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let mut quoted = rest.split('`').skip(1).step_by(2);
        let unknown = quoted.next().unwrap_or_default();
        return Fault::new(
            format!("unknown key `{unknown}`"),
            known_keys(unknown, &quoted.collect::<Vec<_>>()),
        );
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        return Fault::new(format!("missing key {key}"), format!("give {key} a value in this table"));
    }
    match message.strip_prefix("invalid type: ").and_then(|rest| rest.split_once(", expected ")) {
        Some((found, wanted)) => {
            let (found, wanted) = (in_toml_words(found), in_toml_words(wanted));
            Fault::new(format!("expected {wanted}, found {found}"), format!("write {wanted}"))
        }
        None => Fault::new(message, "write a value that this key takes"),
    }
}

fn known_keys(unknown: &str, known: &[&str]) -> String {
    if unknown == "profile" {
        return "profiles are written in files of their own, conf.d/*.toml".to_owned();
    }
    let near = known
        .iter()
        .map(|key| (strsim::damerau_levenshtein(unknown, key), key))
        .min()
        .filter(|(distance, key)| distance * 3 <= key.len());
    let keys = known.join(", ");
    match near {
        Some((_, key)) => format!("did you mean `{key}`? Known here: {keys}"),
        None => format!("known here: {keys}"),
    }
}

fn in_toml_words(text: &str) -> String {
    match text {
        "map" => "a table".to_owned(),
        "sequence" | "a sequence" => "an array".to_owned(),
        _ if text.starts_with("struct ") => "a table".to_owned(),
        _ => text.to_owned(),
    }
}

/// `span` held within `text` and to its characters.
fn within(span: Range<usize>, text: &str) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    start..text.ceil_char_boundary(span.end.clamp(start, text.len()))
}
