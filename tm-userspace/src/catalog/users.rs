//! Users: people who sign in at the portal by name and password. Only an argon2id hash of the password is kept.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Actor, Catalog, Listing, Refusal};
use crate::{
    config::key,
    store::{Batch, Level, Object, now},
};

/// What users are among the things that the API's faces keep.
const KIND: &str = "user";

/// A user that is to be.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The name, as written; every spelling of it is the same user.
    pub name: String,
    /// What the password hashes to, as [`crate::secret::hash_password`] has it.
    pub hash: String,
    /// What they may do.
    pub level: Level,
    /// Only within this subscription.
    pub subscription: Option<String>,
    /// Only within this resource group of it.
    pub resource_group: Option<String>,
}

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// What is kept.
    pub kept: Kept,
    /// Grows with every change of it: sessions of before such a change are over.
    pub revision: u64,
    /// When it came into being.
    pub created: std::time::SystemTime,
}

/// A user as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The name, as written.
    pub name: String,
    /// What the password hashes to.
    pub hash: String,
    /// What they may do.
    pub scope: Level,
    /// Only within this subscription.
    pub subscription: Option<Arc<str>>,
    /// Only within this resource group of it.
    pub resource_group: Option<Arc<str>>,
}

impl Catalog {
    /// All, in the order of their names.
    pub fn users(&self) -> Vec<User> {
        self.objects(KIND).iter().filter_map(|object| User::of(object)).collect()
    }

    /// The one of this name, in any spelling.
    pub fn user(&self, name: &str) -> Option<User> {
        User::of(&*self.object(KIND, &key(name))?)
    }

    /// Makes one.
    pub async fn create_user(&self, actor: Actor, user: NewUser) -> Result<User, Refusal> {
        let NewUser { name, hash, level, subscription, resource_group } = user;
        let (subscription, resource_group) = (subscription.map(Into::into), resource_group.map(Into::into));
        let kept = Kept { name, hash, scope: level, subscription, resource_group };
        self.change_listing(move |listing| {
            if listing.objects.contains_key(&at(&kept.name)) {
                return Err(Refusal::Exists(format!("user `{}`", kept.name)));
            }
            let said = json!({ "scope": kept.scope, "subscription": kept.subscription, "resource_group": kept.resource_group });
            put(listing, &actor, "create", kept, said)
        })
        .await
    }

    /// Gives one another password.
    pub async fn change_password(&self, actor: Actor, name: &str, hash: String) -> Result<(), Refusal> {
        let name = name.to_owned();
        self.change_listing(move |listing| {
            let user = of(listing, &name)?;
            let (_, batch) =
                put(listing, &actor, "change", Kept { hash, ..user.kept }, json!({ "password": "another" }))?;
            Ok(((), batch))
        })
        .await
    }

    /// Takes one away.
    pub async fn delete_user(&self, actor: Actor, name: &str) -> Result<(), Refusal> {
        let name = name.to_owned();
        self.change_listing(move |listing| {
            let user = of(listing, &name)?;
            let (kind, key) = at(&name);
            listing.revision += 1;
            listing.objects.remove(&(kind.clone(), key.clone()));
            let batch = Batch {
                gone_objects: vec![(kind.to_string(), key.to_string())],
                revision: Some(listing.revision),
                audit: vec![actor.row("delete", &format!("user {}", user.kept.name), None, None, "done")],
                ..Batch::default()
            };
            Ok(((), batch))
        })
        .await
    }
}

impl User {
    /// None where it was damaged: nobody signs in by that.
    fn of(object: &Object) -> Option<Self> {
        let kept = serde_json::from_value(Value::clone(&object.document)).ok()?;
        Some(User { kept, revision: object.revision, created: object.created })
    }
}

fn of(listing: &Listing, name: &str) -> Result<User, Refusal> {
    let object = listing.objects.get(&at(name));
    object.and_then(|object| User::of(object)).ok_or_else(|| Refusal::NotFound(format!("user `{name}`")))
}

/// Puts one there, and has the audit log say `said`: never the hash.
fn put(
    listing: &mut Listing,
    actor: &Actor,
    action: &str,
    kept: Kept,
    said: Value,
) -> Result<(User, Batch), Refusal> {
    let at = at(&kept.name);
    let created = listing.objects.get(&at).map(|before| before.created);
    listing.revision += 1;
    let now = now();
    let what = format!("user {}", kept.name);
    let object = Object {
        kind: at.0.clone(),
        key: at.1.clone(),
        document: Arc::new(serde_json::to_value(&kept).unwrap_or_default()),
        revision: listing.revision,
        created: created.unwrap_or(now),
        changed: now,
    };
    let batch = Batch {
        objects: vec![object.clone()],
        revision: Some(listing.revision),
        audit: vec![actor.row(action, &what, None, Some(said), "done")],
        ..Batch::default()
    };
    let user = User { kept, revision: object.revision, created: object.created };
    listing.objects.insert(at, Arc::new(object));
    Ok((user, batch))
}

fn at(name: &str) -> (Arc<str>, Arc<str>) {
    (KIND.into(), key(name))
}
