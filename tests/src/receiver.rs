//! A receiver of webhooks on the lab's client: it takes down what comes, and answers as it is told.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver as Queue, Sender, channel},
    },
    thread,
};

use anyhow::{Context as _, Result};

use crate::{DEADLINE, lab::Lab};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Headers by their names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
    /// What was answered.
    pub status: u16,
}

/// A receiver; its thread ends with the process.
pub struct Receiver {
    queue: Queue<Received>,
    /// What is answered to those that come next; 204 where there is nothing.
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    /// Listens at port 8080 of the client's address; answers these statuses first.
    pub fn on_client(lab: &Lab, answers: &[u16]) -> Result<Self> {
        let listener = lab.in_client(|| TcpListener::bind("10.53.0.2:8080"))?.context("cannot listen")?;
        let (sender, queue) = channel();
        let answers: Vec<u16> = answers.iter().rev().copied().collect();
        let answers = Arc::new(Mutex::new(answers));
        let left = answers.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let status = left.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or(204);
                // What breaks off is tried again by who sent it.
                if let Err(error) = take(stream, status, &sender) {
                    eprintln!("the receiver: {error:#}");
                }
            }
        });
        Ok(Receiver { queue, answers })
    }

    /// The next request, once it comes.
    pub fn next(&self) -> Result<Received> {
        self.queue.recv_timeout(DEADLINE).context("nothing came to the receiver")
    }

    /// Is nothing left that came, and of what was to be answered?
    pub fn is_done(&self) -> bool {
        self.queue.try_recv().is_err()
            && self.answers.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }
}

fn take(stream: TcpStream, status: u16, sender: &Sender<Received>) -> Result<()> {
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").context("no length")?.parse()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let answer = format!("HTTP/1.1 {status} -\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    reader.get_mut().write_all(answer.as_bytes())?;
    // Fails where the test is over.
    let _ = sender.send(Received { headers, body: String::from_utf8(body)?, status });
    Ok(())
}
