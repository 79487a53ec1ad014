//! Everything beside flags, each part when it is due and on its own account.

use std::time::Duration;

use futures_util::future::{join, join3};

use super::audit::Audit;
use super::docs::{ImpersonationsDoc, OrgsDoc, RolesDoc};
use super::entitlements::EntitlementsOf;
use super::service::{Service, Tagged};
use crate::model::identity::{Capability, IdentityAnswer, Impersonation, Meta, Orgs, Part, Roles};
use crate::model::{Fault, FaultCode, Time};
use crate::sources::schedule::MAX_RETRY_AFTER;

/// What changes seldom is asked for so often.
pub(super) const SELDOM: Duration = Duration::from_mins(1);
/// What failed without an answer holds up the rest of the poll: it is left alone for so long.
const UNANSWERED: Duration = Duration::from_secs(30);
/// The most pages of organisations that are followed.
const MAX_PAGES: usize = 20;

/// What was told last, and when each part is due.
#[derive(Default)]
pub(super) struct Parts {
    orgs: Due<OrgPages>,
    entitlements: EntitlementsOf,
    roles: Due<Option<Tagged<Roles>>>,
    audit: Due<Audit>,
    impersonations: Due<Option<Tagged<Vec<Impersonation>>>>,
    /// Whether roles are asked for at every poll.
    eager: bool,
}

/// A part with the time before which it is not asked for.
#[derive(Default)]
struct Due<K> {
    kept: K,
    asked: Option<Time>,
    rest: Duration,
}

type OrgPages = Vec<Option<Tagged<(Orgs, Option<String>)>>>;

/// Whether it is time to ask again. A clock that stepped back asks at once.
pub(super) fn due(asked: Option<Time>, rest: Duration, now: Time) -> bool {
    asked.is_none_or(|asked| now < asked || now.since(asked) >= rest)
}

/// How long a part that failed is left alone: as long as the service asks, and no shorter than usual.
pub(super) fn rest(fault: &Fault, every: Duration) -> Duration {
    let least = match fault.code {
        FaultCode::Forbidden | FaultCode::SignInNeeded => SELDOM,
        FaultCode::TimedOut | FaultCode::Unreachable | FaultCode::RateLimited => UNANSWERED,
        _ => Duration::ZERO,
    };
    // What is otherwise asked for every few minutes is worth a sooner try.
    let usual = every.min(least.max(UNANSWERED));
    fault.retry_after.unwrap_or_default().min(MAX_RETRY_AFTER).max(least).max(usual)
}

impl<K> Due<K> {
    fn is(&self, now: Time) -> bool {
        due(self.asked, self.rest, now)
    }

    fn part<T>(&mut self, outcome: Result<T, Fault>, now: Time, every: Duration) -> Part<T> {
        self.asked = Some(now);
        self.rest = match &outcome {
            Ok(_) => every,
            Err(fault) => rest(fault, every),
        };
        Part { asked: now, outcome }
    }
}

impl Parts {
    /// Nothing told yet; with `eager`, roles are asked for at every poll.
    pub(super) fn new(eager: bool) -> Self {
        Self { eager, ..Self::default() }
    }

