//! The daemon, as the command line reaches it: over its Unix socket, or over TLS.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, header};
use serde::{Serialize, de::DeserializeOwned};

use super::{Failure, Way, report};
use crate::{api::native::Problem, reload};

/// How long an answer may take: longer than a probe.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Where the daemon is, and how to speak to it.
pub(super) struct Daemon {
    base: Url,
    /// For people.
    place: String,
    client: reqwest::Client,
}

impl Daemon {
    /// Over its Unix socket, or over TLS where a server is named.
    pub(super) fn find(way: &Way) -> Result<Self, Failure> {
        // No TLS passes through a Unix socket, but the client wants to know whose it would be.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (base, place, client) = match &way.server {
            Some(server) => (server.clone(), server.to_string(), way.remote()?),
            None => {
                let socket = match &way.socket {
                    Some(socket) => socket.clone(),
                    None => reload::socket_of(&way.config).map_err(report)?,
                };
                let base = Url::parse("http://tm").context("no URL")?;
                let place = socket.display().to_string();
                (base, place, reqwest::Client::builder().unix_socket(socket).no_proxy())
            }
        };
        let client = client.build().context("cannot make an HTTP client")?;
        Ok(Daemon { base, place, client })
    }

    pub(super) async fn get<T: DeserializeOwned>(&self, what: &str) -> Result<T, Failure> {
        self.answer(self.request(Method::GET, &[what])).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        what: &str,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        self.answer(self.request(Method::POST, &[what]).json(body)).await
    }

    /// A request to `/api/v1/` and these segments, which may have any characters.
    pub(super) fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        self.client.request(method, url)
    }

    /// What it says to a request at any path of its, whatever the status; null where that is no JSON.
    pub(super) async fn try_json(
        &self,
        method: Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<(StatusCode, serde_json::Value), Failure> {
        let url = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.client.request(method, url);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        let octets = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok((status, serde_json::from_slice(&octets).unwrap_or_default()))
    }

    /// Its answer, read.
    pub(super) async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Failure> {
        let response = self.stream(request.timeout(TIMEOUT)).await?;
        self.read(response).await
    }

    /// An answer that has come.
    pub(super) async fn read<T: DeserializeOwned>(&self, response: Response) -> Result<T, Failure> {
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        Ok(serde_json::from_slice(&body).context("the daemon's answer is not what this version expects")?)
    }

    /// Its answer's body, where it did what was asked.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Failure> {
        let response = self.stream(request.timeout(TIMEOUT)).await?;
        Ok(response.bytes().await.map_err(|error| self.unreachable(&error))?.into())
    }

    /// Its answer as it comes, for as long as it comes, where it does what was asked.
    pub(super) async fn stream(&self, request: RequestBuilder) -> Result<Response, Failure> {
        Ok(self.ask(request).await?)
    }

    /// The same, with what it says where it does not.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Response, Refused> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let kind = response.headers().get(header::CONTENT_TYPE).cloned();
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let problem = kind.filter(|kind| kind == "application/problem+json");
        let problem = problem.and_then(|_| serde_json::from_slice::<Problem>(&body).ok());
        let problem = problem.unwrap_or_else(|| {
            Problem::new(status, format_args!("{status}: {}", String::from_utf8_lossy(&body).trim()))
        });
        Err(Refused::Problem(status, problem))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let cause =
            std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source()).last();
        let cause = cause.map(ToString::to_string).unwrap_or_default();
        let help = match self.base.scheme() {
            "https" => "does its [api] listen there, and does --ca name what signed its certificate?",
            _ => "is `tm serve` running? --socket or TM_SOCKET names another one",
        };
        Failure::Unreachable(anyhow!("no daemon answers at {} ({cause}): {help}", self.place))
    }
}

/// Why it did not do what was asked.
pub(super) enum Refused {
    /// In its own words.
    Problem(StatusCode, Problem),
    /// It said nothing.
    Other(Failure),
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Self {
        Refused::Other(failure)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        let (status, problem) = match refused {
            Refused::Problem(status, problem) => (status, problem),
            Refused::Other(failure) => return failure,
        };
        let error = anyhow!("the daemon says: {}", describe(&problem));
        match status {
            StatusCode::NOT_FOUND => Failure::NoSuchThing(error),
            StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => Failure::Conflict(error),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS => {
                Failure::Denied(error)
            }
            _ => error.into(),
        }
    }
}

fn describe(problem: &Problem) -> String {
    let mut said = problem.detail.clone();
    for fault in &problem.errors {
        let at = if fault.pointer.is_empty() { "the profile" } else { &fault.pointer };
        said += &format!("\n  {at}: {} ({})", fault.message, fault.help);
    }
    said
}
