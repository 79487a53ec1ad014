//! Signing in at an OAuth server: of a person by device code, of the program by its own secret.
//!
//! Start with [`SignIn`]. What an issuer says about itself is in `discovery`, the forms that are posted in
//! `grant`, what comes back in `reply`, who a person is in `claims`, the file that terminals share in
//! `cache`, how a token is kept good in `inner`, the device flow in `device`, what a sign-in tells about a person in `session`.
//!
//! An access token that happens to be a JWT is looked at to tell whether it is one, never for rights: they
//! are the API's to judge.

mod cache;
mod claims;
mod device;
mod discovery;
mod grant;
mod inner;
mod reply;
mod session;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use secrecy::SecretString;

use super::credential::{Asked, Credential, Proof, Secret};
use crate::model::credential::{Flow, SignInDef};
use crate::model::{Fault, FaultCode, Person, Time};

use cache::Cache;
use inner::{Inner, Memory};

pub use device::{Code, Unfinished};
pub use inner::{leave, settled, settling};

/// The longest that who is at the keyboard is waited for while a token is renewed.
const RENEWING: Duration = Duration::from_secs(20);

/// A credential whose tokens come from an OAuth server. Copies share everything.
#[derive(Clone)]
pub struct SignIn(Arc<Inner>);

/// What became of signing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    /// Whether anybody was signed in.
    pub was: bool,
    /// Whether the issuer took the tokens back; `None`: it has no place for that, or there were none.
    pub revoked: Option<Result<(), Fault>>,
}

impl SignIn {
    /// The credential of this name; `secret` is the client's, `dir` where sign-ins of people are kept.
    /// Nothing is read or asked before it is needed.
    pub fn new(name: &str, def: &SignInDef, secret: Option<Arc<dyn Secret>>, dir: &Path) -> Self {
        let cache = (def.flow == Flow::Device).then(|| Cache::new(dir, name, def));
        Self(Arc::new(Inner::new(name, def, secret, cache)))
    }

    /// The name of the credential.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Who is signed in, as far as it was kept; asks nobody.
    ///
    /// # Errors
    /// The file is refused or cannot be read; the sentence says what to do.
    pub async fn person(&self) -> Result<Option<Person>, Fault> {
        let kept = self.0.read().await?;
        Ok(kept.map(|kept| session::person(&kept, &self.0.name, &self.0.def, now())))
    }

    /// Who is signed in, for what they sign: a token that is due is renewed first, for a sign-in that no
    /// source uses would never end otherwise. Where that fails and the token is over, it has ended, with why.
    ///
    /// # Errors
    /// As [`SignIn::person`].
    pub async fn person_renewed(&self) -> Result<Option<Person>, Fault> {
        let kept = self.0.read().await?;
        let due = |kept: &cache::Kept| kept.refresh.is_some() && self.0.good(Some(kept), None).is_none();
        if !kept.as_ref().is_some_and(due) {
            return self.person().await;
        }
        let why = match tokio::time::timeout(RENEWING, self.renew(None)).await {
            Ok(Ok(_)) => return self.person().await,
            Ok(Err(fault)) => fault.text,
            Err(_) => "the issuer does not answer".to_owned(),
        };
        let over = |kept: &cache::Kept| kept.left(now()).is_some_and(|left| left.is_zero());
        let kept = self.0.read().await?;
        Ok(kept.map(|kept| {
            let mut person = session::person(&kept, &self.0.name, &self.0.def, now());
            if person.ended.is_none() && over(&kept) {
                person.ended = Some(format!("the sign-in has expired, and cannot be renewed ({why})"));
            }
            person
        }))
    }

