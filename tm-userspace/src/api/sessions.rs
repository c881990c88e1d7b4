//! Sessions of browsers, and links that begin one: known by secrets of which only hashes are kept, in memory, for a time, and no more than there is room for.
//!
//! A session is as good as what it was begun with: it is over as soon as its token is revoked or rotated, or its user is deleted or has another password.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::{
    catalog::{Catalog, User},
    desired::Api,
    secret,
    store::{Level, Token, now},
};

/// Sessions at once: beyond them, the one that has rested longest ends.
const SESSIONS_AT_MOST: usize = 1_000;
/// Links that nobody has used yet: beyond them, the oldest is void.
const LINKS_AT_MOST: usize = 100;
/// Passwords that are looked at at once: each takes 19 MiB and a processor.
const PASSWORDS_AT_ONCE: usize = 2;

/// What one may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// For the audit log: `user NAME`, `token ID (NAME)`.
    pub who: String,
    /// As a page shows it.
    pub name: String,
    /// What they may do.
    pub level: Level,
    /// Only within this subscription.
    pub subscription: Option<Arc<str>>,
    /// Only within this resource group of it.
    pub resource_group: Option<Arc<str>>,
}

/// What a session was begun with.
#[derive(Clone, Debug)]
pub enum Begun {
    /// A bearer token: its id and hash.
    Token(Arc<str>, String),
    /// A user and password: the name, and the user's revision.
    User(String, u64),
    /// A link, of somebody who may open the socket.
    Link(Rights),
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Unused.
    pub idle: Duration,
    /// At all.
    pub lifetime: Duration,
}

/// A session, as those who come in it are known.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its secret's hash.
    pub hash: Arc<str>,
    /// What its page has to show with every change.
    pub csrf: Arc<str>,
    /// When it is over at the latest.
    pub until: Instant,
    /// Is over when it is.
    pub ended: CancellationToken,
}

/// All of them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sessions {
    inner: Arc<Mutex<Inner>>,
    /// Taken by whoever looks at a password.
    pub passwords: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Inner {
    sessions: HashMap<Arc<str>, Kept>,
    links: HashMap<String, Link>,
}

#[derive(Debug)]
struct Kept {
    session: Session,
    begun: Begun,
    used: Instant,
}

#[derive(Debug)]
struct Link {
    rights: Rights,
    until: Instant,
}

impl Default for Sessions {
    fn default() -> Self {
        Sessions { inner: Arc::default(), passwords: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)) }
    }
}

impl From<&Api> for Times {
    fn from(api: &Api) -> Self {
        Times { idle: api.session_idle, lifetime: api.session_lifetime }
    }
}

impl Sessions {
    /// Begins one; gives the secret that the browser is to keep.
    pub fn begin(&self, begun: Begun, times: Times, now: Instant) -> (String, Session) {
        let secret = secret::url_text(&secret::random());
        let session = Session {
            hash: secret::hash(&secret).into(),
            csrf: secret::url_text(&secret::random()).into(),
            until: now + times.lifetime,
            ended: CancellationToken::new(),
        };
        let mut inner = self.inner();
        if inner.sessions.len() >= SESSIONS_AT_MOST {
            inner.end_those(|kept| kept.is_over(times, now));
        }
        if inner.sessions.len() >= SESSIONS_AT_MOST {
            let longest =
                inner.sessions.iter().min_by_key(|(_, kept)| kept.used).map(|(hash, _)| hash.clone());
            longest.into_iter().for_each(|hash| inner.end(&hash));
        }
        inner.sessions.insert(session.hash.clone(), Kept { session: session.clone(), begun, used: now });
        (secret, session)
    }

    /// The session of this secret and what may be done in it, if it is not over at `now` and `rights` knows of any yet. It is used by this.
    pub fn find(
        &self,
        secret: &str,
        times: Times,
        now: Instant,
        rights: impl FnOnce(&Begun) -> Option<Rights>,
    ) -> Option<(Session, Rights)> {
        let hash = secret::hash(secret);
        let found = self.look(&hash, times, now, rights);
        if found.is_some() {
            self.inner().sessions.entry(hash.as_str().into()).and_modify(|kept| kept.used = now);
        }
        found
    }

    /// The same by its hash, unused.
    pub fn look(
        &self,
        hash: &str,
        times: Times,
        now: Instant,
        rights: impl FnOnce(&Begun) -> Option<Rights>,
    ) -> Option<(Session, Rights)> {
        let (session, begun, is_over) = {
            let inner = self.inner();
            let kept = inner.sessions.get(hash)?;
            (kept.session.clone(), kept.begun.clone(), kept.is_over(times, now))
        };
        let rights = if is_over { None } else { rights(&begun) };
        if rights.is_none() {
            self.end(hash);
        }
        Some((session, rights?))
    }

    /// Ends the one of this hash.
    pub fn end(&self, hash: &str) {
        self.inner().end(hash);
    }

    /// Makes a link that is good once until `until`; gives its secret.
    pub fn link(&self, rights: Rights, until: Instant) -> String {
        let secret = secret::url_text(&secret::random());
        let mut inner = self.inner();
        if inner.links.len() >= LINKS_AT_MOST {
            let first = inner.links.iter().min_by_key(|(_, link)| link.until).map(|(hash, _)| hash.clone());
            first.into_iter().for_each(|hash| drop(inner.links.remove(&hash)));
        }
        inner.links.insert(secret::hash(&secret), Link { rights, until });
        secret
    }

