//! Asking as clients do: `dig` and `kdig` on the lab's client, a socket that asks one question, and one that asks on and on.

use std::{
    io,
    net::{IpAddr, UdpSocket},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result, ensure};
use hickory_proto::op::Message;

use crate::{DEADLINE, lab::Lab, query::Query};

/// All that a command says, on both of its outputs.
pub fn said(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).trim().to_owned())
}

impl Lab {
    /// What `dig` prints on the client, asking once.
    pub fn dig(&self, arguments: &[&str]) -> Result<String> {
        said(self.client("dig").args(["+tries=1", "+timeout=5"]).args(arguments))
    }

    /// The records that `dig` finds, one a line, words parted by one space.
    pub fn answers(&self, arguments: &[&str]) -> Result<String> {
        let printed = self.dig(&[&["+noall", "+answer"], arguments].concat())?;
        let lines = printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok(lines.collect::<Vec<_>>().join("\n"))
    }

    /// What `kdig` prints on the client, asking once.
    pub fn kdig(&self, arguments: &[&str]) -> Result<String> {
        said(self.client("kdig").args(["+retry=0", "+timeout=5"]).args(arguments))
    }

    /// A socket of the client's that asks this server's port 53.
    pub fn asker(&self, server: IpAddr) -> Result<Asker> {
        let any: IpAddr = if server.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() };
        self.asker_from(any, server)
    }

    /// The same from one of the client's addresses.
    pub fn asker_from(&self, source: IpAddr, server: IpAddr) -> Result<Asker> {
        self.in_client(|| {
            let socket = UdpSocket::bind((source, 0)).with_context(|| format!("cannot ask from {source}"))?;
            socket.connect((server, 53)).with_context(|| format!("cannot ask {server}"))?;
            socket.set_read_timeout(Some(DEADLINE))?;
            Ok(Asker { socket, next: 0 })
        })?
    }
}

/// Asks one question after the other, and never again for the same.
pub struct Asker {
    socket: UdpSocket,
    next: u16,
}

impl Asker {
    /// The answer to a query, whose id is given here. A query that is not answered within ten seconds is lost: an error.
    pub fn ask(&mut self, query: &Query) -> Result<Message> {
        self.next = self.next.wrapping_add(1);
        self.socket.send(&Query { id: self.next, ..query.clone() }.build())?;
        let mut bytes = [0; 4096];
        let length = loop {
            match self.socket.recv(&mut bytes) {
                // A wait with a limit is not taken up again by itself after a signal.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                received => break received.context("the query was lost")?,
            }
        };
        let answer = Message::from_vec(&bytes[..length]).context("the answer cannot be read")?;
        ensure!(answer.metadata.id == self.next, "an answer to another query: {answer}");
        Ok(answer)
    }
}

/// Asks questions in turn, on a thread of its own, until it is stopped.
pub struct Stream {
    thread: JoinHandle<Result<u64>>,
    stop: Arc<AtomicBool>,
    /// One message for each answer.
    answers: mpsc::Receiver<()>,
}

impl Stream {
    /// Begins. `judge` is shown each question's place in `queries` and its answer, and says what is wrong with it.
    pub fn start(
        lab: &Lab,
        server: IpAddr,
        queries: Vec<Query>,
        judge: impl Fn(usize, &Message) -> Result<()> + Send + 'static,
    ) -> Result<Self> {
        let mut asker = lab.asker(server)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (answered, answers) = mpsc::channel();
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut right = 0;
                for (place, query) in queries.iter().enumerate().cycle() {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    judge(place, &asker.ask(query)?)?;
                    right += 1;
                    // Fails only where nobody waits any more.
                    let _ = answered.send(());
                }
                Ok(right)
            }
        });
        Ok(Self { thread, stop, answers })
    }

    /// Waits for so many more answers that are right.
    pub fn wait_for(&self, answers: usize) -> Result<()> {
        while self.answers.try_recv().is_ok() {}
        for _ in 0..answers {
            self.answers.recv_timeout(DEADLINE).context("no more right answers come")?;
        }
        Ok(())
    }

    /// Ends it. An error where a query was lost or an answer wrong, which had ended it before; else how many were asked and rightly answered.
    pub fn stop(self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lab::SERVER_V4, query::qtype};

    /// A server that echoes so many queries as they came, and then no more.
    fn echo(lab: &Lab, times: usize) -> JoinHandle<()> {
        let socket = lab.in_server(|| UdpSocket::bind("10.53.0.1:53").unwrap()).unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 512];
            for _ in 0..times {
                let (length, from) = socket.recv_from(&mut bytes).unwrap();
                socket.send_to(&bytes[..length], from).unwrap();
            }
        })
    }

    #[test]
    fn a_stream_ends_at_the_first_answer_that_is_wrong() {
        let lab = Lab::new().unwrap();
        let echo = echo(&lab, 3);
        let queries = ["a.x", "b.x"].map(|name| Query::new(name, qtype::A)).to_vec();
        let judge = |place: usize, answer: &Message| {
            ensure!(place == 0 || answer.metadata.id != 2, "{}", answer.queries[0].name);
            Ok(())
        };
        let stream = Stream::start(&lab, SERVER_V4.into(), queries, judge).unwrap();
        let ended = stream.thread.join().unwrap().unwrap_err();
        assert_eq!(ended.to_string(), "b.x.");
        assert_eq!(stream.answers.iter().count(), 1);
        lab.asker(SERVER_V4.into()).unwrap().ask(&Query::new("c.x", qtype::A)).unwrap();
        echo.join().unwrap();
    }
}
