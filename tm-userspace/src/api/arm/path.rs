//! What a request is about: its path, read without regard to case.

use super::id::{Kind, PROFILES, PROVIDER, ProfileId, Scope};

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// One profile.
    Profile(ProfileId),
    /// One endpoint of a profile.
    Endpoint(ProfileId, Kind, String),
    /// All profiles of a subscription.
    ProfilesOfSubscription(String),
    /// All profiles of a resource group.
    ProfilesOfGroup(Scope),
    /// Whether a name is free; the subscription where it is named.
    NameAvailability(Option<String>),
    /// The geographic hierarchy.
    Hierarchy,
    /// A profile's Traffic View.
    HeatMap(ProfileId),
    /// The key of a subscription's real user measurements.
    UserMetricsKey(String),
    /// All subscriptions.
    Subscriptions,
    /// One of them.
    Subscription(String),
    /// All tenants.
    Tenants,
    /// A subscription's resource groups.
    Groups(String),
    /// One of them.
    Group(Scope),
    /// Everything in a subscription or one of its groups, of whatever kind.
    Resources(String, Option<String>),
    /// A subscription's resource providers.
    Providers(String),
    /// One of them, or its registration.
    Provider(String, String),
    /// The locations that a subscription may use.
    Locations(String),
    /// Where clients find everything else.
    Metadata,
    /// A tenant's OpenID configuration.
    OpenId(String),
    /// The keys that a tenant's tokens are signed with.
    Keys(String),
    /// Where a tenant's tokens are had.
    Token(String),
}

/// What `path` names; none where it is nothing of Azure's.
pub fn parse(path: &str) -> Option<Resource> {
    let decoded: Vec<String> = path.trim_matches('/').split('/').map(decode).collect::<Option<_>>()?;
    let segments: Vec<&str> = decoded.iter().map(String::as_str).collect();
    let folded: Vec<String> = segments.iter().map(|segment| segment.to_ascii_lowercase()).collect();
    let folded: Vec<&str> = folded.iter().map(String::as_str).collect();
    if segments.iter().any(|segment| segment.is_empty()) {
        return None;
    }
    let own = |index: usize| segments[index].to_owned();
    let network = PROVIDER.to_ascii_lowercase();
    let network = network.as_str();
    Some(match folded[..] {
        ["metadata", "endpoints"] => Resource::Metadata,
        ["tenants"] => Resource::Tenants,
        ["subscriptions"] => Resource::Subscriptions,
        ["providers", provider, "checktrafficmanagernameavailability"] if provider == network => {
            Resource::NameAvailability(None)
        }
        ["providers", provider, "trafficmanagergeographichierarchies", "default"] if provider == network => {
            Resource::Hierarchy
        }
        ["subscriptions", _] => Resource::Subscription(own(1)),
        ["subscriptions", _, "locations"] => Resource::Locations(own(1)),
        ["subscriptions", _, "resources"] => Resource::Resources(own(1), None),
        ["subscriptions", _, "resourcegroups"] => Resource::Groups(own(1)),
        ["subscriptions", _, "providers"] => Resource::Providers(own(1)),
        ["subscriptions", _, "providers", _] | ["subscriptions", _, "providers", _, "register"] => {
            Resource::Provider(own(1), own(3))
        }
        ["subscriptions", _, "providers", provider, ..] if provider == network => match folded[4..] {
            [list] if list == PROFILES.to_ascii_lowercase() => Resource::ProfilesOfSubscription(own(1)),
            ["checktrafficmanagernameavailabilityv2"] => Resource::NameAvailability(Some(own(1))),
            ["trafficmanagerusermetricskeys", "default"] => Resource::UserMetricsKey(own(1)),
            _ => return None,
        },
        ["subscriptions", _, "resourcegroups", _, ..] => {
            let scope = Scope { subscription: segments[1].into(), resource_group: segments[3].into() };
            return of_group(scope, &folded[4..], &segments[4..], network);
        }
        [_, "v2.0", ".well-known", "openid-configuration"] | [_, ".well-known", "openid-configuration"] => {
            Resource::OpenId(own(0))
        }
        [_, "discovery", "v2.0", "keys"] => Resource::Keys(own(0)),
        [_, "oauth2", "v2.0", "token"] | [_, "oauth2", "token"] => Resource::Token(own(0)),
        _ => return None,
    })
}

