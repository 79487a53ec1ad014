//! Sign-ins of the room, each in a task of its own: neither a key nor a frame waits for an issuer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;

use crate::app::{Msg, SignInTold};
use crate::model::Person;
use crate::model::credential::CredentialDef;

use super::credential;

/// How often it is looked whether another terminal has signed in or out, or a refresh has ended it.
const EVERY: Duration = Duration::from_secs(3);

/// The sign-in that is under way.
#[derive(Default)]
pub(super) struct Signing(Mutex<Option<AbortHandle>>);

impl Signing {
    /// Signs in with this credential, in the place of any other sign-in that is under way.
    pub(super) fn begin(&self, def: &CredentialDef, ticket: u64, room: Sender<Msg>) {
        self.cancel();
        let Some(sign_in) = credential::sign_in(def) else { return };
        let task = tokio::spawn(async move {
            let told = |told| Msg::SignIn(told);
            let code = match sign_in.begin().await {
                Ok(code) => code,
                Err(fault) => {
                    let _ = room.send(told(SignInTold::Done { ticket, outcome: Err(fault.text) })).await;
                    return;
                }
            };
            let (user_code, uri) = (code.user_code.clone(), code.uri.clone());
            let (complete, life) = (code.complete.clone(), code.life);
            let _ = room.send(told(SignInTold::Code { ticket, user_code, uri, complete, life })).await;
            let outcome = sign_in.finish(&code).await.map(Box::new).map_err(|why| why.text().to_owned());
            let _ = room.send(told(SignInTold::Done { ticket, outcome })).await;
        });
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.abort_handle());
    }

    /// Stops it.
    pub(super) fn cancel(&self) {
        if let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

/// Forgets a sign-in, and tells the issuer.
pub(super) fn sign_out(def: &CredentialDef, room: Sender<Msg>) {
    let Some(sign_in) = credential::sign_in(def) else { return };
    let credential = def.name.clone();
    tokio::spawn(async move {
        let (text, done) = match sign_in.sign_out().await {
            Err(fault) => (fault.text, false),
            Ok(out) => match (out.was, out.revoked) {
                (false, _) => (format!("nobody was signed in as {credential}"), true),
                (true, Some(Err(fault))) => {
                    (format!("signed out of {credential} here, but the issuer was not told ({fault})"), true)
                }
                (true, _) => (format!("signed out of {credential}"), true),
            },
        };
        let _ = room.send(Msg::SignIn(SignInTold::Out { credential, text, done })).await;
    });
}

/// Tells the room who is signed in whenever that changes, until the room is gone.
pub(super) fn watch(def: &CredentialDef, room: Sender<Msg>) {
    let Some(sign_in) = credential::sign_in(def) else { return };
    // On a thread of its own, where a refresh comes to its end while the room closes.
    let watching = super::feed::thread("sign-in", move || async move {
        let mut last: Option<Result<Option<Person>, String>> = None;
        loop {
            let kept = sign_in.person_renewed().await.map_err(|fault| fault.text);
            if last.as_ref() != Some(&kept) {
                let told = SignInTold::Kept(kept.clone().map(|person| person.map(Box::new)));
                last = Some(kept);
                if room.send(Msg::SignIn(told)).await.is_err() {
                    return;
                }
            }
            tokio::time::sleep(EVERY).await;
            if room.is_closed() {
                return;
            }
        }
    });
    // Without a thread nobody is watched; what is signed asks again.
    drop(watching);
}
