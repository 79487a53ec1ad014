//! What an answer says about a gate on an alert.
//!
//! Fail while it fires; a silence and an inhibition are no health. Unknown while it is pending, or in
//! a state nobody knows. Pass needs somebody who vouches: a rule server whose rules of that name are
//! known, healthy and evaluated not long ago, or an Alertmanager whose dead man's switch is there.

use std::time::Duration;

use crate::model::alert::{Alert, AlertOrigin, AlertState, Rule, RuleHealth};
use crate::model::duration::short;
use crate::model::gate::{ANY_ALERT, AlertCondition};
use crate::model::{GateDef, Labels, Reason, SourceId, Time, Verdict};

use super::super::measure::Measure;
use super::super::source::STALE_INTERVALS;
use super::{AlertSource, Alerts, Seen};

/// A Prometheus server sends a firing alert again after a minute and, at the latest, an evaluation;
/// so old may the last word of a dead man's switch be where the gate says nothing else.
const WATCHDOG_AGE: Duration = Duration::from_mins(3);

/// Labels that every scraped series has, mentioned in no rule.
const TARGET_LABELS: [&str; 2] = ["job", "instance"];

/// A gate's question.
struct Asked<'a> {
    def: &'a GateDef,
    name: &'a str,
    /// Only this source counts, because the gate names it.
    only: bool,
    at: Time,
}

impl Asked<'_> {
    fn is_meant(&self, alerts: &Alerts, name: &str) -> bool {
        if self.name == ANY_ALERT { !alerts.is_watchdog(name) } else { name == self.name }
    }

    fn what(&self) -> String {
        let name = if self.name == ANY_ALERT { "an alert" } else { self.name };
        let labels: Vec<String> = self.def.matching.iter().map(|(n, v)| format!("{n}={v}")).collect();
        if labels.is_empty() { name.to_owned() } else { format!("{name} with {}", labels.join(", ")) }
    }

    fn unknown(&self, code: &str, text: impl AsRef<str>) -> Measure {
        Measure::unknown(self.at, code, text)
    }
}

/// Measures a gate on what its source told last; also the oldest evaluation that counts for it.
pub(in super::super) fn measure(
    def: &GateDef,
    wanted: &AlertCondition,
    alerts: &Alerts,
    source: &SourceId,
    at: Time,
) -> (Measure, Duration) {
    let asked = Asked { def, name: &wanted.name, only: wanted.source.is_some(), at };
    let Some(source) = alerts.source(source) else {
        return (asked.unknown("no-source", "no source tells alerts"), Duration::ZERO);
    };
    let age = def.max_age.unwrap_or_else(|| default_age(&asked, alerts, source));
    let meant: Vec<&Seen> = alerts.list.iter().filter(|seen| counts(&asked, alerts, source, seen)).collect();
    let measured = of_state(&asked, &meant).unwrap_or_else(|| match source.origin {
        AlertOrigin::Rules => by_rules(&asked, alerts, source, age),
        AlertOrigin::Alertmanager => by_watchdog(&asked, source, age),
    });
    (measured, age)
}

/// The oldest evaluation that counts where the gate does not say: three intervals of whichever is
/// slower, the poll or the rules.
fn default_age(asked: &Asked<'_>, alerts: &Alerts, source: &AlertSource) -> Duration {
    let rules = source.told.rules.iter().filter(|r| asked.is_meant(alerts, &r.name));
    let slowest = rules.filter_map(|r| r.interval).max().unwrap_or_default();
    match source.origin {
        AlertOrigin::Rules => slowest.max(source.every) * STALE_INTERVALS,
        AlertOrigin::Alertmanager => WATCHDOG_AGE.max(source.every * STALE_INTERVALS),
    }
}

/// Whether an alert of the list bears on the gate. An Alertmanager's own alerts (another sender's)
/// count beside the rule server's, unless the gate names its source.
fn counts(asked: &Asked<'_>, alerts: &Alerts, source: &AlertSource, seen: &Seen) -> bool {
    if !asked.is_meant(alerts, &seen.alert.name) {
        return false;
    }
    let told = seen.sources.contains(&source.id);
    let elsewhere = || {
        let fresh = |id: &SourceId| alerts.source(id).is_some_and(|s| s.is_fresh(asked.at));
        !asked.only && seen.sources.iter().any(fresh)
    };
    let external = source.told.external_labels.as_ref().filter(|_| told);
    let label = |name: &str| seen.alert.labels.get(name).or_else(|| external?.get(name)).unwrap_or("");
    (told || elsewhere()) && asked.def.matching.iter().all(|(name, want)| label(name) == want)
}