    /// What the link of this secret is good for, at `now`: it is good no more after that.
    pub fn follow(&self, secret: &str, now: Instant) -> Option<Rights> {
        let link = self.inner().links.remove(&secret::hash(secret));
        link.filter(|link| now < link.until).map(|link| link.rights)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn end(&mut self, hash: &str) {
        if let Some(kept) = self.sessions.remove(hash) {
            kept.session.ended.cancel();
        }
    }

    fn end_those(&mut self, which: impl Fn(&Kept) -> bool) {
        let those: Vec<_> =
            self.sessions.iter().filter(|(_, kept)| which(kept)).map(|(hash, _)| hash.clone()).collect();
        those.iter().for_each(|hash| self.end(hash));
    }
}

impl Kept {
    fn is_over(&self, times: Times, now: Instant) -> bool {
        now >= self.session.until || now.saturating_duration_since(self.used) >= times.idle
    }
}

impl Begun {
    /// What may be done in such a session by now; none where it is over.
    pub fn rights(&self, catalog: &Catalog) -> Option<Rights> {
        match self {
            Begun::Token(id, hash) => {
                let token = catalog.listing().tokens.get(id).cloned()?;
                (token.hash == *hash && token.is_valid(now())).then(|| Rights::of_token(&token))
            }
            Begun::User(name, revision) => catalog
                .user(name)
                .filter(|user| user.revision == *revision)
                .map(|user| Rights::of_user(&user)),
            Begun::Link(rights) => Some(rights.clone()),
        }
    }
}

impl Rights {
    /// A token's, or a client's.
    pub fn of_token(token: &Token) -> Self {
        let kind = if token.client { "client" } else { "token" };
        Rights {
            who: format!("{kind} {} ({})", token.id, token.name),
            name: if token.name.is_empty() { format!("{kind} {}", token.id) } else { token.name.to_string() },
            level: token.level,
            subscription: token.subscription.clone(),
            resource_group: token.resource_group.clone(),
        }
    }

    /// A user's.
    pub fn of_user(user: &User) -> Self {
        Rights {
            who: format!("user {}", user.kept.name),
            name: user.kept.name.clone(),
            level: user.kept.scope,
            subscription: user.kept.subscription.clone(),
            resource_group: user.kept.resource_group.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times { idle: Duration::from_secs(60), lifetime: Duration::from_secs(100) };

    fn rights(who: &str) -> Rights {
        Rights {
            who: who.to_owned(),
            name: who.to_owned(),
            level: Level::Read,
            subscription: None,
            resource_group: None,
        }
    }

    fn of_link(begun: &Begun) -> Option<Rights> {
        match begun {
            Begun::Link(rights) => Some(rights.clone()),
            _ => None,
        }
    }

    #[test]
    fn a_session_ends_when_it_rests_too_long_and_at_the_latest_when_its_life_is_over() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let (secret, session) = sessions.begin(Begun::Link(rights("one")), TIMES, start);
        let finds =
            |seconds| sessions.find(&secret, TIMES, at(seconds), of_link).map(|(_, rights)| rights.who);
        assert_eq!(finds(59), Some("one".to_owned()));
        // To look at it is not to use it.
        assert!(sessions.look(&session.hash, TIMES, at(99), of_link).is_some());
        assert!(!session.ended.is_cancelled());
        assert_eq!(finds(100), None);
        assert!(session.ended.is_cancelled());
        assert_eq!(finds(1), None);

        let (secret, _) = sessions.begin(Begun::Link(rights("two")), TIMES, start);
        assert!(sessions.find(&secret, TIMES, at(60), of_link).is_none());
    }

    #[test]
    fn a_session_ends_with_what_it_was_begun_with() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let (secret, session) = sessions.begin(Begun::User("eve".to_owned(), 1), TIMES, start);
        assert!(sessions.find(&secret, TIMES, start, |_| None).is_none());
        assert!(session.ended.is_cancelled());
        assert!(sessions.find(&secret, TIMES, start, |_| Some(rights("eve"))).is_none());
    }

    #[test]
    fn there_is_room_for_so_many_and_the_one_that_rested_longest_gives_way() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let begin =
            |at: u64| sessions.begin(Begun::Link(rights("x")), TIMES, start + Duration::from_millis(at)).0;
        let secrets: Vec<_> = (0..1_000).map(begin).collect();
        let finds =
            |secret: &String| sessions.find(secret, TIMES, start + Duration::from_secs(5), of_link).is_some();
        assert!(finds(&secrets[0]));
        begin(1_000);
        assert!(finds(&secrets[0]));
        assert!(!finds(&secrets[1]));
        assert!(finds(&secrets[2]));
    }

    #[test]
    fn a_link_is_good_once_and_for_its_time() {
        let (sessions, start) = (Sessions::default(), Instant::now());
        let until = start + Duration::from_secs(10);
        let secret = sessions.link(rights("root"), until);
        assert_eq!(sessions.follow("another", start), None);
        assert_eq!(sessions.follow(&secret, start), Some(rights("root")));
        assert_eq!(sessions.follow(&secret, start), None);
        let late = sessions.link(rights("root"), until);
        assert_eq!(sessions.follow(&late, until), None);
        // The oldest of too many is void.
        let secrets: Vec<_> =
            (0..101).map(|more| sessions.link(rights("root"), until + Duration::from_secs(more))).collect();
        assert_eq!(sessions.follow(&secrets[0], start), None);
        assert!(sessions.follow(&secrets[1], start).is_some());
    }
}
