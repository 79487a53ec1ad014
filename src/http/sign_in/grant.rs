//! The requests to an issuer: form posts of RFC 6749, RFC 8628 and RFC 7009.
//!
//! The `oauth2` crate was looked at and left: it brings a second `rand`, `sha2` and `thiserror` and
//! `chrono` into the tree, keeps tokens in plain strings, and its device loop sleeps by its own clock,
//! while what is wanted here is a handful of forms over this room's own client.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::super::credential::{Proof, Secret};
use super::super::scrub::encoded;
use super::super::{Client, Options, Request, Response};
use super::discovery::Discovery;
use super::reply::{self, Failed, Granted};
use crate::model::credential::SignInDef;
use crate::model::{Fault, FaultCode, Time};

/// The most bytes of an answer.
const MAX_BODY: u64 = 1 << 20;
/// The longest that one request may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// An answer of the token endpoint, and the issuer's clock.
pub(super) struct Answered {
    pub(super) granted: Granted,
    /// The issuer's own time, where it said one.
    pub(super) server: Option<Time>,
}

/// A begun device sign-in (RFC 8628, 3.2).
#[derive(Deserialize)]
pub(super) struct DeviceCode {
    #[serde(rename = "device_code", deserialize_with = "reply::secret")]
    pub(super) secret: SecretString,
    pub(super) user_code: String,
    #[serde(alias = "verification_url")]
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: Option<String>,
    #[serde(default, deserialize_with = "reply::seconds")]
    pub(super) expires_in: Option<Duration>,
    #[serde(default, deserialize_with = "reply::seconds")]
    pub(super) interval: Option<Duration>,
}

/// The issuer of one credential.
pub(super) struct Issuer {
    def: SignInDef,
    client: Client,
    secret: Option<Arc<dyn Secret>>,
    discovery: OnceCell<Discovery>,
}

impl Issuer {
    pub(super) fn new(def: &SignInDef, secret: Option<Arc<dyn Secret>>) -> Self {
        let client = Client::new(Options {
            timeout: TIMEOUT,
            max_body: MAX_BODY,
            ca_file: def.ca_file.clone(),
            client_cert: def.route.client_cert.clone(),
            client_key: def.route.client_key.clone(),
            proxy: def.route.proxy.clone(),
            no_proxy: def.route.no_proxy.clone(),
            allow_http: def.allow_http,
            // A code or a refresh token is for the token endpoint and nobody else.
            no_redirects: true,
            ..Options::default()
        });
        Self { def: def.clone(), client, secret, discovery: OnceCell::new() }
    }

    pub(super) async fn discovery(&self) -> Result<&Discovery, Fault> {
        let shows = self.def.route.client_cert.is_some();
        self.discovery.get_or_try_init(|| Discovery::ask(&self.client, &self.def.issuer, shows)).await
    }

    /// Asks for a code that a person can type in elsewhere.
    pub(super) async fn device_code(&self) -> Result<DeviceCode, Failed> {
        let endpoint = self.discovery().await?.device_authorization_endpoint.clone().ok_or_else(|| {
            Fault::new(
                FaultCode::Credential,
                "the issuer offers no sign-in by device code (it names no device_authorization_endpoint)",
            )
        })?;
        let mut form = self.asked();
        // Without it there is no ID token, and nobody can tell who has signed in.
        let scopes = self.def.scopes.iter().map(String::as_str);
        let openid = (!self.def.scopes.iter().any(|s| s == "openid")).then_some("openid");
        let scopes: Vec<&str> = openid.into_iter().chain(scopes).collect();
        form.push(("scope".into(), scopes.join(" ")));
        self.exchange(&endpoint, form, "the answer to a device sign-in").await.map(|(code, _)| code)
    }

    /// Asks whether the person has signed in by now.
    pub(super) async fn device_token(&self, code: &SecretString) -> Result<Answered, Failed> {
        let form = vec![
            ("grant_type".into(), "urn:ietf:params:oauth:grant-type:device_code".into()),
            ("device_code".into(), code.expose_secret().to_owned()),
        ];
        // Some servers want the resource here too; RFC 8707, 2.2 allows it.
        self.token(form).await
    }

    /// A token for the program itself.
    pub(super) async fn client_credentials(&self) -> Result<Answered, Failed> {
        let mut form = vec![("grant_type".into(), "client_credentials".into())];
        if !self.def.scopes.is_empty() {
            form.push(("scope".into(), self.def.scopes.join(" ")));
        }
        self.token(form).await
    }

    /// A new token for a refresh token. The resource is sent again: without it a server may hand back a
    /// token for another place, or an opaque one.
    pub(super) async fn refresh(&self, refresh: &SecretString) -> Result<Answered, Failed> {
        let form = vec![
            ("grant_type".into(), "refresh_token".into()),
            ("refresh_token".into(), refresh.expose_secret().to_owned()),
        ];
        self.token(form).await
    }

