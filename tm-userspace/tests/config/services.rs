//! The inventory of services, and the endpoints that are picked from it.

use std::sync::Arc;

use tm_userspace::desired::{Service, ServiceKind, ServiceState, Target};

use crate::kit::{check_profiles, loaded_profile};

const IP: &str = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/pip";

fn text(service: &str, endpoint: &str) -> String {
    format!(
        "[[service]]\nname = \"pip\"\ntarget = \"192.0.2.1\"\n{service}\n\
         [[profile]]\nname = \"a\"\nrouting_method = \"priority\"\n\
         [[profile.endpoint]]\nname = \"east\"\ntype = \"azure\"\n{endpoint}\n"
    )
}

#[test]
fn an_endpoint_answers_with_its_services_target() {
    let service = format!("id = \"{IP}\"\nkind = \"public_ip\"\nlocation = \"East US\"\nstate = \"stopped\"");
    let loaded = loaded_profile(&text(&service, &format!("target_service = \"{}\"", IP.to_uppercase())));
    let expected = Arc::new(Service {
        id: IP.into(),
        kind: ServiceKind::PublicIp,
        name: "pip".into(),
        target: Target::V4([192, 0, 2, 1].into()),
        location: Some("East US".into()),
        state: ServiceState::Stopped,
    });
    let endpoint = &loaded.profiles["a"].endpoints[0];
    assert_eq!(
        (endpoint.target.to_string().as_str(), &endpoint.service),
        ("192.0.2.1", &Some(expected.clone()))
    );
    assert!(endpoint.is_stopped());
    assert_eq!(loaded.services.values().cloned().collect::<Vec<_>>(), [expected]);
}

#[test]
fn a_service_without_an_id_is_given_one_of_its_kind() {
    for (kind, id) in [
        ("public_ip", "Microsoft.Network/publicIPAddresses"),
        ("web_app", "Microsoft.Web/sites"),
        ("cloud_service", "Microsoft.ClassicCompute/domainNames"),
        ("other", "Microsoft.Resources/services"),
    ] {
        let scope = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/default/providers";
        let endpoint = format!("target_service = \"{scope}/{id}/pip\"");
        let loaded = loaded_profile(&text(&format!("kind = \"{kind}\""), &endpoint));
        assert!(!loaded.profiles["a"].endpoints[0].is_stopped(), "{kind}");
    }
}

#[test]
fn what_cannot_be_picked_is_told() {
    let refused = |service: &str, endpoint: &str, expected: &str| {
        check_profiles(&text(service, endpoint), &format!("conf.d/a.toml:{expected}"));
    };
    let good = format!("id = \"{IP}\"");
    refused(&good, "", "9:8 `\"east\"` missing key `target_service` of an azure endpoint");
    refused(&good, "target_service = \"/x\"", "11:18 `\"/x\"` there is no service of this id");
    let both = format!("target_service = \"{IP}\"\ntarget = \"192.0.2.1\"");
    refused(&good, &both, "12:10 `\"192.0.2.1\"` an azure endpoint has a `target_service`, no `target`");
    let name = format!("target_service = \"{IP}\"");
    refused(&format!("{good}\nkind = \"vm\""), &name, "5:8 `\"vm\"` kind `vm` is not known to this version");
    let twice =
        format!("{good}\n[[service]]\nname = \"b\"\ntarget = \"192.0.2.2\"\nid = \"{}\"", IP.to_lowercase());
    let other = IP.to_lowercase();
    refused(
        &twice,
        &name,
        &format!("8:6 `\"{other}\"` a service of this id is there twice (conf.d/a.toml:4:6 `\"{IP}\"`)"),
    );
    check_profiles(
        &text(&good, "target = \"192.0.2.3\"\ntarget_service = \"/x\"").replace("azure", "external"),
        "conf.d/a.toml:12:18 `\"/x\"` `target_service` on an endpoint that is not of type azure",
    );
}
