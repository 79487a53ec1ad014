//! Connections that sources share: one transport for all that are reached in the same way.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use super::resolver::Resolver;
use crate::model::{Fault, FaultCode};

/// How a host is reached; what differs in it cannot share a transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Way {
    pub(super) tls: bool,
    pub(super) loopback: bool,
    pub(super) timeout: Duration,
    /// An authority to trust beside the system's.
    pub(super) ca_file: Option<PathBuf>,
}

/// Transports by the way they go. A thousand sources with a transport each would hold a thousand TLS
/// set-ups and pools. Its connections live on the runtime that made them: one pool for one runtime.
#[derive(Default)]
pub struct Pool {
    transports: Mutex<HashMap<Way, Arc<OnceCell<reqwest::Client>>>>,
    resolver: Arc<Resolver>,
}

impl Pool {
    /// The transport for a way, made at its first use. TLS roots are loaded on a thread that may
    /// block.
    pub(super) async fn transport(&self, way: &Way) -> Result<reqwest::Client, Fault> {
        let cell = {
            let mut all = self.transports.lock().unwrap_or_else(PoisonError::into_inner);
            match all.get(way) {
                Some(cell) => Arc::clone(cell),
                None => Arc::clone(all.entry(way.clone()).or_default()),
            }
        };
        let made = cell.get_or_try_init(|| self.make(way)).await?;
        // A clone shares everything; it counts a reference.
        Ok(made.clone())
    }

    async fn make(&self, way: &Way) -> Result<reqwest::Client, Fault> {
        let resolver = Arc::clone(&self.resolver);
        if !way.tls {
            return build(plain_tls()?, way, resolver);
        }
        let way = way.clone();
        tokio::task::spawn_blocking(move || build(trusting(way.ca_file.as_deref())?, &way, resolver))
            .await
            .map_err(|_| Fault::new(FaultCode::Tls, "the system's certificates could not be loaded"))?
    }
}

/// What all transports share. Connecting gets the whole time-out, which the client splits among the
/// addresses of a host, so that one dead address does not eat it all.
fn build(
    builder: reqwest::ClientBuilder,
    way: &Way,
    resolver: Arc<Resolver>,
) -> Result<reqwest::Client, Fault> {
    let builder = builder
        .user_agent(concat!("gonogo/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(way.timeout)
        .dns_resolver(resolver)
        .no_gzip()
        .referer(false);
    let builder = if way.loopback { builder.no_proxy() } else { builder };
    builder.build().map_err(|error| {
        let cause = std::error::Error::source(&error).map_or_else(String::new, |c| format!(": {c}"));
        Fault::new(FaultCode::Tls, format!("TLS could not be set up{cause}"))
    })
}

/// For plain http: a TLS set-up that trusts nobody, and costs nothing.
fn plain_tls() -> Result<reqwest::ClientBuilder, Fault> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| Fault::new(FaultCode::Tls, e.to_string()))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(reqwest::Client::builder().tls_backend_preconfigured(config))
}

/// For https: the system's authorities, and those of `ca_file`. Reads files: not for a thread that
/// must not block.
fn trusting(ca_file: Option<&Path>) -> Result<reqwest::ClientBuilder, Fault> {
    // An error says that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder();
    let Some(path) = ca_file else { return Ok(builder) };
    let unusable = |why: &str| Fault::new(FaultCode::Tls, format!("ca-file {}: {why}", path.display()));
    let pem = std::fs::read(path).map_err(|e| unusable(&e.to_string()))?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|_| unusable("no PEM certificate can be read"))?;
    if certificates.is_empty() {
        return Err(unusable("it holds no PEM certificate"));
    }
    Ok(builder.tls_certs_merge(certificates))
}