    /// Asks for every part that the service offers and that is due.
    pub(super) async fn ask(
        &mut self,
        service: &Service,
        offered: Option<&Meta>,
        now: Time,
    ) -> IdentityAnswer {
        let Some(offered) = offered else { return IdentityAnswer::default() };
        let can = |capability| offered.can(capability);
        let Self { orgs, entitlements, roles, audit, impersonations, eager } = self;
        let roles_every = if *eager { Duration::ZERO } else { SELDOM };
        let tenants = async {
            let known = entitlements.has_orgs();
            let asks = can(Capability::Entitlements);
            let ask_orgs = ask_orgs(orgs, service, can(Capability::Orgs), now);
            // Entitlements follow the organisations; only the first time they wait for them.
            let (orgs, mut told) = if known {
                join(ask_orgs, entitlements.ask(service, asks, now)).await
            } else {
                (ask_orgs.await, Vec::new())
            };
            if let Some(Part { outcome: Ok(orgs), .. }) = &orgs {
                entitlements.follow(&orgs.orgs);
            }
            if !known {
                told = entitlements.ask(service, asks, now).await;
            }
            (orgs, told)
        };
        let roles = async {
            if !can(Capability::Roles) || !roles.is(now) {
                return None;
            }
            let read = |doc: RolesDoc| Ok(doc.roles());
            let told = service.ask("roles", Vec::new(), &mut roles.kept, read).await;
            Some(roles.part(told.map(|told| told.value), now, roles_every))
        };
        let doings = join(
            async {
                if !can(Capability::Audit) || !audit.is(now) {
                    return None;
                }
                let told = audit.kept.ask(service).await;
                Some(audit.part(told, now, Duration::ZERO))
            },
            async {
                if !can(Capability::Impersonation) || !impersonations.is(now) {
                    return None;
                }
                let query = vec![("active".to_owned(), "true".to_owned())];
                let read = ImpersonationsDoc::sessions;
                let told = service.ask("impersonation-sessions", query, &mut impersonations.kept, read).await;
                Some(impersonations.part(told.map(|told| told.value), now, Duration::ZERO))
            },
        );
        let ((orgs, entitlements), roles, (audit, impersonations)) = join3(tenants, roles, doings).await;
        IdentityAnswer { orgs, entitlements, roles, audit, impersonations, ..IdentityAnswer::default() }
    }
}

async fn ask_orgs(
    orgs: &mut Due<OrgPages>,
    service: &Service,
    offered: bool,
    now: Time,
) -> Option<Part<Orgs>> {
    if !offered || !orgs.is(now) {
        return None;
    }
    let told = org_pages(&mut orgs.kept, service).await;
    Some(orgs.part(told, now, SELDOM))
}

/// Every page, each under its own `ETag`.
async fn org_pages(pages: &mut OrgPages, service: &Service) -> Result<Orgs, Fault> {
    let mut all = Orgs::default();
    let mut cursors: Vec<String> = Vec::new();
    loop {
        if pages.len() == cursors.len() {
            pages.push(None);
        }
        let Some(kept) = pages.get_mut(cursors.len()) else { return Ok(all) };
        let query = cursors.last().map(|cursor| ("cursor".to_owned(), cursor.clone())).into_iter().collect();
        let (page, next) = service.ask("orgs", query, kept, OrgsDoc::orgs).await?.value;
        all.orgs.extend(page.orgs);
        let Some(next) = next else {
            pages.truncate(cursors.len() + 1);
            return Ok(all);
        };
        if cursors.contains(&next) {
            return Err(Fault::new(FaultCode::Unreadable, "the pages of organisations have no end"));
        }
        cursors.push(next);
        if cursors.len() == MAX_PAGES {
            all.more = true;
            return Ok(all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_that_failed_is_left_alone_as_long_as_asked_and_none_for_ever() {
        let fault = |code, retry_after| Fault { retry_after, ..Fault::new(code, "x") };
        let seconds = |code, after: Option<u64>, every| {
            rest(&fault(code, after.map(Duration::from_secs)), Duration::from_secs(every)).as_secs()
        };
        // Each poll, unless it was not answered at all or is not allowed.
        assert_eq!(seconds(FaultCode::Status, None, 0), 0);
        assert_eq!(seconds(FaultCode::TimedOut, None, 0), 30);
        assert_eq!(seconds(FaultCode::Forbidden, None, 0), 60);
        assert_eq!(seconds(FaultCode::Status, Some(90), 0), 90);
        assert_eq!(seconds(FaultCode::RateLimited, Some(86_400), 0), 300);
        // What is asked every five minutes is tried again sooner.
        assert_eq!(
            [seconds(FaultCode::Status, None, 300), seconds(FaultCode::Forbidden, None, 300)],
            [30, 60]
        );
        let now = Time::from_millis(1_000_000);
        assert!(due(None, SELDOM, now) && due(Some(now.after(SELDOM)), SELDOM, now));
        assert!(!due(Some(now), SELDOM, now.after(SELDOM / 2)) && due(Some(now), SELDOM, now.after(SELDOM)));
    }
}
