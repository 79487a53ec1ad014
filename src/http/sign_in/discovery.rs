//! What an issuer says about itself (OIDC Discovery 1.0; RFC 8414).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::super::{Client, Request};
use super::reply;
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode};

/// The parts of the discovery document that are used.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Discovery {
    issuer: String,
    pub(super) token_endpoint: String,
    pub(super) device_authorization_endpoint: Option<String>,
    pub(super) userinfo_endpoint: Option<String>,
    pub(super) revocation_endpoint: Option<String>,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    /// Endpoints for clients that show a certificate (RFC 8705, 5).
    #[serde(default)]
    mtls_endpoint_aliases: BTreeMap<String, serde_json::Value>,
}

impl Discovery {
    /// Asks the issuer. Its document must name exactly the issuer that the config names: else another
    /// issuer's tokens could be passed off as this one's.
    pub(super) async fn ask(client: &Client, issuer: &str, shows_certificate: bool) -> Result<Self, Fault> {
        let mut last = None;
        for url in places(issuer)? {
            let request = Request { url, accept: Some("application/json".into()), ..Request::default() };
            let mut response = client.send(&request).await.map_err(|fault| of_issuer(issuer, &fault))?;
            if response.status == 404 {
                last = response.fault();
                continue;
            }
            if let Some(fault) = response.fault() {
                return Err(of_issuer(issuer, &fault));
            }
            let mut found: Self = reply::json(&mut response, "the discovery document").await?;
            if found.issuer != issuer {
                return Err(Fault::new(
                    FaultCode::Credential,
                    format!(
                        "wrong issuer: the discovery document says {}, the config {}; they must be the same, to the last character",
                        harmless_line(&found.issuer, 100),
                        harmless_line(issuer, 100)
                    ),
                ));
            }
            if shows_certificate {
                found.take_aliases();
            }
            return Ok(found);
        }
        let fault = last.unwrap_or_else(|| Fault::new(FaultCode::Status, "answers 404"));
        Err(of_issuer(issuer, &Fault { text: format!("has no discovery document ({fault})"), ..fault }))
    }

    fn take_aliases(&mut self) {
        let alias = |name: &str| Some(self.mtls_endpoint_aliases.get(name)?.as_str()?.to_owned());
        let token = alias("token_endpoint").unwrap_or_else(|| self.token_endpoint.clone());
        let device = alias("device_authorization_endpoint").or(self.device_authorization_endpoint.clone());
        let userinfo = alias("userinfo_endpoint").or(self.userinfo_endpoint.clone());
        let revocation = alias("revocation_endpoint").or(self.revocation_endpoint.clone());
        self.token_endpoint = token;
        self.device_authorization_endpoint = device;
        self.userinfo_endpoint = userinfo;
        self.revocation_endpoint = revocation;
    }

    /// Whether a client's secret is sent in the form instead of as basic authorization, which every
    /// server must take (RFC 6749, 2.3.1) unless it says otherwise.
    pub(super) fn secret_in_form(&self) -> bool {
        self.token_endpoint_auth_methods_supported.as_ref().is_some_and(|methods| {
            let has = |wanted: &str| methods.iter().any(|method| method == wanted);
            has("client_secret_post") && !has("client_secret_basic")
        })
    }
}

fn of_issuer(issuer: &str, fault: &Fault) -> Fault {
    let text = format!("the issuer {}: {fault}", harmless_line(issuer, 100));
    Fault { retry_after: fault.retry_after, ..Fault::new(fault.code, text) }
}

/// Where the document may be: OIDC adds its path to the issuer's, RFC 8414 puts it before.
fn places(issuer: &str) -> Result<[String; 2], Fault> {
    let url = reqwest::Url::parse(issuer)
        .map_err(|_| Fault::new(FaultCode::Credential, "the issuer is no address: write https://…"))?;
    let path = url.path().trim_end_matches('/');
    let mut before = url.clone();
    before.set_path(&format!("/.well-known/oauth-authorization-server{path}"));
    Ok([format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')), before.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_below_the_issuer_or_before_its_path() {
        assert_eq!(
            places("https://id.example.com/tenant/").unwrap(),
            [
                "https://id.example.com/tenant/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server/tenant"
            ]
        );
    }

    #[test]
    fn a_secret_goes_into_the_form_only_where_nothing_else_is_taken() {
        let of = |methods: &str| {
            let text = format!(r#"{{"issuer":"i","token_endpoint":"t"{methods}}}"#);
            serde_json::from_str::<Discovery>(&text).unwrap().secret_in_form()
        };
        assert!(!of(""));
        assert!(!of(
            r#","token_endpoint_auth_methods_supported":["client_secret_post","client_secret_basic"]"#
        ));
        assert!(of(r#","token_endpoint_auth_methods_supported":["client_secret_post","none"]"#));
    }
}
