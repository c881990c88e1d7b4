//! Reading a body: keys in any case, what is empty as absent, and a fault that names the property.

use serde_json::{Map, Value};

use crate::api::arm::fault::Fault;

/// An object of a body.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    map: Option<&'a Map<String, Value>>,
    path: String,
}

impl<'a> Fields<'a> {
    /// A whole body.
    pub fn of(body: &'a Value) -> Result<Self, Fault> {
        Self::at(body, String::new())
    }

    fn at(value: &'a Value, path: String) -> Result<Self, Fault> {
        match value {
            Value::Object(map) => Ok(Fields { map: Some(map), path }),
            Value::Null => Ok(Fields { map: None, path }),
            _ if path.is_empty() => Err(Fault::bad_request("The request body must be a JSON object.")),
            _ => Err(expected(&path, "an object")),
        }
    }

    /// A key's value, unless it is `null`, `""` or `[]`.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        let map = self.map?;
        let found = map.get(key).or_else(|| {
            map.iter().find(|(written, _)| written.eq_ignore_ascii_case(key)).map(|(_, value)| value)
        })?;
        let empty = match found {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            _ => false,
        };
        (!empty).then_some(found)
    }

    /// Where a key of it stands.
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// An object below; an empty one where it is absent.
    pub fn object(&self, key: &str) -> Result<Fields<'a>, Fault> {
        Self::at(self.get(key).unwrap_or(&Value::Null), self.path(key))
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Fault> {
        let text = |value: &'a Value| value.as_str().ok_or_else(|| expected(&self.path(key), "a string"));
        self.get(key).map(text).transpose()
    }

    /// A text that must be there.
    pub fn needed(&self, key: &str) -> Result<&'a str, Fault> {
        let path = self.path(key);
        let missing = || Fault::property(&path, format!("The property '{path}' is required."));
        self.text(key)?.ok_or_else(missing)
    }

    /// A whole number.
    pub fn integer(&self, key: &str) -> Result<Option<i64>, Fault> {
        let whole = |value: &Value| {
            let float = || value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 9e15);
            value.as_i64().or_else(|| float().map(|float| float as i64))
        };
        let read =
            |value: &Value| whole(value).ok_or_else(|| expected(&self.path(key), "an integer of 64 bits"));
        self.get(key).map(read).transpose()
    }

    /// One of these words (Azure's, ours), as ours.
    pub fn word(&self, key: &str, words: &[(&str, &'static str)]) -> Result<Option<&'static str>, Fault> {
        let Some(text) = self.text(key)? else { return Ok(None) };
        let found = words.iter().find(|(azures, _)| azures.eq_ignore_ascii_case(text));
        match found {
            Some((_, ours)) => Ok(Some(ours)),
            None => {
                let path = self.path(key);
                let known: Vec<_> = words.iter().map(|(azures, _)| *azures).collect();
                let known = known.join(", ");
                Err(Fault::property(
                    &path,
                    format!("The value '{text}' of property '{path}' is not one of: {known}."),
                ))
            }
        }
    }

    /// The items of a list.
    pub fn list(&self, key: &str) -> Result<Vec<(&'a Value, String)>, Fault> {
        let path = self.path(key);
        match self.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                Ok(items.iter().enumerate().map(|(i, item)| (item, format!("{path}[{i}]"))).collect())
            }
            Some(_) => Err(expected(&path, "an array")),
        }
    }

    /// The items of a list of objects.
    pub fn objects(&self, key: &str) -> Result<Vec<Fields<'a>>, Fault> {
        self.list(key)?.into_iter().map(|(item, path)| Self::at(item, path)).collect()
    }

    /// The items of a list of texts.
    pub fn texts(&self, key: &str) -> Result<Vec<&'a str>, Fault> {
        let text =
            |(item, path): (&'a Value, String)| item.as_str().ok_or_else(|| expected(&path, "a string"));
        self.list(key)?.into_iter().map(text).collect()
    }
}

fn expected(path: &str, what: &str) -> Fault {
    Fault::property(path, format!("The value of property '{path}' must be {what}."))
}
