//! Who a frame is from and to: addresses of IP and of the link, tags, and what is not UDP.

use tm_tests::frame::Frame;

use super::{
    Outcome::{Alike, Answered, Silence},
    check, from, one, to, v4, v6,
};

#[test]
fn rfc_1122_section_3_2_1_3_and_rfc_4291_sources() {
    check(
        [
            one("own", from("10.53.0.1:40053"), Silence),
            one("own, v6", from("[fd53::1]:40053"), Silence),
            one("127/8", from("127.0.0.1:40053"), Silence),
            one("127/8, last", from("127.255.255.255:40053"), Silence),
            one("0/8", from("0.0.0.0:40053"), Silence),
            one("0/8, another", from("0.1.2.3:40053"), Silence),
            one("255.255.255.255", from("255.255.255.255:40053"), Silence),
            one("subnet broadcast", from("10.53.0.255:40053"), Silence),
            one("224/4", from("224.0.0.1:40053"), Silence),
            one("224/4, last", from("239.255.255.255:40053"), Silence),
            one("240/4", from("240.0.0.1:40053"), Silence),
            one("::", from("[::]:40053"), Silence),
            one("::1", from("[::1]:40053"), Silence),
            one("ff00::/8", from("[ff02::1]:40053"), Silence),
            one("::ffff:0:0/96", from("[::ffff:10.53.0.2]:40053"), Silence),
            one("::/96", from("[::10.53.0.2]:40053"), Alike),
            one("anybody", from("8.8.8.8:40053"), Answered),
            one("anybody, v6", from("[2001:db8::8]:40053"), Answered),
            one("1.0.0.0", from("1.0.0.0:40053"), Answered),
            one("126/8, last", from("126.255.255.255:40053"), Answered),
            one("223/8, last", from("223.255.255.255:40053"), Answered),
        ],
        5,
    );
}

#[test]
fn rfc_1122_section_3_2_1_3_destinations() {
    check(
        [
            one("broadcast", to("255.255.255.255:53"), Silence),
            one("subnet broadcast", to("10.53.0.255:53"), Silence),
            one("multicast", to("224.0.0.251:53"), Silence),
            one("all hosts", to("224.0.0.1:53"), Silence),
            one("multicast, v6", to("[ff02::fb]:53"), Silence),
            one("all nodes", to("[ff02::1]:53"), Silence),
            one("other host's IP", to("10.53.0.77:53"), Silence),
            one("other host's IP, v6", to("[fd53::77]:53"), Silence),
            one("127.0.0.1", to("127.0.0.1:53"), Silence),
            one("::1", to("[::1]:53"), Silence),
            one("0.0.0.0", to("0.0.0.0:53"), Silence),
            one("::", to("[::]:53"), Silence),
            one("::ffff:0:0/96", to("[::ffff:10.53.0.1]:53"), Silence),
            one("another port", to("10.53.0.1:5353"), Silence),
            one("another port, v6", to("[fd53::1]:54"), Silence),
        ],
        0,
    );
}

#[test]
fn ieee_802_3_and_802_1q_links_and_tags() {
    let mac = |destination_mac, frame| Frame { destination_mac, ..frame };
    let tags = |vlans: &[(u16, u16)]| Frame { vlans: vlans.to_vec(), ..v4() };
    check(
        [
            one("dst MAC other", mac([0x02, 0x53, 0, 0, 0, 9], v4()), Silence),
            one("dst MAC other, v6", mac([0x02, 0x53, 0, 0, 0, 9], v6()), Silence),
            one("dst MAC other in its first octet", mac([0x06, 0x53, 0, 0, 0, 1], v4()), Silence),
            one("L2 broadcast", mac([0xff; 6], v4()), Alike),
            one("L2 multicast", mac([1, 0, 0x5e, 0, 0, 1], v4()), Alike),
            one("L2 multicast, v6", mac([0x33, 0x33, 0, 0, 0, 1], v6()), Alike),
            one("src MAC multicast", Frame { source_mac: [3, 0x53, 0, 0, 0, 2], ..v4() }, Alike),
            one("src MAC broadcast", Frame { source_mac: [0xff; 6], ..v6() }, Alike),
            one("VLAN 0", tags(&[(0x8100, 0xe000)]), Alike),
            one("VLAN 100", tags(&[(0x8100, 100)]), Silence),
            one("QinQ", tags(&[(0x88a8, 100), (0x8100, 100)]), Silence),
            one("UDP-Lite", Frame { protocol: 136, ..v4() }, Silence),
            one("ICMP", Frame { protocol: 1, ..v4() }, Silence),
            one("TCP's number", Frame { protocol: 6, ..v4() }, Silence),
            one("802.3 LLC", Frame { ethertype: Some(0x0040), ..v4() }, Silence),
            one("ARP's type", Frame { ethertype: Some(0x0806), ..v4() }, Silence),
            one("the right one", v4(), Answered),
            one("the right one, v6", v6(), Answered),
        ],
        2,
    );
}
