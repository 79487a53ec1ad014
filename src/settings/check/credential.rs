//! `[credential.NAME]`, and how endpoints are reached.

use std::collections::BTreeMap;
use std::ops::Range;

use reqwest::Url;

use super::super::file::At;
use super::super::file::config::{LaunchTable, SourceTable};
use super::super::file::credential::{CredentialTable, CredentialWord};
use super::address::Part;
use super::source::REFUSED_HEADERS;
use super::{Check, known_name};
use crate::model::credential::{CredentialDef, CredentialKind, Flow, SecretFrom, SignInDef};
use crate::model::launch::Route;
use crate::model::text::harmless_line;

use CredentialWord::{Basic, Bearer, ClientCredentials, Device, Header};

const ANY: &[CredentialWord] = &[ClientCredentials, Device];

/// A key, where it is written, and the kinds that it says something about.
type Written = (&'static str, Option<Range<usize>>, &'static [CredentialWord]);

impl Check<'_> {
    /// The credentials, used or not, as far as they are right.
    pub(super) fn credentials(
        &mut self,
        tables: &BTreeMap<String, At<CredentialTable>>,
    ) -> BTreeMap<String, CredentialDef> {
        let mut found = BTreeMap::new();
        for (name, at) in tables {
            self.id_text(name, at.span());
            if let Some(kind) = self.credential_kind(at) {
                found.insert(name.clone(), CredentialDef { name: name.clone(), kind });
            }
        }
        found
    }

    fn credential_kind(&mut self, at: &At<CredentialTable>) -> Option<CredentialKind> {
        let table = at.get();
        let kind = *table.kind.get();
        self.keys_of_other_credentials(table, kind);
        let secret = self.secret_from(at, kind);
        let kind = match kind {
            Bearer => CredentialKind::Bearer(secret?),
            Basic => {
                let user =
                    self.needed(at, table.user.as_ref(), "user", "a basic credential needs its user")?;
                if user.contains(':') || user.chars().any(char::is_control) {
                    let place = table.user.as_ref().map_or(at.span(), At::span);
                    self.troubles.add_secret(place, "a user's name holds no colon (RFC 7617)");
                }
                CredentialKind::Basic { user, password: secret? }
            }
            Header => {
                let why = "a header credential needs the name of its header, such as \"X-API-Key\"";
                let header = self.needed(at, table.header.as_ref(), "header", why)?;
                self.credential_header(table.header.as_ref()?);
                CredentialKind::Header { header, value: secret? }
            }
            ClientCredentials | Device => CredentialKind::SignIn(Box::new(self.sign_in(at, kind, secret)?)),
        };
        Some(kind)
    }

    fn credential_header(&mut self, header: &At<String>) {
        let name = header.get();
        let refused = REFUSED_HEADERS
            .iter()
            .find(|(refused, why)| refused.eq_ignore_ascii_case(name) && why.contains("client sets"));
        if let Some((_, why)) = refused {
            self.troubles.add_secret(header.span(), format!("the header {name} cannot be set here: {why}"));
        } else if reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_err() {
            // It may be the key itself, pasted here.
            self.troubles
                .add_secret(header.span(), "is no name of a header: write its name, never its value");
        }
    }

    /// A key that this kind cannot do without.
    fn needed(
        &mut self,
        at: &At<CredentialTable>,
        text: Option<&At<String>>,
        key: &str,
        why: &str,
    ) -> Option<String> {
        if text.is_none() {
            self.troubles.missing(at.span(), key, why);
        }
        Some(self.words(text?))
    }

    fn sign_in(
        &mut self,
        at: &At<CredentialTable>,
        kind: CredentialWord,
        client_secret: Option<SecretFrom>,
    ) -> Option<SignInDef> {
        let table = at.get();
        let allow_http = table.allow_http.as_ref().is_some_and(|a| *a.get());
        let why = format!(
            "a {} credential needs its issuer, such as \"https://identity.example.com\"",
            kind.as_str()
        );
        let issuer = self.needed(at, table.issuer.as_ref(), "issuer", &why);
        if let Some(text) = &table.issuer {
            self.address(text, Part::Endpoint, allow_http);
            if text.get().contains(['?', '#']) {
                self.troubles.add_secret(text.span(), "an issuer has no part after \"?\" or \"#\"");
            }
        }
        let why = format!("a {} credential needs the id that gonogo has at the issuer", kind.as_str());
        let client_id = self.needed(at, table.client_id.as_ref(), "client-id", &why);
        for scope in table.scopes.iter().flat_map(At::get) {
            let token = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if scope.get().is_empty() || !scope.get().bytes().all(token) {
                self.troubles
                    .add_secret(scope.span(), "is no scope: one word without spaces and quotes for each");
            }
        }
        if let Some(resource) = &table.resource
            && (Url::parse(resource.get()).is_err() || resource.get().contains('#'))
        {
            self.troubles.add_secret(resource.span(), "is no absolute URI without \"#\" (RFC 8707)");
        }
        for pointer in [&table.roles, &table.name].into_iter().flatten() {
            if !pointer.get().starts_with('/') {
                self.troubles
                    .add(pointer.span(), "is no JSON pointer: it begins with \"/\", such as \"/roles\"");
            }
        }
        let role_names = self.role_names(table);
        let route =
            self.route([&table.client_cert, &table.client_key, &table.proxy], table.no_proxy.as_ref());
        if let (Some(names), None) = (&table.role_names, &table.roles) {
            self.troubles
                .add_secret(names.span(), "`role-names` needs `roles`: where in the claims the values are");
        }
        let flow = if kind == Device { Flow::Device } else { Flow::ClientCredentials };
        Some(SignInDef {
            flow,
            issuer: issuer?,
            client_id: client_id?,
            client_secret,
            scopes: table.scopes.iter().flat_map(At::get).map(|s| s.get().clone()).collect(),
            resource: self.some_words(table.resource.as_ref()),
            audience: self.some_words(table.audience.as_ref()),
            roles: self.some_words(table.roles.as_ref()),
            name: self.some_words(table.name.as_ref()),
            role_names,
            ca_file: table.ca_file.as_ref().map(|p| self.path(p)),
            route,
            allow_http,
        })
    }

    fn role_names(&mut self, table: &CredentialTable) -> BTreeMap<String, Vec<String>> {
        let mut roles = BTreeMap::new();
        for (role, values) in table.role_names.iter().flat_map(At::get) {
            if role.trim().is_empty() || values.get().is_empty() {
                let role = harmless_line(role, 60);
                let message =
                    format!("the role {role:?} is given by no value: {role} = [\"value-of-the-claim\"]");
                self.troubles.add_secret(values.span(), message);
            }
            roles.insert(role.clone(), values.get().iter().map(|value| self.words(value)).collect());
        }
        roles
    }

    /// How a source is reached.
    pub(super) fn source_route(&mut self, table: &SourceTable) -> Route {
        self.route([&table.client_cert, &table.client_key, &table.proxy], table.no_proxy.as_ref())
    }

    fn route(
        &mut self,
        [cert, key, proxy]: [&Option<At<String>>; 3],
        no_proxy: Option<&At<Vec<At<String>>>>,
    ) -> Route {
        if let (Some(key), None) = (key, cert) {
            self.troubles
                .add_secret(key.span(), "`client-key` is the key of a certificate: give `client-cert` too");
        }
        if let Some(proxy) = proxy {
            // Most proxies are spoken to in plain http; what goes through them to https is sealed.
            self.address(proxy, Part::Endpoint, true);
        }
        for host in no_proxy.into_iter().flat_map(At::get) {
            let text = host.get();
            if text.is_empty() || text.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control()) {
                let message = "is no host: one name, .domain, address, network or \"*\" for each";
                self.troubles.add_secret(host.span(), message);
            }
        }
        Route {
            client_cert: cert.as_ref().map(|p| self.path(p)),
            client_key: key.as_ref().map(|p| self.path(p)),
            proxy: proxy.as_ref().map(|p| p.get().clone()),
            no_proxy: no_proxy.into_iter().flat_map(At::get).map(|host| host.get().clone()).collect(),
        }
    }

    /// Keys that say nothing about this kind would be promises without effect.
    fn keys_of_other_credentials(&mut self, table: &CredentialTable, kind: CredentialWord) {
        let text = |key: &Option<At<String>>| key.as_ref().map(At::span);
        let written: [Written; 15] = [
            ("user", text(&table.user), &[Basic]),
            ("header", text(&table.header), &[Header]),
            ("issuer", text(&table.issuer), ANY),
            ("client-id", text(&table.client_id), ANY),
            ("scopes", table.scopes.as_ref().map(At::span), ANY),
            ("resource", text(&table.resource), ANY),
            ("audience", text(&table.audience), ANY),
            ("roles", text(&table.roles), &[Device]),
            ("name", text(&table.name), &[Device]),
            ("role-names", table.role_names.as_ref().map(At::span), &[Device]),
            ("ca-file", text(&table.ca_file), ANY),
            ("client-cert", text(&table.client_cert), ANY),
            ("client-key", text(&table.client_key), ANY),
            ("proxy", text(&table.proxy), ANY),
            ("no-proxy", table.no_proxy.as_ref().map(At::span), ANY),
        ];
        let allow = ("allow-http", table.allow_http.as_ref().map(At::span), ANY);
        for (key, place, of) in written.into_iter().chain([allow]) {
            if let Some(place) = place.filter(|_| !of.contains(&kind)) {
                let of: Vec<&str> = of.iter().map(|word| word.as_str()).collect();
                let (of, kind) = (of.join(" and "), kind.as_str());
                // What stands there may be a secret in the wrong place.
                let message = format!("`{key}` belongs to credentials of kind {of}; this one is {kind}");
                self.troubles.add_secret(place, message);
            }
        }
    }

    /// One place to have the secret from; only a device may do without.
    fn secret_from(&mut self, at: &At<CredentialTable>, kind: CredentialWord) -> Option<SecretFrom> {
        let table = at.get();
        self.secret_values(table);
        let what = match kind {
            Bearer => "the token comes",
            Basic => "the password comes",
            Header => "the header's value comes",
            ClientCredentials | Device => "the client's secret comes",
        };
        match (&table.env, &table.file, &table.command) {
            (Some(env), None, None) => Some(SecretFrom::Env(env.get().clone())),
            (None, Some(file), None) => Some(SecretFrom::File(self.path(file))),
            (None, None, Some(command)) => {
                Some(SecretFrom::Command(command.get().iter().map(|a| a.get().clone()).collect()))
            }
            (None, None, None) => {
                if kind != Device {
                    self.troubles.add_secret(
                        at.span(),
                        format!("does not say where {what} from: give one of `env`, `file`, `command`"),
                    );
                }
                None
            }
            (env, file, command) => {
                let spans =
                    [env.as_ref().map(At::span), file.as_ref().map(At::span), command.as_ref().map(At::span)];
                let last = spans.into_iter().flatten().last().unwrap_or(at.span());
                self.troubles.add_secret(
                    last,
                    format!("{what} from one place: give one of `env`, `file`, `command`, not several"),
                );
                None
            }
        }
    }

    fn secret_values(&mut self, table: &CredentialTable) {
        if let Some(env) = &table.env {
            let name = env.get();
            let head = name.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            if !head || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                // It may be the token itself, pasted here: it is not repeated.
                self.troubles.add_secret(
                    env.span(),
                    "is no name of an environment variable: write its name, never the token",
                );
            }
        }
        if let Some(command) = &table.command
            && command.get().first().is_none_or(|program| program.get().trim().is_empty())
        {
            self.troubles.add_secret(command.span(), "needs a program: [\"program\", \"argument\"]");
        }
    }

    /// The credential that says who is at the keyboard: the one that is named, or the only one that a
    /// person can sign in with.
    pub(super) fn identity(
        &mut self,
        table: &LaunchTable,
        tables: &BTreeMap<String, At<CredentialTable>>,
        config: &str,
    ) -> Option<String> {
        let devices: Vec<&String> =
            tables.iter().filter(|(_, at)| *at.get().kind.get() == Device).map(|(name, _)| name).collect();
        if let Some(named) = &table.identity {
            let known = tables.keys().map(String::as_str);
            if known_name(&mut self.troubles, named.span(), "credential", named.get(), config, known)
                && !devices.contains(&named.get())
            {
                let message = "says who is at the keyboard: it must be a credential of kind device";
                self.troubles.add_secret(named.span(), message);
            }
            return Some(named.get().clone());
        }
        if let (Some(required), false) = (&table.require_identity, devices.len() == 1)
            && *required.get()
        {
            let message = if devices.is_empty() {
                "nobody can sign in here: add a credential of kind device"
            } else {
                "there are several credentials of kind device: say with `identity` which is meant"
            };
            self.troubles.add_secret(required.span(), message);
        }
        match devices.as_slice() {
            [only] => Some((*only).clone()),
            _ => None,
        }
    }
}
