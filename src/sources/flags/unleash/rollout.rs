//! What Unleash's strategies mean for everybody: they are OR'd, and each may be for some only.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::super::{between, clean, number, percentage, some_of, unreadable, words};
use crate::model::flag::Rule;
use crate::model::{Fault, Percent};

/// A strategy, as both APIs tell it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StrategyDoc {
    name: String,
    title: Option<String>,
    disabled: Option<bool>,
    parameters: Option<BTreeMap<String, Value>>,
    constraints: Option<Vec<ConstraintDoc>>,
    segments: Option<Vec<Value>>,
    variants: Option<Vec<VariantDoc>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConstraintDoc {
    context_name: String,
    operator: String,
    values: Option<Vec<Value>>,
    value: Option<Value>,
    inverted: Option<bool>,
}

/// A variant; weights are in thousandths.
#[derive(Deserialize)]
pub(super) struct VariantDoc {
    name: String,
    weight: Option<f64>,
}

/// A flag's parent.
#[derive(Deserialize)]
pub(super) struct DependencyDoc {
    pub(super) feature: String,
    /// Whether the parent must be on; it must where nothing is said.
    pub(super) enabled: Option<bool>,
    variants: Option<Vec<String>>,
}

/// What the strategies of one environment come to.
pub(super) struct Rollout {
    pub(super) percent: Percent,
    pub(super) unit: String,
    pub(super) rules: Vec<Rule>,
    pub(super) variants: Vec<(String, f64)>,
}

/// How many of those that a strategy is for it lets in, and who those are.
struct Share {
    percent: Percent,
    /// Whether it is for everybody.
    everybody: bool,
    unit: String,
}

/// # Errors
/// A percentage or a weight that cannot be one, with the flag's key.
pub(super) fn rollout(
    key: &str,
    enabled: bool,
    strategies: &[StrategyDoc],
    of_flag: &[VariantDoc],
) -> Result<Rollout, Fault> {
    let mut rules = Vec::new();
    // The bounds of the union: at least the largest certain one, at most all together.
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    let mut units: Vec<String> = Vec::new();
    let live: Vec<&StrategyDoc> = strategies.iter().filter(|s| s.disabled != Some(true)).collect();
    for strategy in strategies {
        let share = strategy.share(key)?;
        let on = strategy.disabled != Some(true);
        if on {
            let (least, most) = share.percent.bounds().unwrap_or((0.0, 100.0));
            low = low.max(if share.everybody { least } else { 0.0 });
            high = (high + most).min(100.0);
            if !units.contains(&share.unit) {
                units.push(share.unit.clone());
            }
        }
        rules.push(Rule {
            name: clean(strategy.title.as_deref().filter(|t| !t.trim().is_empty()).unwrap_or(&strategy.name)),
            when: strategy.when(),
            percent: share.percent,
            variant: strategy
                .variants
                .as_deref()
                .map(|all| variant_text(key, all))
                .transpose()?
                .unwrap_or_default(),
            enabled: on,
        });
    }
    if live.is_empty() {
        // Unleash's clients let everybody in where a flag has no strategy that is switched on.
        (low, high) = (100.0, 100.0);
    }
    let own = match live.as_slice() {
        [only] => only.variants.as_deref().filter(|all| !all.is_empty()),
        _ => None,
    };
    Ok(Rollout {
        percent: if enabled { between(low, high) } else { Percent::Known { value: 0.0 } },
        unit: if let [unit] = units.as_slice() { unit.clone() } else { String::new() },
        rules,
        variants: weights(key, own.unwrap_or(of_flag))?,
    })
}

fn weights(key: &str, variants: &[VariantDoc]) -> Result<Vec<(String, f64)>, Fault> {
    let weight = |variant: &VariantDoc| {
        let percent = percentage(key, variant.weight.unwrap_or(f64::NAN) / 10.0)?;
        Ok((clean(&variant.name), percent))
    };
    variants.iter().map(weight).collect()
}

fn variant_text(key: &str, variants: &[VariantDoc]) -> Result<String, Fault> {
    let text =
        |(name, percent): &(String, f64)| format!("{name} {}", Percent::Known { value: *percent }.text());
    Ok(clean(&weights(key, variants)?.iter().map(text).collect::<Vec<_>>().join(", ")))
}

