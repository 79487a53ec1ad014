//! `[credential.NAME]` as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::At;

/// A list of texts.
type Words = Vec<At<String>>;

/// What says who asks; never the secret itself, but where it comes from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Credential", extend("x-secrets" = true))]
pub(in crate::settings) struct CredentialTable {
    /// The kind of credential.
    pub(in crate::settings) kind: At<CredentialWord>,
    /// The name of an environment variable with the secret: the token, the password, the header's value,
    /// or the client's secret. One of `env`, `file`, `command`.
    pub(in crate::settings) env: Option<At<String>>,
    /// A file with the secret, read again when it changes; relative to this file.
    pub(in crate::settings) file: Option<At<String>>,
    /// A program and its arguments; it prints the secret.
    pub(in crate::settings) command: Option<At<Vec<At<String>>>>,
    /// The user of a `basic` credential.
    pub(in crate::settings) user: Option<At<String>>,
    /// The name of a `header` credential's header: `X-API-Key`.
    pub(in crate::settings) header: Option<At<String>>,
    /// The issuer, exactly as its discovery document says it: `https://identity.example.com`.
    pub(in crate::settings) issuer: Option<At<String>>,
    /// The id that gonogo has at the issuer.
    pub(in crate::settings) client_id: Option<At<String>>,
    /// What is asked for: `["openid", "flags:read"]`.
    pub(in crate::settings) scopes: Option<At<Vec<At<String>>>>,
    /// The API that the token is for (RFC 8707), an absolute URI.
    pub(in crate::settings) resource: Option<At<String>>,
    /// The same for issuers that call it `audience`.
    pub(in crate::settings) audience: Option<At<String>>,
    /// A JSON pointer to the roles in the claims: `/roles`, `/realm_access/roles`.
    pub(in crate::settings) roles: Option<At<String>>,
    /// A JSON pointer to the name to show; where it is left out `/preferred_username`, `/email`, `/name`
    /// and `/sub` are tried.
    pub(in crate::settings) name: Option<At<String>>,
    /// The roles of checklists, and which values of the role claim give them:
    /// `{ captain = ["launch-commander"] }`. Where it is left out a value is the role.
    pub(in crate::settings) role_names: Option<At<BTreeMap<String, At<Words>>>>,
    /// A PEM file with the certificate authority to trust beside the system's; relative to this file.
    pub(in crate::settings) ca_file: Option<At<String>>,
    /// A PEM file with the certificate to show (mTLS); relative to this file.
    pub(in crate::settings) client_cert: Option<At<String>>,
    /// A PEM file with its key; where it is left out the key stands in the certificate's file.
    pub(in crate::settings) client_key: Option<At<String>>,
    /// The proxy to go through; that of the environment where it is left out. Never for this machine.
    pub(in crate::settings) proxy: Option<At<String>>,
    /// Hosts that are reached without any proxy: names, `.domain`, addresses, networks, `*`.
    pub(in crate::settings) no_proxy: Option<At<Vec<At<String>>>>,
    /// Whether plain http to another machine is allowed.
    pub(in crate::settings) allow_http: Option<At<bool>>,
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(rename = "CredentialKind")]
pub(in crate::settings) enum CredentialWord {
    /// A bearer token.
    Bearer,
    /// A token that the program gets for itself from an OAuth server.
    ClientCredentials,
    /// A person who signs in with a browser on any machine (OAuth device flow).
    Device,
    /// A user and a password.
    Basic,
    /// A header of its own.
    Header,
}

impl CredentialWord {
    /// As written.
    pub(in crate::settings) fn as_str(self) -> &'static str {
        match self {
            Self::Bearer => "bearer",
            Self::ClientCredentials => "client-credentials",
            Self::Device => "device",
            Self::Basic => "basic",
            Self::Header => "header",
        }
    }
}
