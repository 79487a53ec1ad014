//! A config's text as it may be handed on with a capture: what it asks for, without what it knows.

use toml::{Table, Value};

/// What stands where a secret was.
const REDACTED: &str = "redacted";

/// The config without comments, credentials, header values, certificate and ledger paths, and without
/// what addresses hold beside scheme, host, port and path. It reads as the same launch, whose sources
/// nobody can ask. `None` where it is no TOML.
pub fn redacted(text: &str) -> Option<String> {
    let mut config: Table = toml::from_str(text).ok()?;
    config.remove("credential");
    config.remove("ledger");
    // Both name a credential, or need one.
    if let Some(Value::Table(launch)) = config.get_mut("launch") {
        for key in ["identity", "require-identity", "require_identity"] {
            launch.remove(key);
        }
    }
    for source in tables(config.get_mut("source")) {
        for key in
            ["credential", "admin-credential", "ca-file", "client-cert", "client-key", "proxy", "no-proxy"]
        {
            source.remove(key);
        }
        if let Some(Value::Table(headers)) = source.get_mut("headers") {
            headers.iter_mut().for_each(|(_, value)| *value = Value::String(REDACTED.into()));
        }
    }
    for (_, value) in &mut config {
        addresses(value);
    }
    toml::to_string(&config).ok()
}

fn tables(value: Option<&mut Value>) -> impl Iterator<Item = &mut Table> {
    value
        .and_then(Value::as_table_mut)
        .into_iter()
        .flat_map(|all| all.iter_mut())
        .filter_map(|(_, v)| v.as_table_mut())
}

fn addresses(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(bare) = bare(text) {
                *text = bare;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(addresses),
        Value::Table(all) => all.iter_mut().for_each(|(_, value)| addresses(value)),
        _ => {}
    }
}

/// An address without user, password, query and fragment; `None` for what is no address.
fn bare(text: &str) -> Option<String> {
    let trimmed = text.trim();
    let lower = trimmed.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return None;
    }
    let mut url = reqwest::Url::parse(trimmed).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if plain {
        return None;
    }
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Some(url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_stays_and_the_launch_reads_the_same() {
        let text = r#"
schema = 1 # s3cret
[launch]
product = "Tasks"
version = "1"
environment = "production"
identity = "s3cret-me"
[ledger]
path = "/somewhere/s3cret"
[credential.s3cret-me]
kind = "device"
issuer = "https://s3cret.example.com"
client-id = "s3cret"
[credential.c]
kind = "bearer"
command = ["vault", "s3cret"]
[source.a]
kind = "scrape"
urls = ["http://127.0.0.1:1/metrics?token=s3cret"]
credential = "c"
headers = { X-Key = "s3cret" }
every = "7s"
client-cert = "s3cret.pem"
client-key = "s3cret.key"
proxy = "http://s3cret.example.com:3128"
no-proxy = ["s3cret.example.org"]
[[signal]]
id = "up"
board = "api"
title = "up"
source = "a"
query = 'up{url="http://x/?q=1"}'
"#;
        let out = redacted(text).unwrap();
        assert!(!out.contains("s3cret"), "{out}");
        let base = std::path::Path::new("");
        let (before, _) = crate::settings::parse("a", text, base, None).unwrap();
        let (after, _) =
            crate::settings::parse("b", &out, base, None).unwrap_or_else(|e| panic!("{}", e.rendered));
        assert_eq!(before.signals, after.signals);
        assert_eq!(after.sources[0].every, std::time::Duration::from_secs(7));
        assert_eq!(after.sources[0].headers, [("X-Key".to_owned(), "redacted".to_owned())]);
        assert!(after.sources[0].credential.is_none());
    }
}
