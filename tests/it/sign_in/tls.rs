//! The issuer over TLS, and with client certificates; all keys are made here.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Home, Issuer, said};
use crate::servers::installed;

/// An authority, a certificate for 127.0.0.1, one for another host, one that has ended, and a client's.
struct Keys(tempfile::TempDir);

impl Keys {
    fn make() -> Option<Self> {
        if !installed("openssl") {
            return None;
        }
        let keys = Self(tempfile::tempdir().unwrap());
        keys.authority("ca");
        keys.authority("other");
        keys.signed("here", "subjectAltName=IP:127.0.0.1", "30");
        keys.signed("elsewhere", "subjectAltName=DNS:elsewhere.example.com", "30");
        keys.signed("client", "extendedKeyUsage=clientAuth", "30");
        Some(keys)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn openssl(&self, args: &[&str]) {
        let out = Command::new("openssl").args(args).current_dir(self.0.path()).output().unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn authority(&self, name: &str) {
        let (key, cert, subject) = (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
        let args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        self.openssl(
            &[&args[..], &["-keyout", &key, "-out", &cert, "-days", "30", "-subj", &subject]].concat(),
        );
    }

    fn signed(&self, name: &str, extension: &str, days: &str) {
        let file = |end: &str| format!("{name}.{end}");
        std::fs::write(self.file(&file("ext")), extension).unwrap();
        let args = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout"];
        self.openssl(&[&args[..], &[&file("key"), "-out", &file("csr"), "-subj", "/CN=x"]].concat());
        let args = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days];
        self.openssl(
            &[&args[..], &["-in", &file("csr"), "-out", &file("pem"), "-extfile", &file("ext")]].concat(),
        );
    }
}

fn of_repository(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name)
}

/// An issuer with this certificate and key; with `ca`, it wants one from its clients too.
fn issuer(cert: &Path, key: &Path, ca: Option<&Path>) -> Option<Issuer> {
    let option = |name: &str, path: &Path| format!("{name}={}", path.display());
    let mut options = vec![option("cert", cert), option("key", key)];
    options.extend(ca.map(|ca| option("ca", ca)));
    Issuer::start(&options.iter().map(String::as_str).collect::<Vec<_>>())
}

fn login(issuer: &Issuer, more: &str) -> (Option<i32>, String) {
    let out = Home::new(&issuer.config(more)).run(&["login"]);
    (out.status.code(), said(&out))
}

#[test]
fn what_is_wrong_with_the_issuers_certificate_is_said() {
    let Some(keys) = Keys::make() else { return };
    let trusting = |name: &str| format!("ca-file = \"{}\"", keys.file(name).display());
    let Some(here) = issuer(&keys.file("here.pem"), &keys.file("here.key"), None) else { return };
    for more in [trusting("other.pem"), String::new()] {
        let (code, text) = login(&here, &more);
        assert_eq!(code, Some(3), "{text}");
        assert!(text.contains("unknown issuer: set ca-file"), "{text}");
    }
    let elsewhere = issuer(&keys.file("elsewhere.pem"), &keys.file("elsewhere.key"), None).unwrap();
    assert!(login(&elsewhere, &trusting("ca.pem")).1.contains("certificate is for another host"));
    let ended = issuer(&of_repository("expired.pem"), &of_repository("server.key"), None).unwrap();
    let trusted = format!("ca-file = \"{}\"", of_repository("ca.pem").display());
    assert!(login(&ended, &trusted).1.contains("certificate expired"));
}

#[test]
fn a_client_certificate_is_shown_where_one_is_required() {
    let Some(keys) = Keys::make() else { return };
    let file = |name: &str| keys.file(name).display().to_string();
    let (cert, key, ca) = (keys.file("here.pem"), keys.file("here.key"), keys.file("ca.pem"));
    let Some(issuer) = issuer(&cert, &key, Some(&ca)) else { return };
    let trust = format!("ca-file = \"{}\"\n", file("ca.pem"));
    let (code, text) = login(&issuer, &trust);
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("a client certificate is required"), "{text}");
    let (_, text) = login(&issuer, &format!("{trust}client-cert = \"{}\"", file("client.pem")));
    assert!(text.contains("it holds no PEM key: set client-key"), "{text}");
    let (_, text) = login(&issuer, &format!("{trust}client-cert = \"{}\"", file("none.pem")));
    assert!(text.contains("client-cert") && text.contains("No such file"), "{text}");

    let pair = format!("client-cert = \"{}\"\nclient-key = \"{}\"", file("client.pem"), file("client.key"));
    let home = Home::new(&issuer.config(&format!("{trust}{pair}")));
    home.sign_in(|code| issuer.approve(code));
    assert!(said(&home.run(&["whoami"])).contains("signed in as ada"));
    home.age();
    let polled = home.run(&["sources"]);
    assert_eq!(polled.status.code(), Some(0), "{}", said(&polled));
    assert_eq!(issuer.count("refresh_token"), 1);
}
