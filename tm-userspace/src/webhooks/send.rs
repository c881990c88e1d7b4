//! One attempt to tell one receiver of one event.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{Client, redirect};
use ring::hmac;
use rustls::{ClientConfig, crypto::ring::default_provider};
use rustls_platform_verifier::BuilderVerifierExt as _;

use super::Message;
use crate::desired::Webhook;

/// How long an attempt may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages; certificates are checked by what this host trusts, redirects are not followed.
#[derive(Clone, Debug)]
pub(super) struct Sender(Client);

impl Sender {
    pub(super) fn new() -> anyhow::Result<Self> {
        let tls = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_platform_verifier()
            .context("cannot read the certificates that this host trusts")?
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .user_agent(concat!("tm/", env!("CARGO_PKG_VERSION")));
        Ok(Sender(client.build().context("cannot make an HTTP client")?))
    }

    /// Is it taken?
    pub(super) async fn send(
        &self,
        webhook: &Webhook,
        message: &Message,
        now: SystemTime,
    ) -> anyhow::Result<()> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let request = self
            .0
            .post(webhook.url.clone())
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", signature(&webhook.secret, message, seconds))
            .body(message.body.clone());
        // The URL may have a secret in it.
        let response = request.send().await.map_err(reqwest::Error::without_url)?;
        ensure!(response.status().is_success(), "the receiver says {}", response.status());
        Ok(())
    }
}

/// Of id, time and body.
fn signature(secret: &[u8], message: &Message, seconds: u64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let tag = hmac::sign(&key, format!("{}.{seconds}.{}", message.id, message.body).as_bytes());
    format!("v1,{}", BASE64_STANDARD.encode(tag.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_signed_as_the_standard_has_it() {
        // The example of the standard's libraries.
        let secret = BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            at: UNIX_EPOCH,
            body: r#"{"test": 2432232314}"#.to_owned(),
        };
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(signature(&secret, &message, 1_614_265_330), expected);
    }
}
