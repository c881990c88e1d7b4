//! Certificates that the daemon's own listeners show: read from PEM files, checked as a whole, and put to use.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A chain of certificates and the key of the first of them, which fit each other.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: Arc<PrivateKeyDer<'static>>,
    config: ServerConfig,
}

/// Which file is of no use, and why.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The chain's.
    #[error("cannot use the certificate {}: {why}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The key's.
    #[error("cannot use the key {}: {why}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

impl Identity {
    /// Reads both files: PEM, the server's own certificate first; the key in PKCS #8, PKCS #1 or SEC 1 form, unencrypted.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, IdentityError> {
        let of_certificate = |why: String| IdentityError::Certificate { path: certificate.to_owned(), why };
        let of_key = |why: String| IdentityError::Key { path: key.to_owned(), why };
        let pem = octets(certificate).map_err(of_certificate)?;
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        let chain = chain.map_err(|error| of_certificate(spoken(&error)))?;
        if chain.is_empty() {
            return Err(of_certificate("there is no certificate in it".to_owned()));
        }
        let pem = octets(key).map_err(of_key)?;
        let key_der = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| of_key(spoken(&error)))?;
        ring::sign::any_supported_type(&key_der).map_err(|error| of_key(error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(chain.clone(), key_der.clone_key())
            })
            .map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => {
                    of_key(format!("it is not that of the certificate {}", certificate.display()))
                }
                error => of_certificate(error.to_string()),
            })?;
        Ok(Identity { chain, key: Arc::new(key_der), config })
    }

    /// What a listener shows itself with, that speaks these protocols (ALPN), the best first.
    pub fn server(&self, protocols: &[&str]) -> Arc<ServerConfig> {
        let mut config = self.config.clone();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    /// When the server's own certificate expires, as far as that can be read.
    pub fn expires(&self) -> Option<SystemTime> {
        expiry(self.chain.first()?)
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain && self.key.secret_der() == other.key.secret_der()
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("certificates", &self.chain.len()).finish_non_exhaustive()
    }
}

/// The end of a certificate's validity; none where it cannot be read, or is older than 1970.
pub(crate) fn expiry(der: &[u8]) -> Option<SystemTime> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let seconds = u64::try_from(certificate.validity().not_after.timestamp()).ok()?;
    SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
}

/// Only of a regular file, since reading another kind may never end.
fn octets(path: &Path) -> Result<Vec<u8>, String> {
    match fs::metadata(path) {
        Ok(data) if !data.is_file() => Err("it is not a regular file".to_owned()),
        Ok(_) => fs::read(path).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

fn spoken(error: &pem::Error) -> String {
    match error {
        pem::Error::NoItemsFound => "there is none in it that is PEM and not encrypted".to_owned(),
        error => format!("it is not PEM: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A certificate and its key in PEM, of `name`, until 2031-02-03.
    fn made(name: &str) -> (String, String) {
        let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        (parameters.self_signed(&key).unwrap().pem(), key.serialize_pem())
    }

    fn read(certificate: &str, key: &str) -> Result<Identity, String> {
        let dir = tempfile::tempdir().unwrap();
        let [cert, keyfile] = ["c", "k"].map(|name| dir.path().join(name));
        fs::write(&cert, certificate).unwrap();
        fs::write(&keyfile, key).unwrap();
        Identity::read(&cert, &keyfile)
            .map_err(|error| error.to_string().replace(&format!("{}/", dir.path().display()), ""))
    }

    #[test]
    fn what_fits_is_taken_and_told_apart() {
        let (certificate, key) = made("a.test");
        let (other, _) = made("b.test");
        let one = read(&certificate, &key).unwrap();
        assert_eq!(one, read(&certificate, &key).unwrap());
        assert_ne!(one, read(&(certificate.clone() + &other), &key).unwrap(), "a longer chain");
        let expected = humantime::parse_rfc3339("2031-02-03T00:00:00Z").unwrap();
        assert_eq!(one.expires(), Some(expected));
        assert_eq!(one.server(&["h2", "http/1.1"]).alpn_protocols, [&b"h2"[..], b"http/1.1"]);
        assert_eq!(format!("{one:?}"), "Identity { certificates: 1, .. }", "no key in any log");
    }

    #[test]
    fn what_does_not_fit_is_told_by_file() {
        let (certificate, key) = made("a.test");
        let (_, other) = made("b.test");
        let wrong = |certificate: &str, key: &str| read(certificate, key).unwrap_err();
        assert_eq!(wrong(&certificate, &other), "cannot use the key k: it is not that of the certificate c");
        assert_eq!(wrong("", &key), "cannot use the certificate c: there is no certificate in it");
        assert_eq!(wrong(&key, &key), "cannot use the certificate c: there is no certificate in it");
        let none = "cannot use the key k: there is none in it that is PEM and not encrypted";
        assert_eq!(wrong(&certificate, ""), none);
        assert_eq!(wrong(&certificate, &key.replace("PRIVATE", "ENCRYPTED PRIVATE")), none);
        let half = &certificate[..certificate.len() / 2];
        assert!(wrong(half, &key).starts_with("cannot use the certificate c: it is not PEM: "));
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(wrong(garbage, &key).starts_with("cannot use the certificate c: "));
        let gone = Identity::read(Path::new("/nowhere/c"), Path::new("/nowhere/k")).unwrap_err();
        assert_eq!(
            gone.to_string(),
            "cannot use the certificate /nowhere/c: No such file or directory (os error 2)"
        );
        let device = Identity::read(Path::new("/dev/zero"), Path::new("/nowhere/k")).unwrap_err();
        assert_eq!(device.to_string(), "cannot use the certificate /dev/zero: it is not a regular file");
    }

    #[test]
    fn the_end_of_validity_is_read() {
        let mut parameters = rcgen::CertificateParams::new(vec!["www.contoso.com".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        let expected = humantime::parse_rfc3339("2031-02-03T00:00:00Z").unwrap();
        assert_eq!(expiry(certificate.der()), Some(expected));
        for end in (0..certificate.der().len()).step_by(7) {
            assert_eq!(expiry(&certificate.der()[..end]), None);
        }
    }
}
