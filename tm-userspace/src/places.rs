//! Where a client is, as far as the choice of an endpoint depends on it.

/// What a place means in a profile's tree: what is known of its clients by each profile of the tree that looks at the client. Priority, Weighted and
/// MultiValue do not look, so all clients are of one class.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Class {}

impl Class {
    /// The class of a tree in which nobody looks at the client.
    pub const ANYONE: Class = Class {};
}
