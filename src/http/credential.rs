//! What says who asks, and the secrets of the environment and of files. One from a command is made
//! in `runtime`, which may start processes; one of an OAuth server in `sign_in`.

use std::fmt;
use std::future::ready;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use tokio::io::AsyncReadExt;

use crate::model::{Fault, FaultCode};

/// More than this is no token.
const MAX_TOKEN: u64 = 64 * 1024;

/// What is sent to say who asks; the client writes the header.
#[derive(Clone)]
pub enum Proof {
    /// `Authorization: Bearer TOKEN` (RFC 6750).
    Bearer(SecretString),
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// The user's name; it holds no colon.
        user: String,
        /// The password.
        password: SecretString,
    },
    /// A header of its own: `X-API-Key`.
    Header {
        /// Its name.
        name: String,
        /// What it holds.
        value: SecretString,
    },
}

impl Proof {
    /// Whether both would be sent as the same bytes.
    pub fn is(&self, other: &Self) -> bool {
        let same = |a: &SecretString, b: &SecretString| a.expose_secret() == b.expose_secret();
        match (self, other) {
            (Self::Bearer(a), Self::Bearer(b)) => same(a, b),
            (Self::Basic { user, password }, Self::Basic { user: other, password: and }) => {
                user == other && same(password, and)
            }
            (Self::Header { name, value }, Self::Header { name: other, value: and }) => {
                name.eq_ignore_ascii_case(other) && same(value, and)
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bearer(_) => "Bearer",
            Self::Basic { .. } => "Basic",
            Self::Header { .. } => "Header",
        })
    }
}

/// What is being asked for: a [`Proof`], or why there is none.
pub type Asked<'a, T = Proof> = Pin<Box<dyn Future<Output = Result<T, Fault>> + Send + 'a>>;

/// Says who asks.
pub trait Credential: Send + Sync {
    /// The proof to send. `refused` is the one that was sent before and answered with 401: it is
    /// read, run or asked for again, unless another request has done so meanwhile.
    fn proof<'a>(&'a self, refused: Option<&'a Proof>) -> Asked<'a>;
}

/// Where one secret text comes from.
pub trait Secret: Send + Sync {
    /// The secret; `refused` is what it was when it was not accepted.
    fn secret<'a>(&'a self, refused: Option<&'a SecretString>) -> Asked<'a, SecretString>;
}

/// A bearer token.
pub struct Bearer(Arc<dyn Secret>);

impl Bearer {
    /// The token that comes from there.
    pub fn new(token: Arc<dyn Secret>) -> Self {
        Self(token)
    }
}

impl Credential for Bearer {
    fn proof<'a>(&'a self, refused: Option<&'a Proof>) -> Asked<'a> {
        Box::pin(async move {
            let refused = match refused {
                Some(Proof::Bearer(token)) => Some(token),
                _ => None,
            };
            Ok(Proof::Bearer(self.0.secret(refused).await?))
        })
    }
}

/// A user and a password.
pub struct Basic {
    user: String,
    password: Arc<dyn Secret>,
}

impl Basic {
    /// This user, with the password that comes from there.
    pub fn new(user: impl Into<String>, password: Arc<dyn Secret>) -> Self {
        Self { user: user.into(), password }
    }
}

impl Credential for Basic {
    fn proof<'a>(&'a self, refused: Option<&'a Proof>) -> Asked<'a> {
        Box::pin(async move {
            let refused = match refused {
                Some(Proof::Basic { password, .. }) => Some(password),
                _ => None,
            };
            Ok(Proof::Basic { user: self.user.clone(), password: self.password.secret(refused).await? })
        })
    }
}

/// A header of its own.
pub struct Header {
    name: String,
    value: Arc<dyn Secret>,
}

impl Header {
    /// The header of this name, with the value that comes from there.
    pub fn new(name: impl Into<String>, value: Arc<dyn Secret>) -> Self {
        Self { name: name.into(), value }
    }
}

impl Credential for Header {
    fn proof<'a>(&'a self, refused: Option<&'a Proof>) -> Asked<'a> {
        Box::pin(async move {
            let refused = match refused {
                Some(Proof::Header { value, .. }) => Some(value),
                _ => None,
            };
            Ok(Proof::Header { name: self.name.clone(), value: self.value.secret(refused).await? })
        })
    }
}

/// What a secret may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One word of plain characters; blanks around it are not part of it.
    Token,
    /// A password, a client's secret, a header's value: one line, of which only its end is taken off.
    Words,
}

