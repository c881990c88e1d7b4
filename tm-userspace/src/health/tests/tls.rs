//! HTTPS probes: which server name is sent, and which certificates pass.

use std::{sync::Arc, time::Duration};

use rcgen::generate_simple_self_signed;
use rustls::{
    RootCertStore, ServerConfig,
    client::WebPkiServerVerifier,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::Acceptor,
};
use tokio::{io::AsyncWriteExt as _, sync::mpsc};
use tokio_rustls::LazyConfigAcceptor;

use super::servers::{
    Answer, Server, bad, good, local_prober, name_server, patient, probe, prober, read_head,
};
use crate::{
    desired::{Monitor, Protocol},
    health::{Probe as _, tls::Tls},
    samples::target,
};

/// An HTTPS server with a certificate of its own making for `names`; each connection's SNI comes out of the receiver.
async fn https(names: &[&str]) -> (Server, mpsc::UnboundedReceiver<Option<String>>, CertificateDer<'static>) {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = generate_simple_self_signed(names).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let (sent, received) = mpsc::unbounded_channel();
    let server = Server::start("127.0.0.1:0", move |stream| {
        let (sent, config) = (sent.clone(), config.clone());
        async move {
            let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await.unwrap();
            sent.send(hello.client_hello().server_name().map(str::to_owned)).unwrap();
            // A client that does not like the certificate goes away.
            let Ok(mut stream) = hello.into_stream(config).await else { return };
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        }
    });
    (server.await, received, certificate)
}

fn with_host(monitor: &Monitor, host: &str) -> Monitor {
    Monitor { headers: vec![("Host".to_owned(), host.to_owned())], ..monitor.clone() }
}

#[tokio::test]
async fn the_server_name_follows_the_host() {
    let (server, mut sni, _) = https(&["unrelated.example"]).await;
    let (names, _) = name_server(|_, _, _| Answer::Addresses(60, vec!["127.0.0.1"])).await;
    let prober = prober(&[("127.0.0.0", 8)], names, Tls::from_system().unwrap());
    let monitor = patient(Protocol::Https, server.address.port());
    let mut check = async |target: &str, monitor: &Monitor, expect: Option<&str>| {
        assert_eq!(probe(&prober, target, monitor).await, good("200 OK"));
        assert_eq!(sni.recv().await.unwrap().as_deref(), expect);
    };
    check("www.example.com", &monitor, Some("www.example.com")).await;
    check("127.0.0.1", &monitor, None).await;
    check("127.0.0.1", &with_host(&monitor, "www.Contoso.com"), Some("www.contoso.com")).await;
    check("www.example.com", &with_host(&monitor, "www.contoso.com:8443"), Some("www.contoso.com")).await;
    check("www.example.com", &with_host(&monitor, "192.0.2.7"), None).await;
}

#[tokio::test]
async fn certificates_are_checked_where_the_monitor_says_so() {
    let (server, _sni, certificate) = https(&["www.contoso.com"]).await;
    let mut monitor = patient(Protocol::Https, server.address.port());
    assert_eq!(probe(&local_prober(), "127.0.0.1", &monitor).await, good("200 OK"));
    monitor.verify_certificate = true;
    monitor = with_host(&monitor, "www.contoso.com");
    assert_eq!(
        probe(&local_prober(), "127.0.0.1", &monitor).await,
        bad("TLS: invalid peer certificate: UnknownIssuer")
    );
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    let provider = Arc::new(ring::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let (names, _) = name_server(|_, _, _| Answer::Silence).await;
    let prober = prober(&[("127.0.0.0", 8)], names, Tls::new(Ok(verifier)).unwrap());
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, good("200 OK"));
    let (_, reason) = probe(&prober, "127.0.0.1", &with_host(&monitor, "www.fabrikam.com")).await;
    assert!(
        reason.starts_with(
            "TLS: invalid peer certificate: certificate not valid for name \"www.fabrikam.com\""
        ),
        "{reason}"
    );
}

#[tokio::test]
async fn without_roots_only_probes_that_check_fail() {
    let (server, _sni, _) = https(&["www.contoso.com"]).await;
    let none = rustls::Error::General("no roots".to_owned());
    let (names, _) = name_server(|_, _, _| Answer::Silence).await;
    let prober = prober(&[("127.0.0.0", 8)], names, Tls::new(Err(none)).unwrap());
    let mut monitor = patient(Protocol::Https, server.address.port());
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, good("200 OK"));
    monitor.verify_certificate = true;
    assert_eq!(probe(&prober, "127.0.0.1", &monitor).await, bad("TLS: unexpected error: no roots"));
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_fails() {
    let plain = Server::start("127.0.0.1:0", |mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    })
    .await;
    let (_, reason) =
        probe(&local_prober(), "127.0.0.1", &patient(Protocol::Https, plain.address.port())).await;
    assert_eq!(reason, "TLS: received corrupt message of type InvalidContentType");
}

#[tokio::test]
async fn the_end_of_a_certificate_is_told_and_warned_of() {
    let (server, _sni, _) = https(&["www.contoso.com"]).await;
    let mut monitor = patient(Protocol::Https, server.address.port());
    // rcgen's certificates end then.
    let end = humantime::parse_rfc3339("4096-01-01T00:00:00Z").unwrap();
    let day = Duration::from_secs(86_400);
    let probe = async |monitor: &Monitor| {
        let outcome = local_prober().probe(target("127.0.0.1"), Arc::new(monitor.clone())).await;
        (outcome.ok, outcome.reason.to_string(), outcome.expires)
    };
    assert_eq!(probe(&monitor).await, (true, "200 OK".to_owned(), Some(end)));
    monitor.certificate_warning = Some(day * 30);
    assert_eq!(probe(&monitor).await, (true, "200 OK".to_owned(), Some(end)));
    monitor.certificate_warning = Some(day * 365 * 3000);
    let (ok, reason, _) = probe(&monitor).await;
    assert!(ok && reason.starts_with("200 OK, but the certificate expires in "), "{reason}");
}
