//! The words that golden cases ask in: `NAME [CLASS] TYPE`, or `hex OCTETS` for a whole message, and behind it what is other than plain.
//!
//! | of the message | |
//! | --- | --- |
//! | `+norec`, `+flags=8100` | RD clear; the whole second word in hexadecimal |
//! | `+counts=1,0,0,1` | the four counts |
//! | `+edns`, `+edns=512`, `+do`, `+version=1`, `+z=7fff` | an OPT; its payload size; its flags and version |
//! | `+option=10:0102`, `+optlen=9` | an option by number and octets; a false length of all options |
//! | `+behind=00ff` | octets behind the message |
//! | `+tcp` | to the sockets over TCP |
//!
//! | of the frame | |
//! | --- | --- |
//! | `+v6`, `+vlan=5`, `+svlan=5` | IPv6; a tag, and a service tag |
//! | `+from=127.0.0.1`, `+sport=0`, `+to=10.53.0.9`, `+dport=5353` | addresses and ports |
//! | `+mac=ff:ff:ff:ff:ff:ff`, `+smac=...` | Ethernet destination and source |
//! | `+udpsum=0`, `+ipsum=0`, `+udplen=9`, `+iplen=9` | false sums and lengths |
//! | `+first=46`, `+protocol=136`, `+frag=2000`, `+ipopts=01010101`, `+ext=...` | the IP header, in hexadecimal but for the protocol |
//! | `+ttl=1`, `+tos=187`, `+pad=18` | and what changes nothing |

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    frame::Frame,
    query::{Edns, Query, wire_name},
};

/// The frame that the words describe, and whether they say that it is asked over TCP.
pub fn frame(words: &str) -> Result<(Frame, bool)> {
    let (plain, changes): (Vec<&str>, Vec<&str>) =
        words.split_whitespace().partition(|word| !word.starts_with('+'));
    let changes: Vec<(&str, &str)> =
        changes.iter().map(|word| word[1..].split_once('=').unwrap_or((&word[1..], ""))).collect();
    let (mut query, whole) = match plain[..] {
        ["hex", octets] => (Query::new(".", 0), Some(hex(octets)?)),
        [name, kind] => (asked(name, "IN", kind)?, None),
        [name, class, kind] => (asked(name, class, kind)?, None),
        _ => bail!("write NAME [CLASS] TYPE, or hex OCTETS"),
    };
    let mut rest = vec![];
    for (word, value) in changes {
        if !of_message(&mut query, word, value).with_context(|| format!("+{word}={value}"))? {
            rest.push((word, value));
        }
    }
    let payload = whole.unwrap_or_else(|| query.build());
    let is_v6 = rest.iter().any(|(word, _)| *word == "v6");
    let mut frame = if is_v6 { Frame::v6(payload) } else { Frame::v4(payload) };
    let mut over_tcp = false;
    for (word, value) in rest {
        match word {
            "v6" => {}
            "tcp" => over_tcp = true,
            _ => of_frame(&mut frame, word, value).with_context(|| format!("+{word}={value}"))?,
        }
    }
    Ok((frame, over_tcp))
}

fn asked(name: &str, class: &str, kind: &str) -> Result<Query> {
    const TYPES: [(&str, u16); 19] = [
        ("A", 1),
        ("NS", 2),
        ("CNAME", 5),
        ("SOA", 6),
        ("PTR", 12),
        ("MX", 15),
        ("TXT", 16),
        ("AAAA", 28),
        ("SRV", 33),
        ("OPT", 41),
        ("DS", 43),
        ("RRSIG", 46),
        ("NSEC", 47),
        ("DNSKEY", 48),
        ("HTTPS", 65),
        ("IXFR", 251),
        ("AXFR", 252),
        ("ANY", 255),
        ("CAA", 257),
    ];
    const CLASSES: [(&str, u16); 5] = [("IN", 1), ("CH", 3), ("HS", 4), ("NONE", 254), ("ANY", 255)];
    let number = |known: &[(&str, u16)], prefix: &str, word: &str| {
        let found = known.iter().find(|(name, _)| *name == word).map(|(_, number)| *number);
        found.or_else(|| word.strip_prefix(prefix)?.parse().ok()).with_context(|| format!("what is {word}?"))
    };
    let mut query = Query::new(".", number(&TYPES, "TYPE", kind)?);
    query.qclass = number(&CLASSES, "CLASS", class)?;
    // `\ddd` is an octet, as everywhere; other names are taken apart at their dots.
    query.name = wire_name(name);
    if name.contains('\\') {
        query.name = escaped(name)?;
    }
    Ok(query)
}

