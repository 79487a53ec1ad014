//! Tokens from the environment and from files. One from a command is made in `runtime`, which may
//! start processes.

use std::path::PathBuf;
use std::pin::Pin;

use secrecy::{SecretString, zeroize::Zeroizing};
use tokio::io::AsyncReadExt;

use super::Credential;
use crate::model::{Fault, FaultCode};

/// More than this is no token.
const MAX_TOKEN: u64 = 64 * 1024;

/// A token in an environment variable.
pub struct Env {
    name: String,
}

impl Env {
    /// The token in the variable `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Credential for Env {
    fn token(&self, _renew: bool) -> Pin<Box<dyn Future<Output = Result<SecretString, Fault>> + Send + '_>> {
        let found = match std::env::var(&self.name) {
            Ok(text) => checked(&Zeroizing::new(text), &format!("the environment variable {}", self.name)),
            Err(_) => Err(missing(&format!("the environment variable {} is not set", self.name))),
        };
        Box::pin(std::future::ready(found))
    }
}

/// A token in a file. The file is read for each request: it is small, and so a rotated token is
/// never missed, whatever its timestamps say.
pub struct File {
    path: PathBuf,
}

impl File {
    /// The token in the file at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    async fn read(&self) -> Result<SecretString, Fault> {
        let name = format!("the token file {}", self.path.display());
        let unreadable = |e: std::io::Error| missing(&format!("{name} cannot be read: {e}"));
        let file = tokio::fs::File::open(&self.path).await.map_err(unreadable)?;
        let mut text = Zeroizing::new(String::new());
        file.take(MAX_TOKEN + 1).read_to_string(&mut text).await.map_err(unreadable)?;
        checked(&text, &name)
    }
}

impl Credential for File {
    fn token(&self, _renew: bool) -> Pin<Box<dyn Future<Output = Result<SecretString, Fault>> + Send + '_>> {
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
    use secrecy::ExposeSecret;

    #[test]
    fn a_token_is_one_line_of_plain_characters_and_never_in_the_error() {
        assert_eq!(checked(" abc.def\n", "it").unwrap().expose_secret(), "abc.def");
        for bad in ["", " \n", "two words", "two\nlines", "tök"] {
            let fault = checked(bad, "the token file t").unwrap_err();
            assert_eq!(fault.code, FaultCode::Credential);
            assert!(fault.text.starts_with("the token file t") && !fault.text.contains("two"), "{fault}");
        }
    }

    #[tokio::test]
    async fn a_token_file_that_changes_is_read_again() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let credential = File::new(file.path());
        for token in ["first", "other"] {
            std::fs::write(file.path(), token).unwrap();
            assert_eq!(credential.token(false).await.unwrap().expose_secret(), token);
        }
        drop(file);
        assert_eq!(credential.token(true).await.unwrap_err().code, FaultCode::Credential);
    }

    #[tokio::test]
    async fn a_variable_that_is_not_set_is_named() {
        let fault = Env::new("GONOGO_NO_SUCH_TOKEN").token(false).await.unwrap_err();
        assert_eq!(fault.text, "the environment variable GONOGO_NO_SUCH_TOKEN is not set");
    }
}
