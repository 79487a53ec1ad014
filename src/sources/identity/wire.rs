//! The JSON of `launch-identity/1`, and what it means. Unknown fields are ignored; what may be left
//! out is optional; enum values that are not known are kept out of the way as `Other`.

use std::time::Duration;

use serde::Deserialize;

use crate::model::flag::Rule;
use crate::model::identity::{Meta, Principal, PrincipalKind, Whoami};
use crate::model::text::harmless_line;
use crate::model::{Fault, FaultCode, Flag, Observed, Percent, Time};

/// The longest text that is kept of a name.
const NAME: usize = 200;

#[derive(Deserialize)]
pub(super) struct MetaDoc {
    /// Whatever does not say which contract it is in is no description of a service.
    contract: String,
    service: Option<Service>,
    server_time: Option<String>,
    environments: Option<Vec<String>>,
    capabilities: Option<Vec<String>>,
    poll: Option<PollDoc>,
}

#[derive(Deserialize)]
struct Service {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct PollDoc {
    min_interval_s: Option<u64>,
}

#[derive(Deserialize)]
pub(super) struct WhoamiDoc {
    subject: PrincipalDoc,
    org_id: Option<String>,
    roles: Option<Vec<String>>,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
    impersonator: Option<PrincipalDoc>,
}

#[derive(Deserialize)]
pub(super) struct PrincipalDoc {
    id: String,
    kind: Option<String>,
    display: Option<String>,
}

/// One page of flags.
#[derive(Deserialize)]
pub(super) struct FlagsDoc {
    pub(super) environment: String,
    #[serde(default)]
    pub(super) missing: Option<Vec<String>>,
    #[serde(default)]
    pub(super) next_cursor: Option<String>,
    pub(super) flags: Vec<FlagDoc>,
}

#[derive(Deserialize)]
pub(super) struct FlagDoc {
    pub(super) key: String,
    owner: Option<String>,
    archived: Option<bool>,
    stale: Option<bool>,
    state: State,
}

#[derive(Deserialize)]
struct State {
    enabled: bool,
    rollout: Rollout,
    rules: Option<Vec<RuleDoc>>,
    targets: Option<Targets>,
    variants: Option<Vec<Variant>>,
    prerequisites: Option<Vec<String>>,
    schedule: Option<Schedule>,
    observed: Option<ObservedDoc>,
    updated_at: Option<String>,
    updated_by: Option<PrincipalDoc>,
}

#[derive(Deserialize)]
struct Rollout {
    mode: Mode,
    percent: Option<f64>,
    unit: Option<String>,
    #[serde(default)]
    exact: Option<bool>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Off,
    All,
    Percent,
    Rules,
    Mixed,
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Variant {
    key: String,
    weight_percent: Option<f64>,
}

#[derive(Deserialize)]
struct Schedule {
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    at: Option<String>,
    percent: Option<f64>,
}

#[derive(Deserialize)]
struct ObservedDoc {
    window_s: Option<u64>,
    on: Option<u64>,
    off: Option<u64>,
    at: Option<String>,
}

#[derive(Deserialize)]
struct RuleDoc {
    id: Option<String>,
    name: Option<String>,
    enabled: Option<bool>,
    when: Option<Vec<serde_json::Value>>,
    percent: Option<f64>,
    variant: Option<String>,
}

#[derive(Deserialize)]
struct Targets {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
}

/// Problem details (RFC 9457).
#[derive(Deserialize)]
pub(super) struct Problem {
    pub(super) title: Option<String>,
    pub(super) detail: Option<String>,
    pub(super) required_scope: Option<String>,
}

pub(super) fn clean(text: &str) -> String {
    harmless_line(text, NAME)
}

/// A text that may be left out; an empty one is none.
pub(super) fn named(text: Option<&str>) -> Option<String> {
    text.map(clean).filter(|text| !text.is_empty())
}

pub(super) fn clean_all(texts: Option<Vec<String>>) -> Vec<String> {
    texts.unwrap_or_default().iter().map(|text| clean(text)).collect()
}

/// The moment at which something ends; `None`: never.
///
/// # Errors
/// A text that is no moment: it must not look as if there were no end.
pub(super) fn end(what: &str, text: Option<&str>) -> Result<Option<Time>, Fault> {
    let unreadable = |text: &str| {
        Fault::new(FaultCode::Unreadable, format!("{what} {:?} is no moment", harmless_line(text, 40)))
    };
    text.map(|text| time(Some(text)).ok_or_else(|| unreadable(text))).transpose()
}

pub(super) fn time(text: Option<&str>) -> Option<Time> {
    text?.parse::<jiff::Timestamp>().ok().map(|t| Time::from_millis(t.as_millisecond()))
}

impl MetaDoc {
    /// The server's clock, as it said it.
    pub(super) fn server_time(&self) -> Option<Time> {
        time(self.server_time.as_deref())
    }

