//! What an inject of a scenario does: which keys belong to its kind, and what counts where one is left
//! out.

use std::ops::Range;
use std::time::Duration;

use super::super::file::At;
use super::super::file::scenario::{InjectKind, InjectTable};
use super::Check;
use crate::model::scenario::{Boundary, Down, Effect, Endpoint, POLICIES, Service, TENANTS};

/// The fastest that workers start anew.
const FASTEST_RESTARTS: Duration = Duration::from_secs(10);

impl InjectKind {
    /// The keys that say how strong it is, beside those of every inject.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::WorkerStall
            | Self::PoisonJobs
            | Self::BillingPoison
            | Self::BillingStarved
            | Self::IdentityErrors => &["percent"],
            Self::WorkerSlow => &["factor"],
            Self::WorkerRestarts => &["every"],
            Self::ReplicasLost
            | Self::AlertStorm
            | Self::Escalations
            | Self::AuditLost
            | Self::SwitchErrors
            | Self::PagesUndelivered => &["count"],
            Self::BoundaryOpen => &["boundary"],
            Self::ApiErrors => &["service", "percent"],
            Self::ApiSlow | Self::TrafficSurge => &["service", "factor"],
            Self::AccessDenied => &["tenant", "percent"],
            Self::NoisyTenant => &["tenant", "factor"],
            Self::RedisFull => &["percent", "policy"],
            Self::SourceDown => &["page", "how"],
            Self::Coverage => &["page"],
            Self::Silenced => &["alert"],
            Self::FlagMoved => &["percent", "by"],
            Self::EndToEndBroken | Self::AlertsLost | Self::FlagStuck | Self::ScopeWithheld => &[],
        }
    }
}

impl InjectTable {
    /// The keys of strength that are written, each with its place.
    fn written(&self) -> Vec<(&'static str, Range<usize>)> {
        let place = |key, span: Option<Range<usize>>| span.map(|span| (key, span));
        let all = [
            place("percent", self.percent.as_ref().map(At::span)),
            place("factor", self.factor.as_ref().map(At::span)),
            place("count", self.count.as_ref().map(At::span)),
            place("every", self.every.as_ref().map(At::span)),
            place("service", self.service.as_ref().map(At::span)),
            place("tenant", self.tenant.as_ref().map(At::span)),
            place("page", self.page.as_ref().map(At::span)),
            place("how", self.how.as_ref().map(At::span)),
            place("policy", self.policy.as_ref().map(At::span)),
            place("boundary", self.boundary.as_ref().map(At::span)),
            place("alert", self.alert.as_ref().map(At::span)),
            place("by", self.by.as_ref().map(At::span)),
        ];
        all.into_iter().flatten().collect()
    }
}

