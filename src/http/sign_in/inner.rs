//! Having a token: kept, good, due, renewed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

use super::super::credential::Secret;
use super::cache::{Cache, Kept, Lock};
use super::grant::Issuer;
use super::reply::Failed;
use super::{blocking, now, session};
use crate::model::credential::SignInDef;
use crate::model::{Fault, FaultCode};

/// The longest that is waited for another terminal's refresh; one takes a few seconds at most.
const LOCK_PATIENCE: Duration = Duration::from_secs(45);
/// A token that was got so short a time ago, and is refused, is not the reason of the refusal: an API that
/// takes none must not make the issuer give one for each poll.
const FRESH: Duration = Duration::from_secs(60);
/// How long a token that is due, and could not be renewed, is used before that is tried again.
const REST: Duration = Duration::from_secs(10);
/// A token is renewed this long before it ends, or at a tenth of its life, whichever is more; but never
/// before half of it.
const AHEAD: Duration = Duration::from_secs(30);

/// One sign-in.
pub(super) struct Inner {
    pub(super) name: String,
    pub(super) def: SignInDef,
    pub(super) issuer: Issuer,
    /// Where a person's sign-in is kept; the program's own is only in memory.
    pub(super) cache: Option<Cache>,
    /// Locked while a token is got: requests that need one at once share it.
    getting: tokio::sync::Mutex<()>,
    memory: Mutex<Memory>,
}

/// What this process knows beside the file.
#[derive(Default)]
pub(super) struct Memory {
    /// The newest sign-in where there is no file, or where it could not be written to it.
    pub(super) kept: Option<Kept>,
    /// When a token ends by the monotonic clock, which nobody sets.
    clock: Option<(SecretString, Instant)>,
    /// After a refresh that failed, for no fault of the sign-in's.
    rest_until: Option<Instant>,
}

