//! The tables of the rules, row by row: minutes are counted from 1,000 after 1970.

use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{
    decide::{
        Decision,
        EndpointStatus::{self, Degraded, Online},
        ProfileStatus, decide,
    },
    desired::{
        Allowance, Endpoint, Failback, Guard, Profile, Profiles, RoutingMethod, Rules, Status, WhenAllDown,
    },
    health::{Forced, Health, Verdict},
    places::View,
    samples::{self, key},
};

const MINUTE: Duration = Duration::from_secs(60);

/// A time, in minutes.
pub(super) fn minute(minute: u32) -> SystemTime {
    SystemTime::UNIX_EPOCH + MINUTE * (1_000 + minute)
}

/// A profile `p` of `a`, `b`, `c` ..., and what is known of them.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) profile: Profile,
    pub(super) health: Health,
}

impl Case {
    /// Each endpoint by a letter: `u` up, `r` up again since minute 0, `d` down since minute 0, `n` new, `o` off, `w` always served.
    pub(super) fn new(method: RoutingMethod, rules: Rules, endpoints: &str) -> Self {
        let mut health = Health::default();
        let endpoint = |(i, state): (usize, char)| {
            let name = (b'a' + i as u8) as char;
            let verdict = match state {
                'u' => Some(Verdict { up: true, since: minute(0), recovered: false }),
                'r' => Some(Verdict { up: true, since: minute(0), recovered: true }),
                'd' => Some(Verdict { up: false, since: minute(0), recovered: false }),
                _ => None,
            };
            health.verdicts.extend(verdict.map(|verdict| (key("p", &name.to_string()), verdict)));
            Endpoint {
                priority: i as u16 + 1,
                status: if state == 'o' { Status::Disabled } else { Status::Enabled },
                always_serve: state == 'w',
                service: None,
                ..samples::endpoint(&name.to_string(), &format!("192.0.2.{i}"))
            }
        };
        let endpoints = endpoints.chars().enumerate().map(endpoint).collect();
        let profile =
            Profile { routing_method: method, rules, ..samples::profile("p", samples::monitor(), endpoints) };
        Case { profile, health }
    }

    pub(super) fn weighted(rules: Rules, endpoints: &str) -> Self {
        Case::new(RoutingMethod::Weighted, rules, endpoints)
    }

    pub(super) fn down_since(mut self, endpoint: &str, since: u32) -> Self {
        let verdict = Verdict { up: false, since: minute(since), recovered: false };
        self.health.verdicts.insert(key("p", endpoint), verdict);
        self
    }

    pub(super) fn forced(mut self, endpoint: &str, up: bool, until: Option<u32>) -> Self {
        let forced = Forced { up, since: minute(0), until: until.map(minute) };
        self.health.orders.forced.insert(key("p", endpoint), forced);
        self
    }

    pub(super) fn restored(mut self, endpoint: &str, at: u32) -> Self {
        self.health.orders.restored.insert(key("p", endpoint), minute(at));
        self
    }

    fn at(&self, now: u32) -> Decision {
        self.exactly(minute(now))
    }

    fn exactly(&self, now: SystemTime) -> Decision {
        let profile = Arc::new(self.profile.clone());
        decide(&Profiles::new(), &profile, &View::anywhere(), &self.health, now)
    }

    /// Who answers: letters, `NODATA` or `NXDOMAIN`.
    fn answers(&self, now: u32) -> String {
        match self.at(now).places.as_slice() {
            [] => "NXDOMAIN".to_owned(),
            [shares] if shares.is_empty() => "NODATA".to_owned(),
            [shares] => shares.iter().map(|share| (b'a' + share.endpoint as u8) as char).collect(),
            places => panic!("{places:?}"),
        }
    }

    /// In which minute the decision changes next.
    fn until(&self, now: u32) -> Option<u32> {
        let until = self.at(now).until?;
        Some((until.duration_since(minute(0)).unwrap().as_secs() / 60) as u32)
    }
}

fn when_all_down(when_all_down: WhenAllDown) -> Rules {
    Rules { when_all_down, ..Rules::default() }
}

