//! What sources share: one transport for all that are reached in the same way, and their credentials.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::zeroize::Zeroizing;
use tokio::sync::OnceCell;

use super::credential::Credential;
use super::resolver::Resolver;
use crate::model::{Fault, FaultCode};

/// How a host is reached; what differs in it cannot share a transport.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Way {
    pub(super) tls: bool,
    /// Whether no proxy is used, not even that of the environment.
    pub(super) direct: bool,
    /// The proxy, where the config names one.
    pub(super) proxy: Option<String>,
    pub(super) timeout: Duration,
    /// An authority to trust beside the system's.
    pub(super) ca_file: Option<PathBuf>,
    /// The certificate to show.
    pub(super) client_cert: Option<PathBuf>,
    /// Its key, where it is not in the same file.
    pub(super) client_key: Option<PathBuf>,
}

/// Transports by the way they go. A thousand sources with a transport each would hold a thousand TLS
/// set-ups and pools. Its connections live on the runtime that made them: one pool for one runtime.
#[derive(Default)]
pub struct Pool {
    transports: Mutex<HashMap<Way, Arc<OnceCell<reqwest::Client>>>>,
    credentials: Mutex<HashMap<String, Arc<dyn Credential>>>,
    resolver: Arc<Resolver>,
}

impl Pool {
    /// The credential of this name, made at its first use: sources that share one share its token too.
    pub fn credential(&self, name: &str, make: impl FnOnce() -> Arc<dyn Credential>) -> Arc<dyn Credential> {
        let mut all = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry(name.to_owned()).or_insert_with(make))
    }

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
        tokio::task::spawn_blocking(move || build(trusting(&way)?, &way, resolver))
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
    let builder = match &way.proxy {
        _ if way.direct => builder.no_proxy(),
        None => builder,
        Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy).map_err(|_| {
            Fault::new(FaultCode::Unreachable, "the proxy's address cannot be used: write http://host:port")
        })?),
    };
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

/// For https: the system's authorities, and those of `ca_file`; the certificate to show. Reads files:
/// not for a thread that must not block.
fn trusting(way: &Way) -> Result<reqwest::ClientBuilder, Fault> {
    // An error says that a provider is installed already, which is all that is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder();
    if let Some(path) = &way.client_cert {
        builder = builder.identity(identity(path, way.client_key.as_deref())?);
    }
    let Some(path) = &way.ca_file else { return Ok(builder) };
    let pem = read("ca-file", path)?;
    let certificates = reqwest::Certificate::from_pem_bundle(&pem)
        .map_err(|_| unusable("ca-file", path, "no PEM certificate can be read"))?;
    if certificates.is_empty() {
        return Err(unusable("ca-file", path, "it holds no PEM certificate"));
    }
    Ok(builder.tls_certs_merge(certificates))
}

/// The certificate to show, with its key.
fn identity(certificate: &Path, key: Option<&Path>) -> Result<reqwest::Identity, Fault> {
    let mut pem = read("client-cert", certificate)?;
    if !holds(&pem, "-----BEGIN CERTIFICATE-----") {
        return Err(unusable("client-cert", certificate, "it holds no PEM certificate"));
    }
    let (named, place) = key.map_or(("client-cert", certificate), |key| ("client-key", key));
    if let Some(key) = key {
        pem.push(b'\n');
        pem.extend_from_slice(&read("client-key", key)?);
    }
    if !holds(&pem, "PRIVATE KEY-----") {
        let why = if key.is_some() { "it holds no PEM key" } else { "it holds no PEM key: set client-key" };
        return Err(unusable(named, place, why));
    }
    reqwest::Identity::from_pem(&pem)
        .map_err(|_| unusable(named, place, "the key cannot be read; it must be PEM without a passphrase"))
}

fn holds(pem: &[u8], marker: &str) -> bool {
    memchr::memmem::find(pem, marker.as_bytes()).is_some()
}

/// The bytes of a PEM file; they are wiped, because they may be a key.
fn read(key: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, Fault> {
    std::fs::read(path).map(Zeroizing::new).map_err(|error| unusable(key, path, &error.to_string()))
}

fn unusable(key: &str, path: &Path, why: &str) -> Fault {
    Fault::new(FaultCode::Tls, format!("{key} {}: {why}", path.display()))
}
