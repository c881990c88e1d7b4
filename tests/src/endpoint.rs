//! An HTTP or HTTPS endpoint that a test or the demo can switch: well, unwell, hanging or gone.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context, Result};
use rustix::net::{Shutdown, shutdown};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer};

use crate::{
    DEADLINE,
    lab::{CLIENT_INTERFACE, Lab},
    namespace::run,
};

/// The endpoint; it stops with this handle.
pub struct FakeEndpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<Running>,
}

struct Running {
    listener: Arc<TcpListener>,
    thread: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// How TLS is spoken; none: not at all.
    tls: Option<Arc<ServerConfig>>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Status to answer with; none: requests are read and never answered.
    status: Option<u16>,
    /// Grows with each stop, so that requests held from before it end.
    run: u64,
    connections: u64,
    requests: Vec<String>,
    /// What every answer has for a body: HTML.
    page: String,
}

impl FakeEndpoint {
    /// Listens in the calling thread's namespace and answers 200; port 0 takes a free one.
    pub fn start(address: SocketAddr) -> Result<Self> {
        Self::start_with(address, None)
    }

    fn start_with(address: SocketAddr, tls: Option<Arc<ServerConfig>>) -> Result<Self> {
        let shared = Arc::new(Shared { tls, ..Shared::default() });
        shared.lock().status = Some(200);
        let mut endpoint = Self { address, shared, running: None };
        endpoint.resume()?;
        Ok(endpoint)
    }

    /// The same on the lab's client, at port 80 of an address of its own there.
    pub fn on_client(lab: &Lab, address: Ipv4Addr) -> Result<Self> {
        add_address(lab, address)?;
        lab.in_client(|| Self::start((address, 80).into()))?
    }

    /// The same over TLS, at port 443, with a certificate of its own making for `name`, which is returned as PEM.
    pub fn on_client_tls(lab: &Lab, address: Ipv4Addr, name: &str) -> Result<(Self, String)> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()])?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(anyhow::Error::msg)?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)?;
        add_address(lab, address)?;
        let endpoint =
            lab.in_client(|| Self::start_with((address, 443).into(), Some(Arc::new(config))))??;
        Ok((endpoint, made.cert.pem()))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens again at the same address after [`Self::stop`], in the calling thread's namespace; does nothing while it listens.
    pub fn resume(&mut self) -> Result<()> {
        if self.running.is_some() {
            return Ok(());
        }
        let listener =
            TcpListener::bind(self.address).with_context(|| format!("cannot listen on {}", self.address))?;
        self.address = listener.local_addr()?;
        let listener = Arc::new(listener);
        let thread = thread::spawn({
            let (listener, shared) = (Arc::clone(&listener), Arc::clone(&self.shared));
            move || accept(&listener, &shared)
        });
        self.running = Some(Running { listener, thread });
        Ok(())
    }

    /// Closes the listener and drops the requests that hang: connecting is refused once this returns.
    pub fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        self.shared.change(|state| state.run += 1);
        // Wakes the accepting thread; the socket no longer listens from here on.
        if let Err(error) = shutdown(&running.listener, Shutdown::Both) {
            eprintln!("endpoint {} does not stop: {error}", self.address);
            return;
        }
        if running.thread.join().is_err() {
            eprintln!("endpoint {}: its thread panicked", self.address);
        }
    }

    /// Answers with this status from now on, requests that hang included.
    pub fn set_status(&self, status: u16) {
        self.shared.change(|state| state.status = Some(status));
    }

    /// Answers with this page from now on: HTML.
    pub fn set_page(&self, page: &str) {
        self.shared.change(|state| state.page = page.to_owned());
    }

    /// Reads requests and leaves them without an answer from now on.
    pub fn hang(&self) {
        self.shared.change(|state| state.status = None);
    }

    /// Connections accepted so far: a TCP probe is one.
    pub fn connections(&self) -> u64 {
        self.shared.lock().connections
    }

    /// The heads of the requests read so far: request line and headers.
    pub fn requests(&self) -> Vec<String> {
        self.shared.lock().requests.clone()
    }

    /// Waits until so many connections have come in all. Panics after ten seconds.
    pub fn wait_for_connections(&self, total: u64) {
        let (state, waited) = self
            .shared
            .changed
            .wait_timeout_while(self.shared.lock(), DEADLINE, |state| state.connections < total)
            .unwrap_or_else(PoisonError::into_inner);
        let seen = state.connections;
        drop(state); // or a panic here would poison it for the threads that serve
        assert!(
            !waited.timed_out(),
            "endpoint {} saw {seen} connections, {total} were awaited",
            self.address
        );
    }
}

