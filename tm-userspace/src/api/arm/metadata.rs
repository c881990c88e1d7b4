//! Where clients find everything else: the endpoints of this "cloud", and the OpenID configuration of a tenant. All of it is here.

use serde_json::{Value, json};

/// What `az cloud register`, Terraform's `metadata_host` and `Add-AzEnvironment` ask for, in the form of the version that they name. `base` is where they came to,
/// as `https://host:port`.
pub fn endpoints(base: &str, version: &str, zone: &str) -> Value {
    let authentication = |tenant: Option<&str>| {
        let mut authentication =
            json!({ "loginEndpoint": format!("{base}/"), "audiences": [format!("{base}/")] });
        if let Some(tenant) = tenant {
            authentication["tenant"] = tenant.into();
            authentication["identityProvider"] = "AAD".into();
        }
        authentication
    };
    // As dates they compare like texts.
    if version < "2018-05-01" {
        return json!({
            "galleryEndpoint": base, "graphEndpoint": base, "portalEndpoint": base,
            "authentication": authentication(None),
        });
    }
    let cloud = json!({
        "name": "TrafficManager",
        "portal": base,
        "authentication": authentication(Some("common")),
        "resourceManager": format!("{base}/"),
        "graph": format!("{base}/"),
        "graphAudience": format!("{base}/"),
        "microsoftGraphResourceId": format!("{base}/"),
        "media": base, "batch": base, "gallery": base, "activeDirectoryDataLake": base, "sqlManagement": base,
        "suffixes": {
            "storage": format!("storage.{zone}"), "keyVaultDns": format!("vault.{zone}"),
            "trafficManagerDnsSuffix": zone,
        },
    });
    if version < "2021-01-01" { json!([cloud]) } else { cloud }
}

/// A tenant's OpenID configuration.
pub fn openid(base: &str, tenant: &str) -> Value {
    json!({
        "issuer": format!("{base}/{tenant}/v2.0"),
        "authorization_endpoint": format!("{base}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{base}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
        "response_types_supported": ["token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["HS256"],
        "tenant_region_scope": null,
    })
}

/// Where a request came to, from its `Host`; none where that is no host.
pub fn base(host: Option<&str>) -> Option<String> {
    let host = host?;
    let plain = |char: char| char.is_ascii_alphanumeric() || ".-:[]_".contains(char);
    (!host.is_empty() && host.len() < 300 && host.chars().all(plain)).then(|| format!("https://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_client_gets_the_form_that_it_reads() {
        let base = base(Some("127.0.0.1:8443")).unwrap();
        let at = |version| endpoints(&base, version, "tm.example");
        assert_eq!(at("2015-01-01")["authentication"]["loginEndpoint"], "https://127.0.0.1:8443/");
        assert_eq!(at("2019-05-01")[0]["name"], "TrafficManager");
        let now = at("2022-09-01");
        assert_eq!(now["authentication"]["audiences"][0], "https://127.0.0.1:8443/");
        for key in ["name", "resourceManager", "microsoftGraphResourceId", "portal", "graphAudience"] {
            assert!(now[key].is_string(), "{key}");
        }
        assert!(now["suffixes"]["storage"].is_string() && now["suffixes"]["keyVaultDns"].is_string());
        let openid = openid(&base, "T");
        assert_eq!(openid["token_endpoint"], "https://127.0.0.1:8443/T/oauth2/v2.0/token");
        assert!(openid["issuer"].is_string() && openid["authorization_endpoint"].is_string());
    }

    #[test]
    fn a_host_that_is_none_makes_no_address() {
        for bad in ["", "a b", "a/b", "a\"b", "a@b"] {
            assert_eq!(base(Some(bad)), None, "{bad}");
        }
        assert_eq!(base(Some("[::1]:8443")).as_deref(), Some("https://[::1]:8443"));
    }
}