fn of_group(scope: Scope, folded: &[&str], segments: &[&str], network: &str) -> Option<Resource> {
    let [.., _] = folded else { return Some(Resource::Group(scope)) };
    if folded == ["resources"] {
        return Some(Resource::Resources(
            scope.subscription.to_string(),
            Some(scope.resource_group.to_string()),
        ));
    }
    let ["providers", provider, profiles, rest @ ..] = folded else { return None };
    if *provider != network || !profiles.eq_ignore_ascii_case(PROFILES) {
        return None;
    }
    if rest.is_empty() {
        return Some(Resource::ProfilesOfGroup(scope));
    }
    let id = ProfileId { scope, name: segments[3].to_owned() };
    Some(match rest {
        [_] => Resource::Profile(id),
        [_, "heatmaps", "default"] => Resource::HeatMap(id),
        [_, kind, _] => Resource::Endpoint(id, Kind::find(kind)?, segments[5].to_owned()),
        _ => return None,
    })
}

/// A segment without its percent signs.
fn decode(segment: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => {
                let digits = [rest.next()?, rest.next()?].map(|digit| char::from(digit).to_digit(16));
                let [Some(high), Some(low)] = digits else { return None };
                // Two digits of four bits.
                (high * 16 + low) as u8
            }
            other => other,
        });
    }
    String::from_utf8(octets).ok().filter(|text| !text.contains(['/', '\0']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_in_any_case() {
        let scope = Scope { subscription: "S".into(), resource_group: "My Group".into() };
        let id = ProfileId { scope: scope.clone(), name: "P".to_owned() };
        let group = "/subscriptions/S/resourceGroups/My%20Group";
        let profiles = format!("{group}/providers/Microsoft.Network/trafficmanagerprofiles");
        let network = "/subscriptions/S/providers/Microsoft.Network";
        let s = || "S".to_owned();
        let cases = [
            (group.to_owned(), Resource::Group(scope.clone())),
            (profiles.clone(), Resource::ProfilesOfGroup(scope)),
            (format!("{profiles}/P"), Resource::Profile(id.clone())),
            (format!("{profiles}/P/heatMaps/default"), Resource::HeatMap(id.clone())),
            (
                format!("{profiles}/P/ExternalEndpoints/my%20ep"),
                Resource::Endpoint(id, Kind::External, "my ep".to_owned()),
            ),
            (format!("{group}/resources"), Resource::Resources(s(), Some("My Group".to_owned()))),
            (format!("{network}/trafficManagerProfiles"), Resource::ProfilesOfSubscription(s())),
            (
                format!("{network}/checkTrafficManagerNameAvailabilityV2"),
                Resource::NameAvailability(Some(s())),
            ),
            (format!("{network}/trafficManagerUserMetricsKeys/default"), Resource::UserMetricsKey(s())),
            (network.to_owned(), Resource::Provider(s(), "Microsoft.Network".to_owned())),
            (format!("{network}/register"), Resource::Provider(s(), "Microsoft.Network".to_owned())),
            ("/subscriptions/S/resourcegroups".to_owned(), Resource::Groups(s())),
            ("/subscriptions".to_owned(), Resource::Subscriptions),
            ("/subscriptions/S/".to_owned(), Resource::Subscription(s())),
            ("/metadata/endpoints".to_owned(), Resource::Metadata),
            ("/S/v2.0/.well-known/openid-configuration".to_owned(), Resource::OpenId(s())),
            ("/S/oauth2/v2.0/token".to_owned(), Resource::Token(s())),
            (
                "/providers/Microsoft.Network/checkTrafficManagerNameAvailability".to_owned(),
                Resource::NameAvailability(None),
            ),
            (
                "/providers/Microsoft.Network/trafficManagerGeographicHierarchies/default".to_owned(),
                Resource::Hierarchy,
            ),
        ];
        for (path, expected) in cases {
            assert_eq!(parse(&path), Some(expected), "{path}");
        }
        let loud = profiles.to_uppercase() + "/Q/NESTEDENDPOINTS/N";
        assert!(matches!(parse(&loud), Some(Resource::Endpoint(_, Kind::Nested, name)) if name == "N"));
    }

    #[test]
    fn tricks_are_no_paths() {
        let profiles = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/trafficmanagerprofiles";
        for bad in [
            "/",
            "/subscriptions//resourceGroups",
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v",
            &format!("{profiles}/p/otherEndpoints/e"),
            &format!("{profiles}/p/ExternalEndpoints/e/more"),
            &format!("{profiles}/p%2fq"),
            &format!("{profiles}/p%"),
            &format!("{profiles}/p%zz"),
            &format!("{profiles}/%ff"),
            &format!("{profiles}/%00"),
            &format!("{profiles}//externalEndpoints/e"),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