impl Inner {
    pub(super) fn new(
        name: &str,
        def: &SignInDef,
        secret: Option<Arc<dyn Secret>>,
        cache: Option<Cache>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            def: def.clone(),
            issuer: Issuer::new(def, secret),
            cache,
            getting: tokio::sync::Mutex::default(),
            memory: Mutex::default(),
        }
    }

    pub(super) fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept now. The file is read each time: it is small, and other terminals change it.
    pub(super) async fn read(&self) -> Result<Option<Kept>, Fault> {
        let unsaved = self.memory().kept.clone();
        match (&self.cache, unsaved) {
            (Some(cache), None) => {
                let cache = cache.clone();
                blocking(move || cache.read()).await
            }
            (_, kept) => Ok(kept),
        }
    }

    /// Keeps it; what a full disk does not take stays in memory.
    pub(super) async fn keep(&self, kept: Kept) -> Result<(), Fault> {
        let Some(cache) = self.cache.clone() else {
            self.memory().kept = Some(kept);
            return Ok(());
        };
        let copy = kept.clone();
        let written = blocking(move || cache.write(&copy)).await;
        self.memory().kept = written.is_err().then_some(kept);
        written
    }

    /// The lock of this user's terminals. It is asked for again and again, so that neither a thread nor a
    /// key waits behind another process.
    pub(super) async fn lock(&self) -> Result<Option<Lock>, Fault> {
        let Some(cache) = &self.cache else { return Ok(None) };
        let until = Instant::now() + LOCK_PATIENCE;
        let mut pause = Duration::from_millis(5);
        loop {
            let cache = cache.clone();
            if let Some(lock) = blocking(move || cache.try_lock()).await? {
                return Ok(Some(lock));
            }
            if Instant::now() > until {
                let text = "another gonogo has been renewing the sign-in for too long: end it, or wait";
                return Err(Fault::new(FaultCode::Credential, text));
            }
            sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(Duration::from_millis(100));
        }
    }

    /// The token, where it may be sent: not refused (unless it is quite new), and not due.
    pub(super) fn good(&self, kept: Option<&Kept>, refused: Option<&SecretString>) -> Option<SecretString> {
        let kept = kept?;
        let access = kept.access.as_ref()?;
        let is_refused = refused.is_some_and(|refused| refused.expose_secret() == access.expose_secret());
        if is_refused && now().since(kept.got) >= FRESH {
            return None;
        }
        let Some(left) = self.left(kept, access) else { return Some(access.clone()) };
        let life = kept.life.unwrap_or_default();
        let renewable = kept.refresh.is_some() || self.cache.is_none();
        let resting = self.memory().rest_until.is_some_and(|until| Instant::now() < until);
        let ahead = if renewable && !resting { ahead(life) } else { Duration::ZERO };
        (left > ahead).then(|| access.clone())
    }

    /// How long the token lives; `None`: it does not say. By the monotonic clock once it has been seen,
    /// which nobody sets, but which stands still while a laptop sleeps: where the wall clock says less,
    /// that counts. A clock that was set costs a refresh, and nothing else.
    fn left(&self, kept: &Kept, access: &SecretString) -> Option<Duration> {
        let left = kept.left(now())?;
        let mut memory = self.memory();
        if let Some((seen, ends)) = &memory.clock
            && seen.expose_secret() == access.expose_secret()
        {
            return Some(ends.saturating_duration_since(Instant::now()).min(left));
        }
        memory.clock = Some((access.clone(), Instant::now() + left));
        Some(left)
    }

    /// Gets a new token, alone among the requests of this process and the processes of this user.
    pub(super) async fn renew(&self, refused: Option<&SecretString>) -> Result<SecretString, Fault> {
        let _getting = self.getting.lock().await;
        let _lock = self.lock().await?;
        let kept = self.read().await?;
        // Somebody else may have done it while this one waited.
        if let Some(token) = self.good(kept.as_ref(), refused) {
            return Ok(token);
        }
        if self.cache.is_none() {
            let answered =
                self.issuer.client_credentials().await.map_err(|failed| failed.fault("the sign-in"))?;
            let kept = session::of_program(answered, now());
            return self.take(kept).await;
        }
        let Some(kept) = kept else { return Err(self.needed(None)) };
        let Some(refresh) = kept.refresh.clone() else {
            let why = kept.ended.clone().unwrap_or_else(|| match refused {
                Some(_) => "the token is not accepted".into(),
                None => "the sign-in has expired".into(),
            });
            return Err(self.needed(Some(&why)));
        };
        let _under_way = UnderWay::new();
        match self.issuer.refresh(&refresh).await {
            Ok(answered) => {
                let kept = session::renewed(kept, answered, &self.def, now()).map_err(|why| {
                    Fault::new(FaultCode::Credential, format!("the renewed sign-in: {why}"))
                })?;
                self.take(kept).await
            }
            Err(Failed::Refused(refusal)) if refusal.code == "invalid_grant" => {
                let why = format!("the sign-in has ended ({})", refusal.words());
                let ended = Kept { access: None, refresh: None, ended: Some(why.clone()), ..kept };
                self.keep(ended).await?;
                Err(self.needed(Some(&why)))
            }
            Err(failed) => {
                self.memory().rest_until = Some(Instant::now() + REST);
                // A token that still lives is better than none.
                self.good(Some(&kept), refused).ok_or_else(|| failed.fault("renewing the sign-in"))
            }
        }
    }

    /// Keeps what was got and gives its token.
    async fn take(&self, kept: Kept) -> Result<SecretString, Fault> {
        let token = kept.access.clone().ok_or_else(|| self.needed(None))?;
        {
            let mut memory = self.memory();
            memory.clock = kept.life.map(|life| (token.clone(), Instant::now() + life));
            memory.rest_until = None;
        }
        // Where it cannot be written it is used all the same, and stays in memory.
        let _ = self.keep(kept).await;
        Ok(token)
    }

    /// Nobody is signed in: why, and what to do.
    pub(super) fn needed(&self, why: Option<&str>) -> Fault {
        let do_it = format!("press S or run gonogo login {}", self.name);
        let text = why.map_or_else(|| format!("sign in: {do_it}"), |why| format!("{why}: {do_it}"));
        Fault::new(FaultCode::SignInNeeded, text)
    }
}

/// Refreshes whose outcome is not written down yet.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);

/// One of them.
struct UnderWay;

impl UnderWay {
    fn new() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Waits, at most so long, until no refresh is under way in this process: a program that left in the
/// middle of one would lose the refresh token that the server has just made the only good one.
pub async fn settled(patience: Duration) {
    let until = Instant::now() + patience;
    while UNDER_WAY.load(Ordering::SeqCst) > 0 && Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
    }
}

/// How long before its end a token of this life is renewed.
fn ahead(life: Duration) -> Duration {
    AHEAD.max(life / 10).min(life / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_thirty_seconds_or_a_tenth_before_its_end_but_not_before_half_of_it() {
        let ahead = |life| ahead(Duration::from_secs(life)).as_secs();
        assert_eq!([ahead(300), ahead(3600), ahead(60), ahead(20), ahead(0)], [30, 360, 30, 10, 0]);
    }
}
