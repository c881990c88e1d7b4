//! Why a change was not made: what each face of the API puts into its own words.

use std::path::PathBuf;

use crate::{config::FieldFault, desired::Scope, store::StoreError};

/// Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such thing.
    #[error("there is no {0}")]
    NotFound(String),
    /// It is not as the caller believed.
    #[error("{}", unlike(.etag.as_deref(), *.is_to_be_new))]
    Precondition {
        /// What its ETag is now; none where it is not there.
        etag: Option<String>,
        /// Did the caller believe that it is not there?
        is_to_be_new: bool,
    },
    /// A file has it.
    #[error("profile `{name}` is managed by {}:{line}: change that file", .path.display())]
    ManagedByFile {
        /// The profile.
        name: String,
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// A file has this service.
    #[error("service `{name}` is managed by {}:{line}: change that file", .path.display())]
    ServiceOfFile {
        /// The service.
        name: String,
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
    },
    /// Values that cannot be taken; never empty.
    #[error("{}", describe(.0))]
    Invalid(Vec<FieldFault>),
    /// Another profile has the DNS name.
    #[error("the DNS name `{dns_name}` is that of profile `{profile}`")]
    NameTaken {
        /// The name in full.
        dns_name: String,
        /// Who has it.
        profile: String,
    },
    /// There is a profile of this name that belongs elsewhere.
    #[error("profile `{name}` is in resource group `{}` of subscription `{}`, and names are unique over all of them: call another one `{name}@` and its group, which Azure's clients see as `{name}`", .scope.resource_group, .scope.subscription)]
    Elsewhere {
        /// The profile.
        name: String,
        /// Where it belongs.
        scope: Scope,
    },
    /// Others need it as it is.
    #[error("it is in use: {0}")]
    InUse(String),
    /// There is one of this name.
    #[error("there is a {0} already")]
    Exists(String),
    /// It could not be written.
    #[error("{0}")]
    Store(StoreError),
    /// The daemon ends.
    #[error("the daemon is stopping")]
    Stopping,
}

fn unlike(etag: Option<&str>, is_to_be_new: bool) -> String {
    match etag {
        Some(etag) if is_to_be_new => format!("it is there already: its ETag is {etag}"),
        Some(etag) => format!("it has changed since: its ETag is {etag}"),
        None => "it is not there".to_owned(),
    }
}

fn describe(faults: &[FieldFault]) -> String {
    let line = |fault: &FieldFault| format!("{}: {} ({})", fault.pointer, fault.message, fault.help);
    faults.iter().map(line).collect::<Vec<_>>().join("; ")
}
