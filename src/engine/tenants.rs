//! What organisations may use against what they do: traffic without the right to it, a right that comes
//! to nothing, traffic of nobody. What cannot be told is unknown, never fine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::identity::IdentityState;
use super::{Track, Watch};
use crate::model::identity::Capability;
use crate::model::launch::TenantsDef;
use crate::model::{Labels, SignalId, Time, duration};

/// The label that says whose a series is.
pub const TENANT: &str = "tenant";

/// Rates of different series are extrapolated each by itself; so much of all is all.
const ALL: f64 = 0.999;

/// What is wrong with a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// It has traffic and no right to it.
    Unentitled {
        /// It had the right, which has ended.
        expired: bool,
        /// All of it is refused.
        refused: bool,
    },
    /// It has the right, and every request is refused.
    OnlyRefused,
    /// There is no such organisation.
    NoOrganisation,
}

impl Finding {
    /// For programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unentitled { .. } => "unentitled",
            Self::OnlyRefused => "only-refused",
            Self::NoOrganisation => "no-organisation",
        }
    }

    /// For the screen, where it stands beside the right and the traffic.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unentitled { expired: false, refused: false } => "traffic, not entitled",
            Self::Unentitled { expired: true, refused: false } => "traffic, entitlement ended",
            Self::Unentitled { expired: false, refused: true } => "not entitled, all refused",
            Self::Unentitled { expired: true, refused: true } => "entitlement ended, all refused",
            Self::OnlyRefused => "entitled, but only 403s",
            Self::NoOrganisation => "traffic, no organisation",
        }
    }
}

/// How a tenant stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// Something is wrong.
    Found(Finding),
    /// It cannot be told, and why.
    Unknown(String),
    /// It may, and does.
    Fine,
    /// It asks nothing, so there is nothing to compare.
    NoTraffic,
}

/// One organisation, or one tenant that is none.
#[derive(Clone, Debug, PartialEq)]
pub struct TenantRow {
    /// The organisation's id; `None`: there is no such organisation, or it cannot be told.
    pub org: Option<String>,
    /// The organisation's name, else the `tenant` label.
    pub name: String,
    /// Whether it has the right at this moment; `None`: unknown.
    pub entitled: Option<bool>,
    /// Requests a second; `None`: unknown.
    pub traffic: Option<f64>,
    /// Requests a second that are refused with 403; `None`: unknown, or not asked for.
    pub refused: Option<f64>,
    /// How it stands.
    pub standing: Standing,
}

/// Every organisation and every tenant with traffic, what is found first, then what cannot be told.
///
/// `signals` are the tracks of the two signals that the config names, each with what keeps its source
/// from answering.
pub fn compare(
    def: &TenantsDef,
    identity: &IdentityState,
    signals: [Option<(&Track, Option<String>)>; 2],
    now: Time,
) -> Vec<TenantRow> {
    let [traffic, refused] = signals;
    let traffic = rates(traffic, now, false);
    // Where nothing was refused there is no series of refusals.
    let refused = if def.refused.is_some() { rates(refused, now, true) } else { Err("not asked for".into()) };
    let orgs_trust = identity.trust(Capability::Orgs, now).words();
    let mut rows = Vec::new();
    let mut claimed: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    let mut nobodies: Vec<(String, f64, f64)> = Vec::new();
    if let Ok(traffic) = &traffic {
        for (tenant, rate) in traffic {
            let no = refused.as_ref().ok().and_then(|r| r.get(tenant)).copied().unwrap_or(0.0);
            match identity.org_of_tenant(tenant) {
                Some(org) => {
                    let sum = claimed.entry(org.id.clone()).or_default();
                    *sum = (sum.0 + rate, sum.1 + no);
                }
                None => nobodies.push((tenant.clone(), *rate, no)),
            }
        }
    }
    let known = identity.orgs.value.as_ref();
    for org in known.map(|orgs| orgs.orgs.as_slice()).unwrap_or_default() {
        let trust = identity.trust_of(&org.id, now);
        let of = identity.entitlements.get(&org.id).and_then(|held| held.value.as_ref());
        let right = of.filter(|_| trust.words().is_none()).map(|of| of.grants(&def.entitlement, now));
        let expired =
            of.is_some_and(|of| of.entitlements.iter().any(|e| e.key == def.entitlement && e.granted));
        let rate = traffic.as_ref().ok().map(|_| claimed.get(&org.id).copied().unwrap_or_default());
        let no = refused.as_ref().ok().and(rate).map(|(_, no)| no);
        let all = |(rate, no): (f64, f64)| no >= rate * ALL;
        let standing = match (rate, right) {
            (None, _) => Standing::Unknown(format!("traffic: {}", why(&traffic))),
            (Some((rate, _)), _) if !rate.is_finite() => Standing::Unknown("traffic: no number".into()),
            (Some((rate, _)), _) if rate <= 0.0 => Standing::NoTraffic,
            (_, None) => {
                let why = orgs_trust.clone().or_else(|| trust.words()).unwrap_or_default();
                Standing::Unknown(named("entitlements", &why))
            }
            (Some((_, no)), Some(_)) if !no.is_finite() => Standing::Unknown("refused: no number".into()),
            (Some(rates), Some(false)) => {
                Standing::Found(Finding::Unentitled { expired, refused: no.is_some() && all(rates) })
            }
            (Some(rates), Some(true)) if no.is_some() && all(rates) => Standing::Found(Finding::OnlyRefused),
            (Some(_), Some(true)) if no.is_none() && def.refused.is_some() => {
                Standing::Unknown(format!("refused: {}", why(&refused)))
            }
            (Some(_), Some(true)) => Standing::Fine,
        };
        rows.push(TenantRow {
            org: Some(org.id.clone()),
            name: org.name.clone(),
            entitled: right,
            traffic: rate.map(|(rate, _)| rate).filter(|rate| rate.is_finite()),
            refused: no.filter(|no| no.is_finite()),
            standing,
        });
    }
    let whole = known.is_some_and(|orgs| !orgs.more);
    for (tenant, rate, no) in nobodies.into_iter().filter(|(_, rate, _)| rate.is_nan() || *rate != 0.0) {
        let unsure = orgs_trust.clone().or_else(|| (!whole).then(|| "too many to know all".to_owned()));
        rows.push(TenantRow {
            org: None,
            name: tenant,
            entitled: None,
            traffic: Some(rate).filter(|rate| rate.is_finite()),
            refused: refused.as_ref().ok().map(|_| no).filter(|no| no.is_finite()),
            standing: match unsure {
                _ if !rate.is_finite() => Standing::Unknown("traffic: no number".into()),
                None => Standing::Found(Finding::NoOrganisation),
                Some(why) => Standing::Unknown(named("organisations", &why)),
            },
        });
    }
    rows.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name)));
    rows
}