/// What the alerts themselves say; `None` where there is none.
fn of_state(asked: &Asked<'_>, meant: &[&Seen]) -> Option<Measure> {
    let of = |state: &dyn Fn(&AlertState) -> bool| -> Vec<&Alert> {
        meant.iter().map(|seen| &seen.alert).filter(|alert| state(&alert.state)).collect()
    };
    let firing = of(&|s| *s == AlertState::Firing);
    // The list has what nobody mutes first.
    if let Some(worst) = firing.first() {
        let text = format!("{}{}", firing_text(worst), and_more(firing.len()));
        return Some(Measure {
            at: asked.at,
            verdict: Verdict::Fail,
            reason: Reason::new("firing", text),
            value: Some(firing.len() as f64),
            labels: worst.labels.filtered(|name| name != crate::model::alert::ALERTNAME),
            sampled: Some(asked.at),
        });
    }
    let other = of(&|s| matches!(s, AlertState::Other(_)));
    if let Some(worst) = other.first() {
        let text = format!("{} is {}{}", worst.name, worst.state.word(), and_more(other.len()));
        return Some(asked.unknown("other-state", text));
    }
    let mut pending = of(&|s| *s == AlertState::Pending);
    pending.sort_by_key(|alert| alert.fires_at);
    let first = pending.iter().find(|a| a.fires_at.is_some()).or(pending.first())?;
    let left = first.fires_in(asked.at).map_or_else(String::new, |left| match left {
        Duration::ZERO => ", fires at its next evaluation".into(),
        left => format!(", fires in {}", short(Duration::from_secs(left.as_secs().max(1)))),
    });
    Some(asked.unknown("pending", format!("{} pending{left}{}", first.name, and_more(pending.len()))))
}

fn firing_text(alert: &Alert) -> String {
    let since = alert.since().map(|at| format!(" since {}", at.clock())).unwrap_or_default();
    let muted = alert.muted_text().map(|text| format!(", {text}")).unwrap_or_default();
    format!("{} firing{since}{muted}", alert.name)
}

fn and_more(count: usize) -> String {
    if count > 1 { format!(", and {} more", count - 1) } else { String::new() }
}

/// No alert is there: whether the rules that would make it are known, whole and alive.
fn by_rules(asked: &Asked<'_>, alerts: &Alerts, source: &AlertSource, age: Duration) -> Measure {
    let told = &source.told;
    if let Some(why) = told.partial.first() {
        return asked.unknown("partial", format!("{}: {why}", source.id));
    }
    let named: Vec<&Rule> = told.rules.iter().filter(|r| asked.is_meant(alerts, &r.name)).collect();
    if named.is_empty() {
        return no_rule(asked, source);
    }
    if let Some(unknown) = no_such_label(asked, source) {
        return unknown;
    }
    let external = told.external_labels.as_ref();
    let added = |name: &str, want: &str| external.and_then(|e| e.get(name)) == Some(want);
    let own: Vec<(String, String)> =
        asked.def.matching.iter().filter(|(n, v)| !added(n, v)).cloned().collect();
    let rules: Vec<&Rule> = named.into_iter().filter(|r| r.could_have(&own)).collect();
    let Some(first) = rules.first() else {
        return asked.unknown("no-rule", format!("no rule of {} can make {}", source.id, asked.what()));
    };
    if let Some(rule) = rules.iter().find(|r| r.health != RuleHealth::Ok) {
        let why = rule.last_error.as_deref().map(|e| format!(": {e}")).unwrap_or_default();
        let (code, word) = match &rule.health {
            RuleHealth::Error => ("rule-failed", "failed at its last evaluation"),
            RuleHealth::Never => ("rule-not-evaluated", "was not evaluated yet"),
            other => ("rule-unhealthy", other.word()),
        };
        return asked.unknown(code, format!("rule {} {word}{why}", rule.name));
    }
    // A rule that says more than its list of alerts does is believed.
    if own.is_empty()
        && let Some(rule) = rules.iter().find(|r| r.state != AlertState::Inactive)
    {
        let text = format!("rule {} is {}, and its alerts are not told", rule.name, rule.state.word());
        return asked.unknown("other-state", text);
    }
    let evaluated = rules.iter().map(|r| r.last_evaluation).min().flatten();
    let Some(evaluated) = evaluated.map(|at| told.local_time(at)) else {
        return asked.unknown("rule-not-evaluated", format!("rule {} was not evaluated yet", first.name));
    };
    let old = asked.at.since(evaluated);
    if old > age {
        let text = format!("rule {} was evaluated {} ago, max-age {}", first.name, short(old), short(age));
        return asked.unknown("stale", text);
    }
    let count = if rules.len() == 1 { "1 rule".into() } else { format!("{} rules", rules.len()) };
    passes(asked, &format!("{count} evaluated {} ago", short(whole(old))), evaluated)
}

