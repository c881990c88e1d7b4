//! DNS over HTTPS ([RFC 8484]): HTTP/2 or 1.1 around the same messages.
//!
//! | asked | answered |
//! | --- | --- |
//! | `POST` of `application/dns-message` | 200, or 415 for another type, 413 over 65,535 octets, 408 where it does not come in time |
//! | `GET` with `dns=` in base64url | 200, or 400 where that cannot be read |
//! | what is no query | 400 |
//! | another method or path | 405, 404 |
//!
//! A reply may be kept as long as its records: the least TTL of its answers, or of the SOA that says that there are none.
//!
//! hyper is spoken to directly: its connections can be given deadlines and seats of ours, which servers above it hide.
//!
//! [RFC 8484]: https://www.rfc-editor.org/rfc/rfc8484

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Body as _, Incoming},
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue},
    service::service_fn,
};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::{Instant, sleep_until, timeout},
};

use super::{connections::Seat, reply::Responder, write::freshness};
use crate::dnstap::Line;

/// The media type of messages.
const MESSAGE: &str = "application/dns-message";
/// Octets of the longest message.
const LONGEST: usize = 65_535;
/// Octets of a request's head.
const HEAD: usize = 32 << 10;
/// Exchanges at a time on one connection.
const STREAMS: u32 = 100;

/// How long a client that was idle for too long has to take note of the end.
const FAREWELL: Duration = Duration::from_secs(1);

/// What the exchanges of one connection share.
struct Site {
    responder: Arc<Responder>,
    line: Line,
    path: Arc<str>,
    seat: Arc<Seat>,
    /// How many are under way, and since when as many.
    under_way: watch::Sender<(usize, Instant)>,
}

/// Answers exchanges until the client ends, misbehaves or is idle for too long.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    line: Line,
    path: Arc<str>,
    responder: Arc<Responder>,
    seat: Arc<Seat>,
) -> io::Result<()> {
    let (under_way, mut seen) = watch::channel((0, Instant::now()));
    let site = Arc::new(Site { responder, line, path, seat: seat.clone(), under_way });
    let service = service_fn(move |request| {
        let site = site.clone();
        async move { Ok::<_, Infallible>(site.exchange(request).await) }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    // A head that does not come in time belongs to a connection that is idle: see below.
    builder.http1().timer(TokioTimer::new()).header_read_timeout(None).max_buf_size(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(HEAD as u32);
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    loop {
        let (exchanges, since) = *seen.borrow_and_update();
        let deadline = since + seat.idle_timeout();
        tokio::select! {
            ended = connection.as_mut() => return ended.map_err(io::Error::other),
            Ok(()) = seen.changed() => {}
            () = sleep_until(deadline), if exchanges == 0 => break,
        }
    }
    connection.as_mut().graceful_shutdown();
    timeout(FAREWELL, connection).await?.map_err(io::Error::other)
}

impl Site {
    async fn exchange(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let _under_way = UnderWay::begin(self);
        let is_head = *request.method() == Method::HEAD;
        let answered = match self.query(request).await {
            Ok(query) => self.answer(&query),
            Err(refused) => Err(refused),
        };
        let response = answered.unwrap_or_else(Refused::response);
        if is_head { without_content(response) } else { response }
    }

    /// The message that a request carries.
    async fn query(&self, request: Request<Incoming>) -> Result<Bytes, Refused> {
        if let Err(refused) = self.check(&request) {
            // Its content is taken all the same, as far as it is no longer than a message: clients that are still sending when they are refused
            // take that for a broken connection.
            _ = self.body(request.into_body()).await;
            return Err(refused);
        }
        match *request.method() {
            Method::POST => self.body(request.into_body()).await,
            _ => parameter(request.uri().query().unwrap_or_default()),
        }
    }

    /// Is it one that a message may come in?
    fn check(&self, request: &Request<Incoming>) -> Result<(), Refused> {
        if request.uri().path() != &*self.path {
            return Err(Refused(StatusCode::NOT_FOUND, "nothing is here"));
        }
        let kind = request.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        match *request.method() {
            Method::GET | Method::HEAD => Ok(()),
            Method::POST if kind.is_some_and(is_message) => Ok(()),
            Method::POST => {
                let told = "the content must be application/dns-message";
                Err(Refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, told))
            }
            _ => Err(Refused(StatusCode::METHOD_NOT_ALLOWED, "only GET and POST are")),
        }
    }

    async fn body(&self, body: Incoming) -> Result<Bytes, Refused> {
        let too_long = Refused(StatusCode::PAYLOAD_TOO_LARGE, "a message has at most 65,535 octets");
        if body.size_hint().lower() > LONGEST as u64 {
            return Err(too_long);
        }
        let whole = timeout(self.seat.message_timeout(), Limited::new(body, LONGEST).collect()).await;
        match whole {
            Ok(Ok(whole)) => Ok(whole.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_long),
            Ok(Err(_)) => Err(Refused(StatusCode::BAD_REQUEST, "the content broke off")),
            Err(_) => Err(Refused(StatusCode::REQUEST_TIMEOUT, "the content did not come in time")),
        }
    }

    /// Counts how many are under way.
    fn count(&self, change: impl FnOnce(usize) -> usize) {
        self.under_way.send_modify(|(exchanges, since)| {
            (*exchanges, *since) = (change(*exchanges), Instant::now());
            self.seat.set_busy(*exchanges > 0);
        });
    }

    fn answer(&self, query: &[u8]) -> Result<Response<Full<Bytes>>, Refused> {
        self.line.heard(query);
        let reply = self
            .responder
            .reply(query, self.line.client.ip(), self.line.transport)
            .ok_or(Refused(StatusCode::BAD_REQUEST, "the content is no DNS query"))?;
        self.line.said(&reply);
        let kept = match freshness(&reply) {
            Some(seconds) => format!("max-age={seconds}"),
            None => "no-store".to_owned(),
        };
        let mut response = Response::new(Full::from(reply));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MESSAGE));
        if let Ok(kept) = kept.try_into() {
            headers.insert(CACHE_CONTROL, kept);
        }
        Ok(response)
    }
}