impl Check<'_> {
    /// What the inject does. `None` where something is missing, which has been said.
    pub(super) fn effect(&mut self, at: &At<InjectTable>) -> Option<Effect> {
        let table = at.get();
        let kind = *table.kind.get();
        let allowed = kind.keys();
        for (key, place) in table.written() {
            if !allowed.contains(&key) {
                let takes = if allowed.is_empty() { "none of its own".into() } else { allowed.join(", ") };
                let word = self.document.raw(table.kind.span()).trim_matches('"');
                let message = format!("`{key}` does not belong to {word}, which takes {takes}");
                self.troubles.add(place, message);
            }
        }
        let percent = |usual: f64| table.percent.as_ref().map_or(usual, |percent| *percent.get());
        let factor = |usual: f64| table.factor.as_ref().map_or(usual, |factor| *factor.get());
        let count = |usual: u32| table.count.as_ref().map_or(usual, |count| *count.get());
        let service = word(table.service.as_ref(), Service::parse);
        let tenant = word(table.tenant.as_ref(), |name| TENANTS.iter().position(|tenant| *tenant == name));
        let page = word(table.page.as_ref(), Endpoint::parse);
        let mut missing = |key: &str, what: &str| {
            self.troubles.missing(at.span(), key, format!("this key is missing: {what}"));
            None
        };
        Some(match kind {
            InjectKind::WorkerStall => Effect::WorkerStall(percent(100.0)),
            InjectKind::WorkerSlow => Effect::WorkerSlow(factor(4.0)),
            InjectKind::WorkerRestarts => {
                let usual = Duration::from_mins(2);
                Effect::WorkerRestarts(self.span_or(table.every.as_ref(), FASTEST_RESTARTS, usual))
            }
            InjectKind::ReplicasLost => Effect::ReplicasLost(count(2)),
            InjectKind::PoisonJobs => Effect::PoisonJobs(percent(10.0)),
            InjectKind::BillingPoison => Effect::BillingPoison(percent(10.0)),
            InjectKind::ApiErrors => Effect::ApiErrors(service.unwrap_or(Service::Tasks), percent(5.0)),
            InjectKind::ApiSlow => Effect::ApiSlow(service.unwrap_or(Service::Tasks), factor(8.0)),
            InjectKind::AccessDenied => Effect::AccessDenied(tenant, percent(20.0)),
            InjectKind::TrafficSurge => Effect::TrafficSurge(service, factor(3.0)),
            InjectKind::NoisyTenant => Effect::NoisyTenant(tenant.unwrap_or(1), factor(20.0)),
            InjectKind::BillingStarved => Effect::BillingStarved(percent(100.0)),
            InjectKind::EndToEndBroken => Effect::EndToEndBroken,
            InjectKind::RedisFull => {
                let known = |name: &str| POLICIES.into_iter().find(|policy| *policy == name);
                let policy = word(table.policy.as_ref(), known);
                Effect::RedisFull(percent(97.0), policy.unwrap_or("allkeys-lru"))
            }
            InjectKind::SourceDown => {
                let Some(page) = page else { return missing("page", "what cannot be polled") };
                let how = word(table.how.as_ref(), Down::parse);
                Effect::SourceDown(page, how.unwrap_or(Down::Unavailable))
            }
            InjectKind::Coverage => {
                let page = page.unwrap_or(Endpoint::Worker);
                if let Some(written) = table.page.as_ref().filter(|_| !Endpoint::SCRAPED.contains(&page)) {
                    let scraped = Endpoint::SCRAPED.map(Endpoint::as_str).join(", ");
                    let message = format!("has no replicas that are scraped; {scraped} have");
                    self.troubles.add(written.span(), message);
                }
                Effect::Coverage(page)
            }
            InjectKind::AlertStorm => Effect::AlertStorm(count(20)),
            InjectKind::AlertsLost => Effect::AlertsLost,
            InjectKind::Silenced => {
                let Some(alert) = &table.alert else { return missing("alert", "the name of an alert") };
                Effect::Silenced(self.words(alert))
            }
            InjectKind::FlagMoved => {
                let Some(percent) = &table.percent else { return missing("percent", "where the flag goes") };
                let by = self.some_words(table.by.as_ref()).unwrap_or_else(|| "ravi".into());
                Effect::FlagMoved { percent: *percent.get(), by }
            }
            InjectKind::FlagStuck => Effect::FlagStuck,
            InjectKind::ScopeWithheld => Effect::ScopeWithheld,
            InjectKind::IdentityErrors => Effect::IdentityErrors(percent(30.0)),
            InjectKind::Escalations => Effect::Escalations(count(4)),
            InjectKind::BoundaryOpen => {
                let boundary = word(table.boundary.as_ref(), Boundary::parse);
                Effect::BoundaryOpen(boundary.unwrap_or(Boundary::Tenant))
            }
            InjectKind::AuditLost => Effect::AuditLost(count(2)),
            InjectKind::SwitchErrors => Effect::SwitchErrors(count(5)),
            InjectKind::PagesUndelivered => Effect::PagesUndelivered(count(1)),
        })
    }
}

/// A word that the structure check has seen to be one of those allowed.
fn word<T>(written: Option<&At<String>>, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
    parse(written?.get())
}
