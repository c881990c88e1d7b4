//! Traffic View: who asks, by XDP and by the sockets, and what both faces of the API say of them.

use std::{fs, net::IpAddr};

use hickory_proto::op::ResponseCode;
use serde_json::{Value, json};
use tm_tests::{
    DEADLINE,
    api::{self, Answer, Api},
    client::said,
    daemon::Daemon,
    lab::{Lab, SERVER_V4, SERVER_V6},
    query::{Edns, Query, qtype},
};

use crate::{placed::PLACES, profile, serve, unmonitored};

const HEAT_MAP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/default/providers/Microsoft.Network/trafficManagerProfiles/NAME/heatMaps/default?api-version=2022-04-01";
/// A name of more than 64 octets, which is for a program of its own.
const LONG: &str = "a-name-that-is-longer-than-most-names-are.and-has-another-label-behind-it";

struct Watched {
    lab: Lab,
    daemon: Daemon,
    api: Api,
    _dir: tempfile::TempDir,
}

/// `quick`, by region; `top`, in which it is nested; a wildcard and a long name; and `unseen`, which is not looked at.
fn profiles() -> String {
    let region = |name: &str, last: u8, region: &str| {
        format!("{}endpoint_location = \"{region}\"\n", unmonitored(name, &format!("192.0.2.{last}")))
    };
    let looked_at = |name: &str, more: &str, method: &str| {
        format!(
            "[[profile]]\nname = \"{name}\"\nrouting_method = \"{method}\"\ntraffic_view = true\n{more}\n"
        )
    };
    [
        looked_at("quick", "", "performance"),
        region("europe", 1, "West Europe"),
        region("states", 2, "East US"),
        looked_at("top", "", "priority"),
        "[[profile.endpoint]]\nname = \"below\"\ntype = \"nested\"\ntarget_profile = \"quick\"\n".to_owned(),
        looked_at("any", "relative_name = \"*.any\"", "priority"),
        unmonitored("only", "192.0.2.3"),
        looked_at("long", &format!("relative_name = \"{LONG}\""), "priority"),
        unmonitored("only", "192.0.2.4"),
        profile("unseen", "192.0.2.5"),
        // Has a name below the wildcard's.
        profile("apart", "192.0.2.6").replacen(
            "routing_method",
            "relative_name = \"apart.any\"\nrouting_method",
            1,
        ),
    ]
    .concat()
}

