//! A client that never stops asking, and notices every answer that is missing or wrong.

use std::{
    net::UdpSocket,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};

use crate::{DEADLINE, lab::Lab, query::Query};

/// An answer that has not come after this long is lost.
const LOST: Duration = Duration::from_secs(1);

/// Asks one question after the other until it is stopped.
#[derive(Debug)]
pub struct Stream {
    stop: Arc<AtomicBool>,
    /// One message for each answer.
    answers: mpsc::Receiver<()>,
    thread: JoinHandle<Result<Seen>>,
}

/// What a stream met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Questions.
    pub asked: u64,
    /// Those that nobody answered.
    pub lost: u64,
    /// Those whose answer was another one.
    pub wrong: u64,
}

impl Stream {
    /// Asks `server` (address and port) `query` from the lab's client, and expects answers to end in `expected`. Does not begin before the first answer.
    pub fn start(lab: &Lab, server: &str, query: Query, expected: &[u8]) -> Result<Self> {
        let socket = lab.in_client(|| UdpSocket::bind("0.0.0.0:0"))??;
        socket.connect(server).with_context(|| format!("cannot connect to {server}"))?;
        socket.set_read_timeout(Some(LOST))?;
        let stop = Arc::new(AtomicBool::new(false));
        let (answered, answers) = mpsc::channel();
        let (stopped, expected) = (Arc::clone(&stop), expected.to_owned());
        let thread = thread::spawn(move || ask(&socket, query, &expected, &stopped, &answered));
        let mut stream = Self { stop, answers, thread };
        stream.wait_for(1)?;
        Ok(stream)
    }

    /// Waits for so many more answers.
    pub fn wait_for(&mut self, answers: usize) -> Result<()> {
        while self.answers.try_recv().is_ok() {}
        for _ in 0..answers {
            self.answers.recv_timeout(DEADLINE).context("no more answers come")?;
        }
        Ok(())
    }

    /// Asks no more, and says what was met.
    pub fn stop(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().map_err(|_| anyhow!("the stream panicked"))?
    }
}

fn ask(
    socket: &UdpSocket,
    mut query: Query,
    expected: &[u8],
    stop: &AtomicBool,
    answered: &mpsc::Sender<()>,
) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut reply = [0; 1500];
    while !stop.load(Ordering::Relaxed) {
        query.id = query.id.wrapping_add(1);
        seen.asked += 1;
        // An ICMP error for an earlier question comes out here or below: the question was not answered, and the read says so.
        let sent = socket.send(&query.build());
        loop {
            let received = sent.as_ref().ok().and_then(|_| socket.recv(&mut reply).ok());
            match received.map(|length| &reply[..length]) {
                None => seen.lost += 1,
                Some(late) if late.get(..2) != Some(&query.id.to_be_bytes()) => continue,
                Some(reply) if reply.ends_with(expected) => _ = answered.send(()),
                Some(_) => seen.wrong += 1,
            }
            break;
        }
    }
    Ok(seen)
}