    pub(super) fn meta(self) -> Meta {
        let (name, version) = self.service.map_or((None, None), |s| (s.name, s.version));
        let service = [name, version].into_iter().flatten().collect::<Vec<_>>().join(" ");
        Meta {
            contract: clean(&self.contract),
            service: clean(&service),
            environments: clean_all(self.environments),
            capabilities: clean_all(self.capabilities),
            min_interval_s: self.poll.and_then(|p| p.min_interval_s),
        }
    }
}

impl WhoamiDoc {
    /// # Errors
    /// A moment at which the token ends that cannot be read: it must not look like none.
    pub(super) fn whoami(self) -> Result<Whoami, Fault> {
        Ok(Whoami {
            id: clean(&self.subject.id),
            display: self.subject.name(),
            roles: clean_all(self.roles),
            scopes: clean_all(self.scopes),
            claims: Vec::new(),
            org_id: named(self.org_id.as_deref()),
            expires_at: end("expires_at", self.expires_at.as_deref())?,
            impersonator: self.impersonator.as_ref().map(PrincipalDoc::principal),
        })
    }
}

/// Who the token stands for, with pointers to everything that is said of them.
pub(super) fn whoami(value: serde_json::Value) -> Result<Whoami, Fault> {
    let mut claims = Vec::new();
    pointers(&value, "", &mut claims);
    let doc = WhoamiDoc::deserialize(value)
        .map_err(|why| Fault::new(FaultCode::Unreadable, format!("whoami cannot be read: {why}")))?;
    Ok(Whoami { claims, ..doc.whoami()? })
}

/// The most claims that are kept; nobody's rights are told with more.
const MAX_CLAIMS: usize = 200;

/// Pointers (RFC 6901) to everything in an object that is not null; lists count as a whole.
fn pointers(value: &serde_json::Value, at: &str, out: &mut Vec<String>) {
    let Some(fields) = value.as_object() else { return };
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        if out.len() == MAX_CLAIMS {
            return;
        }
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        out.push(clean(&pointer));
        pointers(value, &pointer, out);
    }
}

impl PrincipalDoc {
    pub(super) fn principal(&self) -> Principal {
        let kind = match self.kind.as_deref() {
            Some("user") => PrincipalKind::User,
            Some("service") => PrincipalKind::Service,
            Some("system") => PrincipalKind::System,
            _ => PrincipalKind::Other,
        };
        Principal { id: clean(&self.id), kind, display: self.name() }
    }