impl Watched {
    /// With clients at 198.51.100.9 and 203.0.113.9 besides those of the lab.
    fn start(more: &str) -> Self {
        let lab = Lab::new().unwrap();
        for (address, network) in
            [("198.51.100.9/32", "198.51.100.0/24"), ("203.0.113.9/32", "203.0.113.0/24")]
        {
            for said in [
                said(lab.client("ip").args(["address", "add", address, "dev", "tm1"])),
                said(lab.server("ip").args(["route", "add", network, "dev", "tm0"])),
            ] {
                assert_eq!(said.unwrap(), "");
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let (database, latency) = (dir.path().join("places.mmdb"), dir.path().join("latency.csv"));
        fs::write(&database, PLACES).unwrap();
        fs::write(&latency, "198.51.100.0/24,West Europe,12.5\n203.0.113.0/24,East US,70\n").unwrap();
        let more = format!(
            "{more}[geo]\ndatabase = \"{}\"\nlatency = \"{}\"\n{}",
            database.display(),
            latency.display(),
            api::LISTEN
        );
        let mut daemon = serve(&lab, &more, &profiles());
        let api = Api::new(&lab, &mut daemon).unwrap();
        Watched { lab, daemon, api, _dir: dir }
    }

    /// Asks so often for an address, from here, with this word on the client.
    fn ask(&self, name: &str, from: &str, subnet: Option<(IpAddr, u8)>, times: usize) {
        let from: IpAddr = from.parse().unwrap();
        let server: IpAddr = if from.is_ipv4() { SERVER_V4.into() } else { SERVER_V6.into() };
        let mut asker = self.lab.asker_from(from, server).unwrap();
        let mut query = Query::with_edns(&format!("{name}.tm.example"), qtype::A);
        if let Some((address, length)) = subnet {
            let octets = match address {
                IpAddr::V4(v4) => [&[0, 1, length, 0][..], &v4.octets()].concat(),
                IpAddr::V6(v6) => [&[0, 2, length, 0][..], &v6.octets()].concat(),
            };
            let option = octets[..4 + usize::from(length.div_ceil(8))].to_vec();
            query.edns = Some(Edns { options: vec![(8, option)], ..Edns::default() });
        }
        for _ in 0..times {
            let answer = asker.ask(&query).unwrap();
            assert_eq!((answer.metadata.response_code, answer.answers.len()), (ResponseCode::NoError, 1));
        }
    }

    fn native(&self, profile: &str) -> Answer {
        self.api.get(&self.lab, &format!("/api/v1/profiles/{profile}/traffic")).unwrap()
    }

    fn heat_map(&self, profile: &str, more: &str) -> Answer {
        self.api.get(&self.lab, &(HEAT_MAP.replace("NAME", profile) + more)).unwrap()
    }

    /// Once so many queries are known: each network with each endpoint and how often it was given that.
    fn clients(&self, profile: &str, queries: u64) -> Value {
        let began = std::time::Instant::now();
        loop {
            let view = self.native(profile).json;
            let clients = view["clients"].as_array().unwrap_or_else(|| panic!("{view:#}"));
            let rows =
                clients.iter().flat_map(|client| {
                    client["endpoints"].as_array().unwrap().iter().map(|its| {
                        json!([client["network"], its["endpoint"], its["queries"], its["latency_ms"]])
                    })
                });
            let rows: Vec<Value> = rows.collect();
            if rows.iter().map(|row| row[2].as_u64().unwrap()).sum::<u64>() >= queries {
                assert_eq!((&view["others"], &view["lost"]), (&json!([]), &json!(0)));
                return rows.into();
            }
            assert!(began.elapsed() < DEADLINE, "{view:#}");
        }
    }
}

/// Whoever answers: every query is there, and none twice.
fn everybody_is_seen(watched: &Watched) {
    let net = |text: &str| Some((text.parse().unwrap(), if text.contains(':') { 56 } else { 24 }));
    for (name, from, subnet, times) in [
        ("quick", "198.51.100.9", None, 3),
        ("quick", "10.53.0.2", net("198.51.100.0"), 2),
        ("quick", "203.0.113.9", None, 1),
        ("quick", "fd53::2", net("2001:db8:9000:100::"), 4),
        ("top", "203.0.113.9", None, 5),
        ("x.any", "198.51.100.9", None, 2),
        ("y.x.any", "198.51.100.9", None, 1),
        ("apart.any", "198.51.100.9", None, 7),
        (LONG, "10.53.0.2", None, 2),
        ("unseen", "198.51.100.9", None, 6),
    ] {
        watched.ask(name, from, subnet, times);
    }
    // Nothing is given to who asks for a type that is not there, nor to who asks over TCP for one.
    let none = watched.lab.answers(&["@10.53.0.1", "quick.tm.example", "TXT", "+short"]).unwrap();
    assert_eq!(none, "");
    let tcp = ["@10.53.0.1", "quick.tm.example", "+short", "+tcp", "+subnet=198.51.100.0/24"];
    assert_eq!(watched.lab.answers(&tcp).unwrap(), "192.0.2.1");

    // The way from Toronto's region is a guess: whatever it is, it is the same to both faces.
    let clients = watched.clients("quick", 11);
    let guess = clients[2][3].as_f64().unwrap();
    assert!((10.0..40.0).contains(&guess), "{guess}");
    assert_eq!(
        clients,
        json!([
            ["198.51.100.0/24", "europe", 6, 12.5],
            ["203.0.113.0/24", "states", 1, 70.0],
            ["2001:db8:9000::/48", "states", 4, guess],
        ])
    );
    assert_eq!(watched.clients("top", 5), json!([["203.0.113.0/24", "below", 5, null]]));
    assert_eq!(watched.clients("any", 3), json!([["198.51.100.0/24", "only", 3, null]]));
    assert_eq!(watched.clients("long", 2), json!([["10.53.0.0/24", "only", 2, null]]));
    let unseen = watched.native("unseen");
    assert_eq!((unseen.status, &unseen.json["clients"]), (404, &Value::Null));

    let heat = watched.heat_map("quick", "");
    assert_eq!(heat.status, 200);
    let id = HEAT_MAP.replace("NAME", "quick").split("/heatMaps").next().unwrap().to_owned();
    assert_eq!(heat.json["id"], json!(format!("{id}/heatMaps/latencyVolumeByLocation")));
    assert_eq!(
        (&heat.json["name"], &heat.json["type"]),
        (&json!("default"), &json!("Microsoft.Network/trafficManagerProfiles/heatMaps"))
    );
    let properties = &heat.json["properties"];
    let endpoint = |name: &str, number| json!({ "resourceId": format!("{id}/externalEndpoints/{name}"), "endpointId": number });
    assert_eq!(properties["endpoints"], json!([endpoint("europe", 0), endpoint("states", 1)]));
    let (berlin, california) = ((52.5, 13.37), (37.77, -122.42));
    let flow = |from: &str, (latitude, longitude): (f64, f64), endpoint: u8, count: u8, latency: f64| {
        json!({
            "sourceIp": from, "latitude": latitude, "longitude": longitude,
            "queryExperiences": [{ "endpointId": endpoint, "queryCount": count, "latency": latency }],
        })
    };
    let flows = properties["trafficFlows"].as_array().unwrap();
    assert_eq!(flows.len(), 3);
    assert_eq!(flows[0], flow("198.51.100.0", berlin, 0, 6, 12.5));
    assert_eq!(flows[1], flow("203.0.113.0", california, 1, 1, 70.0));
    assert_eq!(
        (&flows[2]["sourceIp"], &flows[2]["queryExperiences"][0]["latency"]),
        (&json!("2001:db8:9000::"), &json!(guess))
    );
    let within = |corners: &str| {
        let map = watched.heat_map("quick", corners).json;
        let flows = map["properties"]["trafficFlows"].as_array().unwrap().iter();
        flows.map(|flow| flow["sourceIp"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(within("&topLeft=60,-10&botRight=40,30"), ["198.51.100.0"]);
    assert_eq!(within("&topLeft=50,-130&botRight=30,-100"), ["203.0.113.0"]);
    assert_eq!(within("&topLeft=0,-180&botRight=-90,180"), [""; 0]);
    assert_eq!(watched.heat_map("quick", "&topLeft=north").status, 400);
    // Who has no place is in no rectangle.
    let long = watched.heat_map("long", "").json;
    let expected =
        json!([{ "sourceIp": "10.53.0.0", "queryExperiences": [{ "endpointId": 0, "queryCount": 2 }] }]);
    assert_eq!(long["properties"]["trafficFlows"], expected);
    let long = watched.heat_map("long", "&topLeft=90,-180&botRight=-90,180").json;
    assert_eq!(long["properties"]["trafficFlows"], json!([]));
    for (profile, code) in [("unseen", "NotFound"), ("nobody", "ResourceNotFound")] {
        let absent = watched.heat_map(profile, "");
        assert_eq!((absent.status, &absent.json["error"]["code"]), (404, &json!(code)), "{profile}");
    }
}

#[test]
fn every_query_is_seen_where_each_is_told_of() {
    let watched = Watched::start("[samples]\none_in = 1\n");
    let before = watched.daemon.status(&watched.lab).unwrap().packets("answered");
    everybody_is_seen(&watched);
    let answered = watched.daemon.status(&watched.lab).unwrap().packets("answered") - before;
    assert!(answered >= 33, "XDP answered {answered} only");
}

#[test]
fn the_sockets_tell_of_each_whatever_is_set() {
    everybody_is_seen(&Watched::start("mode = \"off\"\n"));
}

#[test]
fn a_profile_is_looked_at_as_long_as_it_says_so() {
    let watched = Watched::start("[samples]\none_in = 1\n");
    let body = json!({
        "name": "new", "routing_method": "priority",
        "endpoint": [{ "name": "e", "target": "192.0.2.9", "always_serve": true }],
    });
    assert_eq!(watched.api.put(&watched.lab, "/api/v1/profiles/new", &body).unwrap().status, 201);
    watched.ask("new", "198.51.100.9", None, 3);
    assert_eq!(watched.heat_map("new", "").status, 404);
    // By Azure's word for it.
    let profile = HEAT_MAP.replace("NAME", "new").replace("/heatMaps/default", "");
    let enrol = |word: &str| {
        let body = json!({ "properties": { "trafficViewEnrollmentStatus": word } });
        let answer = watched.api.send(&watched.lab, "PATCH", &profile, &body).unwrap();
        assert_eq!(answer.json["properties"]["trafficViewEnrollmentStatus"], word, "{:#}", answer.json);
    };
    enrol("Enabled");
    let shown = watched.api.get(&watched.lab, "/api/v1/profiles/new").unwrap();
    assert_eq!(shown.json["profile"]["traffic_view"], true);
    watched.ask("new", "198.51.100.9", None, 2);
    assert_eq!(watched.clients("new", 2), json!([["198.51.100.0/24", "e", 2, null]]));
    enrol("Disabled");
    assert_eq!(watched.native("new").status, 404);
    watched.ask("new", "198.51.100.9", None, 2);
    enrol("Enabled");
    assert_eq!(watched.native("new").json["clients"], json!([]), "it begins anew");
}

#[test]
fn one_of_many_stands_for_them_all() {
    let watched = Watched::start("[samples]\none_in = 8\n");
    watched.ask("quick", "198.51.100.9", None, 4000);
    // At least so many are expected but once in 10^15 runs.
    let clients = watched.clients("quick", 2500);
    let count = clients[0][2].as_u64().unwrap();
    assert_eq!((clients.as_array().unwrap().len(), &clients[0][1]), (1, &json!("europe")));
    assert_eq!(count % 8, 0, "{count} are told of in eights");
}
