//! Which kind of credential a config asks for, and the one that runs a command.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directories::ProjectDirs;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use tokio::sync::Mutex;

use crate::exec;
use crate::http::credential::{Basic, Bearer, Env, File, Form, Header, Secret};
use crate::http::{Asked, Credential, SignIn};
use crate::model::credential::{CredentialDef, CredentialKind, SecretFrom, SignInDef};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Time};

/// The longest a command may take to give a token.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);
/// A token that ends sooner than this is renewed before it is sent.
const AHEAD: Duration = Duration::from_secs(30);

/// The credential that a config describes. Nothing is read or run before it is asked for.
pub fn credential(def: &CredentialDef) -> Arc<dyn Credential> {
    match &def.kind {
        CredentialKind::Bearer(token) => Arc::new(Bearer::new(secret(token, Form::Token))),
        CredentialKind::Basic { user, password } => Arc::new(Basic::new(user, secret(password, Form::Words))),
        CredentialKind::Header { header, value } => Arc::new(Header::new(header, secret(value, Form::Words))),
        CredentialKind::SignIn(server) => Arc::new(of_server(&def.name, server)),
    }
}

/// The sign-in of a person that a credential is; `None` for the other kinds.
pub fn sign_in(def: &CredentialDef) -> Option<SignIn> {
    Some(of_server(&def.name, def.device()?))
}

fn of_server(name: &str, server: &SignInDef) -> SignIn {
    let client_secret = server.client_secret.as_ref().map(|from| secret(from, Form::Words));
    SignIn::new(name, server, client_secret, &sign_ins())
}

/// Where people's sign-ins are kept: `sign-in` in the user's state directory (Linux), or local data
/// directory (macOS has no other); without a home, `sign-in` in the working directory.
fn sign_ins() -> PathBuf {
    let dirs = ProjectDirs::from("", "", "gonogo");
    let state = dirs.map(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned());
    state.map_or_else(|| PathBuf::from("sign-in"), |dir| dir.join("sign-in"))
}

/// Where a secret text comes from.
fn secret(from: &SecretFrom, form: Form) -> Arc<dyn Secret> {
    match from {
        SecretFrom::Env(name) => Arc::new(Env::new(name, form)),
        SecretFrom::File(path) => Arc::new(File::new(path, form)),
        SecretFrom::Command(argv) => Arc::new(Command { argv: argv.clone(), form, held: Mutex::new(None) }),
    }
}

/// A token that a command prints, raw or as kubectl's `ExecCredential`; kept until it expires or is
/// refused.
struct Command {
    argv: Vec<String>,
    form: Form,
    /// Locked while the command runs: requests that need a token at once share one run.
    held: Mutex<Option<Held>>,
}

struct Held {
    token: SecretString,
    expires: Option<Time>,
}

impl Secret for Command {
    fn secret<'a>(&'a self, refused: Option<&'a SecretString>) -> Asked<'a, SecretString> {
        Box::pin(async move {
            let mut held = self.held.lock().await;
            if let Some(Held { token, expires }) = &*held
                && refused.is_none_or(|refused| refused.expose_secret() != token.expose_secret())
                && expires.is_none_or(|at| now().after(AHEAD) < at)
            {
                return Ok(token.clone());
            }
            let new = self.run().await?;
            Ok(held.insert(new).token.clone())
        })
    }
}

impl Command {
    async fn run(&self) -> Result<Held, Fault> {
        let fault = |text: &str| Fault::new(FaultCode::Credential, format!("the token command: {text}"));
        let output = exec::run(&self.argv, COMMAND_TIMEOUT).await.map_err(|e| fault(&e.to_string()))?;
        let stdout = Zeroizing::new(output.stdout);
        if !output.status.success() {
            // Its last line on stderr says why; what it wrote to stdout could be a token.
            let last = output.stderr.lines().rfind(|l| !l.trim().is_empty()).unwrap_or("");
            return Err(fault(&format!("{}: {}", output.status, harmless_line(last, 160))));
        }
        if output.truncated {
            return Err(fault("it printed more than 64 KiB"));
        }
        let text = std::str::from_utf8(&stdout).map_err(|_| fault("what it printed is no text"))?;
        read(text, self.form).map_err(|why| fault(&why))
    }
}

