//! The keys of a profile's rules, one by one.

use std::time::Duration;

use tm_userspace::desired::{Allowance, Failback, Guard, Rules, WhenAllDown};

use crate::kit::{NODE, check_profiles, load_files, loaded_profile};

/// Four lines of a Weighted profile, what is given from line 4 on, and two endpoints.
fn weighted(lines: &str) -> String {
    format!(
        "[[profile]]\nname = \"a\"\nrouting_method = \"weighted\"\n{lines}\n\
         [[profile.endpoint]]\nname = \"East\"\ntarget = \"192.0.2.1\"\n\
         [[profile.endpoint]]\nname = \"west\"\ntarget = \"192.0.2.2\"\n"
    )
}

fn rules(lines: &str) -> Rules {
    loaded_profile(&weighted(lines)).profiles["a"].rules.clone()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

#[test]
fn rules_are_azures_where_none_are_given() {
    let azures = Rules {
        when_all_down: WhenAllDown::All,
        failback: Failback::Automatic,
        guard: None,
        slow_start: None,
        sticky: false,
    };
    assert_eq!(rules(""), azures);
    assert_eq!(rules("when_all_down = \"all\"\nfailback = \"Automatic\""), azures);
}

#[test]
fn every_rule_arrives() {
    assert_eq!(rules("when_all_down = \"none\"").when_all_down, WhenAllDown::None);
    assert_eq!(rules("last_resort = \"EAST\"").when_all_down, WhenAllDown::LastResort("East".into()));
    assert_eq!(rules("failback = \"manual\"").failback, Failback::Manual);
    assert_eq!(rules("failback = \"10m\"").failback, Failback::After(minutes(10)));
    assert_eq!(rules("failback = \"7d\"").failback, Failback::After(minutes(7 * 24 * 60)));
    assert_eq!(rules("slow_start = \"1s\"").slow_start, Some(Duration::from_secs(1)));
    assert_eq!(rules("slow_start = \"24h\"").slow_start, Some(minutes(24 * 60)));
    assert!(rules("sticky = true").sticky);
    assert!(!rules("sticky = false").sticky);
    let guard =
        |most: &str| rules(&format!("[profile.guard]\nwithdraw_at_most = {most}\nwindow = \"5m\"")).guard;
    let of = |withdraw_at_most| Some(Guard { withdraw_at_most, window: minutes(5) });
    assert_eq!(guard("3"), of(Allowance::Count(3)));
    assert_eq!(guard("\"50%\""), of(Allowance::Percent(50)));
    assert_eq!(guard("\"100 %\""), of(Allowance::Percent(100)));
}

#[test]
fn rules_that_cannot_be_kept_are_refused() {
    for (lines, expected) in [
        ("when_all_down = \"some\"", "4:17 `\"some\"` when_all_down `some` is not known to this version"),
        ("last_resort = \"north\"", "4:15 `\"north\"` last_resort `north` is no endpoint of this profile"),
        (
            "last_resort = \"west\"\nwhen_all_down = \"none\"",
            "4:15 `\"west\"` last_resort beside when_all_down (conf.d/a.toml:5:17 `\"none\"`)",
        ),
        ("failback = \"later\"", "4:12 `\"later\"` failback `later` is neither a word nor a duration"),
        ("failback = \"8d\"", "4:12 `\"8d\"` failback `8d` is out of range"),
        ("failback = \"999ms\"", "4:12 `\"999ms\"` failback `999ms` is out of range"),
        ("slow_start = \"25h\"", "4:14 `\"25h\"` slow_start `25h` is out of range"),
        ("slow_start = \"soon\"", "4:14 `\"soon\"` slow_start `soon` is not a duration"),
        (
            "[profile.guard]\nwithdraw_at_most = 0\nwindow = \"1m\"",
            "5:20 `0` withdraw_at_most 0 is out of range",
        ),
        (
            "[profile.guard]\nwithdraw_at_most = \"0%\"\nwindow = \"1m\"",
            "5:20 `\"0%\"` withdraw_at_most `0%` is no part of the endpoints",
        ),
        (
            "[profile.guard]\nwithdraw_at_most = \"half\"\nwindow = \"1m\"",
            "5:20 `\"half\"` withdraw_at_most `half` is no part of the endpoints",
        ),
        (
            "[profile.guard]\nwithdraw_at_most = 1\nwindow = \"8d\"",
            "6:10 `\"8d\"` window `8d` is out of range",
        ),
    ] {
        check_profiles(&weighted(lines), &format!("conf.d/a.toml:{expected}"));
    }
    check_profiles(
        &weighted("slow_start = \"5m\"").replace("weighted", "priority"),
        "conf.d/a.toml:4:14 `\"5m\"` slow_start without weights (conf.d/a.toml:3:18 `\"priority\"`)",
    );
    check_profiles(
        &weighted("sticky = true").replace("weighted", "priority"),
        "conf.d/a.toml:4:10 `true` sticky without weights (conf.d/a.toml:3:18 `\"priority\"`)",
    );
    let one = weighted("last_resort = \"east\"");
    let (one, _) = one.split_once("[[profile.endpoint]]\nname = \"west\"").unwrap();
    check_profiles(one, "conf.d/a.toml:4:15 `\"east\"` last_resort `east` is the profile's only endpoint");
}

#[test]
fn a_guard_is_whole() {
    let text = weighted("[profile.guard]\nwithdraw_at_most = 1");
    let error =
        load_files(&[("tm.toml", NODE.as_bytes()), ("conf.d/a.toml", text.as_bytes())]).1.unwrap_err();
    assert_eq!(error.problems()[0].message, "missing key `window`");
}
