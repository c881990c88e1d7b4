//! TCP: connections of many queries, none of which can hold the others up ([RFC 7766], [RFC 9210]).
//!
//! A connection is closed when nothing comes for a while, when a message is not whole in time, when its replies are not taken in time, when a
//! message is no query, and when there are too many connections and it has been waiting longest. What a connection can make us keep is
//! one message and a few octets of replies.
//!
//! [RFC 7766]: https://www.rfc-editor.org/rfc/rfc7766
//! [RFC 9210]: https://www.rfc-editor.org/rfc/rfc9210

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader, BufWriter},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    connections::{Connections, Seat},
    reply::{Responder, Transport},
};

/// How long a client may say nothing between messages.
const IDLE: Duration = Duration::from_secs(10);
/// How long a message may take from its first octet to its last.
const MESSAGE: Duration = Duration::from_secs(10);
/// How long a client may leave a reply untaken.
const TAKEN: Duration = Duration::from_secs(10);
/// How long to wait when no connection can be accepted: for want of descriptors or memory, most often.
const BACK_OFF: Duration = Duration::from_millis(500);
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 1024;
/// Octets read, and octets of replies gathered, at a time.
const BUFFER: usize = 4096;

/// A listener at exactly this address.
pub(super) fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // Connections of an earlier run that linger in the kernel do not count.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Accepts and answers until it is told to stop; then its connections are closed too.
pub(super) async fn serve(
    listener: TcpListener,
    responder: Arc<Responder>,
    connections: Arc<Connections>,
    stop: CancellationToken,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    let mut is_told = false;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            Some(_) = tasks.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, client)) => {
                is_told = false;
                let seat = connections.enter();
                tasks.spawn(attend(stream, client.ip(), responder.clone(), seat));
            }
            Err(error) if is_of_client(&error) => {}
            Err(error) => {
                if !is_told {
                    tracing::warn!(%error, "no connection can be accepted for now; raise the limit of open files (LimitNOFILE) if this lasts");
                }
                is_told = true;
                tokio::select! {
                    () = stop.cancelled() => return Ok(()),
                    () = sleep(BACK_OFF) => {}
                }
            }
        }
    }
}

/// Is it one connection that failed, before it was accepted, and not accepting?
fn is_of_client(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// One connection, until it ends or its seat is needed.
async fn attend(stream: TcpStream, client: IpAddr, responder: Arc<Responder>, seat: Seat) {
    // Replies leave as soon as they are flushed, not when the last one was acknowledged.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%client, %error, "a connection sends in larger pieces than it should");
    }
    tokio::select! {
        () = seat.is_needed() => {}
        ended = converse(stream, client, &responder, &seat) => if let Err(error) = ended {
            tracing::debug!(%client, %error, "a connection was closed");
        }
    }
}

/// Answers messages in the order in which they come, until the client ends or misbehaves.
pub(super) async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    client: IpAddr,
    responder: &Responder,
    seat: &Seat,
) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(BUFFER, BufWriter::with_capacity(BUFFER, stream));
    loop {
        seat.set_busy(false);
        if timeout(IDLE, stream.fill_buf()).await??.is_empty() {
            return Ok(());
        }
        seat.set_busy(true);
        let message = timeout(MESSAGE, read(&mut stream)).await??;
        let reply = responder.reply(&message, client, Transport::Tcp);
        timeout(TAKEN, async {
            if let Some(reply) = &reply {
                write(&mut stream, reply).await?;
            }
            // Replies to what has come in together leave together.
            match reply.is_some() && holds_message(stream.buffer()) {
                true => Ok(()),
                false => stream.flush().await,
            }
        })
        .await??;
        if reply.is_none() {
            return Ok(());
        }
    }
}

/// Two octets of length, and as many as they say. Room is made as they come, not as they are announced.
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![];
    stream.take(length.into()).read_to_end(&mut message).await?;
    match message.len() == usize::from(length) {
        true => Ok(message),
        false => Err(ErrorKind::UnexpectedEof.into()),
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), reply: &[u8]) -> io::Result<()> {
    let length = u16::try_from(reply.len()).map_err(io::Error::other)?;
    stream.write_u16(length).await?;
    stream.write_all(reply).await
}

/// Has the next message come in whole?
fn holds_message(octets: &[u8]) -> bool {
    octets
        .split_first_chunk()
        .is_some_and(|(length, rest)| rest.len() >= usize::from(u16::from_be_bytes(*length)))
}
