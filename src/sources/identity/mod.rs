//! The identity contract `launch-identity/1`: flags, who the token stands for, the service itself, and
//! what it tells of organisations, entitlements, roles, impersonation and changes.
//!
//! Start with [`Identity::poll`]. `about` asks what the service is, `flags` for the flags, `parts` for
//! everything else, each part on its own account; `wire` and `docs` say what the JSON means.

mod about;
mod audit;
mod beside;
mod docs;
mod entitlements;
mod flags;
mod parts;
mod service;
mod wire;

use std::time::Duration;

use futures_util::future::{join, join3};

use super::{Outcome, clock_offset, json};
use crate::http::Client;
use crate::model::identity::{Capability, IdentityAnswer};
use crate::model::poll::Notes;
use crate::model::{Answer, Fault, FaultCode, Time};
use about::About;
use beside::Beside;
use flags::Flags;
use parts::Parts;
use service::Service;

pub use flags::decode;

/// One identity service.
pub struct Identity {
    service: Service,
    about: About,
    flags: Flags,
    beside: Beside,
    parts: Parts,
    /// Whether the launch asks for flags by their key.
    wants_flags: bool,
    /// What was told in polls that failed for want of flags: some of it is told but once.
    unheard: IdentityAnswer,
}

impl Identity {
    /// A service at `url` (without `/launch/v1`), asked for these flags of one environment, or for
    /// all flags where no key is given. With `grants`, what it grants is asked for at every poll.
    pub fn new(url: &str, environment: &str, keys: Vec<String>, grants: bool, client: Client) -> Self {
        let base = url.trim().trim_end_matches('/').trim_end_matches("/launch/v1").to_owned();
        Self {
            service: Service { client, base },
            about: About::new(environment, grants),
            wants_flags: !keys.is_empty(),
            beside: Beside::new(&[], &keys),
            flags: Flags::new(environment, keys),
            parts: Parts::new(grants),
            unheard: IdentityAnswer::default(),
        }
    }

    /// Shows the same flags of these environments beside them.
    #[must_use]
    pub fn beside(mut self, environments: &[String]) -> Self {
        self.beside = Beside::new(environments, self.flags.keys());
        self
    }

    /// Asks for the flags and for every part that is due. Not being told who the subject is, what the
    /// service is, or any part but the flags does not make the flags worth less.
    ///
    /// # Errors
    /// What kept the flags from being told, unless they are refused by a service that has said what it is,
    /// and no key is asked for; a service that speaks another contract.
    pub(super) async fn poll(&mut self, now: Time) -> Outcome {
        let Self { service, about, flags, beside, parts, wants_flags, unheard } = self;
        // Only what it lists is asked for, so the list comes first.
        if about.is_unknown() {
            about.ask_meta(service, now).await;
        }
        about.spoken()?;
        let offered = about.offers();
        // One that lists nothing has not said that it has none.
        let asks_flags =
            offered.is_none_or(|offers| offers.capabilities.is_empty() || offers.can(Capability::Flags));
        if *wants_flags && !asks_flags {
            return Err(Fault::new(FaultCode::Status, "the service does not offer flags"));
        }
        let offered = offered.cloned();
        // On the heap: with a dozen requests in them they are large.
        let (told, (), identity) = join3(
            Box::pin(async {
                if !asks_flags {
                    return None;
                }
                let (told, ()) = join(flags.ask(service), beside.ask(service, now)).await;
                Some(told)
            }),
            Box::pin(about.ask(service, now)),
            Box::pin(parts.ask(service, offered.as_ref(), now)),
        )
        .await;
        *unheard = identity.after(std::mem::take(unheard));
        about.spoken()?;
        let mut flags_fault = None;
        let (told, mut notes) = match told.map(|told| told.map_err(|fault| about.explain(fault))) {
            Some(Ok((mut told, mut notes))) => {
                beside.tell(&mut told, &mut notes);
                (Some(told), notes)
            }
            // Nobody asked for a flag by its key: what is refused is no loss, and the rest is told.
            Some(Err(fault)) if !*wants_flags && offered.is_some() && is_refused(&fault) => {
                let remarks = vec![format!("flags are not told: {fault}")];
                flags_fault = Some(fault);
                (None, Notes { remarks, ..Notes::default() })
            }
            Some(Err(fault)) => return Err(fault),
            None => (None, Notes::default()),
        };
        notes.clock_offset = about.offset();
        let mut identity = std::mem::take(unheard);
        about.tell(&mut identity);
        Ok(Answer {
            flags: told,
            flags_fault,
            whoami: about.whoami().cloned(),
            meta: about.offers().cloned(),
            identity: Some(identity),
            notes,
            ..Answer::default()
        })
    }

    /// The shortest time between two polls that the service asks for.
    pub(super) fn least_interval(&self) -> Duration {
        self.about.least_interval()
    }
}

/// Whether the service answers and does not tell flags: a scope is missing, or it has none.
fn is_refused(fault: &Fault) -> bool {
    let absent = fault.code == FaultCode::Status && fault.text.starts_with("answers 404");
    fault.code == FaultCode::Forbidden || absent
}
