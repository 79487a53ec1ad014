//! What a route of the product's API needs of its callers.

use super::SourceId;

/// A route that somebody must be able to call after the launch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RouteDef {
    /// Its id; gates name it.
    pub id: String,
    /// For people: `POST /v1/tasks`.
    pub title: String,
    /// The identity source that says what is granted.
    pub source: SourceId,
    /// Scopes that a caller's token must carry.
    pub scopes: Vec<String>,
    /// JSON pointers to claims that must be there, and not null: `/org_id`.
    pub claims: Vec<String>,
    /// The roles that must each be granted all of the scopes; empty: at least one role must.
    pub roles: Vec<String>,
}

/// The name in a gate that stands for every route.
pub const ANY_ROUTE: &str = "*";