    pub(super) fn name(&self) -> String {
        clean(self.display.as_deref().filter(|d| !d.trim().is_empty()).unwrap_or(&self.id))
    }
}

impl FlagDoc {
    /// # Errors
    /// A percentage that cannot be one.
    pub(super) fn flag(&self) -> Result<Flag, Fault> {
        let state = &self.state;
        let percent = state.percent().map_err(|value| {
            let text = format!("flag {}: percent {value} lies outside 0 to 100", clean(&self.key));
            Fault::new(FaultCode::Unreadable, text)
        })?;
        let next = state.schedule.as_ref().and_then(|s| s.next.as_ref());
        let variants = state.variants.iter().flatten();
        Ok(Flag {
            key: clean(&self.key),
            enabled: state.enabled,
            enabled_unknown: false,
            percent,
            unit: clean(state.rollout.unit.as_deref().unwrap_or_default()),
            updated_at: time(state.updated_at.as_deref()),
            updated_by: state.updated_by.as_ref().map(PrincipalDoc::name),
            updated_by_id: state.updated_by.as_ref().map(|by| clean(&by.id)),
            next: next.and_then(|n| Some((time(n.at.as_deref())?, n.percent?))),
            observed: state.observed.as_ref().and_then(ObservedDoc::observed),
            variants: variants.map(|v| (clean(&v.key), v.weight())).collect(),
            rules: state.rules.iter().flatten().map(RuleDoc::rule).collect(),
            targets: state.targets.as_ref().map(Targets::text).unwrap_or_default(),
            prerequisites: clean_all(state.prerequisites.clone()),
            elsewhere: Vec::new(),
            owner: clean(self.owner.as_deref().unwrap_or_default()),
            archived: self.archived.unwrap_or(false),
            stale: self.stale.unwrap_or(false),
        })
    }
}

impl Variant {
    /// `None` where it is not told, or cannot be one.
    fn weight(&self) -> Option<f64> {
        self.weight_percent.filter(|weight| (0.0..=100.0).contains(weight))
    }
}

impl State {
    /// What may be said of the rollout, and never more: a percentage that is not said to be exact is
    /// a lower bound, and one that contradicts its mode is unknown.
    fn percent(&self) -> Result<Percent, f64> {
        let Rollout { mode, percent, exact, .. } = &self.rollout;
        if let Some(value) = percent.filter(|value| !(0.0..=100.0).contains(value)) {
            return Err(value);
        }
        if !self.enabled {
            return Ok(Percent::Known { value: 0.0 });
        }
        Ok(match (mode, percent, exact) {
            (Mode::Off, None | Some(0.0), None | Some(true)) => Percent::Known { value: 0.0 },
            (Mode::All, None | Some(100.0), None | Some(true)) => Percent::Known { value: 100.0 },
            (Mode::Off, ..) | (Mode::All, Some(_), None | Some(true)) | (_, None, _) => Percent::Unknown,
            (_, Some(value), Some(true)) => Percent::Known { value: *value },
            (_, Some(value), _) => Percent::AtLeast { value: *value },
        })
    }
}

impl ObservedDoc {
    /// What was counted; `None` where either half is missing.
    fn observed(&self) -> Option<Observed> {
        Some(Observed {
            on: self.on?,
            off: self.off?,
            window: self.window_s.map(Duration::from_secs),
            at: time(self.at.as_deref()),
        })
    }
}

impl RuleDoc {
    fn rule(&self) -> Rule {
        let name = self.name.as_deref().filter(|name| !name.trim().is_empty());
        let percent = match self.percent {
            Some(value) if (0.0..=100.0).contains(&value) => Percent::Known { value },
            _ => Percent::Unknown,
        };
        Rule {
            name: clean(name.or(self.id.as_deref()).unwrap_or("rule")),
            when: self.when.iter().flatten().map(condition).collect::<Vec<_>>().join(" and "),
            percent,
            variant: clean(self.variant.as_deref().unwrap_or_default()),
            enabled: self.enabled.unwrap_or(true),
        }
    }
}

/// A condition in words where it has the usual fields (`org.plan in (enterprise)`), else as it came.
fn condition(value: &serde_json::Value) -> String {
    let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str);
    let words =
        |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    let values = match (value.get("values"), value.get("value")) {
        (Some(serde_json::Value::Array(all)), _) => {
            Some(format!("({})", all.iter().map(words).collect::<Vec<_>>().join(", ")))
        }
        (Some(one), _) | (None, Some(one)) => Some(words(one)),
        (None, None) => None,
    };
    match (text("attribute"), text("op").or_else(|| text("operator")), values) {
        (Some(attribute), Some(op), Some(values)) => clean(&format!("{attribute} {op} {values}")),
        _ => clean(&value.to_string()),
    }
}

