//! TLS faults say what failed.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use gonogo::http::{Client, Options, Request};
use gonogo::model::{Fault, FaultCode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

pub fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// What a server with the named certificate is set up with.
pub fn config(certificate: &str) -> Arc<rustls::ServerConfig> {
    let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
    Arc::new(config)
}

/// Serves "hello" over TLS with the named certificate; returns the port.
fn server(certificate: &str) -> u16 {
    let config = config(certificate);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream);
            // A client that does not trust the certificate ends it here.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    port
}

async fn fetch(url: String, ca_file: Option<PathBuf>) -> Result<String, Fault> {
    let client = Client::new(Options { timeout: Duration::from_secs(20), ca_file, ..Options::default() });
    client.send(&Request { url, ..Request::default() }).await?.text().await
}

async fn over_tls(certificate: &str, ca_file: Option<PathBuf>) -> Result<String, Fault> {
    fetch(format!("https://127.0.0.1:{}/", server(certificate)), ca_file).await
}

#[tokio::test]
async fn a_private_authority_is_trusted_where_the_config_names_it() {
    assert_eq!(over_tls("here.pem", Some(file("ca.pem"))).await.unwrap(), "hello");
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_says_why() {
    let ca = Some(file("ca.pem"));
    for (certificate, ca_file, text) in [
        ("here.pem", Some(file("elsewhere.pem")), "unknown issuer"),
        ("elsewhere.pem", ca.clone(), "certificate is for another host"),
        ("expired.pem", ca, "certificate expired"),
    ] {
        let fault = over_tls(certificate, ca_file).await.unwrap_err();
        assert_eq!(fault.code, FaultCode::Tls);
        assert!(fault.text.starts_with(text), "{certificate}: {fault}");
    }
}

#[tokio::test]
async fn a_server_without_tls_and_an_authority_file_without_certificates_are_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {}
    });
    let fault = fetch(url, Some(file("ca.pem"))).await.unwrap_err();
    assert_eq!(fault.text, "what answers does not speak TLS");
    assert_eq!(fault.code, FaultCode::Tls, "{fault}");
    for (name, text) in [("no-such.pem", "ca-file"), ("server.key", "no PEM certificate")] {
        let fault = over_tls("here.pem", Some(file(name))).await.unwrap_err();
        assert!(fault.code == FaultCode::Tls && fault.text.contains(text), "{fault}");
    }
}