#[test]
fn what_answers_when_everything_is_down() {
    let last = || WhenAllDown::LastResort("c".into());
    for (when, endpoints, expected) in [
        (WhenAllDown::All, "ddd", "abc"),
        (WhenAllDown::None, "ddd", "NODATA"),
        (WhenAllDown::None, "ddn", "c"),
        (WhenAllDown::None, "ddo", "NODATA"),
        (WhenAllDown::None, "ooo", "NXDOMAIN"),
        (last(), "uuu", "ab"),
        (last(), "udu", "a"),
        (last(), "ddu", "c"),
        (last(), "ddd", "c"),
        (last(), "ddw", "c"),
        (last(), "oou", "c"),
        (last(), "ddo", "ab"),
        (last(), "ooo", "NXDOMAIN"),
    ] {
        assert_eq!(
            Case::weighted(when_all_down(when.clone()), endpoints).answers(0),
            expected,
            "{when:?} {endpoints}"
        );
    }
    let priority = |endpoints| Case::new(RoutingMethod::Priority, when_all_down(last()), endpoints);
    assert_eq!(["uuu", "duu", "ddu"].map(|endpoints| priority(endpoints).answers(0)), ["a", "b", "c"]);
}

#[test]
fn the_operator_is_heard_before_the_probes() {
    let case = |endpoints| Case::weighted(Rules::default(), endpoints);
    for (case, expected) in [
        (case("uu").forced("a", false, None), "b"),
        (case("ud").forced("b", true, None), "ab"),
        (case("nw").forced("b", false, None), "a"),
        (case("dd").forced("a", false, None), "b"),
        (case("dd").forced("b", true, None), "b"),
        (case("uu").forced("a", false, None).forced("b", false, None), "NODATA"),
        (case("ou").forced("a", true, None), "b"),
        (case("oo").forced("a", true, None), "NXDOMAIN"),
    ] {
        assert_eq!(case.answers(0), expected, "{:?} {:?}", case.health, case.profile.endpoints.len());
    }
    let case = Case::weighted(when_all_down(WhenAllDown::LastResort("b".into())), "ud");
    assert_eq!(case.forced("a", false, None).forced("b", false, None).answers(0), "NODATA");
    let off = Case::weighted(Rules::default(), "ou").forced("a", true, None).at(0);
    assert_eq!(off.rulings[0].forced, None, "disabled is disabled");
}

#[test]
fn a_forced_state_ends_by_itself_and_never_changes_the_real_one() {
    let case = Case::weighted(Rules::default(), "du").forced("a", true, Some(3)).forced("b", false, Some(5));
    assert_eq!([0, 2, 3, 4, 5].map(|now| case.answers(now)), ["a", "a", "a", "a", "b"]);
    assert_eq!([0, 3, 5].map(|now| case.until(now)), [Some(3), Some(5), None]);
    assert_eq!(case.at(0).endpoints, [Degraded, Online]);
    assert_eq!(case.at(0).status, ProfileStatus::Degraded);
    assert_eq!(case.at(0).rulings[0].notes(), ["forced up until 1970-01-01T16:43:00.000Z"]);
    assert_eq!(case.at(3).rulings[0].notes(), [""; 0]);
}

#[test]
fn failback_by_row() {
    let rules = |failback| Rules { failback, ..Rules::default() };
    let case = |failback, endpoints| Case::new(RoutingMethod::Priority, rules(failback), endpoints);
    let (manual, after) = (Failback::Manual, Failback::After(MINUTE * 10));
    // Never down, and new: answers whatever the setting.
    assert_eq!([case(manual, "uu"), case(after, "nu")].map(|case| case.answers(0)), ["a", "a"]);
    assert_eq!(case(Failback::Automatic, "ru").answers(0), "a");
    assert_eq!([0, 9, 10].map(|now| case(after, "ru").answers(now)), ["b", "b", "a"]);
    assert_eq!([0, 9, 10].map(|now| case(after, "ru").until(now)), [Some(10), Some(10), None]);
    assert_eq!([0, 100_000].map(|now| case(manual, "ru").answers(now)), ["b", "b"]);
    assert_eq!(case(manual, "ru").until(0), None);
    assert_eq!(case(manual, "ru").restored("a", 4).answers(4), "a");
    assert_eq!(case(after, "ru").restored("a", 4).answers(4), "a");
    assert_eq!(case(after, "ru").restored("a", 20).answers(10), "a", "the earlier of both");
    let mut fell_again = case(manual, "ru").restored("a", 4);
    fell_again.health.verdicts.insert(key("p", "a"), Verdict { up: true, since: minute(5), recovered: true });
    assert_eq!(fell_again.answers(6), "b", "a restoration is for one return");
    // It waits only while another answers.
    assert_eq!([case(manual, "rd"), case(manual, "rr"), case(manual, "ro")].map(|c| c.answers(0)), ["a"; 3]);
    let none = Rules { when_all_down: WhenAllDown::None, failback: manual, ..Rules::default() };
    assert_eq!(Case::new(RoutingMethod::Priority, none, "rd").answers(0), "a");
    let last = WhenAllDown::LastResort("b".into());
    let last = Rules { when_all_down: last, failback: manual, ..Rules::default() };
    assert_eq!(Case::new(RoutingMethod::Priority, last, "ru").answers(0), "a", "before the last resort");
    assert_eq!(case(manual, "ru").forced("a", true, None).answers(0), "a");
    assert_eq!(
        case(manual, "ru").at(0).rulings[0].notes(),
        ["held back by failback until `tm endpoint restore`"]
    );
    assert_eq!(
        case(after, "ru").at(0).rulings[0].notes(),
        ["held back by failback until 1970-01-01T16:50:00.000Z"]
    );
}

