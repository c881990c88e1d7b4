//! The daemon's API over TLS, as a client on the server itself asks: with a token, and with the daemon's own certificate as the only one it trusts.

use std::{fs, path::Path};

use anyhow::{Context, Result, ensure};
use reqwest::{Certificate, Client, Method};
use serde_json::Value;

use crate::{DEADLINE, client::said, daemon::Daemon, lab::Lab};

/// What `tm.toml` needs for it; to be written behind `[listen]`.
pub const LISTEN: &str = "[api]\nlisten = \"127.0.0.1:8443\"\n";

/// A client of one daemon.
#[derive(Clone, Debug)]
pub struct Api {
    /// What it shows; nothing where it is empty.
    pub token: String,
    certificate: Vec<u8>,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path and query.
    pub path: &'a str,
    /// Headers besides those of token and body.
    pub headers: &'a [(&'a str, &'a str)],
    /// A body, sent as JSON.
    pub body: Option<Vec<u8>>,
}

/// A certificate that these names sign for themselves, and its key, both in PEM.
pub fn certificate(names: &[&str]) -> Result<(String, String)> {
    let made = rcgen::generate_simple_self_signed(names.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    Ok((made.cert.pem(), made.signing_key.serialize_pem()))
}

/// An answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `ETag`, without quotes; empty where there is none.
    pub etag: String,
    /// The content type.
    pub kind: String,
    /// `X-Request-Id`.
    pub request_id: String,
    /// The body; null where it is no JSON.
    pub json: Value,
    /// The body as it came.
    pub body: Vec<u8>,
    /// Headers by name in lower case, in their order.
    pub headers: Vec<(String, String)>,
}

impl Answer {
    /// What a header says; empty where it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

impl Api {
    /// A client with all rights, once the daemon listens.
    pub fn new(lab: &Lab, daemon: &mut Daemon) -> Result<Self> {
        let token = Self::token(lab, daemon, &["--scope", "admin"])?;
        Self::with_token(daemon, &token)
    }

    /// A client with this token, once the daemon listens.
    pub fn with_token(daemon: &mut Daemon, token: &str) -> Result<Self> {
        let certificate = daemon.directory().join("state/tls/cert.pem");
        Self::of(daemon, token, &certificate)
    }

    /// A client with this token of a daemon that has its certificate there, once it listens.
    pub fn of(daemon: &mut Daemon, token: &str, certificate: &Path) -> Result<Self> {
        let listens = |line: &str| line.contains("the API listens");
        // An earlier wait may have passed over it.
        if !daemon.log().iter().any(|line| listens(line)) {
            daemon.wait_for("the API", listens);
        }
        let certificate =
            fs::read(certificate).with_context(|| format!("cannot read {}", certificate.display()))?;
        Ok(Api { token: token.to_owned(), certificate })
    }

    /// A client with this token that trusts this certificate alone, in PEM.
    pub fn trusting_only(token: &str, certificate: &[u8]) -> Self {
        Api { token: token.to_owned(), certificate: certificate.to_owned() }
    }

    /// What `tm token create` prints.
    pub fn token(lab: &Lab, daemon: &Daemon, arguments: &[&str]) -> Result<String> {
        let token = said(&mut daemon.tm(lab, &[&["token", "create"], arguments].concat())?)?;
        ensure!(token.starts_with("tm_") && token.lines().count() == 1, "no token alone: {token}");
        Ok(token)
    }

    /// The same client with another token.
    pub fn showing(&self, token: &str) -> Self {
        Api { token: token.to_owned(), certificate: self.certificate.clone() }
    }

    /// The answer to one request.
    pub fn call(&self, lab: &Lab, call: &Call<'_>) -> Result<Answer> {
        self.call_all(lab, std::slice::from_ref(call))?.pop().context("there is no answer")?
    }

    /// The answers to requests that are sent at once, in their order.
    pub fn call_all(&self, lab: &Lab, calls: &[Call<'_>]) -> Result<Vec<Result<Answer>>> {
        lab.in_server(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let client = self.client()?;
                let mut waiting = tokio::task::JoinSet::new();
                for (index, call) in calls.iter().enumerate() {
                    let request = self.request(&client, call)?;
                    waiting.spawn(async move { (index, answer(request).await) });
                }
                let mut answers: Vec<_> = waiting.join_all().await;
                answers.sort_by_key(|(index, _)| *index);
                Ok(answers.into_iter().map(|(_, answer)| answer).collect())
            })
        })?
    }

    /// GET.
    pub fn get(&self, lab: &Lab, path: &str) -> Result<Answer> {
        self.call(lab, &Call { method: "GET", path, headers: &[], body: None })
    }

    /// PUT of a value.
    pub fn put(&self, lab: &Lab, path: &str, body: &Value) -> Result<Answer> {
        self.send(lab, "PUT", path, body)
    }

    /// Another method with a value.
    pub fn send(&self, lab: &Lab, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.call(lab, &Call { method, path, headers: &[], body: Some(body.to_string().into_bytes()) })
    }

    /// DELETE.
    pub fn delete(&self, lab: &Lab, path: &str) -> Result<Answer> {
        self.call(lab, &Call { method: "DELETE", path, headers: &[], body: None })
    }

    pub(crate) fn client(&self) -> Result<Client> {
        // The first of a process wins; all are the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = Certificate::from_pem(&self.certificate)?;
        let client = Client::builder().tls_certs_only([certificate]).no_proxy().timeout(DEADLINE);
        Ok(client.build()?)
    }

    pub(crate) fn request(&self, client: &Client, call: &Call<'_>) -> Result<reqwest::RequestBuilder> {
        let url = format!("https://127.0.0.1:8443{}", call.path);
        let mut request = client.request(Method::from_bytes(call.method.as_bytes())?, url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        Ok(call.headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)))
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Answer> {
    let response = request.send().await?;
    let header = |name: &str| {
        let value = response.headers().get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (etag, kind) = (header("etag").trim_matches('"').to_owned(), header("content-type"));
    let (status, request_id) = (response.status().as_u16(), header("x-request-id"));
    let text = |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    let body = response.bytes().await?.to_vec();
    let json = serde_json::from_slice(&body).unwrap_or_default();
    Ok(Answer { status, etag, kind, request_id, json, body, headers })
}
