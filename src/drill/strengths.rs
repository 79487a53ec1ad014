//! What bears on the model at one moment: the injects that are in effect, taken together.

use std::time::Duration;

use super::traffic::Strain;
use crate::model::scenario::{Boundary, Down, Effect, Endpoint, Service};

/// Redis as an inject wants it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Filling {
    /// Since when it fills.
    pub since: Duration,
    /// The share of its memory that it comes to, 0 to 1.
    pub share: f64,
    /// What it does then.
    pub policy: &'static str,
}

/// Shares are of 0 to 1, factors at least 1; the default is that nothing is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Strengths {
    /// The share of the tasks workers that take no jobs.
    pub stalled: f64,
    /// How much longer tasks jobs take.
    pub slower: f64,
    /// Replicas of the worker that are gone.
    pub lost: u32,
    /// The share of new tasks jobs that cannot be worked off.
    pub poison: f64,
    /// The share of new billing jobs that cannot be worked off.
    pub poison_billing: f64,
    /// What bears on each service, in the order of [`Service::ALL`].
    pub services: [Strain; Service::ALL.len()],
    /// The tenant, by its place, that asks so many times as much of the tasks service.
    pub noisy: Option<(usize, f64)>,
    /// The share of the billing workers that take no jobs.
    pub starved: f64,
    /// Whether the synthetic task is never finished.
    pub unfinished: bool,
    /// What Redis is made to.
    pub redis: Option<Filling>,
    /// What cannot be polled, by [`Endpoint`].
    down: [Option<Down>; Endpoint::ALL.len()],
    /// Of what one replica cannot be scraped, by [`Endpoint`].
    unscraped: [bool; Endpoint::ALL.len()],
    /// How many instances page at once.
    pub storm: u32,
    /// Since when they do.
    pub storm_since: Option<Duration>,
    /// Whether alerts come nowhere.
    pub alerts_lost: bool,
    /// Alerts that somebody has silenced, and since when.
    pub silenced: Vec<(String, Duration)>,
    /// Whether callers no longer ask for the flag.
    pub flag_stuck: bool,
    /// Members of tenants may not write tasks.
    pub scope_withheld: bool,
    /// Open cases.
    pub escalated: u32,
    /// Boundaries that do not hold.
    pub open: Vec<Boundary>,
    /// Impersonations a minute without an audit record.
    pub unaudited: u32,
    /// Failing switches of the organisation a minute.
    pub failed_switches: u32,
    /// Pages a minute that are not taken.
    pub undelivered: u32,
}

impl Default for Strengths {
    fn default() -> Self {
        Self {
            stalled: 0.0,
            slower: 1.0,
            lost: 0,
            poison: 0.0,
            poison_billing: 0.0,
            services: [Strain::NONE; Service::ALL.len()],
            noisy: None,
            starved: 0.0,
            unfinished: false,
            redis: None,
            down: [None; Endpoint::ALL.len()],
            unscraped: [false; Endpoint::ALL.len()],
            storm: 0,
            storm_since: None,
            alerts_lost: false,
            silenced: Vec::new(),
            flag_stuck: false,
            scope_withheld: false,
            escalated: 0,
            open: Vec::new(),
            unaudited: 0,
            failed_switches: 0,
            undelivered: 0,
        }
    }
}

impl Strengths {
    /// How an endpoint is down.
    pub fn down(&self, endpoint: Endpoint) -> Option<Down> {
        self.down.get(endpoint as usize).copied().flatten()
    }

    /// Whether a replica of an endpoint cannot be scraped.
    pub fn unscraped(&self, endpoint: Endpoint) -> bool {
        self.unscraped.get(endpoint as usize).copied().unwrap_or(false)
    }

    /// One more effect, which began at `since`. Of several of a kind the worst share counts, and factors
    /// multiply.
    pub fn add(&mut self, effect: &Effect, since: Duration) {
        let worse = |share: &mut f64, percent: f64| *share = share.max(percent / 100.0);
        let more = |sum: &mut u32, count: u32| *sum = sum.saturating_add(count);
        match effect {
            Effect::WorkerStall(percent) => worse(&mut self.stalled, *percent),
            Effect::WorkerSlow(factor) => self.slower *= factor,
            Effect::ReplicasLost(count) => more(&mut self.lost, *count),
            Effect::PoisonJobs(percent) => worse(&mut self.poison, *percent),
            Effect::BillingPoison(percent) => worse(&mut self.poison_billing, *percent),
            Effect::ApiErrors(service, percent) => self.strain(*service, |s| worse(&mut s.failing, *percent)),
            Effect::ApiSlow(service, factor) => self.strain(*service, |s| s.slower *= factor),
            Effect::AccessDenied(tenant, percent) => self.strain(Service::Tasks, |s| {
                worse(&mut s.denied, *percent);
                s.denied_only = *tenant;
            }),
            Effect::TrafficSurge(Some(service), factor) => self.strain(*service, |s| s.surge *= factor),
            Effect::TrafficSurge(None, factor) => {
                self.services.iter_mut().for_each(|strain| strain.surge *= factor);
            }
            Effect::NoisyTenant(tenant, factor) => self.noisy = Some((*tenant, *factor)),
            Effect::BillingStarved(percent) => worse(&mut self.starved, *percent),
            Effect::EndToEndBroken => self.unfinished = true,
            Effect::RedisFull(percent, policy) => {
                self.redis = Some(Filling { since, share: percent / 100.0, policy });
            }
            Effect::SourceDown(endpoint, down) => {
                if let Some(slot) = self.down.get_mut(*endpoint as usize) {
                    *slot = Some(*down);
                }
            }
            Effect::Coverage(endpoint) => {
                if let Some(slot) = self.unscraped.get_mut(*endpoint as usize) {
                    *slot = true;
                }
            }
            Effect::AlertStorm(count) => {
                more(&mut self.storm, *count);
                self.storm_since = self.storm_since.or(Some(since));
            }
            Effect::AlertsLost => self.alerts_lost = true,
            Effect::Silenced(alert) => self.silenced.push((alert.clone(), since)),
            Effect::FlagStuck => self.flag_stuck = true,
            Effect::ScopeWithheld => self.scope_withheld = true,
            Effect::IdentityErrors(percent) => {
                self.strain(Service::Identity, |s| worse(&mut s.failing, *percent));
            }
            Effect::Escalations(count) => more(&mut self.escalated, *count),
            Effect::BoundaryOpen(boundary) => self.open.push(*boundary),
            Effect::AuditLost(count) => more(&mut self.unaudited, *count),
            Effect::SwitchErrors(count) => more(&mut self.failed_switches, *count),
            Effect::PagesUndelivered(count) => more(&mut self.undelivered, *count),
            // These happen at a moment, and are not a state: the product does them.
            Effect::WorkerRestarts(_) | Effect::FlagMoved { .. } => {}
        }
    }

    fn strain(&mut self, service: Service, change: impl FnOnce(&mut Strain)) {
        if let Some(strain) = self.services.get_mut(service as usize) {
            change(strain);
        }
    }
}