fn guard(withdraw_at_most: Allowance) -> Rules {
    Rules { guard: Some(Guard { withdraw_at_most, window: MINUTE * 10 }), ..Rules::default() }
}

#[test]
fn the_guard_by_row() {
    let one = || Case::weighted(guard(Allowance::Count(1)), "uuuu");
    assert_eq!(one().down_since("a", 0).answers(0), "bcd");
    let two = one().down_since("a", 0).down_since("b", 1);
    assert_eq!([1, 9, 10].map(|now| two.answers(now)), ["bcd", "bcd", "cd"]);
    assert_eq!([1, 9, 10].map(|now| two.until(now)), [Some(10), Some(10), None]);
    let three = one().down_since("b", 0).down_since("a", 1).down_since("d", 2);
    // In the order in which they fell: b at 0, a at 10, d at 20.
    assert_eq!([2, 10, 19, 20].map(|now| three.answers(now)), ["acd", "cd", "cd", "c"]);
    let apart = one().down_since("a", 0).down_since("b", 30);
    assert_eq!(apart.answers(30), "cd");
    assert_eq!(one().down_since("b", 1).answers(1), "acd", "the one before is up again");
    assert_eq!(two.at(1).endpoints[1], Degraded, "its status is what it is");
    assert_eq!(
        two.at(1).rulings[1].notes(),
        [
            "kept in the answers until 1970-01-01T16:50:00.000Z: at most 1 may be withdrawn within the guard's window"
        ]
    );
}

#[test]
fn equals_are_withdrawn_in_order_and_parts_are_of_all_that_could_answer() {
    let all = |allowance| Case::weighted(guard(allowance), "ddddoo").answers(0);
    assert_eq!(all(Allowance::Count(1)), "bcd");
    assert_eq!(all(Allowance::Count(3)), "d");
    assert_eq!(all(Allowance::Count(4)), "abcd", "all down, all withdrawn: Azure's rule");
    assert_eq!(all(Allowance::Percent(50)), "cd");
    assert_eq!(all(Allowance::Percent(74)), "cd", "rounded down");
    assert_eq!(all(Allowance::Percent(1)), "bcd", "one at least");
    assert_eq!(all(Allowance::Percent(100)), "abcd");
}

#[test]
fn the_guard_looks_past_what_is_not_its_own() {
    let one = |endpoints| Case::weighted(guard(Allowance::Count(1)), endpoints);
    assert_eq!(one("ddu").forced("a", false, None).answers(0), "c", "the operator's takes no room");
    let rules = Rules { when_all_down: WhenAllDown::LastResort("a".into()), ..guard(Allowance::Count(1)) };
    assert_eq!(Case::weighted(rules, "ddu").answers(0), "c");
}

fn slowly() -> Rules {
    Rules { slow_start: Some(MINUTE * 100), ..Rules::default() }
}

fn weights(decision: &Decision) -> Vec<u64> {
    decision.places[0].iter().map(|share| share.weight).collect()
}

#[test]
fn a_slow_start_by_row() {
    let case = Case::weighted(slowly(), "ru");
    let seen = [0, 9, 10, 49, 50, 89, 90, 100].map(|now| {
        let decision = case.at(now);
        (weights(&decision), case.until(now), decision.steady)
    });
    // Shares are in least terms.
    let step = |shares: [u64; 2], until| (shares.to_vec(), Some(until), false);
    assert_eq!(
        seen,
        [
            step([1, 10], 10),
            step([1, 10], 10),
            step([1, 5], 20),
            step([1, 2], 50),
            step([3, 5], 60),
            step([9, 10], 90),
            (vec![1, 1], None, true),
            (vec![1, 1], None, true),
        ]
    );
    assert_eq!(
        case.at(0).rulings[0].notes(),
        ["slow start: 10 % of its weight until 1970-01-01T16:50:00.000Z"]
    );
}