    /// As [`SignIn::person_renewed`], where a thread may block.
    ///
    /// # Errors
    /// As there.
    pub fn person_now(&self) -> Result<Option<Person>, Fault> {
        let broken = || Fault::new(FaultCode::Credential, "the sign-in could not be read");
        let ask = || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|_| broken())?;
            let person = runtime.block_on(settling(self.person_renewed()));
            runtime.shutdown_background();
            person
        };
        // On a thread of its own: one that runs tasks may not wait for others.
        std::thread::scope(|scope| scope.spawn(ask).join()).unwrap_or_else(|_| Err(broken()))
    }

    /// As [`SignIn::person`], where a thread may block for a moment: asks nobody.
    ///
    /// # Errors
    /// As there.
    pub fn person_kept(&self) -> Result<Option<Person>, Fault> {
        let kept = self.0.cache.as_ref().map_or(Ok(None), Cache::read)?;
        Ok(kept.map(|kept| session::person(&kept, &self.0.name, &self.0.def, now())))
    }

    /// Gets a new token, in a task of its own: a poll that is given up must not lose a refresh token that
    /// the server has already made worthless.
    async fn renew(&self, refused: Option<SecretString>) -> Result<SecretString, Fault> {
        let inner = Arc::clone(&self.0);
        let got = tokio::spawn(async move { inner.renew(refused.as_ref()).await }).await;
        got.map_err(|_| Fault::new(FaultCode::Credential, "getting a token broke off"))?
    }

    /// Forgets the sign-in, and tells the issuer.
    ///
    /// # Errors
    /// The file cannot be removed: somebody is still signed in.
    pub async fn sign_out(&self) -> Result<SignedOut, Fault> {
        let inner = &self.0;
        let Some(cache) = inner.cache.clone() else {
            return Ok(SignedOut { was: inner.memory().kept.take().is_some(), revoked: None });
        };
        // One that is damaged, or that others can read, is removed too: that is what helps.
        let lock = inner.lock().await;
        let unsaved = inner.memory().kept.clone();
        let found = if unsaved.is_some() {
            Ok(unsaved)
        } else {
            let cache = cache.clone();
            blocking(move || cache.read_to_revoke()).await
        };
        let was = blocking(move || cache.forget()).await?;
        *inner.memory() = Memory::default();
        drop(lock);
        let kept = match found {
            Ok(kept) => kept,
            Err(fault) if was => {
                let text = format!("nothing could be taken back: {fault}");
                return Ok(SignedOut { was, revoked: Some(Err(Fault::new(fault.code, text))) });
            }
            Err(_) => None,
        };
        let tokens = kept.map(|kept| (kept.refresh, kept.access));
        let revoked = match tokens {
            Some((Some(refresh), _)) => Some(inner.issuer.revoke(&refresh, "refresh_token").await),
            Some((None, Some(access))) => Some(inner.issuer.revoke(&access, "access_token").await),
            _ => None,
        };
        let revoked = match revoked {
            None | Some(Ok(false)) => None,
            Some(Ok(true)) => Some(Ok(())),
            Some(Err(failed)) => Some(Err(failed.fault("signing out at the issuer"))),
        };
        Ok(SignedOut { was, revoked })
    }
}

impl Credential for SignIn {
    fn proof<'a>(&'a self, refused: Option<&'a Proof>) -> Asked<'a> {
        Box::pin(async move {
            let refused = match refused {
                Some(Proof::Bearer(token)) => Some(token.clone()),
                _ => None,
            };
            let kept = self.0.read().await?;
            if let Some(token) = self.0.good(kept.as_ref(), refused.as_ref()) {
                return Ok(Proof::Bearer(token));
            }
            if kept.is_none() && self.0.cache.is_some() {
                return Err(self.0.needed(None));
            }
            Ok(Proof::Bearer(self.renew(refused).await?))
        })
    }
}

/// Does what blocks for a moment on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(Fault::new(FaultCode::Credential, "the sign-in could not be read")))
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::launch::Route;

    pub(super) fn def() -> SignInDef {
        SignInDef {
            flow: Flow::Device,
            issuer: "https://id.example.com".into(),
            client_id: "gonogo".into(),
            client_secret: None,
            scopes: vec!["flags:read".into(), "audit:read".into()],
            resource: None,
            audience: None,
            roles: None,
            name: None,
            role_names: BTreeMap::new(),
            ca_file: None,
            route: Route::default(),
            allow_http: false,
        }
    }

    #[tokio::test]
    async fn who_is_not_signed_in_is_told_what_to_do_and_asks_nobody() {
        let home = tempfile::tempdir().unwrap();
        let sign_in = SignIn::new("me", &def(), None, &home.path().join("sign-in"));
        let fault = sign_in.proof(None).await.unwrap_err();
        assert_eq!(fault.code, FaultCode::SignInNeeded);
        assert_eq!(fault.text, "sign in: press S or run gonogo login me");
        assert_eq!(sign_in.person().await.unwrap(), None);
    }
}
