//! The limit on answers at the sockets, at times of the test's choice.

use std::sync::{Arc, RwLock};

use tokio::sync::watch;

use super::kit::{Ask, ask, desired, image, three_servers};
use crate::{
    desired::Limit,
    dns::{Contents, Responder, Transport, ZoneView},
    frozen::Frozen,
    traffic::Traffic,
};

/// A window.
const WINDOW: u64 = 1 << 10;

/// Tables that give so many answers in the window at hand, and whoever answers from them.
fn limited(answers_per_second: u32, slip: u32) -> (Arc<RwLock<crate::sync::Image>>, Responder) {
    let desired = desired(three_servers());
    let mut image = image(&desired, 512, &[]);
    let limit = Limit { answers_per_second, slip };
    image.set_frozen(Frozen { limit, ..image.frozen().clone() });
    image.set_ticks(WINDOW);
    let image = Arc::new(RwLock::new(image));
    let (_, zone) = watch::channel(Arc::new(ZoneView::new(&desired, &[])));
    let (_, contents) = watch::channel(Contents::new());
    (image.clone(), Responder::new(image, zone, contents, Traffic::new().0))
}

fn udp(responder: &Responder, ask: &Ask, client: &str) -> Option<Vec<u8>> {
    responder.reply(&ask.octets(), client.parse().unwrap(), Transport::Udp)
}

#[test]
fn every_kind_of_reply_is_limited_and_slipped() {
    const CLIENT: &str = "198.51.100.7";
    // The engine's, and those of the zone: with records, without the type, without the name, and what has no answer.
    for what in
        ["web.tm.example A", "tm.example SOA", "web.tm.example TXT", "nobody.tm.example A", "contoso.com A"]
    {
        for options in
            [&[][..], &[0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8], &[0, 8, 0, 7, 0, 1, 24, 0, 198, 51, 100]]
        {
            let asked = ask(what).opt(1232, 0x8000, options);
            let (image, responder) = limited(3, 2);
            for window in 1..3 {
                image.read().unwrap().set_ticks(WINDOW * window);
                let whole = udp(&responder, &asked, CLIENT).unwrap();
                assert_eq!(
                    [0; 2].map(|_| udp(&responder, &asked, CLIENT).unwrap()),
                    [&whole, &whole].map(Clone::clone)
                );
                for _ in 0..3 {
                    assert_eq!(udp(&responder, &asked, CLIENT), None, "{what}");
                    let slipped = udp(&responder, &asked, CLIENT).unwrap();
                    let mut bare = ask(what).opt(1232, 0x8000, &[]).octets();
                    match what {
                        // An error stays what it is.
                        "contoso.com A" => assert_eq!(slipped, whole),
                        _ => {
                            (bare[2], bare[3]) = (bare[2] | 0x86, 0);
                            assert_eq!(slipped, bare, "{what}: question and OPT alone");
                        }
                    }
                }
                // Another network has its own, and TCP has all.
                assert_eq!(udp(&responder, &asked, "198.51.101.7").unwrap(), whole);
                let tcp = responder.reply(&asked.octets(), CLIENT.parse().unwrap(), Transport::Tcp);
                assert_eq!(tcp.unwrap()[3..], whole[3..]);
            }
            let count = |label| responder.counts().iter().find(|(known, _)| *known == label).unwrap().1;
            assert_eq!((count("limited"), count("slipped")), (6, 6), "{what}");
        }
    }
}

#[test]
fn a_preview_is_not_counted() {
    let (_, responder) = limited(1, 0);
    let asked = ask("web.tm.example A");
    let preview = || responder.preview(&asked.octets(), "198.51.100.7".parse().unwrap(), Transport::Udp, 0);
    assert!((0..5).all(|_| preview().is_some()));
    assert!(udp(&responder, &asked, "198.51.100.7").is_some());
    assert!(udp(&responder, &asked, "198.51.100.7").is_none() && preview().is_some());
}