#[test]
fn a_slow_start_is_for_what_returns() {
    let at = |case: &Case, now| weights(&case.at(now));
    assert_eq!(at(&Case::weighted(slowly(), "uu"), 0), [1, 1], "known from the start");
    assert_eq!(at(&Case::weighted(slowly(), "nu"), 0), [1, 1]);
    assert_eq!(at(&Case::weighted(Rules::default(), "ru"), 0), [1, 1], "no setting");
    let delayed = Rules { failback: Failback::After(MINUTE * 30), ..slowly() };
    let delayed = Case::weighted(delayed, "ru");
    assert_eq!([29, 30, 40].map(|now| at(&delayed, now)), [vec![1], vec![1, 10], vec![1, 5]]);
    let released = Case::weighted(slowly(), "uu").forced("a", false, Some(7));
    assert_eq!([6, 7, 17].map(|now| at(&released, now)), [vec![1], vec![1, 10], vec![1, 5]]);
    let forced_up = Case::weighted(slowly(), "ru").forced("a", true, None);
    assert_eq!(at(&forced_up, 0), [1, 1], "the operator says it is up");
    let all = Case::weighted(slowly(), "rr");
    assert_eq!(at(&all, 0), [1, 1]);
    let alone = Case::weighted(slowly(), "rd");
    assert_eq!(alone.answers(0), "a");
    let priority = Case::new(RoutingMethod::Priority, slowly(), "ru");
    assert_eq!((priority.answers(0).as_str(), priority.until(0)), ("a", None));
}

/// Any rules, any three endpoints, any orders.
fn any_case() -> impl Strategy<Value = Case> {
    let rules = (
        prop_oneof![
            Just(WhenAllDown::All),
            Just(WhenAllDown::None),
            Just(WhenAllDown::LastResort("b".into()))
        ],
        prop_oneof![
            Just(Failback::Automatic),
            Just(Failback::Manual),
            (1..40u32).prop_map(|delay| Failback::After(MINUTE * delay))
        ],
        prop::option::of(
            (1..3u32)
                .prop_map(|count| Guard { withdraw_at_most: Allowance::Count(count), window: MINUTE * 15 }),
        ),
        prop::option::of((10..100u32).prop_map(|over| MINUTE * over)),
    );
    let rules = rules.prop_map(|(when_all_down, failback, guard, slow_start)| Rules {
        when_all_down,
        failback,
        guard,
        slow_start,
        sticky: false,
    });
    let endpoint = (
        prop_oneof![Just('u'), Just('r'), Just('d'), Just('d'), Just('n'), Just('o'), Just('w')],
        0..40u32,
        prop::option::weighted(0.3, (any::<bool>(), prop::option::of(1..90u32))),
        prop::option::weighted(0.3, 0..60u32),
    );
    (rules, prop::collection::vec(endpoint, 3), any::<bool>()).prop_map(|(rules, endpoints, weighted)| {
        let letters: String = endpoints.iter().map(|(letter, ..)| *letter).collect();
        let method = if weighted { RoutingMethod::Weighted } else { RoutingMethod::Priority };
        let mut case = Case::new(method, rules, &letters);
        for (name, (_, since, forced, restored)) in ["a", "b", "c"].into_iter().zip(endpoints) {
            if let Some(verdict) = case.health.verdicts.get_mut(&key("p", name)) {
                verdict.since = minute(since);
            }
            if let Some((up, until)) = forced {
                case = case.forced(name, up, until);
            }
            if let Some(at) = restored {
                case = case.restored(name, at);
            }
        }
        case
    })
}

proptest! {
    #[test]
    fn a_decision_holds_until_it_says(case in any_case(), now in 60..120u32, later in 1..120u32) {
        let decision = case.at(now);
        prop_assert!(decision.until.is_none_or(|until| until > minute(now)), "{:?}", decision.until);
        let later = minute(now + later);
        let last = decision.until.map_or(later, |until| later.min(until - Duration::from_nanos(1)));
        prop_assert_eq!(case.exactly(last), decision);
    }

    #[test]
    fn nobody_answers_whom_the_operator_took_out(case in any_case(), now in 60..120u32) {
        let decision = case.at(now);
        for share in decision.places.iter().flatten() {
            let ruling = decision.rulings[share.endpoint];
            prop_assert!(ruling.forced.is_none_or(|forced| forced.up));
            prop_assert!(share.weight > 0);
            let status = decision.endpoints[share.endpoint];
            prop_assert!(!matches!(status, EndpointStatus::Disabled | EndpointStatus::Inactive));
        }
    }
}
