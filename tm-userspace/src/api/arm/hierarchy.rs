//! The geographic hierarchy, as `GET .../trafficManagerGeographicHierarchies/default` tells it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::geo::Code;

/// The whole answer.
pub fn show() -> &'static Value {
    static SHOWN: LazyLock<Value> = LazyLock::new(|| {
        json!({
            "id": "/providers/Microsoft.Network/trafficManagerGeographicHierarchies/default",
            "name": "default",
            "type": "Microsoft.Network/trafficManagerGeographicHierarchies",
            "properties": { "geographicHierarchy": region(Code::WORLD) },
        })
    });
    &SHOWN
}

/// A code with all below it; clients want code and name at every level.
fn region(code: Code) -> Value {
    let below: Vec<Value> = code.below().into_iter().map(region).collect();
    json!({ "code": code.as_str(), "name": code.name(), "regions": below })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_has_every_code_where_it_belongs() {
        fn count(region: &Value) -> usize {
            1 + region["regions"].as_array().unwrap().iter().map(count).sum::<usize>()
        }
        let world = &show()["properties"]["geographicHierarchy"];
        assert_eq!((&world["code"], &world["name"]), (&"WORLD".into(), &"World".into()));
        assert_eq!(count(world), Code::all().count());
        let find = |regions: &Value, code: &str| {
            regions["regions"]
                .as_array()
                .unwrap()
                .iter()
                .find(|region| region["code"] == code)
                .unwrap()
                .clone()
        };
        let california = find(&find(&find(world, "GEO-NA"), "US"), "US-CA");
        assert_eq!(california, json!({ "code": "US-CA", "name": "California", "regions": [] }));
    }
}