impl StrategyDoc {
    fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.as_ref()?.get(name)
    }

    fn share(&self, key: &str) -> Result<Share, Fault> {
        let bound = self.constraints.iter().flatten().next().is_some()
            || self.segments.iter().flatten().next().is_some();
        let all = Percent::Known { value: 100.0 };
        let (percent, of_all, unit) = match self.name.as_str() {
            "default" => (all, true, String::new()),
            "flexibleRollout" => {
                let unit = match self.parameter("stickiness").and_then(Value::as_str) {
                    None | Some("default" | "") => "",
                    Some("userId") => "user",
                    Some("sessionId") => "session",
                    Some("random") => "request",
                    Some(other) => other,
                };
                (self.gradual(key, "rollout")?, true, clean(unit))
            }
            "gradualRolloutUserId" => (self.gradual(key, "percentage")?, true, "user".into()),
            "gradualRolloutSessionId" => (self.gradual(key, "percentage")?, true, "session".into()),
            "gradualRolloutRandom" => (self.gradual(key, "percentage")?, true, "request".into()),
            // For those it lists; how many they are, nobody says.
            "userWithId" | "remoteAddress" | "applicationHostname" => (all, false, String::new()),
            _ => (Percent::Unknown, false, String::new()),
        };
        Ok(Share { percent, everybody: of_all && !bound, unit })
    }

    /// The percentage, a string on the wire.
    fn gradual(&self, key: &str, parameter: &str) -> Result<Percent, Fault> {
        let Some(value) = self.parameter(parameter) else { return Ok(Percent::Unknown) };
        let Some(value) = number(value) else {
            return Err(unreadable(key, &format!("{parameter} {} is no percentage", clean(&words(value)))));
        };
        Ok(Percent::Known { value: percentage(key, value)? })
    }

    /// For whom it is, in words.
    fn when(&self) -> String {
        let listed = [("userIds", "userId"), ("IPs", "remoteAddress"), ("hostNames", "hostname")];
        let lists = listed.iter().filter_map(|(parameter, name)| {
            let all = self.parameter(parameter)?.as_str()?;
            let all: Vec<&str> = all.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
            Some(format!("{name} in {}", some_of(&all, |one| (*one).to_owned())))
        });
        let constraints = self.constraints.iter().flatten().map(ConstraintDoc::text);
        let segments = self.segments.iter().flatten().map(|id| format!("in segment {}", words(id)));
        clean(&lists.chain(constraints).chain(segments).collect::<Vec<_>>().join(" and "))
    }
}

impl ConstraintDoc {
    fn text(&self) -> String {
        let values = match (&self.values, &self.value) {
            (Some(all), _) if !all.is_empty() => some_of(all, words),
            (_, Some(one)) => words(one),
            _ => String::new(),
        };
        let not = if self.inverted == Some(true) { "not " } else { "" };
        format!("{not}{} {} {values}", self.context_name, self.operator.to_ascii_lowercase())
            .trim()
            .to_owned()
    }
}

