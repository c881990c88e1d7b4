//! A conversation over a stream of octets: messages one behind the other, each with its length before it, and a reply to each ([RFC 7766], [RFC 9210]).
//!
//! It ends when nothing comes for a while, when a message is not whole in time, when replies are not taken in time, and when a message is no query.
//! What it can make us keep is one message, a few octets of replies, and where transfers end.
//!
//! [RFC 7766]: https://www.rfc-editor.org/rfc/rfc7766
//! [RFC 9210]: https://www.rfc-editor.org/rfc/rfc9210

use std::{
    collections::VecDeque,
    future::ready,
    io::{self, ErrorKind},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter},
    time::{Instant, timeout, timeout_at},
};

use super::{
    connections::Seat,
    reply::{Reply, Responder},
    transfer::Transfer,
};
use crate::dnstap::Line;

/// Octets read, and octets of replies gathered, at a time.
const BUFFER: usize = 4096;
/// Transfers at a time on one connection; while there are as many, no more messages are taken in.
const TRANSFERS: usize = 4;
/// Octets before a message that say how long it is.
const LENGTH: usize = 2;

/// Answers messages as they come, until the client ends or misbehaves.
pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    line: &Line,
    responder: &Responder,
    seat: &Seat,
) -> io::Result<()> {
    let mut stream = BufWriter::with_capacity(BUFFER, stream);
    let ended = answer(&mut stream, line, responder, seat).await;
    // Over TLS the end is said, and not only come to; not to who takes no replies either.
    if stream.buffer().is_empty() {
        timeout(seat.message_timeout(), stream.shutdown()).await.unwrap_or(Ok(())).ok();
    }
    ended
}

async fn answer(
    stream: &mut BufWriter<impl AsyncRead + AsyncWrite + Unpin>,
    line: &Line,
    responder: &Responder,
    seat: &Seat,
) -> io::Result<()> {
    let mut incoming = Incoming::default();
    let mut transfers: VecDeque<Box<Transfer>> = VecDeque::new();
    let mut is_ended = false;
    loop {
        let may_begin = transfers.len() < TRANSFERS;
        let message = if may_begin { incoming.next() } else { None };
        if let Some(message) = message {
            seat.set_busy(true);
            line.heard(&message);
            let idle = Some(seat.idle_timeout());
            match responder.respond(&message, line.client.ip(), line.transport, idle) {
                Some(Reply::Message(reply)) => write(stream, &reply, line, seat).await?,
                Some(Reply::Transfer(transfer)) => transfers.push_back(transfer),
                None => return timeout(seat.message_timeout(), stream.flush()).await?,
            }
        } else if transfers.is_empty() {
            // Replies to what has come in together leave together.
            timeout(seat.message_timeout(), stream.flush()).await??;
            if is_ended {
                return incoming.end();
            }
            seat.set_busy(incoming.began.is_some());
            let deadline = match incoming.began {
                Some(began) => began + seat.message_timeout(),
                None => Instant::now() + seat.idle_timeout(),
            };
            is_ended = timeout_at(deadline, incoming.read(stream)).await?? == 0;
        } else if may_begin && !is_ended {
            // What is there, without waiting for more.
            tokio::select! {
                biased;
                read = incoming.read(stream) => is_ended = read? == 0,
                () = ready(()) => {}
            }
        }
        // One message of a transfer between any two others: neither waits for the other to end.
        if let Some(mut transfer) = transfers.pop_front()
            && let Some(message) = transfer.next()
        {
            write(stream, &message, line, seat).await?;
            transfers.push_back(transfer);
        }
    }
}

async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    reply: &[u8],
    line: &Line,
    seat: &Seat,
) -> io::Result<()> {
    let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
    let written = async {
        stream.write_u16(length).await?;
        stream.write_all(reply).await
    };
    timeout(seat.message_timeout(), written).await??;
    line.said(reply);
    Ok(())
}

/// What has come in and was not yet looked at: the beginning of a message, or some messages that came together.
#[derive(Default)]
struct Incoming {
    octets: Vec<u8>,
    /// How many of them are behind us.
    taken: usize,
    /// When the first octet of the next message came, if it did.
    began: Option<Instant>,
}

impl Incoming {
    /// The next message, if it is whole.
    fn next(&mut self) -> Option<Vec<u8>> {
        let rest = &self.octets[self.taken..];
        let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
        let message = rest.get(..usize::from(u16::from_be_bytes(*length)))?.to_vec();
        self.taken += LENGTH + message.len();
        // What is left came with it, or at least not later than now.
        self.began = (self.taken < self.octets.len()).then(Instant::now);
        Some(message)
    }

    /// What it means that nothing more comes.
    fn end(&self) -> io::Result<()> {
        match self.began {
            None => Ok(()),
            Some(_) => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Reads what there is, as many octets as a buffer takes; 0 at the end. Room is made as they come, not as a message announces.
    async fn read(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        self.octets.drain(..self.taken);
        self.taken = 0;
        let mut buffer = [0; BUFFER];
        let length = stream.read(&mut buffer).await?;
        self.octets.extend(&buffer[..length]);
        if length > 0 {
            self.began.get_or_insert_with(Instant::now);
        }
        Ok(length)
    }
}
