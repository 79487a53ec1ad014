//! What an identity service has told of organisations, entitlements, roles, impersonation and changes:
//! the last good word on each part, how old it is, and what has gone wrong since.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use crate::model::identity::{
    AUDIT_KEPT, AuditEvent, AuditNews, Capability, Entitlements, IdentityAnswer, Impersonation, Meta, Org,
    Orgs, Part, Roles,
};
use crate::model::{Fault, FaultCode, SourceId, Time};

use super::Change;
use super::source::STALE_INTERVALS;

/// What changes seldom is asked for once a minute (`sources::identity`), so its age means little before.
const SELDOM: Duration = Duration::from_mins(1);
/// Of how many organisations each poll asks the entitlements.
const ENTITLEMENTS_EACH_POLL: usize = 8;

/// The last good word on one part.
#[derive(Clone, Debug)]
pub struct Held<T> {
    /// What was told.
    pub value: Option<T>,
    /// When it was asked for.
    pub told: Option<Time>,
    /// What has gone wrong since.
    pub fault: Option<Fault>,
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { value: None, told: None, fault: None }
    }
}

impl<T> Held<T> {
    fn take(&mut self, part: Part<T>) {
        match part.outcome {
            Ok(value) => *self = Self { value: Some(value), told: Some(part.asked), fault: None },
            Err(fault) => self.fault = Some(fault),
        }
    }

    /// How old the last good word is.
    pub fn age(&self, now: Time) -> Option<Duration> {
        self.told.map(|told| now.since(told))
    }
}

/// Whether a part can be believed at a moment, and if not, why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// It was told lately.
    Good,
    /// The service does not offer it.
    NotOffered,
    /// Nothing was told yet.
    NoAnswer,
    /// A scope is missing, or something else went wrong; what was told before stands with its age.
    Failed(Fault),
    /// It was told too long ago.
    Stale(Duration),
}

impl Trust {
    /// In words: `needs audit:read`, `not offered`, `no answer yet`, `2m old`; none where it is good.
    pub fn words(&self) -> Option<String> {
        match self {
            Self::Good => None,
            Self::NotOffered => Some("not offered".into()),
            Self::NoAnswer => Some("no answer yet".into()),
            Self::Failed(fault) if fault.code == FaultCode::Forbidden => {
                let needs = fault.text.strip_prefix("forbidden: ").unwrap_or(&fault.text);
                Some(needs.to_owned())
            }
            Self::Failed(fault) => Some(fault.text.clone()),
            Self::Stale(age) => {
                let whole = Duration::from_secs(age.as_secs());
                Some(format!("{} old", crate::model::duration::short(whole)))
            }
        }
    }
}

/// Everything that one identity service has told beside flags.
#[derive(Clone, Debug)]
pub struct IdentityState {
    /// The source.
    pub source: SourceId,
    every: Duration,
    /// What the service says it can tell; `None`: it has not said.
    pub meta: Option<Meta>,
    /// Why it has not.
    pub meta_fault: Option<Fault>,
    /// Why the whole source does not answer, as long as it does not.
    pub down: Option<Fault>,
    /// All organisations.
    pub orgs: Held<Orgs>,
    /// The place of each organisation by its id, slug and name, as they are and in small letters; the id
    /// before the slug before the name, so that nobody's name hides another's id.
    places: BTreeMap<String, usize>,
    /// Entitlements by the organisation's id.
    pub entitlements: BTreeMap<String, Held<Entitlements>>,
    /// Why the last organisations that were asked about were all refused.
    refused: Option<Fault>,
    /// Roles and scopes.
    pub roles: Held<Roles>,
    /// The newest changes, oldest first, bounded.
    pub audit: Held<VecDeque<AuditEvent>>,
    /// Sessions in somebody else's name.
    pub impersonations: Held<Vec<Impersonation>>,
    /// What else is odd.
    pub remarks: Vec<String>,
}

impl IdentityState {
    /// A service nobody has asked yet, polled at this interval.
    pub fn new(source: SourceId, every: Duration) -> Self {
        Self {
            source,
            every,
            meta: None,
            meta_fault: None,
            down: None,
            orgs: Held::default(),
            places: BTreeMap::new(),
            entitlements: BTreeMap::new(),
            refused: None,
            roles: Held::default(),
            audit: Held::default(),
            impersonations: Held::default(),
            remarks: Vec::new(),
        }
    }