/// Marks an exchange as under way for as long as it lives.
struct UnderWay<'a>(&'a Site);

impl<'a> UnderWay<'a> {
    fn begin(site: &'a Site) -> Self {
        site.count(|exchanges| exchanges + 1);
        UnderWay(site)
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.count(|exchanges| exchanges - 1);
    }
}

/// Why there is no DNS reply.
struct Refused(StatusCode, &'static str);

impl Refused {
    fn response(self) -> Response<Full<Bytes>> {
        let Refused(status, told) = self;
        let mut response = Response::new(Full::from(format!("{told}\n")));
        *response.status_mut() = status;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        }
        response
    }
}

/// What HEAD is told of the content in its place ([RFC 9110, section 9.3.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.3.2)): over HTTP/2 hyper would send it.
fn without_content(mut response: Response<Full<Bytes>>) -> Response<Full<Bytes>> {
    let content = std::mem::take(response.body_mut());
    response.headers_mut().extend(content.size_hint().exact().map(|length| (CONTENT_LENGTH, length.into())));
    response
}

/// The message in `dns=` of a URL's query.
fn parameter(query: &str) -> Result<Bytes, Refused> {
    let refused = |told| Refused(StatusCode::BAD_REQUEST, told);
    let text = query.split('&').find_map(|pair| pair.strip_prefix("dns="));
    let text = text.ok_or(refused("the parameter `dns` is missing"))?;
    let message = BASE64URL_NOPAD.decode(text.as_bytes());
    message.map(Bytes::from).map_err(|_| refused("the parameter `dns` is not base64url without padding"))
}

/// Is a content type that of messages, whatever parameters it has?
fn is_message(kind: &[u8]) -> bool {
    let kind = kind.split(|octet| *octet == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(MESSAGE.as_bytes())
}
