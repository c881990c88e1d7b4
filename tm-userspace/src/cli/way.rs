//! How to find the daemon: by its files, its Unix socket, or an address and a token.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use reqwest::{Certificate, ClientBuilder, Identity, Url, header};

use super::Failure;

/// Which daemon, and who asks.
#[derive(Clone, Debug, Args)]
pub(super) struct Way {
    /// Directory of the daemon's configuration, which says where its socket is.
    #[arg(long, value_name = "DIR", env = "TM_CONFIG", default_value = "/etc/tm", global = true)]
    pub(super) config: PathBuf,
    /// The daemon's socket.
    #[arg(long, value_name = "PATH", env = "TM_SOCKET", global = true)]
    pub(super) socket: Option<PathBuf>,
    /// The daemon's API elsewhere, as https://tm.example:8443.
    #[arg(long, value_name = "URL", env = "TM_SERVER", value_parser = server, global = true)]
    pub(super) server: Option<Url>,
    /// The bearer token to show there; others on this machine may see it here, but not in TM_TOKEN or a file.
    #[arg(long, value_name = "TOKEN", env = "TM_TOKEN", hide_env_values = true, global = true)]
    token: Option<String>,
    /// A file with that token.
    #[arg(long, value_name = "FILE", env = "TM_TOKEN_FILE", global = true)]
    token_file: Option<PathBuf>,
    /// Who signs its certificate, in PEM; those whom this machine trusts where nothing is said.
    #[arg(long, value_name = "FILE", env = "SSL_CERT_FILE", global = true)]
    ca: Option<PathBuf>,
    /// A certificate to show, and its key, in one PEM file: where the API has `client_ca`.
    #[arg(long, value_name = "FILE", env = "TM_CLIENT_CERT", global = true)]
    client_cert: Option<PathBuf>,
}

impl Way {
    /// A client that speaks over TLS.
    pub(super) fn remote(&self) -> Result<ClientBuilder, Failure> {
        let mut client = reqwest::Client::builder().https_only(true);
        if let Some(token) = self.token()? {
            let mut value = header::HeaderValue::try_from(format!("Bearer {token}"))
                .map_err(|_| anyhow!("the token is none: it has characters that no token has"))?;
            value.set_sensitive(true);
            client = client.default_headers([(header::AUTHORIZATION, value)].into_iter().collect());
        }
        if let Some(path) = &self.ca {
            let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let trusted = Certificate::from_pem_bundle(&pem).context("no certificates")?;
            if trusted.is_empty() {
                return Err(anyhow!("{} has no certificate in PEM", path.display()).into());
            }
            client = client.tls_certs_only(trusted);
        }
        if let Some(path) = &self.client_cert {
            let pem = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let identity = Identity::from_pem(&pem)
                .with_context(|| format!("{} is no certificate with its key", path.display()))?;
            client = client.identity(identity);
        }
        Ok(client)
    }

    fn token(&self) -> Result<Option<String>, Failure> {
        match (&self.token, &self.token_file) {
            (Some(token), _) => Ok(Some(token.trim().to_owned())),
            (None, Some(path)) => {
                let text = fs::read_to_string(path);
                let text = text.with_context(|| format!("cannot read {}", path.display()))?;
                Ok(Some(text.trim().to_owned()))
            }
            (None, None) => Ok(None),
        }
    }
}

/// A token is shown over TLS alone.
fn server(text: &str) -> Result<Url, String> {
    let with_scheme = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    match Url::parse(&with_scheme) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url),
        _ => Err("write it as https://HOST:8443".to_owned()),
    }
}
