//! The listener's certificate: the operator's, or one that the daemon makes for itself, read again while it serves.

use std::{
    fs, io,
    net::IpAddr,
    path::Path,
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, ensure};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

use crate::{desired::Api, state};

/// Who signs the daemon's own certificates.
const ISSUER: &str = "Traffic Manager";
/// How long a certificate of the daemon's own is good for.
const LIFETIME: Duration = Duration::from_secs(825 * 86_400);
/// It is made anew when it has less than this left.
const RENEW: Duration = Duration::from_secs(30 * 86_400);
/// What the daemon's clock may be ahead of a client's.
const SKEW: Duration = Duration::from_secs(86_400);

/// The files' octets, to be compared, and what they make.
pub(super) struct Identity {
    /// Certificate chain, key, and the authorities of clients.
    pub(super) octets: [Vec<u8>; 3],
    /// For the listener.
    pub(super) config: Arc<ServerConfig>,
}

/// Reads what `api` names, and makes first what is the daemon's own and not there, or about to expire.
pub(super) fn identity(api: &Api) -> anyhow::Result<Identity> {
    if api.tls_own && is_due(&api.tls_cert, &api.tls_key) {
        make(&api.tls_cert, &api.tls_key).context("cannot make a certificate")?;
        tracing::info!(certificate = %api.tls_cert.display(), "a certificate was made");
    }
    let read = |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let octets = [
        read(&api.tls_cert)?,
        read(&api.tls_key)?,
        api.client_ca.as_deref().map(read).transpose()?.unwrap_or_default(),
    ];
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&octets[0])
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is no certificate in PEM", api.tls_cert.display()))?;
    ensure!(!certificates.is_empty(), "{} has no certificate in it", api.tls_cert.display());
    let key = PrivateKeyDer::from_pem_slice(&octets[1])
        .with_context(|| format!("{} is no key in PEM", api.tls_key.display()))?;
    let builder = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()?;
    let builder = match &api.client_ca {
        None => builder.with_no_client_auth(),
        Some(path) => builder.with_client_cert_verifier(verifier(&octets[2], path)?),
    };
    let mut config = builder.with_single_cert(certificates, key).with_context(|| {
        format!("{} and {} do not belong together", api.tls_cert.display(), api.tls_key.display())
    })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Identity { octets, config: Arc::new(config) })
}

/// Who signs clients' certificates.
fn verifier(octets: &[u8], path: &Path) -> anyhow::Result<Arc<dyn ClientCertVerifier>> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(octets) {
        let certificate =
            certificate.with_context(|| format!("{} is no certificate in PEM", path.display()))?;
        roots.add(certificate).with_context(|| format!("{} is of no use", path.display()))?;
    }
    let provider = ring::default_provider().into();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build();
    verifier.with_context(|| format!("{} has no certificate in it", path.display()))
}

/// Is neither of the pair there, or is the certificate one that was made here and is at its end? What somebody else put there is left alone, whatever it is.
fn is_due(certificate: &Path, key: &Path) -> bool {
    let Ok(octets) = fs::read(certificate) else { return !certificate.exists() && !key.exists() };
    let Some(Ok(der)) = CertificateDer::pem_slice_iter(&octets).next() else { return false };
    let Ok((_, parsed)) = x509_parser::parse_x509_certificate(&der) else { return false };
    let issuer = parsed.issuer().iter_common_name().next().and_then(|name| name.as_str().ok());
    let ends = parsed.validity().not_after.timestamp();
    let soon = SystemTime::now() + RENEW;
    let soon = soon.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    issuer == Some(ISSUER) && ends < i64::try_from(soon).unwrap_or(i64::MAX)
}

/// Signed by itself, for this host by all the names that it is reached by.
fn make(certificate: &Path, key: &Path) -> anyhow::Result<()> {
    let host = rustix::system::uname().nodename().to_str().ok().map(str::to_owned);
    let mut names = vec!["localhost".to_owned()];
    names.extend(host.filter(|host| host != "localhost" && host.is_ascii() && !host.is_empty()));
    let mut params = rcgen::CertificateParams::new(names)?;
    for address in [IpAddr::from([127, 0, 0, 1]), IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])] {
        params.subject_alt_names.push(rcgen::SanType::IpAddress(address));
    }
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(rcgen::DnType::CommonName, ISSUER);
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
    params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
    params.not_before = (SystemTime::now() - SKEW).into();
    params.not_after = (SystemTime::now() + LIFETIME).into();
    let pair = rcgen::KeyPair::generate()?;
    let signed = params.self_signed(&pair)?;
    put(key, pair.serialize_pem().as_bytes(), 0o600)?;
    put(certificate, signed.pem().as_bytes(), 0o644)
}

fn put(path: &Path, octets: &[u8], mode: u32) -> anyhow::Result<()> {
    let (dir, name) = path.parent().zip(path.file_name()).context("the path is no file's")?;
    let made = fs::create_dir_all(dir).map_err(|error| io::Error::new(error.kind(), error));
    made.with_context(|| format!("cannot make {}", dir.display()))?;
    state::replace(dir, &name.to_string_lossy(), octets, mode)
}
