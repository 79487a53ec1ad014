//! What says who asks: credentials as a config describes them, without any secret.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::launch::Route;

/// `[credential.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialDef {
    /// The key of its table.
    pub name: String,
    /// What it is.
    pub kind: CredentialKind,
}

/// The kinds of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A bearer token.
    Bearer(SecretFrom),
    /// A user and a password.
    Basic {
        /// The user's name, without a colon.
        user: String,
        /// The password.
        password: SecretFrom,
    },
    /// A header of its own: `X-API-Key`.
    Header {
        /// Its name.
        header: String,
        /// What it holds.
        value: SecretFrom,
    },
    /// A token of an OAuth server.
    SignIn(Box<SignInDef>),
}

impl CredentialKind {
    /// As written in a config.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Bearer(_) => "bearer",
            Self::Basic { .. } => "basic",
            Self::Header { .. } => "header",
            Self::SignIn(def) => match def.flow {
                Flow::Device => "device",
                Flow::ClientCredentials => "client-credentials",
            },
        }
    }
}

impl CredentialDef {
    /// The sign-in of a person, where it is one: kind `device`.
    pub fn device(&self) -> Option<&SignInDef> {
        match &self.kind {
            CredentialKind::SignIn(def) if def.flow == Flow::Device => Some(def),
            _ => None,
        }
    }
}

/// Where one secret text comes from; the secret itself is never in a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFrom {
    /// An environment variable's name.
    Env(String),
    /// A file, read again for each request.
    File(PathBuf),
    /// A program and its arguments, run again once on 401.
    Command(Vec<String>),
}

/// How a token is got from an OAuth server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// A person signs in with a browser, on any machine (RFC 8628).
    Device,
    /// The program itself (RFC 6749, 4.4).
    ClientCredentials,
}

/// An OAuth server, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInDef {
    /// How.
    pub flow: Flow,
    /// The issuer, exactly as its discovery document says it.
    pub issuer: String,
    /// The id this program has there.
    pub client_id: String,
    /// Its secret, where it has one.
    pub client_secret: Option<SecretFrom>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// The API the token is for (RFC 8707).
    pub resource: Option<String>,
    /// The same for servers that call it `audience`.
    pub audience: Option<String>,
    /// JSON pointer to the roles in the claims.
    pub roles: Option<String>,
    /// JSON pointer to the name to show; `None`: the usual claims, in turn.
    pub name: Option<String>,
    /// Checklist roles to the claim values that give them; where it is empty, a value is the role.
    pub role_names: BTreeMap<String, Vec<String>>,
    /// A PEM file with a certificate authority to trust beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that is shown, and the proxy.
    pub route: Route,
    /// Whether plain http off loopback is allowed.
    pub allow_http: bool,
}

impl SignInDef {
    /// The checklist roles that these claim values give, each once, in order.
    pub fn checklist_roles(&self, claimed: &[String]) -> Vec<String> {
        let mut roles: Vec<String> = if self.role_names.is_empty() {
            claimed.to_vec()
        } else {
            let has = |values: &Vec<String>| values.iter().any(|value| claimed.contains(value));
            self.role_names.iter().filter(|(_, values)| has(values)).map(|(role, _)| role.clone()).collect()
        };
        roles.sort_unstable();
        roles.dedup();
        roles
    }
}