impl Watch {
    /// Entitlements against traffic, as the config says how to tell; nothing without an identity source.
    pub fn tenants(&self, def: &TenantsDef, now: Time) -> Vec<TenantRow> {
        let Some(identity) = &self.identity else { return Vec::new() };
        let signal = |id: Option<&SignalId>| {
            let track = self.track(id?)?;
            let source = self.source(&track.def.source);
            let trouble = source.and_then(|s| s.fault.as_ref()).map(|f| format!("{} {f}", track.def.source));
            Some((track, trouble))
        };
        compare(def, identity, [signal(Some(&def.traffic)), signal(def.refused.as_ref())], now)
    }
}

/// What is not known, and why; a scope says by itself what it is for.
fn named(part: &str, why: &str) -> String {
    if why.starts_with("needs ") { why.to_owned() } else { format!("{part}: {why}") }
}

fn rank(row: &TenantRow) -> u8 {
    match &row.standing {
        Standing::Found(_) => 0,
        Standing::Unknown(_) => 1,
        Standing::Fine => 2,
        Standing::NoTraffic => 3,
    }
}

fn why(rates: &Result<BTreeMap<String, f64>, String>) -> String {
    rates.as_ref().err().cloned().unwrap_or_default()
}

/// The rate of each tenant, or why none of them can be told. An old or incomplete answer is no answer, nor
/// is one of series that are nobody's; one without any series is, where `quiet`.
fn rates(
    signal: Option<(&Track, Option<String>)>,
    now: Time,
    quiet: bool,
) -> Result<BTreeMap<String, f64>, String> {
    let (track, trouble) = signal.ok_or("no such signal")?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    if let Some(fault) = &track.fault {
        return Err(fault.text.clone());
    }
    if let Some(warning) = track.warnings.first() {
        return Err(warning.clone());
    }
    let asked = track.asked.ok_or("no answer yet")?;
    let oldest = track.points().map(|p| p.sampled).chain([asked]).min().unwrap_or(asked);
    let age = now.since(oldest);
    if age > track.def.max_age {
        return Err(format!("{} old", duration::short(Duration::from_secs(age.as_secs()))));
    }
    if track.cut > 0 {
        return Err(format!("{} series left out", track.cut));
    }
    let mut rates: BTreeMap<String, f64> = BTreeMap::new();
    for point in track.points() {
        if let Some(tenant) = tenant_of(&point.labels) {
            *rates.entry(tenant).or_default() += point.value;
        }
    }
    let is_empty = track.points().next().is_none();
    if rates.is_empty() && !(quiet && is_empty) {
        let why = track.absence.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        return Err(format!("the signal {} has no series with a {TENANT} label{why}", track.def.id));
    }
    Ok(rates)
}

/// The tenant that a series is of, made harmless; `None`: it is nobody's.
pub fn tenant_of(labels: &Labels) -> Option<String> {
    let tenant = labels.get(TENANT).filter(|tenant| !tenant.is_empty())?;
    Some(crate::model::text::harmless_line(tenant, 200))
}
