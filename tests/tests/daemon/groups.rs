//! Two profiles of one name in two resource groups, as Azure has them: to the product the second one's name says which group it is of.

use serde_json::json;
use tm_tests::{api, api::Api, lab::Lab};

use crate::{profile, serve};

const GROUPS: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups";
const PROFILES: &str = "providers/Microsoft.Network/trafficManagerProfiles";

#[test]
fn a_name_that_another_group_has_is_written_with_its_group() {
    let lab = Lab::new().unwrap();
    let filed = profile("web", "192.0.2.10")
        + "[[profile]]\nname = \"web@filed\"\nrelative_name = \"other\"\nresource_group = \"filed\"\nrouting_method = \"priority\"\n"
        + &crate::unmonitored("only", "192.0.2.11");
    let mut daemon = serve(&lab, api::LISTEN, &filed);
    let api = Api::new(&lab, &mut daemon).unwrap();
    let seen = |group: &str, name: &str| {
        let answer =
            api.get(&lab, &format!("{GROUPS}/{group}/{PROFILES}/{name}?api-version=2022-04-01")).unwrap();
        let fqdn = answer.json.pointer("/properties/dnsConfig/fqdn").cloned();
        (answer.status, answer.json["name"].clone(), fqdn)
    };
    let is = |name: &str, fqdn: &str| (200, json!(name), Some(json!(fqdn)));
    assert_eq!(seen("default", "web"), is("web", "web.tm.example"));
    assert_eq!(seen("filed", "web"), is("web", "other.tm.example"));

    let body = |group: &str, relative: &str| {
        json!({
            "routing_method": "priority", "resource_group": group, "relative_name": relative,
            "endpoint": [{ "name": "e", "target": "192.0.2.20", "always_serve": true }],
        })
    };
    let put = |name: &str, group: &str, relative: &str| {
        let path = format!("/api/v1/profiles/{name}");
        api.put(&lab, &path, &body(group, relative)).unwrap()
    };
    assert_eq!(put("shop", "one", "shop").status, 201);
    let refused = put("shop", "two", "shop-two");
    assert_eq!(refused.status, 409);
    let said = refused.json["detail"].as_str().unwrap();
    assert_eq!(
        said,
        "profile `shop` is in resource group `one` of subscription `00000000-0000-0000-0000-000000000001`, and names are unique over all of them: call another one `shop@` and its group, which Azure's clients see as `shop`"
    );
    assert_eq!(put("shop@two", "two", "shop-two").status, 201);
    assert_eq!(seen("one", "shop"), is("shop", "shop.tm.example"));
    assert_eq!(seen("two", "shop"), is("shop", "shop-two.tm.example"));
    assert_eq!(seen("three", "shop").0, 404);
    let short = |name: &str| lab.answers(&["@10.53.0.1", &format!("{name}.tm.example"), "+short"]).unwrap();
    assert_eq!((short("other"), short("shop-two")), ("192.0.2.11".to_owned(), "192.0.2.20".to_owned()));

    // What Azure's clients make is called so too.
    let made = api.put(
        &lab,
        &format!("{GROUPS}/three/{PROFILES}/shop?api-version=2022-04-01"),
        &json!({ "location": "global", "properties": {
            "trafficRoutingMethod": "Priority", "dnsConfig": { "relativeName": "third", "ttl": 30 },
            "monitorConfig": { "protocol": "HTTP", "port": 80, "path": "/" }, "endpoints": [],
        }}),
    );
    assert_eq!(made.unwrap().status, 201);
    let native = api.get(&lab, "/api/v1/profiles/shop@three").unwrap();
    assert_eq!(
        (native.status, &native.json["profile"]["resource_group"], &native.json["profile"]["relative_name"]),
        (200, &json!("three"), &json!("third"))
    );
}
