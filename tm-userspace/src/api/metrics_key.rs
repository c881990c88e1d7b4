//! The key of a subscription's real user measurements: whoever has it may tell what their browser measured.

use serde_json::json;

use crate::{
    catalog::{Actor, Catalog, Refusal},
    desired::Scope,
    secret,
};

const KIND: &str = "user_metrics_key";
/// Hexadecimal digits of a key.
const DIGITS: usize = 32;

/// What one has to be allowed in to see or change the key of a subscription.
pub(super) fn scope(subscription: &str) -> Scope {
    Scope { subscription: subscription.into(), resource_group: "".into() }
}

/// A subscription's, if it has one.
pub(super) fn find(catalog: &Catalog, subscription: &str) -> Option<String> {
    let object = catalog.object(KIND, &subscription.to_lowercase())?;
    Some(object.document.get("key")?.as_str()?.to_owned())
}

/// Is it the key of some subscription?
pub(super) fn is_known(catalog: &Catalog, key: &str) -> bool {
    let objects = catalog.objects(KIND);
    let mut keys = objects.iter().filter_map(|object| object.document.get("key")?.as_str());
    keys.any(|known| secret::is_same(known, key))
}

/// Makes one; the one before is none any more.
pub(super) async fn make(catalog: &Catalog, actor: Actor, subscription: &str) -> Result<String, Refusal> {
    let mut key = secret::hexadecimal(&secret::random());
    key.truncate(DIGITS);
    catalog.put_object(actor, KIND, &subscription.to_lowercase(), json!({ "key": key })).await?;
    Ok(key)
}

/// Takes it away: nothing is taken in for it any more.
pub(super) async fn delete(catalog: &Catalog, actor: Actor, subscription: &str) -> Result<(), Refusal> {
    catalog.delete_object(actor, KIND, &subscription.to_lowercase()).await
}
