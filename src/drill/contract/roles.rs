//! `GET /roles`: what people may be, and the scopes that there are; those of Tasks are new.

use serde_json::{Value, json};

/// Key, name, whether it comes with the product, scopes.
const ROLES: [(&str, &str, bool, &[&str]); 6] = [
    (
        "launch-commander",
        "Launch commander",
        false,
        &["flags:read", "orgs:read", "entitlements:read", "audit:read", "impersonation:read"],
    ),
    ("tenant-admin", "Tenant admin", true, &["tasks:read", "tasks:write", "tasks:admin", "billing:read"]),
    ("tenant-member", "Tenant member", true, &["tasks:read", "tasks:write"]),
    ("tenant-viewer", "Tenant viewer", true, &["billing:read"]),
    ("support", "Support", false, &["orgs:read", "tasks:read", "impersonation:begin", "audit:read"]),
    ("worker", "Worker", true, &["tasks:read", "tasks:write", "tasks:run"]),
];

/// Key, description, when it came; empty where it was always there.
const SCOPES: [(&str, &str, &str); 11] = [
    ("tasks:read", "Read tasks", "2025-11-20"),
    ("tasks:write", "Create and change tasks", "2025-11-20"),
    ("tasks:admin", "Configure Tasks for the organisation", "2025-11-20"),
    ("tasks:run", "Work off jobs of Tasks", "2025-11-20"),
    ("billing:read", "Read invoices", ""),
    ("flags:read", "Read the rollout state of flags", ""),
    ("orgs:read", "Read organisations", ""),
    ("entitlements:read", "Read entitlements and roles", ""),
    ("audit:read", "Read the audit log", ""),
    ("impersonation:read", "See who acts in whose name", ""),
    ("impersonation:begin", "Act in somebody else's name", ""),
];

/// What members lose where a scope is withheld.
const WITHHELD: (&str, &str) = ("tenant-member", "tasks:write");

/// Roles and scopes; with one withheld, members may not write.
pub fn all(withheld: bool) -> Value {
    let roles = ROLES.map(|(key, name, system, scopes)| {
        let scopes: Vec<&&str> =
            scopes.iter().filter(|scope| !withheld || (key, **scope) != WITHHELD).collect();
        json!({ "key": key, "name": name, "system": system, "scopes": scopes })
    });
    let scopes = SCOPES.map(|(key, description, since)| {
        json!({ "key": key, "description": description, "introduced_in": Some(since).filter(|s| !s.is_empty()) })
    });
    json!({ "roles": roles, "scopes": scopes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_of_a_role_is_one_that_there_is() {
        for (role, _, _, scopes) in ROLES {
            for scope in scopes {
                assert!(SCOPES.iter().any(|(key, ..)| key == scope), "{role}: {scope}");
            }
        }
    }
}
