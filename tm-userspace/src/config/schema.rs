//! The form of profiles and services, for documents that describe the API and for editors: read off the very types that a file and a document are read into.

use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};

use super::{document::Document, raw};

/// A profile, as a file or a document has it.
#[derive(Debug)]
pub struct ProfileSchema;

/// An endpoint of a profile.
#[derive(Debug)]
pub struct EndpointSchema;

impl PartialSchema for ProfileSchema {
    fn schema() -> RefOr<Schema> {
        raw::Profile::schema()
    }
}

impl ToSchema for ProfileSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        raw::Profile::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        raw::Profile::schemas(schemas);
    }
}

impl PartialSchema for EndpointSchema {
    fn schema() -> RefOr<Schema> {
        raw::Endpoint::schema()
    }
}

impl ToSchema for EndpointSchema {
    fn name() -> std::borrow::Cow<'static, str> {
        raw::Endpoint::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        raw::Endpoint::schemas(schemas);
    }
}

/// A file of `conf.d` as a JSON Schema, 2020-12: for editors, and for the order in which keys are written.
pub fn file_schema() -> Value {
    let mut schemas = vec![
        (raw::Profile::name().into_owned(), raw::Profile::schema()),
        (raw::Service::name().into_owned(), raw::Service::schema()),
    ];
    raw::Profile::schemas(&mut schemas);
    raw::Service::schemas(&mut schemas);
    let mut defs = Map::new();
    for (name, schema) in schemas {
        defs.insert(name, serde_json::to_value(schema).unwrap_or_default());
    }
    let list = |of: &str| json!({ "type": "array", "items": { "$ref": format!("#/$defs/{of}") } });
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Profiles and services of Traffic Manager",
        "type": "object",
        "properties": { "service": list(&raw::Service::name()), "profile": list(&raw::Profile::name()) },
        "additionalProperties": false,
        "$defs": defs,
    });
    point_here(&mut schema);
    schema
}

/// A profile with its keys in the order of this schema, and without those that say nothing.
pub fn ordered_profile(document: &Document, schema: &Value) -> Document {
    ordered_by(document, &schema["$defs"][&*raw::Profile::name()], schema)
}

/// A service, likewise.
pub fn ordered_service(document: &Document, schema: &Value) -> Document {
    ordered_by(document, &schema["$defs"][&*raw::Service::name()], schema)
}

/// What is not known comes last.
fn ordered_by(document: &Document, form: &Value, schema: &Value) -> Document {
    let form = resolved(form, schema);
    let known = form["properties"].as_object();
    let place =
        |key: &str| known.and_then(|known| known.keys().position(|its| its == key)).unwrap_or(usize::MAX);
    let mut keys: Vec<&String> = document.keys().filter(|key| !document[*key].is_null()).collect();
    keys.sort_by_key(|key| place(key));
    keys.into_iter()
        .map(|key| (key.clone(), ordered(&document[key], &form["properties"][key], schema)))
        .collect()
}

fn ordered(value: &Value, form: &Value, schema: &Value) -> Value {
    let form = resolved(form, schema);
    match value {
        Value::Object(object) => ordered_by(object, form, schema).into(),
        Value::Array(items) => items.iter().map(|item| ordered(item, &form["items"], schema)).collect(),
        other => other.clone(),
    }
}

/// What a reference leads to, and of a choice the one that is a thing with keys.
fn resolved<'a>(form: &'a Value, schema: &'a Value) -> &'a Value {
    let choice = ["oneOf", "anyOf"].iter().find_map(|key| form[*key].as_array());
    let form = choice.and_then(|all| all.iter().find(|one| one["type"] != "null")).unwrap_or(form);
    match form["$ref"].as_str().and_then(|to| to.strip_prefix('#')).and_then(|to| schema.pointer(to)) {
        Some(there) => there,
        None => form,
    }
}

/// References lead to where the parts of OpenAPI documents are.
fn point_here(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(name) = text.strip_prefix("#/components/schemas/") {
                *text = format!("#/$defs/{name}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(point_here),
        Value::Object(object) => object.values_mut().for_each(point_here),
        _ => {}
    }
}
