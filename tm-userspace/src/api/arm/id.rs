//! Resource ids: what a profile or an endpoint is called in Azure, read without regard to case and written as Azure writes them.

use std::fmt;

pub use crate::desired::Scope;

/// The provider's name, as Azure writes it.
pub const PROVIDER: &str = "Microsoft.Network";
/// The type of a profile, as ids have it.
pub const PROFILES: &str = "trafficManagerProfiles";

/// A profile's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileId {
    /// Where it lies.
    pub scope: Scope,
    /// Its name there.
    pub name: String,
}

/// Azure's types of endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A service of the inventory.
    Azure,
    /// A name or an address.
    External,
    /// Another profile.
    Nested,
}

/// What any id of a resource in a group says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoped {
    /// Where it lies.
    pub scope: Scope,
    /// Its type with the provider's name, as written.
    pub kind: String,
    /// Its name there.
    pub name: String,
}

impl Scoped {
    /// The id so written.
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<&str> = text.trim_matches('/').split('/').collect();
        let [s, subscription, g, group, p, provider, kind, name] = segments[..] else { return None };
        let is = |pairs: [(&str, &str); 3]| pairs.iter().all(|(is, should)| is.eq_ignore_ascii_case(should));
        let fixed = [(s, "subscriptions"), (g, "resourceGroups"), (p, "providers")];
        let whole = [subscription, group, provider, kind, name].iter().all(|text| !text.is_empty());
        (is(fixed) && whole).then(|| Scoped {
            scope: Scope { subscription: subscription.into(), resource_group: group.into() },
            kind: format!("{provider}/{kind}"),
            name: name.to_owned(),
        })
    }
}

impl ProfileId {
    /// The id so written.
    pub fn parse(text: &str) -> Option<Self> {
        let Scoped { scope, kind, name } = Scoped::parse(text)?;
        kind.eq_ignore_ascii_case(&format!("{PROVIDER}/{PROFILES}")).then_some(ProfileId { scope, name })
    }

    /// Is this the same profile?
    pub fn is(&self, other: &ProfileId) -> bool {
        self.scope.is(&other.scope) && same(&self.name, &other.name)
    }

    /// The id of one of its endpoints.
    pub fn endpoint(&self, kind: Kind, name: &str) -> String {
        format!("{self}/{}/{name}", kind.segment())
    }
}

/// The id of a resource group.
pub fn group_id(scope: &Scope) -> String {
    format!("/subscriptions/{}/resourceGroups/{}", scope.subscription, scope.resource_group)
}

impl fmt::Display for ProfileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/providers/{PROVIDER}/{PROFILES}/{}", group_id(&self.scope), self.name)
    }
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 3] = [Kind::Azure, Kind::External, Kind::Nested];

    /// As it stands in ids; clients depend on the lower-case first letter.
    pub fn segment(self) -> &'static str {
        match self {
            Kind::Azure => "azureEndpoints",
            Kind::External => "externalEndpoints",
            Kind::Nested => "nestedEndpoints",
        }
    }

    /// As it stands in a profile's document.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Azure => "azure",
            Kind::External => "external",
            Kind::Nested => "nested",
        }
    }

    /// From the last segment of a type or a path.
    pub fn find(text: &str) -> Option<Kind> {
        let last = text.rsplit('/').next().unwrap_or_default();
        Self::ALL.into_iter().find(|kind| kind.segment().eq_ignore_ascii_case(last))
    }
}

/// Are two names of resources the same?
pub fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || one.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_in_any_case_and_written_in_azures() {
        let written =
            "/SUBSCRIPTIONS/abc/resourcegroups/Rg/Providers/microsoft.network/trafficmanagerprofiles/P";
        let id = ProfileId::parse(written).unwrap();
        let expected =
            "/subscriptions/abc/resourceGroups/Rg/providers/Microsoft.Network/trafficManagerProfiles/P";
        assert_eq!(id.to_string(), expected);
        assert!(id.is(&ProfileId::parse(&expected.to_uppercase()).unwrap()));
        assert_eq!(id.endpoint(Kind::External, "E"), format!("{expected}/externalEndpoints/E"));
        for bad in ["", "/subscriptions/a", &expected.replace("/P", "/"), &expected.replace("Network", "Net")]
        {
            assert_eq!(ProfileId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_kind_is_the_last_segment_of_a_type() {
        let whole = "Microsoft.Network/trafficManagerProfiles/ExternalEndpoints";
        assert_eq!(Kind::find(whole), Some(Kind::External));
        assert_eq!(Kind::find("NESTEDENDPOINTS"), Some(Kind::Nested));
        assert_eq!(Kind::find("endpoints"), None);
    }
}
