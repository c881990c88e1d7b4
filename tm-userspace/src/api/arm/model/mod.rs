//! A profile in Azure's form and in ours.
//!
//! Ours is a [`Document`]: the keys of `[[profile]]` in a file, as JSON. `read` makes one from a body, `write` shows one, `patch` lays a part over what is
//! shown. What Azure cannot say (`guard`, `failback`, an endpoint's own monitor, half a second) survives a change that comes from Azure's side: a client
//! that reads, alters and puts back does not know of it.
//!
//! A body's keys and words are read in any case; `null`, `""` and `[]` are as if they were not there; what the service derives (statuses, `fqdn`, ids) is
//! passed over, and so is what Azure does not know.

mod annotations;
mod duration;
mod endpoint;
mod fields;
mod headers;
mod monitor;
mod patch;
mod priority;
mod profile;
mod records;
mod subnets;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::id::ProfileId;
use crate::decide::{EndpointStatus, ProfileStatus};

pub use annotations::{join, split};
pub use endpoint::{kind, read as read_endpoint, show as show_endpoint};
pub use fields::Fields;
pub use monitor::times;
pub use patch::lay_over;
pub use profile::{fqdn, read as read_profile, show as show_profile};
pub use records::check_records;

/// A profile's, or an endpoint's, keys in the product's words.
pub type Document = Map<String, Value>;

/// What the model asks of its surroundings.
pub trait Surroundings {
    /// The zone, without a dot at its end.
    fn zone(&self) -> String;
    /// What a profile is called in documents, by its id.
    fn profile_named(&self, id: &ProfileId) -> Option<String>;
    /// The id of the profile that documents call so, and the name that it answers.
    fn id_of_profile(&self, name: &str) -> Option<(ProfileId, String)>;
    /// What a service of the inventory answers with.
    fn target_of_service(&self, id: &str) -> Option<String>;
    /// The region that such a service is in.
    fn location_of_service(&self, id: &str) -> Option<String>;
    /// The whole document of the profile that documents call so.
    fn document_of(&self, name: &str) -> Option<Document>;
    /// What is derived of a profile; none where it is not in force yet.
    fn profile_status(&self, name: &str) -> Option<ProfileStatus>;
    /// What is derived of an endpoint of it.
    fn endpoint_status(&self, profile: &str, endpoint: &str) -> Option<EndpointStatus>;
}

/// Sets a key, or takes it out.
fn set(document: &mut Document, key: &str, value: Option<impl Into<Value>>) {
    match value {
        Some(value) => drop(document.insert(key.to_owned(), value.into())),
        None => drop(document.shift_remove(key)),
    }
}

/// The text of a key.
fn text<'a>(document: &'a Document, key: &str) -> Option<&'a str> {
    document.get(key)?.as_str()
}

/// The endpoints of a profile.
pub fn endpoints(document: &Document) -> impl Iterator<Item = &Document> {
    document.get("endpoint").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// Puts these endpoints into a profile's document, and a priority on each.
pub fn set_endpoints(document: &mut Document, mut list: Vec<Document>) {
    priority::assign(&mut list);
    set(document, "endpoint", (!list.is_empty()).then_some(list));
}
