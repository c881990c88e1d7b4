//! A conversation over a stream of octets: messages one behind the other, each with its length before it, and a reply to each ([RFC 7766], [RFC 9210]).
//!
//! It ends when nothing comes for a while, when a message is not whole in time, when replies are not taken in time, and when a message is no query.
//! What it can make us keep is one message and a few octets of replies.
//!
//! [RFC 7766]: https://www.rfc-editor.org/rfc/rfc7766
//! [RFC 9210]: https://www.rfc-editor.org/rfc/rfc9210

use std::{
    io::{self, ErrorKind},
    net::IpAddr,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter},
    time::{Instant, timeout, timeout_at},
};

use super::{
    connections::Seat,
    reply::{Responder, Transport},
};

/// Octets read, and octets of replies gathered, at a time.
const BUFFER: usize = 4096;
/// Octets before a message that say how long it is.
const LENGTH: usize = 2;

/// Answers messages as they come, until the client ends or misbehaves.
pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    client: IpAddr,
    transport: Transport,
    responder: &Responder,
    seat: &Seat,
) -> io::Result<()> {
    let mut stream = BufWriter::with_capacity(BUFFER, stream);
    let ended = answer(&mut stream, client, transport, responder, seat).await;
    // Over TLS the end is said, and not only come to; not to who takes no replies either.
    if stream.buffer().is_empty() {
        timeout(seat.message_timeout(), stream.shutdown()).await.unwrap_or(Ok(())).ok();
    }
    ended
}

async fn answer(
    stream: &mut BufWriter<impl AsyncRead + AsyncWrite + Unpin>,
    client: IpAddr,
    transport: Transport,
    responder: &Responder,
    seat: &Seat,
) -> io::Result<()> {
    let mut incoming = Incoming::default();
    loop {
        let Some(message) = incoming.next() else {
            // Replies to what has come in together leave together.
            timeout(seat.message_timeout(), stream.flush()).await??;
            seat.set_busy(incoming.began.is_some());
            let deadline = match incoming.began {
                Some(began) => began + seat.message_timeout(),
                None => Instant::now() + seat.idle_timeout(),
            };
            match timeout_at(deadline, incoming.read(stream)).await?? {
                0 if incoming.began.is_none() => return Ok(()),
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                _ => continue,
            }
        };
        seat.set_busy(true);
        let reply = responder.respond(&message, client, transport, Some(seat.idle_timeout()));
        let written = async {
            match &reply {
                Some(reply) => write(stream, reply).await,
                None => stream.flush().await,
            }
        };
        timeout(seat.message_timeout(), written).await??;
        if reply.is_none() {
            return Ok(());
        }
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), reply: &[u8]) -> io::Result<()> {
    let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
    stream.write_u16(length).await?;
    stream.write_all(reply).await
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