impl Form {
    /// The secret in a text, or why there is none; `what` begins the sentence.
    ///
    /// # Errors
    /// A [`FaultCode::Credential`] that never holds the secret.
    pub fn checked(self, text: &str, what: &str) -> Result<SecretString, Fault> {
        if self == Self::Token {
            return checked(text, what);
        }
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(missing(&format!("{what} is empty")));
        }
        if line.len() as u64 > MAX_TOKEN || line.chars().any(char::is_control) {
            return Err(missing(&format!("{what} holds no secret: a secret is one line")));
        }
        Ok(SecretString::from(line))
    }
}

/// A secret in an environment variable.
pub struct Env {
    name: String,
    form: Form,
}

impl Env {
    /// The secret of this form in the variable `name`.
    pub fn new(name: impl Into<String>, form: Form) -> Self {
        Self { name: name.into(), form }
    }
}

impl Secret for Env {
    fn secret<'a>(&'a self, _refused: Option<&'a SecretString>) -> Asked<'a, SecretString> {
        let found = match std::env::var(&self.name) {
            Ok(text) => {
                let text = Zeroizing::new(text);
                self.form.checked(&text, &format!("the environment variable {}", self.name))
            }
            Err(_) => Err(missing(&format!("the environment variable {} is not set", self.name))),
        };
        Box::pin(ready(found))
    }
}

/// A secret in a file. The file is read for each request: it is small, and so a rotated token is
/// never missed, whatever its timestamps say.
pub struct File {
    path: PathBuf,
    form: Form,
}

impl File {
    /// The secret of this form in the file at `path`.
    pub fn new(path: impl Into<PathBuf>, form: Form) -> Self {
        Self { path: path.into(), form }
    }

    async fn read(&self) -> Result<SecretString, Fault> {
        let kind = if self.form == Form::Token { "token" } else { "secret" };
        let name = format!("the {kind} file {}", self.path.display());
        let unreadable = |e: std::io::Error| missing(&format!("{name} cannot be read: {e}"));
        let file = tokio::fs::File::open(&self.path).await.map_err(unreadable)?;
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_TOKEN + 2).read_to_string(&mut text).await.map_err(unreadable)?;
        self.form.checked(&text, &name)
    }
}

impl Secret for File {
    fn secret<'a>(&'a self, _refused: Option<&'a SecretString>) -> Asked<'a, SecretString> {
        Box::pin(self.read())
    }
}

/// Takes what surrounds a token off it, and refuses what cannot be one; `what` begins the sentence.
///
/// # Errors
/// A [`FaultCode::Credential`] that never holds the token.
pub fn checked(text: &str, what: &str) -> Result<SecretString, Fault> {
    let token = text.trim();
    if token.is_empty() {
        return Err(missing(&format!("{what} is empty")));
    }
    if token.len() as u64 > MAX_TOKEN || token.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(missing(&format!("{what} holds no token: a token is one line of plain characters")));
    }
    Ok(SecretString::from(token))
}

fn missing(text: &str) -> Fault {
    Fault::new(FaultCode::Credential, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_one_line_of_plain_characters_and_never_in_the_error() {
        assert_eq!(checked(" abc.def\n", "it").unwrap().expose_secret(), "abc.def");
        for bad in ["", " \n", "two words", "two\nlines", "tök"] {
            let fault = checked(bad, "the token file t").unwrap_err();
            assert_eq!(fault.code, FaultCode::Credential);
            assert!(fault.text.starts_with("the token file t") && !fault.text.contains("two"), "{fault}");
        }
    }

    #[test]
    fn a_password_may_hold_blanks_and_any_letters_but_is_one_line() {
        let secret = |text| Form::Words.checked(text, "it").map(|s| s.expose_secret().to_owned());
        assert_eq!(secret(" pass wörd \r\n").unwrap(), " pass wörd ");
        for bad in ["", "\n", "two\nlines", "\u{1b}[2J"] {
            assert!(!secret(bad).unwrap_err().text.contains("two"), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_token_file_that_changes_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let credential = File::new(file.path(), Form::Token);
        for token in ["first", "other"] {
            std::fs::write(file.path(), token).unwrap();
            assert_eq!(credential.secret(None).await.unwrap().expose_secret(), token);
        }
        drop(file);
        assert_eq!(credential.secret(None).await.unwrap_err().code, FaultCode::Credential);
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let fault = Env::new("GONOGO_NO_SUCH_TOKEN", Form::Token).secret(None).await.unwrap_err();
        assert_eq!(fault.text, "the environment variable GONOGO_NO_SUCH_TOKEN is not set");
    }
}