#[derive(Deserialize)]
struct ExecCredential {
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default, deserialize_with = "hidden")]
    token: Option<SecretString>,
    expiration_timestamp: Option<String>,
}

fn hidden<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(SecretString::from))
}

/// Reads what a token command printed. Errors never hold any of it.
fn read(text: &str, form: Form) -> Result<Held, String> {
    let whole = |token: &str| form.checked(token, "what it printed").map_err(|fault| fault.text);
    if !text.trim_start().starts_with('{') {
        return Ok(Held { token: whole(text)?, expires: None });
    }
    let status = serde_json::from_str::<ExecCredential>(text)
        .map_err(|e| {
            format!("it printed JSON that is no ExecCredential (line {}, column {})", e.line(), e.column())
        })?
        .status
        .ok_or("its ExecCredential has no status")?;
    let token = status.token.ok_or("its ExecCredential has no status.token")?;
    let expires = status
        .expiration_timestamp
        .map(|at| Time::parse(&at).map_err(|_| "its expirationTimestamp is no RFC 3339 time".to_owned()))
        .transpose()?;
    Ok(Held { token: whole(token.expose_secret())?, expires })
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(script: &str) -> Arc<dyn Secret> {
        secret(&SecretFrom::Command(["sh", "-c", script].map(String::from).to_vec()), Form::Token)
    }

    async fn token(secret: &Arc<dyn Secret>, refused: Option<&str>) -> String {
        let refused = refused.map(SecretString::from);
        secret.secret(refused.as_ref()).await.unwrap().expose_secret().to_owned()
    }

    #[tokio::test]
    async fn a_command_runs_once_until_its_token_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let runs = dir.path().join("runs").display().to_string();
        let c = command(&format!("echo x >> {runs}; echo token-$(grep -c x {runs})"));
        assert_eq!([token(&c, None).await, token(&c, None).await], ["token-1", "token-1"]);
        assert_eq!(token(&c, Some("token-1")).await, "token-2");
        // What another request was refused with has been renewed meanwhile.
        assert_eq!([token(&c, Some("token-1")).await, token(&c, None).await], ["token-2", "token-2"]);
    }

    #[tokio::test]
    async fn a_kubectl_credential_is_kept_until_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let runs = dir.path().join("runs").display().to_string();
        let printing = |at: &str| {
            command(&format!(
                r#"echo x >> {runs}; echo '{{"kind":"ExecCredential","status":{{"token":"t-'$(grep -c x {runs})'","expirationTimestamp":"{at}"}}}}'"#
            ))
        };
        let past = printing("2020-01-01T00:00:00Z");
        assert_eq!([token(&past, None).await, token(&past, None).await], ["t-1", "t-2"]);
        let future = printing("2199-01-01T00:00:00Z");
        assert_eq!([token(&future, None).await, token(&future, None).await], ["t-3", "t-3"]);
    }

    #[tokio::test]
    async fn a_command_that_fails_says_why_and_never_what_it_printed() {
        for (script, why) in [
            ("echo s3cret; echo 'log in first' >&2; exit 1", "log in first"),
            ("echo '{\"status\":{\"token\":5,\"s3cret\":'", "no ExecCredential"),
            ("echo '{\"status\":{}}'", "status.token"),
            ("echo s3cret and more", "no token"),
            ("true", "empty"),
        ] {
            let fault = command(script).secret(None).await.unwrap_err();
            assert_eq!(fault.code, FaultCode::Credential);
            assert!(fault.text.contains(why) && !fault.text.contains("s3cret"), "{script}: {fault}");
        }
    }
}
