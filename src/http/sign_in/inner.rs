//! Having a token: kept, good, due, renewed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep, timeout};

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
/// How long an issuer that did not give a token is left alone, unless it asks for longer.
const REST: Duration = Duration::from_secs(10);
/// The same where it did not answer in time: it may still be at work on the request.
const LONG_REST: Duration = Duration::from_secs(30);
/// The longest that an issuer may ask for.
const LONGEST_REST: Duration = Duration::from_mins(5);
/// A token is used at least so long, unless it is refused: one that ends at once must not make each request
/// a refresh.
const LEAST_USE: Duration = Duration::from_secs(3);
/// The longest that `userinfo` is waited for after a refresh, while others wait for its token.
const ASIDE: Duration = Duration::from_secs(5);
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
    memory: Arc<Mutex<Memory>>,
}

/// What this process knows beside the file.
#[derive(Default)]
pub(super) struct Memory {
    /// The newest sign-in where there is no file, or where it could not be written to it.
    pub(super) kept: Option<Kept>,
    /// When a token ends by the monotonic clock, which nobody sets.
    clock: Option<(SecretString, Instant)>,
    /// After a token could not be had, for no fault of the sign-in's: until when, and what went wrong.
    rest: Option<(Instant, Fault)>,
}

/// The memory of a sign-in that is kept in a file, for all in this process that use it (the polls, the room).
fn memory_of(cache: Option<&Cache>) -> Arc<Mutex<Memory>> {
    static ALL: Mutex<BTreeMap<PathBuf, Arc<Mutex<Memory>>>> = Mutex::new(BTreeMap::new());
    let Some(cache) = cache else { return Arc::default() };
    let mut all = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(all.entry(cache.path().to_owned()).or_default())
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
            memory: memory_of(cache.as_ref()),
            cache,
            getting: tokio::sync::Mutex::default(),
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
        let at = now();
        if !is_refused && at.since(kept.got) < LEAST_USE && kept.got.since(at) < LEAST_USE {
            return Some(access.clone());
        }
        let life = kept.life.unwrap_or_default();
        let renewable = kept.refresh.is_some() || self.cache.is_none();
        let ahead = if renewable && self.resting().is_none() { ahead(life) } else { Duration::ZERO };
        (left > ahead).then(|| access.clone())
    }

    /// Why the issuer is left alone for now, with how long still where it asked for that.
    pub(super) fn resting(&self) -> Option<Fault> {
        let memory = self.memory();
        let (until, fault) = memory.rest.as_ref()?;
        let left = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
        Some(Fault { retry_after: fault.retry_after.map(|_| left), ..fault.clone() })
    }

    /// Leaves the issuer alone for a while. A token that still lives is better than none.
    fn rest(
        &self,
        kept: Option<&Kept>,
        refused: Option<&SecretString>,
        fault: Fault,
    ) -> Result<SecretString, Fault> {
        let least = if fault.code == FaultCode::TimedOut { LONG_REST } else { REST };
        let span = fault.retry_after.unwrap_or_default().clamp(least, LONGEST_REST);
        self.memory().rest = Some((Instant::now() + span, fault.clone()));
        self.good(kept, refused).ok_or(fault)
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
        // Somebody else may have done it, or tried in vain, while this one waited.
        if let Some(known) = self.known(refused).await? {
            return known;
        }
        let _lock = self.lock().await?;
        if let Some(known) = self.known(refused).await? {
            return known;
        }
        let kept = self.read().await?;
        if self.cache.is_none() {
            return match self.issuer.client_credentials().await {
                Ok(answered) => self.take(session::of_program(answered, now())).await,
                Err(failed) => self.rest(kept.as_ref(), refused, failed.fault("the sign-in")),
            };
        }
        let Some(kept) = kept else { return Err(self.needed(None)) };
        let Some(refresh) = kept.refresh.clone() else {
            let why = kept.ended.clone().unwrap_or_else(|| match refused {
                Some(_) => "the token is not accepted".into(),
                None => "the sign-in has expired".into(),
            });
            return Err(self.needed(Some(&why)));
        };
        // Nothing is lost before the refresh token is sent.
        if let Err(fault) = self.issuer.discovery().await {
            return self.rest(Some(&kept), refused, Failed::from(fault).fault("renewing the sign-in"));
        }
        let under_way = UnderWay::begin()?;
        match self.issuer.refresh(&refresh).await {
            Ok(answered) => {
                let has_id_token = answered.granted.id_token.is_some();
                let (kept, asks) = session::renewed(kept, answered, &self.def, now());
                let Some(token) = kept.access.clone() else {
                    let why = kept.ended.clone().unwrap_or_default();
                    self.keep(kept).await?;
                    return Err(self.needed(Some(&why)));
                };
                self.take(kept.clone()).await?;
                drop(under_way);
                if asks {
                    let told = match timeout(ASIDE, self.issuer.userinfo(&token)).await {
                        Ok(told) => told,
                        Err(_) => Err(Fault::new(FaultCode::TimedOut, "it does not answer")),
                    };
                    let _ = self.keep(session::with_userinfo(kept, told, &self.def, has_id_token)).await;
                }
                Ok(token)
            }
            Err(Failed::Refused(refusal)) if refusal.code == "invalid_grant" => {
                let why = format!("the sign-in has ended ({})", refusal.words());
                let ended = Kept { access: None, refresh: None, ended: Some(why.clone()), ..kept };
                self.keep(ended).await?;
                Err(self.needed(Some(&why)))
            }
            Err(failed) => self.rest(Some(&kept), refused, failed.fault("renewing the sign-in")),
        }
    }

    /// What needs no request: a good token, or why the issuer is left alone.
    async fn known(
        &self,
        refused: Option<&SecretString>,
    ) -> Result<Option<Result<SecretString, Fault>>, Fault> {
        let kept = self.read().await?;
        Ok(match self.good(kept.as_ref(), refused) {
            Some(token) => Some(Ok(token)),
            // A sign-in that has ended is told as that.
            None if kept.as_ref().is_some_and(|kept| kept.ended.is_some()) => None,
            None => self.resting().map(Err),
        })
    }

    /// Keeps what was got and gives its token.
    async fn take(&self, kept: Kept) -> Result<SecretString, Fault> {
        let token = kept.access.clone().ok_or_else(|| self.needed(None))?;
        {
            let mut memory = self.memory();
            memory.clock = kept.life.map(|life| (token.clone(), Instant::now() + life));
            memory.rest = None;
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
    /// Refused where the program is about to end.
    fn begin() -> Result<Self, Fault> {
        UNDER_WAY.fetch_add(1, Ordering::SeqCst);
        let this = Self;
        if LEAVING.load(Ordering::SeqCst) {
            return Err(Fault::new(FaultCode::Credential, "the program ends"));
        }
        Ok(this)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Set where the program is about to end: no refresh begins any more.
static LEAVING: AtomicBool = AtomicBool::new(false);
/// The longest that a refresh under way is waited for: its request, and writing down what came of it.
const SETTLE: Duration = super::grant::TIMEOUT.saturating_add(Duration::from_secs(1));

/// Waits until no refresh is under way in this process, as long as one may take: a program that left in the
/// middle of one would lose the refresh token that the server has just made the only good one.
pub async fn settled() {
    let until = Instant::now() + SETTLE;
    while UNDER_WAY.load(Ordering::SeqCst) > 0 && Instant::now() < until {
        sleep(Duration::from_millis(10)).await;
    }
}

/// Does something, and waits as [`settled`] does before the runtime is given up that a refresh runs on.
pub async fn settling<T>(work: impl Future<Output = T>) -> T {
    let done = work.await;
    settled().await;
    done
}

/// As [`settled`], for a program that is about to end: from now on no refresh begins in it. Blocks, while
/// threads of their own bring to an end what is under way.
pub fn leave() {
    LEAVING.store(true, Ordering::SeqCst);
    let until = std::time::Instant::now() + SETTLE;
    while UNDER_WAY.load(Ordering::SeqCst) > 0 && std::time::Instant::now() < until {
        std::thread::sleep(Duration::from_millis(10));
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
