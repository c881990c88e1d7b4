//! `[[profile.record]]` and `[[profile.endpoint.record]]`, as they are written.

use serde::Deserialize;
use toml::Spanned;
use utoipa::ToSchema;

use super::{Integer, Text};

/// `[[profile.record]]` and `[[profile.endpoint.record]]`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Record {
    /// `TXT`, `CAA`, `MX`, `SRV`, `SVCB` or `HTTPS`.
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    pub(in crate::config) kind: Text,
    /// Seconds that resolvers may keep it, by default the profile's.
    #[schema(value_type = Option<i64>)]
    pub(in crate::config) ttl: Option<Spanned<Integer>>,
    /// What it says, as in a zone file: `10 mail.contoso.com`. Names are in full.
    #[schema(value_type = String)]
    pub(in crate::config) data: Text,
}