    /// The whole source failed.
    pub(super) fn fail(&mut self, fault: &Fault) {
        self.down = Some(fault.clone());
    }

    /// Takes an answer in; tells what is worth a line in the log.
    pub(super) fn observe(
        &mut self,
        meta: Option<&Meta>,
        answer: &IdentityAnswer,
        environment: &str,
    ) -> Vec<Change> {
        self.down = None;
        if let Some(meta) = meta {
            self.meta = Some(meta.clone());
        }
        self.meta_fault.clone_from(&answer.meta);
        self.remarks.clone_from(&answer.remarks);
        if let Some(orgs) = answer.orgs.clone() {
            let told = orgs.outcome.is_ok();
            self.orgs.take(orgs);
            if told {
                self.index_orgs();
            }
        }
        for (id, part) in &answer.entitlements {
            self.entitlements.entry(id.clone()).or_default().take(part.clone());
        }
        if !answer.entitlements.is_empty() {
            let fault = answer.entitlements.iter().find_map(|(_, part)| part.outcome.as_ref().err());
            let all = answer.entitlements.iter().all(|(_, part)| part.outcome.is_err());
            self.refused = fault.filter(|_| all).cloned();
        }
        if let Some(roles) = answer.roles.clone() {
            self.roles.take(roles);
        }
        let mut changes = Vec::new();
        if let Some(part) = answer.impersonations.clone() {
            changes.extend(self.sessions(part));
        }
        if let Some(part) = answer.audit.clone() {
            changes.extend(self.follow(part, environment));
        }
        changes
    }

    fn index_orgs(&mut self) {
        let Some(orgs) = &self.orgs.value else { return };
        self.places.clear();
        let texts: [fn(&Org) -> &String; 3] = [|org| &org.id, |org| &org.slug, |org| &org.name];
        for exact in [true, false] {
            for text in texts {
                for (place, text) in
                    orgs.orgs.iter().map(text).enumerate().filter(|(_, text)| !text.is_empty())
                {
                    let key = if exact { text.clone() } else { text.to_lowercase() };
                    self.places.entry(key).or_insert(place);
                }
            }
        }
        // Entitlements of organisations that are gone say nothing any more.
        let ids: BTreeSet<&str> = orgs.orgs.iter().map(|org| org.id.as_str()).collect();
        self.entitlements.retain(|id, _| ids.contains(id.as_str()));
    }

    fn sessions(&mut self, part: Part<Vec<Impersonation>>) -> Vec<Change> {
        let before = self.impersonations.value.clone();
        self.impersonations.take(part);
        // Of the first answer nothing is news.
        let (Some(before), Some(now)) = (before, &self.impersonations.value) else { return Vec::new() };
        let new = |of: &[Impersonation], other: &[Impersonation]| -> Vec<Impersonation> {
            of.iter().filter(|s| !other.iter().any(|o| o.id == s.id)).cloned().collect()
        };
        let begun = new(now, &before).into_iter().map(|s| Change::ImpersonationBegan(Box::new(s)));
        let ended = new(&before, now).into_iter().map(|s| Change::ImpersonationEnded(Box::new(s)));
        ended.chain(begun).collect()
    }

    fn follow(&mut self, part: Part<AuditNews>, environment: &str) -> Vec<Change> {
        let Part { asked, outcome } = part;
        let news = match outcome {
            Ok(news) => news,
            Err(fault) => {
                self.audit.fault = Some(fault);
                return Vec::new();
            }
        };
        let mut told = if news.anew { Vec::new() } else { self.telling(&news.events, environment) };
        if news.missed {
            told.insert(0, Change::AuditMissed(self.source.clone()));
        }
        let mut kept = self.audit.value.take().unwrap_or_default();
        if news.anew {
            kept.clear();
        }
        kept.extend(news.events);
        kept.drain(..kept.len().saturating_sub(AUDIT_KEPT));
        self.audit = Held { value: Some(kept), told: Some(asked), fault: None };
        told
    }

    /// The new events that belong in the log: of flags in the launch's environment, and of impersonation
    /// where the sessions themselves are not told.
    fn telling(&self, events: &[AuditEvent], environment: &str) -> Vec<Change> {
        let here = |event: &AuditEvent| event.environment.as_deref().is_none_or(|e| e == environment);
        let of_flag = |event: &AuditEvent| event.action.starts_with("flag.") && here(event);
        let sessions = self.impersonations.told.is_some();
        let of_session = |event: &AuditEvent| event.action.starts_with("impersonation") && !sessions;
        let telling = events.iter().filter(|event| of_flag(event) || of_session(event));
        telling.map(|event| Change::Audit(Box::new(event.clone()))).collect()
    }

