//! From one content to the next: serials, and what has changed.

use std::{sync::Arc, time::Duration};

use hickory_proto::rr::{RData, Record, RecordType};
use proptest::prelude::*;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{counted, default_name, desired, of_default, on, profile, published, text, zone};
use crate::{
    compile::Zone,
    desired::{Desired, RoutingMethod::Priority, Transfer},
    dns::transfer::{Content, Contents, Names, Transfers, content::Changes, view},
};

/// A zone with these names, one A each.
fn names(all: &[(&str, &str)]) -> Names {
    let profiles = all.iter().map(|(name, target)| profile(name, Priority, &[(target, 1)])).collect();
    let desired = desired(1, on(), profiles);
    of_default(view::names(&zone(&desired), &published(&desired).decisions))
}

fn soa(serial: u32) -> Zone {
    let desired = desired(serial.into(), Transfer::default(), vec![]);
    Zone::of(desired.node.zone(), desired.generation)
}

fn known(content: &Content, serial: u32) -> Vec<String> {
    match content.since(serial) {
        Changes::Known(records) => records.iter().map(text).collect(),
        other => panic!("{other:?}"),
    }
}

fn soa_line(serial: u32) -> String {
    format!("tm.example. 60 SOA ns1.tm.example. hostmaster.tm.example. {serial} 3600 600 1209600 60")
}

#[test]
fn the_serial_goes_up_with_each_change_and_only_then() {
    let first = Content::next(None, &soa(100), names(&[("a", "192.0.2.1")])).unwrap();
    assert_eq!(first.serial(), 100);
    assert!(Content::next(Some(&first), &soa(100), names(&[("a", "192.0.2.1")])).is_none());
    let second = Content::next(Some(&first), &soa(100), names(&[("a", "192.0.2.2")])).unwrap();
    assert_eq!(second.serial(), 101);
    // Back to what it was is a change too.
    let third = Content::next(Some(&second), &soa(100), names(&[("a", "192.0.2.1")])).unwrap();
    assert_eq!(third.serial(), 102);
    // A configuration whose serial others have passed, and one with a later one, though nothing else is different.
    let fourth = Content::next(Some(&third), &soa(101), names(&[])).unwrap();
    assert_eq!(fourth.serial(), 103);
    let fifth = Content::next(Some(&fourth), &soa(2000), names(&[])).unwrap();
    assert_eq!(fifth.serial(), 2000);
    assert_eq!(fifth.zone().serial, 2000);
    // Another SOA is a change.
    let mut other = soa(2000);
    other.soa.refresh += 1;
    assert_eq!(Content::next(Some(&fifth), &other, names(&[])).unwrap().serial(), 2001);
    let last = Content::next(None, &soa(u32::MAX), names(&[])).unwrap();
    assert_eq!(Content::next(Some(&last), &soa(u32::MAX), names(&[("a", "192.0.2.1")])).unwrap().serial(), 0);
}

#[test]
fn what_has_changed_is_told_from_each_serial_that_is_known() {
    let all = |a: &str, rest: &[(&str, &str)]| {
        let many: Vec<(String, String)> =
            (0..20).map(|i| (format!("n{i}"), format!("192.0.2.{i}"))).collect();
        let many = many.iter().map(|(name, target)| (&**name, &**target));
        names(&many.chain([("a", a)]).chain(rest.iter().copied()).collect::<Vec<_>>())
    };
    let first = Content::next(None, &soa(1), all("192.0.2.101", &[("b", "192.0.2.102")])).unwrap();
    let second = Content::next(Some(&first), &soa(1), all("192.0.2.103", &[("b", "192.0.2.102")])).unwrap();
    let third = Content::next(Some(&second), &soa(1), all("192.0.2.103", &[("c", "192.0.2.104")])).unwrap();
    let a = |address: &str| format!("a.tm.example. 30 A {address}");
    let (b, c) = ("b.tm.example. 30 A 192.0.2.102".to_owned(), "c.tm.example. 30 A 192.0.2.104".to_owned());
    assert_eq!(known(&second, 1), [soa_line(1), a("192.0.2.101"), soa_line(2), a("192.0.2.103")]);
    assert_eq!(known(&third, 2), [soa_line(2), b.clone(), soa_line(3), c.clone()]);
    assert_eq!(known(&third, 1), [soa_line(1), a("192.0.2.101"), b, soa_line(3), a("192.0.2.103"), c]);
    assert_eq!(
        [3, 4, 0x8000_0002].map(|serial| third.since(serial)),
        [Changes::None, Changes::None, Changes::None]
    );
    assert_eq!(
        [0, 0x8000_0004, u32::MAX].map(|serial| third.since(serial)),
        [Changes::Unknown, Changes::Unknown, Changes::Unknown]
    );
    // More has changed than there is.
    let other = Content::next(Some(&third), &soa(1), names(&[("a", "192.0.2.9")])).unwrap();
    assert_eq!(other.since(3), Changes::Unknown);
}

