//! PATCH: a part of a resource laid over the whole.

use serde_json::{Map, Value};

/// Lays `part` over `whole`: objects key by key, in any case; all else as a whole. `null` takes a key out. Tags are replaced as Azure replaces them: a client
/// that takes one away sends those that are left.
pub fn lay_over(whole: &mut Value, part: &Value) {
    let (Value::Object(whole), Value::Object(part)) = (&mut *whole, part) else {
        *whole = part.clone();
        return;
    };
    for (key, value) in part {
        let key = canonical(whole, key);
        match value {
            Value::Null => drop(whole.shift_remove(&key)),
            Value::Object(_) if key != "tags" => {
                lay_over(whole.entry(key).or_insert_with(|| Value::Object(Map::new())), value);
            }
            _ => drop(whole.insert(key, value.clone())),
        }
    }
}

/// The key as it stands in `whole`.
fn canonical(whole: &Map<String, Value>, key: &str) -> String {
    let known = whole.keys().find(|known| known.eq_ignore_ascii_case(key));
    known.map_or_else(|| key.to_owned(), Clone::clone)
}