fn no_rule(asked: &Asked<'_>, source: &AlertSource) -> Measure {
    let rules = &source.told.rules;
    if rules.is_empty() {
        return asked.unknown("no-rule", format!("{} has no alerting rules", source.id));
    }
    let near = nearest(asked.name, rules.iter().map(|r| r.name.as_str()));
    let near = near.map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    asked.unknown("no-rule", format!("{} has no rule {}{near}", source.id, asked.name))
}

/// A label that no rule sets or mentions, and no alert has, is a typo that would pass for ever.
fn no_such_label(asked: &Asked<'_>, source: &AlertSource) -> Option<Measure> {
    let told = &source.told;
    let known = |label: &str| {
        TARGET_LABELS.contains(&label)
            || told.rules.iter().any(|r| r.labels.get(label).is_some() || mentions(&r.query, label))
            || told.alerts.iter().any(|a| a.labels.get(label).is_some())
            || told.external_labels.as_ref().is_some_and(|e| e.get(label).is_some())
    };
    let (label, _) = asked.def.matching.iter().find(|(label, _)| !known(label))?;
    let set = told.rules.iter().flat_map(|r| r.labels.iter().map(|(name, _)| name));
    let near = nearest(label, set).map(|name| format!("; did you mean {name}?")).unwrap_or_default();
    Some(
        asked.unknown(
            "no-label",
            format!("no rule of {} sets or mentions the label {label}{near}", source.id),
        ),
    )
}

/// Whether a word stands in an expression by itself.
fn mentions(query: &str, word: &str) -> bool {
    query.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|part| part == word)
}

/// Nobody sent the alert: worth something only while the dead man's switch is there.
fn by_watchdog(asked: &Asked<'_>, source: &AlertSource, age: Duration) -> Measure {
    if let Some(why) = source.told.partial.first() {
        return asked.unknown("partial", format!("{}: {why}", source.id));
    }
    let Some(name) = &source.watchdog else {
        let text = format!(
            "{} holds no {}, which proves nothing: give it a `watchdog`, or a prometheus source alerts = true",
            source.id,
            asked.what()
        );
        return asked.unknown("unproven", text);
    };
    let dogs = source.told.alerts.iter().filter(|a| a.name == *name && a.state == AlertState::Firing);
    let Some(barked) = dogs.map(|a| a.updated_at).max() else {
        let text = format!("{name} is not there, so nobody vouches for the silence of {}", source.id);
        return asked.unknown("watchdog-missing", text);
    };
    let Some(barked) = barked.map(|at| source.told.local_time(at)) else {
        return asked.unknown("watchdog-missing", format!("{} does not say when {name} was sent", source.id));
    };
    let old = asked.at.since(barked);
    if old > age {
        let text = format!("{name} was sent {} ago, max-age {}", short(old), short(age));
        return asked.unknown("stale", text);
    }
    passes(asked, &format!("{name} was sent {} ago", short(whole(old))), barked)
}

fn passes(asked: &Asked<'_>, rests_on: &str, sampled: Time) -> Measure {
    let what = if asked.name == ANY_ALERT {
        format!("no {} fires", asked.what().replacen("an alert", "alert", 1))
    } else {
        format!("{} does not fire", asked.what())
    };
    Measure {
        at: asked.at,
        verdict: Verdict::Pass,
        reason: Reason::new("not-firing", format!("{what}; {rests_on}")),
        value: Some(0.0),
        labels: Labels::none(),
        sampled: Some(sampled),
    }
}

fn whole(span: Duration) -> Duration {
    Duration::from_secs(span.as_secs())
}

/// The known name that somebody most likely meant.
fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded: String = name.chars().take(100).collect::<String>().to_lowercase();
    let distance = |k: &str| strsim::damerau_levenshtein(&folded, &k.to_lowercase());
    known
        .take(5_000)
        .filter(|k| k.len() <= 200 && k.len().abs_diff(name.len()) <= name.len() / 3 + 1)
        .map(|k| (distance(k), k))
        .filter(|(distance, k)| *distance <= (k.chars().count().max(folded.chars().count()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