/// A flag's percentage under the condition that its parents are as it wants them; `reach` is how far a
/// parent is out, `None` where that is not known.
pub(super) fn under(
    percent: Percent,
    parents: &[DependencyDoc],
    reach: impl Fn(&str) -> Option<Percent>,
) -> Percent {
    parents.iter().fold(percent, |percent, parent| {
        let none = Percent::Known { value: 0.0 };
        let wants_on = parent.enabled != Some(false);
        let any_variant = parent.variants.as_ref().is_none_or(Vec::is_empty);
        match reach(&parent.feature).and_then(Percent::exact) {
            _ if percent == none => none,
            Some(0.0) if wants_on => none,
            Some(0.0) => percent,
            Some(100.0) if wants_on && any_variant => percent,
            Some(100.0) if !wants_on => none,
            // Both must hold, and how the two overlap is not known.
            _ => Percent::Unknown,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FaultCode;

    fn of(strategies: &str) -> Result<Rollout, Fault> {
        rollout("k", true, &serde_json::from_str::<Vec<StrategyDoc>>(strategies).unwrap(), &[])
    }

    #[test]
    fn strategies_are_ored_and_what_is_for_some_is_certain_for_nobody() {
        let known = |value| Percent::Known { value };
        let least = |value| Percent::AtLeast { value };
        let flexible = |rollout: &str, more: &str| {
            format!(
                r#"{{"name":"flexibleRollout","parameters":{{"rollout":"{rollout}","stickiness":"userId"}}{more}}}"#
            )
        };
        let only_eu = r#","constraints":[{"contextName":"region","operator":"IN","values":["eu"]}]"#;
        for (strategies, expected) in [
            (r#"[{"name":"default"}]"#.to_owned(), known(100.0)),
            ("[]".to_owned(), known(100.0)),
            (format!("[{}]", flexible("25", "")), known(25.0)),
            (format!("[{}]", flexible("0", "")), known(0.0)),
            (format!("[{},{}]", flexible("10", ""), flexible("20", "")), least(20.0)),
            (format!("[{},{}]", flexible("10", ""), flexible("0", "")), known(10.0)),
            (format!(r#"[{},{{"name":"default"}}]"#, flexible("10", "")), known(100.0)),
            (format!("[{}]", flexible("50", only_eu)), Percent::Unknown),
            (format!("[{}]", flexible("0", only_eu)), known(0.0)),
            (format!("[{},{}]", flexible("10", ""), flexible("100", only_eu)), least(10.0)),
            (format!("[{}]", flexible("50", r#","segments":[3]"#)), Percent::Unknown),
            (r#"[{"name":"gradualRolloutUserId","parameters":{"percentage":"33"}}]"#.to_owned(), known(33.0)),
            (r#"[{"name":"userWithId","parameters":{"userIds":"a,b"}}]"#.to_owned(), Percent::Unknown),
            (
                format!(r#"[{},{{"name":"userWithId","parameters":{{"userIds":"a"}}}}]"#, flexible("10", "")),
                least(10.0),
            ),
            (r#"[{"name":"ofOurOwn","parameters":{"rollout":"90"}}]"#.to_owned(), Percent::Unknown),
            (r#"[{"name":"flexibleRollout","parameters":{}}]"#.to_owned(), Percent::Unknown),
            (format!("[{},{}]", flexible("10", ""), flexible("100", r#","disabled":true"#)), known(10.0)),
        ] {
            assert_eq!(of(&strategies).unwrap().percent, expected, "{strategies}");
        }
    }

    #[test]
    fn a_percentage_that_cannot_be_one_is_told_with_its_flag() {
        for (rollout, text) in [
            ("101", "flag k: percent 101 lies outside 0 to 100"),
            ("NaN", "flag k: percent NaN lies outside 0 to 100"),
            ("half", "flag k: rollout half is no percentage"),
        ] {
            let strategies =
                format!(r#"[{{"name":"flexibleRollout","parameters":{{"rollout":"{rollout}"}}}}]"#);
            let fault = of(&strategies).err().unwrap();
            assert_eq!((fault.code, fault.text.as_str()), (FaultCode::Unreadable, text));
        }
    }

    #[test]
    fn a_rule_says_for_whom_and_how_many_and_with_which_variant() {
        let told = of(r#"[{"name":"flexibleRollout","title":"eu first","parameters":{"rollout":"50","stickiness":"orgId"},
            "constraints":[{"contextName":"region","operator":"IN","values":["eu","ch"]},
                {"contextName":"plan","operator":"STR_CONTAINS","values":["free"],"inverted":true}],
            "segments":[7],"variants":[{"name":"a","weight":333},{"name":"b","weight":667}]}]"#)
        .unwrap();
        let rule = &told.rules[0];
        assert_eq!(rule.when, "region in (eu, ch) and not plan str_contains (free) and in segment 7");
        assert_eq!(
            (rule.name.as_str(), rule.percent.text(), rule.variant.as_str()),
            ("eu first", "50 %".into(), "a 33.3 %, b 66.7 %")
        );
        assert_eq!((told.unit.as_str(), told.variants[0].1), ("orgId", 33.3));
    }

    #[test]
    fn a_flag_is_out_no_further_than_its_parents_let_it() {
        let known = |value| Percent::Known { value };
        let parent = |text: &str| vec![serde_json::from_str::<DependencyDoc>(text).unwrap()];
        for (text, reach, expected) in [
            (r#"{"feature":"p"}"#, Some(known(100.0)), known(25.0)),
            (r#"{"feature":"p","enabled":true}"#, Some(known(0.0)), known(0.0)),
            (r#"{"feature":"p","enabled":true}"#, Some(known(50.0)), Percent::Unknown),
            (r#"{"feature":"p","enabled":true}"#, None, Percent::Unknown),
            (r#"{"feature":"p","enabled":true,"variants":["a"]}"#, Some(known(100.0)), Percent::Unknown),
            (r#"{"feature":"p","enabled":false}"#, Some(known(0.0)), known(25.0)),
            (r#"{"feature":"p","enabled":false}"#, Some(known(100.0)), known(0.0)),
        ] {
            assert_eq!(under(known(25.0), &parent(text), |_| reach), expected, "{text} {reach:?}");
        }
    }
}