#[test]
fn so_much_is_remembered_and_no_more() {
    let mut content = Content::next(None, &soa(1), names(&[("a", "192.0.2.0"), ("b", "192.0.2.0")])).unwrap();
    for i in 1..=150 {
        content = Content::next(
            Some(&content),
            &soa(1),
            names(&[("a", &format!("192.0.2.{i}")), ("b", "192.0.2.0")]),
        )
        .unwrap();
    }
    assert_eq!(content.serial(), 151);
    assert_eq!((content.since(50), known(&content, 51).len()), (Changes::Unknown, 4));
    // Six times 300 names that are others: those of 1,300 are remembered.
    let mut content = Content::next(None, &soa(1), names(&[])).unwrap();
    for turn in 0..6 {
        let all: Vec<(String, String)> =
            (0..300).map(|i| (format!("n{i}"), format!("10.{turn}.{}.{}", i / 200, i % 200 + 1))).collect();
        let all: Vec<(&str, &str)> = all.iter().map(|(name, target)| (&**name, &**target)).collect();
        content = Content::next(Some(&content), &soa(1), names(&all)).unwrap();
    }
    assert_eq!(content.serial(), 7);
    let remembered: Vec<u32> = content.remembered().collect();
    assert_eq!(remembered, [3, 4, 5, 6]);
}

proptest! {
    /// RFC 1995, section 4: what the copy has, less what is removed, with what is added, is what there is.
    #[test]
    fn changes_make_of_the_old_zone_the_new_one(before in zones(), middle in zones(), after in zones()) {
        let made = |all: Vec<(String, String)>| names(&all.iter().map(|(a, b)| (&**a, &**b)).collect::<Vec<_>>());
        let first = Content::next(None, &soa(1), made(before)).unwrap();
        let second = Content::next(Some(&first), &soa(2), made(middle)).unwrap();
        let third = Content::next(Some(&second), &soa(3), made(after)).unwrap();
        if let Changes::Known(records) = third.since(1) {
            let whole = |content: &Content| -> Vec<Record> { content.records().chain([content.soa()]).collect() };
            let at = records.iter().skip(1).position(|record| record.record_type() == RecordType::SOA).unwrap() + 1;
            let mut copy = counted(&whole(&first));
            for record in &records[..at] {
                prop_assert_eq!(copy.remove(&text(record)), Some(1));
            }
            for record in &records[at..] {
                prop_assert_eq!(copy.insert(text(record), 1), None);
            }
            prop_assert_eq!(copy, counted(&whole(&third)));
        }
    }
}

fn zones() -> impl Strategy<Value = Vec<(String, String)>> {
    let one = prop_oneof![Just("192.0.2.1"), Just("192.0.2.2"), Just("www.contoso.com"), Just("2001:db8::1")];
    prop::collection::btree_map("[a-h]", one.prop_map(str::to_owned), 0..8)
        .prop_map(|zone| zone.into_iter().collect())
}

/// What is on its way, and where it goes.
struct Stage {
    zone: watch::Sender<Arc<crate::dns::ZoneView>>,
    published: watch::Sender<Arc<crate::control::Published>>,
    contents: watch::Receiver<Contents>,
    stop: CancellationToken,
}

impl Stage {
    fn start(desired: &Desired) -> Self {
        let (zone, zones) = watch::channel(zone(desired));
        let (published, decisions) = watch::channel(published(desired));
        let (transfers, contents) = Transfers::new(zones, decisions);
        let stop = CancellationToken::new();
        tokio::spawn(transfers.run(stop.clone()));
        Stage { zone, published, contents, stop }
    }

    /// That of the default zone.
    fn content(&self) -> Option<Arc<Content>> {
        self.contents.borrow().get(&default_name()).cloned()
    }

    fn serial(&self) -> Option<u32> {
        self.content().map(|content| content.serial())
    }

    fn has(&self, name: &str) -> Vec<String> {
        let content = self.content().unwrap();
        let lines =
            content.records().filter(|record| matches!(record.data, RData::A(_))).map(|record| text(&record));
        lines.filter(|line| line.starts_with(name)).collect()
    }
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_quick_succession_is_one_change_a_second() {
    let state = |target: &str| desired(100, on(), vec![profile("web", Priority, &[(target, 1)])]);
    let mut stage = Stage::start(&state("192.0.2.1"));
    assert_eq!(
        (stage.serial(), stage.has("web")),
        (Some(100), vec!["web.tm.example. 30 A 192.0.2.1".to_owned()])
    );
    let start = tokio::time::Instant::now();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    for i in 2..=40 {
        stage.published.send_replace(published(&state(&format!("192.0.2.{i}"))));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    stage.contents.changed().await.unwrap();
    stage.contents.mark_unchanged();
    // From 1.5 to 5.4 s: at once, and then once a second.
    tokio::time::sleep_until(start + Duration::from_millis(5_450)).await;
    assert_eq!(stage.serial(), Some(104));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(
        (stage.serial(), stage.has("web")),
        (Some(105), vec!["web.tm.example. 30 A 192.0.2.40".to_owned()])
    );
    // What is decided anew and alike changes nothing.
    stage.published.send_replace(published(&state("192.0.2.40")));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.serial(), Some(105));
    stage.stop.cancel();
}

#[tokio::test(start_paused = true)]
async fn transfers_are_turned_on_and_off_with_the_configuration() {
    let off = desired(100, Transfer::default(), vec![profile("web", Priority, &[("192.0.2.1", 1)])]);
    let mut stage = Stage::start(&off);
    assert_eq!(stage.serial(), None);
    let later = Desired { generation: 200, ..off.clone() };
    let node = Arc::new(crate::desired::Node { transfer: on(), ..(*later.node).clone() });
    stage.zone.send_replace(zone(&Desired { node, ..later }));
    stage.contents.changed().await.unwrap();
    assert_eq!((stage.serial(), stage.has("web").len()), (Some(200), 1));
    stage.zone.send_replace(zone(&off));
    stage.contents.changed().await.unwrap();
    assert_eq!(stage.serial(), None);
}
