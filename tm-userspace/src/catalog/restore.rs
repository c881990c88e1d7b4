//! What a backup of the store has, put in the place of all that the API manages, while the daemon runs.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use imbl::OrdMap;

use super::{Actor, Catalog, Inner, Listing, Record, Refusal, State, load};
use crate::{
    config::{ConfigError, FieldFault, faults_of_many, key},
    store::{Batch, Contents, Object, StoredProfile, Token},
};

/// Where a request names the backup.
const FROM: &str = "/from";

/// What is there then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Profiles that the API manages.
    pub profiles: usize,
    /// Other things that its faces keep: services, resource groups, users.
    pub objects: usize,
    /// Tokens and clients.
    pub tokens: usize,
}

impl Catalog {
    /// Makes all that the API manages, its tokens among them, what a backup has, in one step, or nothing. It is done when the answers have it. The audit log goes on, and so do the key that
    /// tokens are signed with, and the revisions: an ETag of before the restore is no ETag of something else.
    pub async fn restore(&self, actor: Actor, from: PathBuf) -> Result<Restored, Refusal> {
        self.make(actor.clone(), "restore", "store".to_owned(), false, move |inner, state| {
            let contents = inner.store.read_backup(&from).map_err(|error| unfit(&format!("{error:#}")))?;
            restore(inner, state, &actor, contents, &from.display().to_string())
        })
        .await
    }
}

fn restore(
    inner: &Inner,
    state: &mut State,
    actor: &Actor,
    contents: Contents,
    from: &str,
) -> Result<(Restored, Option<u64>), Refusal> {
    let listing = inner.listing.borrow().clone();
    let Next { listing, batch } = Next::of(&listing, contents);
    let loaded = load::load(inner, state, &listing).map_err(|error| Refusal::Invalid(faults(&error)))?;
    let restored = Restored {
        profiles: listing.profiles.len(),
        objects: listing.objects.len(),
        tokens: listing.tokens.len(),
    };
    let after = serde_json::json!({
        "from": from, "profiles": restored.profiles, "objects": restored.objects, "tokens": restored.tokens,
    });
    let audit = vec![actor.row("restore", "store", None, Some(after), "done")];
    inner.store.commit(&Batch { audit, ..batch })?;
    let (generation, _) = load::accept(inner, state, listing, loaded);
    Ok((restored, Some(generation)))
}

/// What will be there, and how the store comes to have it.
struct Next {
    /// Of the profiles, those that the API manages.
    listing: Listing,
    batch: Batch,
}

impl Next {
    fn of(now: &Listing, contents: Contents) -> Self {
        let revision = now.revision.max(contents.revision) + 1;
        let mut batch = Batch { revision: Some(revision), ..Batch::default() };
        let mut here: HashMap<Arc<str>, StoredProfile> =
            now.profiles.iter().filter_map(|(key, record)| Some((key.clone(), record.stored()?))).collect();
        let mut profiles = OrdMap::new();
        for profile in contents.profiles {
            let key = key(&profile.name);
            let kept = here.remove(&key).filter(|here| is_same(here, &profile));
            let profile = kept.unwrap_or_else(|| {
                let profile = StoredProfile { revision, ..profile };
                batch.profiles.push(profile.clone());
                profile
            });
            profiles.insert(key, Arc::new(Record::from(&profile)));
        }
        batch.gone_profiles = here.into_keys().map(|key| key.to_string()).collect();
        let objects = contents.objects.into_iter().map(|object| {
            let object = Object { revision, ..object };
            ((object.kind.clone(), object.key.clone()), Arc::new(object))
        });
        let objects: OrdMap<_, Arc<Object>> = objects.collect();
        batch.objects = objects.values().map(|object: &Arc<Object>| Object::clone(object)).collect();
        let gone = now.objects.keys().filter(|key| !objects.contains_key(*key));
        batch.gone_objects = gone.map(|(kind, key)| (kind.to_string(), key.to_string())).collect();
        let tokens: OrdMap<Arc<str>, Arc<Token>> =
            contents.tokens.into_iter().map(|token| (token.id.clone(), Arc::new(token))).collect();
        batch.tokens = tokens.values().map(|token| Token::clone(token)).collect();
        let gone = now.tokens.keys().filter(|id| !tokens.contains_key(*id));
        batch.gone_tokens = gone.map(ToString::to_string).collect();
        Next { listing: Listing { profiles, objects, tokens, revision }, batch }
    }
}

/// Is it what a client wrote that is the same?
fn is_same(one: &StoredProfile, other: &StoredProfile) -> bool {
    *one == StoredProfile { revision: one.revision, changed: one.changed, ..other.clone() }
}

/// What does not fit with the files of this node.
fn faults(error: &ConfigError) -> Vec<FieldFault> {
    let faults = faults_of_many(error, |_| None).into_iter();
    faults.map(|(_, fault)| FieldFault { pointer: FROM.to_owned(), ..fault }).collect()
}

fn unfit(why: &str) -> Refusal {
    Refusal::Invalid(vec![FieldFault::new(FROM, why, "name a file that `tm backup` wrote")])
}