    /// Tells the issuer that a token is no longer used; `false` where it has no place for that.
    pub(super) async fn revoke(&self, token: &SecretString, hint: &str) -> Result<bool, Failed> {
        let Some(endpoint) = self.discovery().await?.revocation_endpoint.clone() else { return Ok(false) };
        let form =
            vec![("token".into(), token.expose_secret().to_owned()), ("token_type_hint".into(), hint.into())];
        let what = "the answer to signing out";
        let secret = self.secret(None).await?;
        let mut response = self.post(&endpoint, form.clone(), secret.as_ref()).await?;
        // A body there is none.
        let done = |response: &Response| matches!(response.status, 200 | 204);
        if done(&response) {
            return Ok(true);
        }
        let Err(failed) = reply::oauth::<Value>(&mut response, what).await else { return Ok(true) };
        let Some(other) = self.other_secret(secret.as_ref(), &failed, response.status).await else {
            return Err(failed);
        };
        let mut response = self.post(&endpoint, form, Some(&other)).await?;
        if done(&response) {
            return Ok(true);
        }
        reply::oauth::<Value>(&mut response, what).await.map(|_| true)
    }

    /// What the issuer says about the bearer of a token; `None` where it has no place for that.
    pub(super) async fn userinfo(&self, token: &SecretString) -> Result<Option<Map<String, Value>>, Fault> {
        let Some(url) = self.discovery().await?.userinfo_endpoint.clone() else { return Ok(None) };
        let request = Request {
            url,
            accept: Some("application/json".into()),
            proof: Some(Proof::Bearer(token.clone())),
            ..Request::default()
        };
        let mut response = self.client.send(&request).await?;
        match response.fault() {
            Some(fault) => Err(fault),
            None => reply::json(&mut response, "the answer of userinfo").await.map(Some),
        }
    }

    async fn token(&self, mut form: Vec<(String, String)>) -> Result<Answered, Failed> {
        let endpoint = self.discovery().await?.token_endpoint.clone();
        form.extend(self.asked());
        let (granted, server): (Granted, _) =
            self.exchange(&endpoint, form, "the answer of the token endpoint").await?;
        Ok(Answered { granted: granted.checked()?, server })
    }

    /// What each request says about the token that is wanted.
    fn asked(&self) -> Vec<(String, String)> {
        let pair = |name: &str, value: &Option<String>| Some((name.to_owned(), value.clone()?));
        [pair("resource", &self.def.resource), pair("audience", &self.def.audience)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// Posts a form as this client and reads the answer, with the issuer's clock. A client that is not
    /// accepted asks for its secret again, once: that of a command or a file may have been changed.
    async fn exchange<T: DeserializeOwned>(
        &self,
        endpoint: &str,
        form: Vec<(String, String)>,
        what: &str,
    ) -> Result<(T, Option<Time>), Failed> {
        let secret = self.secret(None).await?;
        let mut response = self.post(endpoint, form.clone(), secret.as_ref()).await?;
        let failed = match reply::oauth(&mut response, what).await {
            Ok(read) => return Ok((read, response.date)),
            Err(failed) => failed,
        };
        let Some(other) = self.other_secret(secret.as_ref(), &failed, response.status).await else {
            return Err(failed);
        };
        let mut response = self.post(endpoint, form, Some(&other)).await?;
        Ok((reply::oauth(&mut response, what).await?, response.date))
    }

    async fn secret(&self, refused: Option<&SecretString>) -> Result<Option<SecretString>, Fault> {
        match &self.secret {
            Some(secret) => secret.secret(refused).await.map(Some),
            None => Ok(None),
        }
    }

    /// Another secret than the one that was sent, where the client was not accepted with it and there is one.
    async fn other_secret(
        &self,
        sent: Option<&SecretString>,
        failed: &Failed,
        status: u16,
    ) -> Option<SecretString> {
        let sent = sent?;
        let of_client = match failed {
            Failed::Refused(refusal) => refusal.code == "invalid_client",
            Failed::Fault(_) => status == 401,
        };
        let other = if of_client { self.secret(Some(sent)).await.ok().flatten() } else { None };
        other.filter(|other| other.expose_secret() != sent.expose_secret())
    }

    /// Posts a form as this client.
    async fn post(
        &self,
        endpoint: &str,
        mut form: Vec<(String, String)>,
        secret: Option<&SecretString>,
    ) -> Result<Response, Failed> {
        let in_form = self.discovery().await?.secret_in_form();
        let mut proof = None;
        match secret {
            Some(secret) => {
                if in_form {
                    form.push(("client_id".into(), self.def.client_id.clone()));
                    form.push(("client_secret".into(), secret.expose_secret().to_owned()));
                } else {
                    // Both are encoded as in a form first (RFC 6749, 2.3.1).
                    let user = encoded(&self.def.client_id);
                    proof = Some(Proof::Basic { user, password: encoded(secret.expose_secret()).into() });
                }
            }
            None => form.push(("client_id".into(), self.def.client_id.clone())),
        }
        let request = Request {
            url: endpoint.to_owned(),
            accept: Some("application/json".into()),
            form: Some(form),
            proof,
            ..Request::default()
        };
        Ok(self.client.send(&request).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_and_a_secret_are_encoded_as_in_a_form() {
        assert_eq!(encoded("a b:c%d+é"), "a+b%3Ac%25d%2B%C3%A9");
        assert_eq!(encoded("plain-id_1"), "plain-id_1");
    }
}