    /// Whether what was told of a part can be believed.
    pub fn trust(&self, capability: Capability, now: Time) -> Trust {
        if capability == Capability::Entitlements && self.orgs.value.is_none() {
            // They are asked for by organisation.
            let offered = self.meta.as_ref().is_none_or(|meta| meta.can(capability));
            let of_orgs = self.trust(Capability::Orgs, now);
            return if offered { of_orgs } else { Trust::NotOffered };
        }
        let (told, fault) = match capability {
            Capability::Orgs => (self.orgs.told, self.orgs.fault.as_ref()),
            Capability::Roles => (self.roles.told, self.roles.fault.as_ref()),
            Capability::Audit => (self.audit.told, self.audit.fault.as_ref()),
            Capability::Impersonation => (self.impersonations.told, self.impersonations.fault.as_ref()),
            Capability::Entitlements => {
                (self.entitlements.values().filter_map(|held| held.told).max(), self.refused.as_ref())
            }
            Capability::Flags => (None, None),
        };
        self.judge(capability, told, fault, now)
    }

    /// Whether what was told of one organisation's entitlements can be believed.
    pub fn trust_of(&self, org: &str, now: Time) -> Trust {
        let held = self.entitlements.get(org);
        let told = held.and_then(|held| held.told);
        let fault = held.and_then(|held| held.fault.as_ref());
        let fault = fault.or(self.refused.as_ref().filter(|_| told.is_none()));
        self.judge(Capability::Entitlements, told, fault, now)
    }

    fn judge(&self, capability: Capability, told: Option<Time>, fault: Option<&Fault>, now: Time) -> Trust {
        if let Some(fault) = &self.down {
            return Trust::Failed(fault.clone());
        }
        match &self.meta {
            None => return self.meta_fault.clone().map_or(Trust::NoAnswer, Trust::Failed),
            Some(meta) if !meta.can(capability) => return Trust::NotOffered,
            Some(_) => {}
        }
        if let Some(fault) = fault {
            return Trust::Failed(fault.clone());
        }
        match told.map(|told| now.since(told)) {
            None => Trust::NoAnswer,
            Some(age) if age > self.patience(capability) => Trust::Stale(age),
            Some(_) => Trust::Good,
        }
    }

    /// How old a part may be before it is called stale.
    fn patience(&self, capability: Capability) -> Duration {
        let usual = match capability {
            Capability::Orgs | Capability::Roles => self.every.max(SELDOM),
            Capability::Entitlements => {
                let polls = self.entitlements.len().div_ceil(ENTITLEMENTS_EACH_POLL);
                (self.every * u32::try_from(polls).unwrap_or(u32::MAX)).max(SELDOM)
            }
            Capability::Audit | Capability::Impersonation | Capability::Flags => self.every,
        };
        usual * STALE_INTERVALS
    }

    /// An organisation by its id.
    pub fn org(&self, id: &str) -> Option<&Org> {
        self.org_of_tenant(id).filter(|org| org.id == id)
    }

    /// The name of an organisation to show: its own where it is known, else its id.
    pub fn org_name<'a>(&'a self, id: &'a str) -> &'a str {
        self.org(id).map_or(id, |org| &org.name)
    }

    /// The organisation that a `tenant` label means: its id, slug or name, in any case.
    pub fn org_of_tenant(&self, tenant: &str) -> Option<&Org> {
        let place = self.places.get(tenant).or_else(|| self.places.get(&tenant.to_lowercase()))?;
        self.orgs.value.as_ref()?.orgs.get(*place)
    }

    /// Sessions in somebody else's name that go on, those that end first at the top.
    pub fn active_sessions(&self, now: Time) -> Vec<&Impersonation> {
        let all = self.impersonations.value.iter().flatten();
        let mut active: Vec<&Impersonation> = all.filter(|session| session.is_active(now)).collect();
        active.sort_by_key(|session| session.expires_at.map_or(i64::MAX, Time::millis));
        active
    }

    /// The newest changes first; of one organisation where one is chosen.
    pub fn audit_tail(&self, org: Option<&str>) -> impl Iterator<Item = &AuditEvent> {
        let events = self.audit.value.iter().flatten().rev();
        events.filter(move |event| org.is_none() || event.org_id.as_deref() == org)
    }
}