fn escaped(name: &str) -> Result<Vec<u8>> {
    let (mut wire, mut label) = (vec![], vec![]);
    let mut rest = name.trim_end_matches('.').bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'\\' => {
                let digits: String = rest.by_ref().take(3).map(char::from).collect();
                label.push(digits.parse().with_context(|| format!("\\{digits} is no octet"))?);
            }
            b'.' => {
                wire.push(label.len() as u8);
                wire.append(&mut label);
            }
            _ => label.push(octet),
        }
    }
    wire.push(label.len() as u8);
    wire.append(&mut label);
    wire.push(0);
    Ok(wire)
}

/// `false` for a word that is not of the message.
fn of_message(query: &mut Query, word: &str, value: &str) -> Result<bool> {
    match word {
        "norec" => query.flags &= !0x0100,
        "flags" => query.flags = number(value)?,
        "counts" => {
            let counts: Vec<u16> = value.split(',').map(str::parse).collect::<Result<_, _>>()?;
            query.counts = Some(counts.try_into().ok().context("not four")?);
        }
        "behind" => query.trailing = hex(value)?,
        "edns" | "do" | "version" | "z" | "option" | "optlen" => {
            let edns = query.edns.get_or_insert_with(Edns::default);
            match word {
                "do" => edns.flags |= 0x8000,
                "version" => edns.version = value.parse()?,
                "z" => edns.flags |= number(value)?,
                "option" => {
                    let (code, data) = value.split_once(':').context("no colon")?;
                    edns.options.push((code.parse()?, hex(data)?));
                }
                "optlen" => edns.length = Some(value.parse()?),
                _ if value.is_empty() => {}
                _ => edns.payload_size = value.parse()?,
            }
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn of_frame(frame: &mut Frame, word: &str, value: &str) -> Result<()> {
    let to = |address: &mut SocketAddr| -> Result<()> {
        let ip: IpAddr = value.parse()?;
        ensure!(ip.is_ipv4() == address.is_ipv4(), "of another family");
        address.set_ip(ip);
        Ok(())
    };
    match word {
        "vlan" => frame.vlans.push((0x8100, value.parse()?)),
        "svlan" => frame.vlans.push((0x88a8, value.parse()?)),
        "from" => to(&mut frame.source)?,
        "to" => to(&mut frame.destination)?,
        "sport" => frame.source.set_port(value.parse()?),
        "dport" => frame.destination.set_port(value.parse()?),
        "mac" => frame.destination_mac = mac(value)?,
        "smac" => frame.source_mac = mac(value)?,
        "udpsum" => frame.udp_checksum = Some(number(value)?),
        "ipsum" => frame.ip_checksum = Some(number(value)?),
        "udplen" => frame.udp_length = Some(value.parse()?),
        "iplen" => frame.ip_length = Some(value.parse()?),
        "first" => frame.version = Some(u8::from_str_radix(value, 16)?),
        "protocol" => frame.protocol = value.parse()?,
        "frag" => frame.fragment = number(value)?,
        "ipopts" => frame.options = hex(value)?,
        "ext" => frame.extensions = hex(value)?,
        "ethertype" => frame.ethertype = Some(number(value)?),
        "ttl" => frame.ttl = value.parse()?,
        "tos" => frame.traffic_class = value.parse()?,
        "pad" => frame.padding = vec![0; value.parse()?],
        _ => bail!("what is this?"),
    }
    Ok(())
}

fn number(value: &str) -> Result<u16> {
    Ok(u16::from_str_radix(value, 16)?)
}

fn mac(value: &str) -> Result<[u8; 6]> {
    hex(&value.replace(':', ""))?.try_into().ok().context("not six octets")
}

/// Octets in hexadecimal, two digits each; `.` may stand between them.
fn hex(text: &str) -> Result<Vec<u8>> {
    let digits = text.replace('.', "");
    ensure!(digits.len().is_multiple_of(2) && digits.is_ascii(), "{text}: not two digits an octet");
    (0..digits.len()).step_by(2).map(|at| Ok(u8::from_str_radix(&digits[at..at + 2], 16)?)).collect()
}
