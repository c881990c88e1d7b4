//! A client that asks for one name's address every fifty microseconds, and says when the answer became another.
//!
//! It does not ask without a pause: on a machine with few CPUs it would wait for one itself, and the daemon for it.

use std::{
    io::ErrorKind,
    net::{Ipv4Addr, UdpSocket},
    num::NonZeroU64,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

use anyhow::{Context, Result, ensure};
use rustix::thread::set_current_timer_slack;

use super::pause;
use crate::{
    DEADLINE,
    lab::{Lab, SERVER_V4},
    query::{Query, qtype},
};

/// Between an answer and the next query.
const PAUSE: Duration = Duration::from_micros(50);
/// How long an answer may take before the query counts as lost and the next one is sent.
const LOST: Duration = Duration::from_millis(50);

/// An answer that is not the one before.
#[derive(Clone, Copy, Debug)]
pub struct Change {
    /// The new answer.
    pub address: Ipv4Addr,
    /// When the first packet with it was here, by the host's clock.
    pub at: SystemTime,
    /// Since the last query with the old answer was sent: no measurement by `at` is finer.
    pub resolution: Duration,
}

/// What the client saw in all.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Queries answered.
    pub answered: u64,
    /// Queries without an answer.
    pub lost: u64,
}

/// Asks while `during` runs, and hands it the changes as they come; the first answer is the first change.
pub fn watch<T>(lab: &Lab, name: &str, during: impl FnOnce(&Changes) -> Result<T>) -> Result<(T, Seen)> {
    let (to, changes) = channel();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let client = scope.spawn(|| lab.in_client(|| ask(name, &to, &stop))?);
        let done = during(&Changes(changes));
        stop.store(true, Ordering::Relaxed);
        let seen = client.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok((done?, seen))
    })
}

/// The changes, in order.
pub struct Changes(Receiver<Change>);

impl Changes {
    /// The next change; an error where none comes within ten seconds.
    pub fn next(&self) -> Result<Change> {
        self.0.recv_timeout(DEADLINE).context("the answer did not change")
    }
}

fn ask(name: &str, changes: &Sender<Change>, stop: &AtomicBool) -> Result<Seen> {
    // Or the kernel would let each pause last 50 us longer to save wake-ups.
    set_current_timer_slack(NonZeroU64::new(1)).context("cannot make pauses exact")?;
    let mut query = Query::with_edns(name, qtype::A).build();
    // The answer's record stands after the question: a pointer to the name, type, class, TTL and length, then the address.
    let record = 12 + Query::new(name, qtype::A).name.len() + 4;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect((SERVER_V4, 53))?;
    socket.set_read_timeout(Some(LOST))?;
    let mut reply = [0; 1232];
    let mut seen = Seen { answered: 0, lost: 0 };
    let mut last: Option<(Ipv4Addr, Instant)> = None;
    for id in (0..=u16::MAX).cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        pause(PAUSE);
        query[..2].copy_from_slice(&id.to_be_bytes());
        let sent = Instant::now();
        socket.send(&query).context("cannot send a query")?;
        let length = loop {
            match socket.recv(&mut reply) {
                Ok(length) if reply[..2] == query[..2] => break Some(length),
                Ok(_) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    break None;
                }
                Err(error) => return Err(error).context("cannot receive an answer"),
            }
        };
        let (at, now) = (SystemTime::now(), Instant::now());
        let Some(length) = length else {
            seen.lost += 1;
            continue;
        };
        seen.answered += 1;
        let answer = &reply[..length];
        ensure!(
            length >= record + 16 && answer[record..record + 4] == [0xc0, 12, 0, 1],
            "the answer holds no address: {answer:02x?}"
        );
        let address =
            Ipv4Addr::new(answer[record + 12], answer[record + 13], answer[record + 14], answer[record + 15]);
        match last {
            Some((before, _)) if before == address => {}
            _ => {
                let resolution = last.map_or(Duration::ZERO, |(_, sent)| now - sent);
                changes.send(Change { address, at, resolution }).ok(); // nobody listens at the end
            }
        }
        last = Some((address, sent));
    }
    Ok(seen)
}
