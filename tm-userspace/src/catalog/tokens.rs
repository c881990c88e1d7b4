//! Tokens and clients: made, listed, rotated, revoked, and known again by their secret.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::{Actor, Catalog, Refusal};
use crate::{
    secret,
    store::{Batch, Level, Token, now},
};

/// What bearer tokens begin with.
const PREFIX: &str = "tm_";

/// What a new token may do, and for how long.
#[derive(Clone, Debug)]
pub struct Grant {
    /// What the operator calls it.
    pub name: String,
    /// Is it a client with id and secret, for the token endpoint?
    pub client: bool,
    /// What its bearer may do.
    pub level: Level,
    /// Only within this subscription.
    pub subscription: Option<String>,
    /// Only within this resource group of it.
    pub resource_group: Option<String>,
    /// For so long; for ever where there is none.
    pub lifetime: Option<Duration>,
}

/// A new token, and the only time that its secret is known.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The token.
    pub token: Arc<Token>,
    /// What its bearer shows.
    pub secret: String,
}

impl Catalog {
    /// Makes one.
    pub async fn create_token(&self, actor: Actor, grant: Grant) -> Result<Fresh, Refusal> {
        let secret = fresh_secret(grant.client);
        let now = now();
        let token = Token {
            id: id().into(),
            name: grant.name.into(),
            client: grant.client,
            hash: secret::hash(&secret),
            level: grant.level,
            subscription: grant.subscription.map(Into::into),
            resource_group: grant.resource_group.map(Into::into),
            created: now,
            expires: grant.lifetime.and_then(|lifetime| now.checked_add(lifetime)),
        };
        self.put_token(actor, "create", token, secret).await
    }

    /// Gives one a new secret. The old one is good for `overlap` yet.
    pub async fn rotate_token(&self, actor: Actor, id: &str, overlap: Duration) -> Result<Fresh, Refusal> {
        let old = self.token(id)?;
        let secret = fresh_secret(old.client);
        let now = now();
        if !old.client && !overlap.is_zero() {
            let ending = Token {
                id: self::id().into(),
                name: format!("{} (rotated)", old.name).into(),
                expires: Some(old.expires.map_or(now + overlap, |expires| expires.min(now + overlap))),
                ..Token::clone(&old)
            };
            self.put_token(actor.clone(), "rotate", ending, String::new()).await?;
        }
        let token = Token { hash: secret::hash(&secret), created: now, ..Token::clone(&old) };
        self.put_token(actor, "rotate", token, secret).await
    }

    /// Takes one away: it is void at once.
    pub async fn revoke_token(&self, actor: Actor, id: &str) -> Result<(), Refusal> {
        let token = self.token(id)?;
        self.change_listing(move |listing| {
            let what = format!("token {}", token.id);
            listing.tokens.remove(&token.id).ok_or_else(|| Refusal::NotFound(what.clone()))?;
            let batch = Batch {
                gone_tokens: vec![token.id.to_string()],
                audit: vec![actor.row("revoke", &what, None, None, "done")],
                ..Batch::default()
            };
            Ok(((), batch))
        })
        .await
    }

    /// Whose this bearer token is, if anybody's and not expired at `now`.
    pub fn bearer(&self, secret: &str, now: SystemTime) -> Option<Arc<Token>> {
        let hash = secret::hash(secret);
        let listing = self.listing();
        // All are looked at, whichever fits: how long it takes tells nothing.
        let found = listing.tokens.values().filter(|token| !token.client).fold(None, |found, token| {
            if secret::is_same(&token.hash, &hash) { Some(token.clone()) } else { found }
        });
        found.filter(|token| token.is_valid(now))
    }

    /// The client of this id, if the secret is its own and it has not expired at `now`.
    pub fn client(&self, id: &str, secret: &str, now: SystemTime) -> Option<Arc<Token>> {
        let hash = secret::hash(secret);
        self.client_by_id(id, now).filter(|client| secret::is_same(&client.hash, &hash))
    }

    /// The client of this id, if there is one that has not expired at `now`.
    pub fn client_by_id(&self, id: &str, now: SystemTime) -> Option<Arc<Token>> {
        let client = self.listing().tokens.get(&Arc::from(id.to_lowercase())).cloned();
        client.filter(|client| client.client && client.is_valid(now))
    }

    /// By id.
    fn token(&self, id: &str) -> Result<Arc<Token>, Refusal> {
        let token = self.listing().tokens.get(&Arc::from(id)).cloned();
        token.ok_or_else(|| Refusal::NotFound(format!("token `{id}`")))
    }

    async fn put_token(
        &self,
        actor: Actor,
        action: &'static str,
        token: Token,
        secret: String,
    ) -> Result<Fresh, Refusal> {
        self.change_listing(move |listing| {
            let what = format!("token {}", token.id);
            let after = serde_json::json!({
                "name": token.name, "client": token.client, "scope": token.level, "subscription": token.subscription,
                "resource_group": token.resource_group, "expires": token.expires.map(crate::time::rfc3339),
            });
            let batch = Batch {
                tokens: vec![token.clone()],
                audit: vec![actor.row(action, &what, None, Some(after), "done")],
                ..Batch::default()
            };
            let token = Arc::new(token);
            listing.tokens.insert(token.id.clone(), token.clone());
            Ok((Fresh { token, secret }, batch))
        })
        .await
    }
}

impl Token {
    /// Has it not expired at `now`?
    pub fn is_valid(&self, now: SystemTime) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }
}

fn fresh_secret(client: bool) -> String {
    let secret = secret::url_text(&secret::random());
    if client { secret } else { format!("{PREFIX}{secret}") }
}

/// A random UUID, as clients of Azure want their ids.
fn id() -> String {
    let random = secret::random();
    let mut octets: [u8; 16] = random[..16].try_into().unwrap_or_default();
    octets[6] = (octets[6] & 0x0f) | 0x40;
    octets[8] = (octets[8] & 0x3f) | 0x80;
    let text = secret::hexadecimal(&octets);
    [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-")
}