impl Drop for FakeEndpoint {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// Takes connections until the listener is shut down.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    while let Ok((connection, _)) = listener.accept() {
        let mut run = 0;
        shared.change(|state| {
            state.connections += 1;
            run = state.run;
        });
        let shared = Arc::clone(shared);
        thread::spawn(move || match shared.tls.clone().map(ServerConnection::new) {
            None => serve(connection, &shared, run),
            Some(Ok(tls)) => serve(StreamOwned::new(tls, connection), &shared, run),
            Some(Err(error)) => eprintln!("an endpoint cannot speak TLS: {error}"),
        });
    }
}

/// Answers one request. The asker may leave at any point: that ends it, too.
fn serve(mut connection: impl Read + Write, shared: &Shared, run: u64) {
    let mut head = String::new();
    let mut reader = BufReader::new(&mut connection);
    while !head.ends_with("\r\n\r\n") {
        if !matches!(reader.read_line(&mut head), Ok(1..)) {
            return;
        }
    }
    shared.change(|state| state.requests.push(head));
    let state = shared
        .changed
        .wait_while(shared.lock(), |state| state.status.is_none() && state.run == run)
        .unwrap_or_else(PoisonError::into_inner);
    let status = state.status.filter(|_| state.run == run);
    let page = state.page.clone();
    drop(state);
    if let Some(status) = status {
        let kind = if page.is_empty() { "" } else { "Content-Type: text/html\r\n" };
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 {status} \r\n{kind}Content-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        );
        connection.write_all(answer.as_bytes()).ok(); // the asker may be gone
    }
}

fn add_address(lab: &Lab, address: Ipv4Addr) -> Result<()> {
    let address = format!("{address}/24");
    run(lab.client("ip").args(["address", "add", &address, "dev", CLIENT_INTERFACE])).map(|_| ())
}

#[cfg(test)]
mod tests {
    use std::{io::ErrorKind, net::TcpStream};

    use super::*;

    fn ask(address: SocketAddr) -> String {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.write_all(b"GET /up HTTP/1.1\r\nHost: www.x\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_answers_as_it_is_switched() {
        let endpoint = FakeEndpoint::start(([127, 0, 0, 1], 0).into()).unwrap();
        assert!(ask(endpoint.address()).starts_with("HTTP/1.1 200 \r\n"));
        endpoint.set_status(503);
        assert!(ask(endpoint.address()).starts_with("HTTP/1.1 503 \r\n"));
        assert_eq!(endpoint.connections(), 2);
        assert_eq!(endpoint.requests()[1], "GET /up HTTP/1.1\r\nHost: www.x\r\n\r\n");
    }

    #[test]
    fn a_stopped_endpoint_refuses_and_comes_back_at_its_address() {
        let mut endpoint = FakeEndpoint::start(([127, 0, 0, 1], 0).into()).unwrap();
        let address = endpoint.address();
        endpoint.stop();
        assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
        endpoint.resume().unwrap();
        assert!(ask(address).starts_with("HTTP/1.1 200 \r\n"));
    }

    #[test]
    fn a_hanging_endpoint_reads_and_says_nothing_until_it_stops() {
        let mut endpoint = FakeEndpoint::start(([127, 0, 0, 1], 0).into()).unwrap();
        endpoint.hang();
        let address = endpoint.address();
        thread::scope(|scope| {
            let asked = scope.spawn(|| ask(address));
            endpoint.wait_for_connections(1);
            endpoint.stop();
            assert_eq!(asked.join().unwrap(), "");
        });
    }
}
