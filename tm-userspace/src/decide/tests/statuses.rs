//! What to call the state of endpoints and profiles.

use super::kit::{ALWAYS, DOWN, Given, NEW, OFF, Tree, UP, alone, nested};
use crate::{
    decide::{EndpointStatus, ProfileStatus},
    desired::{RoutingMethod::Priority, ServiceState, Status},
};

#[test]
fn endpoint_status_by_precedence() {
    use EndpointStatus::{CheckingEndpoint, Degraded, Disabled, Inactive, Online, Unmonitored};
    let given = [UP, DOWN, NEW, OFF, ALWAYS, Given { enabled: false, ..ALWAYS }];
    let on = alone(Priority, true, &given);
    assert_eq!(on.statuses("a"), [Online, Degraded, CheckingEndpoint, Disabled, Unmonitored, Disabled]);
    let off = alone(Priority, false, &given);
    assert_eq!(off.statuses("a"), [Inactive, Inactive, Inactive, Disabled, Inactive, Disabled]);
}

#[test]
fn profile_status_by_precedence() {
    let status = |enabled, given: &[Given]| alone(Priority, enabled, given).decided("a").status;
    assert_eq!(status(false, &[DOWN]), ProfileStatus::Disabled);
    assert_eq!(status(true, &[UP, DOWN, NEW]), ProfileStatus::Degraded);
    assert_eq!(status(true, &[UP, NEW]), ProfileStatus::Online);
    assert_eq!(status(true, &[ALWAYS, NEW]), ProfileStatus::Online);
    assert_eq!(status(true, &[NEW, OFF]), ProfileStatus::CheckingEndpoints);
    assert_eq!(status(true, &[OFF]), ProfileStatus::Inactive);
    assert_eq!(status(true, &[]), ProfileStatus::Inactive);
    assert_eq!(status(true, &[nested(">missing")]), ProfileStatus::Inactive, "Stopped");
}

#[test]
fn a_service_that_is_stopped_stops_its_endpoints() {
    use EndpointStatus::{Disabled, Inactive, Online, Stopped, Unmonitored};
    let stop = |profile: &mut crate::desired::Profile| {
        for endpoint in &mut profile.endpoints[..3] {
            let endpoint = std::sync::Arc::make_mut(endpoint);
            endpoint.service = Some(crate::samples::service(ServiceState::Stopped));
        }
    };
    let given = [UP, ALWAYS, OFF, UP];
    let tree = |enabled: bool| {
        Tree::default().and_like("a", Priority, &given, |profile| {
            stop(profile);
            profile.status = if enabled { Status::Enabled } else { Status::Disabled };
        })
    };
    assert_eq!(tree(true).statuses("a"), [Stopped, Unmonitored, Disabled, Online]);
    assert_eq!(tree(false).statuses("a"), [Inactive, Inactive, Disabled, Inactive]);
    assert_eq!(tree(true).answers("a"), "a1 1", "one that is always served goes on");
    let all = Tree::default().and_like("b", Priority, &[UP, DOWN, NEW], stop);
    assert_eq!((all.answers("b").as_str(), all.decided("b").status), ("nobody", ProfileStatus::Inactive));
}

/// The status of a nested endpoint whose child is of these endpoints.
fn above(min_child: [u16; 3], given: &[Given]) -> EndpointStatus {
    let tree = alone(Priority, true, given);
    tree.and("p", Priority, &[Given { min_child, ..nested(">a") }]).statuses("p")[0]
}

#[test]
fn nested_status_by_count() {
    use EndpointStatus::{CheckingEndpoint, Degraded, Online, Stopped};
    assert_eq!(above([1, 0, 0], &[UP, DOWN, DOWN]), Online, "a child's Degraded is not the parent's");
    assert_eq!(above([2, 0, 0], &[UP, DOWN, DOWN]), Degraded);
    assert_eq!(above([2, 0, 0], &[UP, NEW, DOWN]), CheckingEndpoint);
    assert_eq!(above([2, 0, 0], &[UP, UP, NEW]), Online);
    assert_eq!(above([2, 0, 0], &[UP, ALWAYS, NEW]), Online, "Unmonitored is as good as Online");
    assert_eq!(above([1, 0, 0], &[NEW, NEW]), CheckingEndpoint);
    assert_eq!(above([1, 0, 0], &[DOWN]), Degraded);
    assert_eq!(above([2, 0, 0], &[UP]), Degraded, "more than there are");
    assert_eq!(above([1, 0, 0], &[OFF]), Stopped, "the child is Inactive");
    assert_eq!(above([1, 0, 0], &[]), Stopped);
}

#[test]
fn nested_status_by_family() {
    use EndpointStatus::{CheckingEndpoint, Degraded, Online};
    let v4 = Given { target: "192.0.2.7", ..UP };
    let v6 = Given { target: "2001:db8::7", ..UP };
    let name = Given { target: "www.example.com", ..UP };
    let down = |given| Given { up: Some(false), ..given };
    assert_eq!(above([1, 1, 1], &[v4, v6]), Online);
    assert_eq!(above([1, 1, 1], &[v4, down(v6)]), Degraded);
    assert_eq!(above([1, 1, 1], &[v6, down(v4)]), Degraded);
    assert_eq!(above([1, 2, 0], &[v4, v6]), Degraded);
    assert_eq!(above([1, 1, 1], &[name]), Online, "a name counts for both");
    assert_eq!(above([1, 0, 1], &[v4, Given { up: None, ..v6 }]), Online, "Checking counts for its family");
    assert_eq!(above([2, 0, 1], &[v4, Given { up: None, ..v6 }]), CheckingEndpoint, "all three must hold");
    // One level between: its nested endpoint counts for what is available below it.
    let between = |given: &[Given]| {
        let tree = alone(Priority, true, given).and("b", Priority, &[nested(">a")]);
        tree.and("p", Priority, &[Given { min_child: [1, 0, 1], ..nested(">b") }]).statuses("p")[0]
    };
    assert_eq!(between(&[v4, v6]), Online);
    assert_eq!(between(&[v4, down(v6)]), Degraded);
}

#[test]
fn nested_status_by_precedence() {
    use EndpointStatus::{Disabled, Inactive, Stopped};
    let child = || alone(Priority, false, &[UP]);
    let parent = |tree: Tree, given, status| {
        tree.and_like("p", Priority, &[given], |profile| profile.status = status).statuses("p")[0]
    };
    let off = Given { enabled: false, ..nested(">a") };
    assert_eq!(parent(child(), off, Status::Disabled), Disabled);
    assert_eq!(parent(child(), nested(">a"), Status::Disabled), Inactive);
    assert_eq!(
        parent(child(), nested(">a"), Status::Enabled),
        Stopped,
        "not Disabled: it is the child that is"
    );
    // And through a level: all Stopped is Inactive, and that is Stopped above.
    let tree = child().and("b", Priority, &[nested(">a")]);
    assert_eq!(parent(tree, nested(">b"), Status::Enabled), Stopped);
}