impl Targets {
    fn text(&self) -> String {
        let part = |word: &str, all: &Option<Vec<String>>| {
            let all = all.as_ref().filter(|all| !all.is_empty())?;
            let first: Vec<String> = all.iter().take(5).map(|one| clean(one)).collect();
            let more = if all.len() > 5 { format!(" and {} more", all.len() - 5) } else { String::new() };
            Some(format!("{word}: {}{more}", first.join(", ")))
        };
        let parts = [part("in", &self.include), part("out", &self.exclude)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(enabled: bool, rollout: &str) -> Result<Percent, Fault> {
        let text = format!(r#"{{"key":"k","state":{{"enabled":{enabled},"rollout":{rollout}}}}}"#);
        serde_json::from_str::<FlagDoc>(&text).unwrap().flag().map(|flag| flag.percent)
    }

    #[test]
    fn a_percentage_is_known_only_where_the_service_says_it_is_exact() {
        let known = |value| Percent::Known { value };
        for (enabled, rollout, expected) in [
            (true, r#"{"mode":"percent","percent":25,"exact":true}"#, known(25.0)),
            (true, r#"{"mode":"mixed","percent":10,"exact":false}"#, Percent::AtLeast { value: 10.0 }),
            (true, r#"{"mode":"percent","percent":10}"#, Percent::AtLeast { value: 10.0 }),
            (true, r#"{"mode":"rules","percent":null,"exact":false}"#, Percent::Unknown),
            (true, r#"{"mode":"rules","percent":null,"exact":true}"#, Percent::Unknown),
            (true, r#"{"mode":"off","percent":null,"exact":true}"#, known(0.0)),
            (true, r#"{"mode":"off","percent":0}"#, known(0.0)),
            (true, r#"{"mode":"off","percent":25,"exact":true}"#, Percent::Unknown),
            (true, r#"{"mode":"off","percent":null,"exact":false}"#, Percent::Unknown),
            (false, r#"{"mode":"off","percent":25,"exact":false}"#, known(0.0)),
            (false, r#"{"mode":"percent","percent":25,"exact":true}"#, known(0.0)),
            (true, r#"{"mode":"all","percent":null,"exact":true}"#, known(100.0)),
            (true, r#"{"mode":"all","percent":100,"exact":true}"#, known(100.0)),
            (true, r#"{"mode":"all","percent":50,"exact":true}"#, Percent::Unknown),
            (true, r#"{"mode":"all","percent":null,"exact":false}"#, Percent::Unknown),
            (true, r#"{"mode":"by-the-moon","percent":5,"exact":true,"phase":1}"#, known(5.0)),
        ] {
            assert_eq!(percent(enabled, rollout).unwrap(), expected, "{enabled} {rollout}");
        }
        for bad in ["-1", "100.5", "1e300"] {
            let rollout = format!(r#"{{"mode":"percent","percent":{bad},"exact":true}}"#);
            assert_eq!(percent(true, &rollout).unwrap_err().code, FaultCode::Unreadable);
        }
    }

    #[test]
    fn a_flag_says_who_changed_it_what_comes_next_and_what_callers_got() {
        let text = r#"{"key":"a\u001b[2Jb","kind":"novel","state":{"enabled":true,
            "rollout":{"mode":"percent","percent":25,"unit":"org","exact":true},
            "variants":[{"key":"on","weight_percent":25},{"key":"off"},{"key":"odd","weight_percent":250}],
            "schedule":{"next":{"at":"2026-11-23T03:00:00Z","percent":50}},
            "observed":{"window_s":300,"on":24,"off":76,"at":"2026-11-23T02:00:00Z"},
            "updated_at":"2026-11-23T02:00:00Z","updated_by":{"id":"ravi","kind":"user","display":null}}}"#;
        let flag = serde_json::from_str::<FlagDoc>(text).unwrap().flag().unwrap();
        assert_eq!(flag.key, "a\\u{1b}[2Jb");
        assert_eq!((flag.updated_by.as_deref(), flag.unit.as_str()), (Some("ravi"), "org"));
        assert_eq!((flag.observed.unwrap().percent(), flag.next.unwrap().1), (Some(24.0), 50.0));
        assert_eq!(
            flag.variants,
            [("on".to_owned(), Some(25.0)), ("off".to_owned(), None), ("odd".to_owned(), None)]
        );
    }
}
