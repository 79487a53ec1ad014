//! A drill's scenario as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::{At, FormVersion, IdText, SpanText, words};
use crate::model::scenario::{Action, Boundary, Decision, Down, Endpoint, POLICIES, Service, TENANTS};

/// A scripted rehearsal on the simulated product: what goes wrong when, and what the team must do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Drill")]
pub(in crate::settings) struct ScenarioFile {
    /// The version of this form: 1.
    #[schemars(with = "FormVersion")]
    #[expect(dead_code, reason = "checked before the file is read as this type")]
    pub(in crate::settings) schema: u32,
    /// Its id.
    #[schemars(with = "IdText")]
    pub(in crate::settings) id: At<String>,
    /// For people, one line.
    pub(in crate::settings) title: At<String>,
    /// What it rehearses.
    pub(in crate::settings) summary: At<String>,
    /// The seed of the simulated product: the same one gives the same numbers on every machine.
    #[schemars(range(min = 0))]
    pub(in crate::settings) seed: At<u64>,
    /// How the product stands when the drill opens.
    pub(in crate::settings) start: At<StartTable>,
    /// How long the drill lasts, from its opening.
    #[schemars(with = "SpanText")]
    pub(in crate::settings) length: At<String>,
    /// What the team must do; all times are measured from the moment the first inject begins.
    pub(in crate::settings) expect: At<ExpectTable>,
    /// What goes wrong.
    pub(in crate::settings) inject: Vec<At<InjectTable>>,
}

/// How the product stands when the drill opens.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Start")]
pub(in crate::settings) struct StartTable {
    /// The rollout of `tasks.enabled`, in percent, as long as the product has been running.
    #[schemars(range(min = 0, max = 100))]
    pub(in crate::settings) percent: At<f64>,
    /// How long the product has been running; `20m` where it is left out. Longer than the windows of
    /// the config's expressions, or they have too little to look at.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) warm_up: Option<At<String>>,
}

/// What the team must do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Expect")]
pub(in crate::settings) struct ExpectTable {
    /// The ids of the gates, triggers and sources that must show it, every one of them.
    pub(in crate::settings) detect: At<Vec<At<String>>>,
    /// What must be decided; `none` where going on is right.
    #[schemars(with = "DecisionWord")]
    pub(in crate::settings) decide: At<String>,
    /// How soon; what is left out may take as long as the drill.
    pub(in crate::settings) within: Option<At<WithinTable>>,
    /// The most false alarms that are let pass; any number where it is left out.
    #[schemars(range(min = 0))]
    pub(in crate::settings) false_alarms: Option<At<u32>>,
}

/// How soon each step must have happened.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Within")]
pub(in crate::settings) struct WithinTable {
    /// Everything in `detect` shows it.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) detect: Option<At<String>>,
    /// It is decided.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) decide: Option<At<String>>,
    /// The rollback is complete.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) rollback: Option<At<String>>,
}

/// Something that goes wrong for a time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Inject")]
pub(in crate::settings) struct InjectTable {
    /// When it begins, from the opening of the drill.
    #[schemars(with = "SpanText")]
    pub(in crate::settings) at: At<String>,
    /// When it ends, from the opening of the drill; not by itself where it is left out.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) until: Option<At<String>>,
    /// What it is.
    pub(in crate::settings) kind: At<InjectKind>,
    /// What the facilitator sees afterwards.
    pub(in crate::settings) text: At<String>,
    /// It is in effect only while the target of the flag is at so many percent or more.
    #[schemars(range(min = 0, max = 100))]
    pub(in crate::settings) while_flag: Option<At<f64>>,
    /// It begins when the target of the flag has come to so many percent, and lasts then whatever the
    /// flag does.
    #[schemars(range(min = 0, max = 100))]
    pub(in crate::settings) after_flag: Option<At<f64>>,
    /// What the team can do to end it: `flag=0`, `restart-workers` and so on, as in the `sim:` tags of
    /// checklist items.
    #[schemars(with = "Option<Vec<ActionText>>")]
    pub(in crate::settings) cured_by: Option<At<Vec<At<String>>>>,
    /// How much of it, where the kind says so.
    #[schemars(range(min = 0, max = 100))]
    pub(in crate::settings) percent: Option<At<f64>>,
    /// How many times as much, or as long, where the kind says so.
    #[schemars(range(min = 1, max = 1000))]
    pub(in crate::settings) factor: Option<At<f64>>,
    /// How many, where the kind says so.
    #[schemars(range(min = 1, max = 1000))]
    pub(in crate::settings) count: Option<At<u32>>,
    /// The time from one to the next, of `worker-restarts`.
    #[schemars(with = "Option<SpanText>")]
    pub(in crate::settings) every: Option<At<String>>,
    /// The service, where the kind says so.
    #[schemars(with = "Option<ServiceWord>")]
    pub(in crate::settings) service: Option<At<String>>,
    /// The tenant, of `noisy-tenant` and `access-denied`.
    #[schemars(with = "Option<TenantWord>")]
    pub(in crate::settings) tenant: Option<At<String>>,
    /// What is not polled, of `source-down` and `coverage`.
    #[schemars(with = "Option<EndpointWord>")]
    pub(in crate::settings) page: Option<At<String>>,
    /// How it is down, of `source-down`.
    #[schemars(with = "Option<DownWord>")]
    pub(in crate::settings) how: Option<At<String>>,
    /// What Redis does when its memory is full, of `redis-full`.
    #[schemars(with = "Option<PolicyWord>")]
    pub(in crate::settings) policy: Option<At<String>>,
    /// What does not hold, of `boundary-open`.
    #[schemars(with = "Option<BoundaryWord>")]
    pub(in crate::settings) boundary: Option<At<String>>,
    /// The name of the alert, of `silenced`.
    pub(in crate::settings) alert: Option<At<String>>,
    /// Whose hand, of `flag-moved`.
    pub(in crate::settings) by: Option<At<String>>,
}

