//! The two TLS configurations of HTTPS probes: one that takes any certificate and one that checks it.
//!
//! Without `verify_certificate` a probe asks "does it answer?", not "who is it?": the server must show a certificate, and nothing about it is
//! looked at (name, chain, dates, the signature over the handshake), as Azure does. With it, the certificate must be valid for the host by the roots that
//! the operating system trusts (`/etc/ssl/certs`, or `SSL_CERT_FILE` and `SSL_CERT_DIR`), read once, when the prober is made.
//! No session is resumed: each probe is a whole handshake.

use std::sync::Arc;

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::{
        Resumption,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::ring,
    pki_types::{CertificateDer, ServerName, UnixTime},
};

/// The configurations of HTTPS probes.
pub(super) struct Tls {
    unchecked: ClientConfig,
    checked: Result<ClientConfig, String>,
}

impl Tls {
    /// Checks certificates by the operating system's roots; where there are none, only the probes that check fail.
    pub(super) fn from_system() -> Result<Self, Error> {
        let provider = Arc::new(ring::default_provider());
        Tls::new(rustls_platform_verifier::Verifier::new(provider).map(|verifier| Arc::new(verifier) as _))
    }

    /// Checks certificates by `verifier`.
    pub(super) fn new(verifier: Result<Arc<dyn ServerCertVerifier>, Error>) -> Result<Self, Error> {
        Ok(Tls {
            unchecked: config(Arc::new(AnyCertificate))?,
            checked: verifier.and_then(config).map_err(|error| format!("TLS: {error}")),
        })
    }

    /// The one for a probe, or why there is none.
    pub(super) fn config(&self, verify_certificate: bool) -> Result<ClientConfig, String> {
        match verify_certificate {
            false => Ok(self.unchecked.clone()),
            true => self.checked.clone(),
        }
    }
}

fn config(verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Content with whatever certificate there is; TLS itself demands that there is one.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    /// All that a server may still sign with, so that an old key does not look like an outage.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ED25519,
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
            SignatureScheme::ED448,
        ]
    }
}
