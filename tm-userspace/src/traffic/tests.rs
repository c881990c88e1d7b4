use std::time::Duration;

use super::*;
use crate::{desired::Endpoint, samples};

fn nested(name: &str, child: &str) -> Endpoint {
    Endpoint { target: Target::Profile(child.into()), ..samples::endpoint(name, "192.0.2.1") }
}

/// `top` has `left` and `right` below it, and `right` has `deep`.
fn watched(looked_at: &[&str]) -> Watched {
    let leaf = |name: &str| samples::endpoint(name, "192.0.2.1");
    let profiles = [
        ("top", vec![nested("l", "left"), nested("r", "right"), leaf("own")]),
        ("left", vec![leaf("a")]),
        ("right", vec![nested("d", "deep"), leaf("b")]),
        ("deep", vec![leaf("a")]),
    ];
    let profiles = profiles.map(|(name, endpoints)| Profile {
        traffic_view: looked_at.contains(&name),
        ..samples::profile(name, samples::monitor(), endpoints)
    });
    Watched::of(Some(&samples::desired(&[], profiles.into())))
}

#[test]
fn who_was_chosen_below_counts_for_the_endpoint_that_leads_there() {
    let watched = watched(&["top"]);
    let profile = |name: &str| watched.profiles[name].clone();
    let of = |of: &str, (profile_name, endpoint)| {
        watched.endpoint(&profile(of), &samples::key(profile_name, endpoint)).map(|name| name.to_string())
    };
    for (key, expected) in [
        (("top", "own"), Some("own")),
        (("left", "a"), Some("l")),
        (("right", "b"), Some("r")),
        (("deep", "a"), Some("r")),
        (("elsewhere", "a"), None),
    ] {
        assert_eq!(of("top", key).as_deref(), expected, "{key:?}");
    }
    assert_eq!(of("right", ("deep", "a")).as_deref(), Some("d"));
    assert_eq!(of("left", ("right", "b")), None);
}

#[tokio::test]
async fn nothing_is_kept_of_a_profile_that_is_looked_at_no_longer() {
    let (traffic, _telling) = Traffic::new();
    let bounds = Bounds::new(Duration::from_secs(60), 1);
    traffic.keep(&watched(&["top", "left"]));
    let now = SystemTime::now();
    assert!(traffic.sum("top", now, bounds).is_some());
    assert!(traffic.sum("right", now, bounds).is_none());
    traffic.keep(&watched(&["left"]));
    assert!(traffic.sum("top", now, bounds).is_none());
    assert!(watched(&[]).bounds.is_none(), "then nothing is read");
}

#[tokio::test]
async fn what_does_not_fit_is_counted() {
    let (traffic, _telling) = Traffic::new();
    let told =
        Told { tables: 1, counter: 1, count: 1, client: "192.0.2.1:53".parse().unwrap(), message: vec![] };
    (0..WAITING + 3).for_each(|_| traffic.tell(told.clone()));
    assert_eq!(traffic.lost(), 3);
}