/// The kinds of injects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::settings) enum InjectKind {
    /// `percent` of the workers (100 where it is left out) stop taking tasks jobs.
    WorkerStall,
    /// Tasks jobs take `factor` times as long (4).
    WorkerSlow,
    /// The workers start anew each `every` (2m).
    WorkerRestarts,
    /// `count` replicas of the worker (2) are gone.
    ReplicasLost,
    /// `percent` of new tasks jobs (10) fail at every attempt and end among the dead letters.
    PoisonJobs,
    /// `percent` of new billing jobs (10) fail at every attempt.
    BillingPoison,
    /// `percent` of the requests to `service` (5, tasks) are answered with a 5xx.
    ApiErrors,
    /// Requests to `service` (tasks) take `factor` times as long (8).
    ApiSlow,
    /// `percent` of requests to the tasks service (20) are refused with a 403, those of `tenant` or of
    /// all.
    AccessDenied,
    /// `service`, or all of them, is asked `factor` times as much (3).
    TrafficSurge,
    /// `tenant` (globex) asks the tasks service `factor` times as much as it should (20).
    NoisyTenant,
    /// `percent` of the billing workers (100) are taken away.
    BillingStarved,
    /// The synthetic task of every minute is never finished.
    EndToEndBroken,
    /// The memory of Redis fills up to `percent` (97) within a minute, and its policy is `policy`
    /// (allkeys-lru).
    RedisFull,
    /// `page` cannot be polled, in the way of `how` (503).
    SourceDown,
    /// The second replica of `page` (worker) answers a scrape with 503.
    Coverage,
    /// `count` instances (20) page at once.
    AlertStorm,
    /// Alerts no longer come to the Alertmanager.
    AlertsLost,
    /// Somebody silences `alert`.
    Silenced,
    /// Somebody (`by`, ravi) moves the flag to `percent`; once, when the inject begins.
    FlagMoved,
    /// Callers keep the state of the flag that they have.
    FlagStuck,
    /// Members of tenants lose the scope to write tasks.
    ScopeWithheld,
    /// `percent` of sign-ins and requests for a token (30) fail.
    IdentityErrors,
    /// `count` customers (4) have escalated cases about Tasks.
    Escalations,
    /// A probe of `boundary` (tenant) is given what it must not get.
    BoundaryOpen,
    /// `count` impersonations (2) a minute leave no audit record.
    AuditLost,
    /// `count` switches of the organisation (5) a minute fail.
    SwitchErrors,
    /// `count` pages (1) a minute are not taken by the pager.
    PagesUndelivered,
}

/// Words of the model, and texts of a form of their own.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $schema:expr,)*) => {
        $(
            $(#[$doc])*
            struct $name;

            impl JsonSchema for $name {
                fn inline_schema() -> bool {
                    true
                }

                fn schema_name() -> Cow<'static, str> {
                    stringify!($name).into()
                }

                fn json_schema(_: &mut SchemaGenerator) -> Schema {
                    $schema
                }
            }
        )*
    };
}

texts! {
    /// What is decided.
    DecisionWord: words(Decision::ALL.map(Decision::as_str)),
    /// A service.
    ServiceWord: words(Service::ALL.map(Service::as_str)),
    /// A tenant.
    TenantWord: words(TENANTS),
    /// Something polled.
    EndpointWord: words(Endpoint::ALL.map(Endpoint::as_str)),
    /// A boundary.
    BoundaryWord: words(Boundary::ALL.map(Boundary::as_str)),
    /// How it is down.
    DownWord: words(Down::ALL.map(Down::as_str)),
    /// A policy of Redis.
    PolicyWord: words(POLICIES),
    /// An action.
    ActionText: json_schema!({
        "type": "string",
        "title": format!("an action: {}", Action::ALLOWED),
        "examples": ["flag=0", "restart-workers"],
    }),
}
