//! `GET /api/client/features`: all flags of a token's environment, as Unleash's own clients get them.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::super::{Wanted, clean, unreadable, wrong_environment};
use super::rollout::{DependencyDoc, StrategyDoc, VariantDoc, rollout, under};
use crate::model::{Fault, FaultCode, Flag, Percent};
use crate::sources::json;

/// The answer; of flags that nobody asked for only the name is read.
#[derive(Deserialize)]
struct Doc<'a> {
    #[serde(borrow)]
    features: Vec<Feature<'a>>,
    query: Option<Query>,
}

#[derive(Deserialize)]
struct Query {
    environment: Option<String>,
    /// The projects that the token is limited to.
    project: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Feature<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    enabled: Option<&'a RawValue>,
    #[serde(borrow)]
    stale: Option<&'a RawValue>,
    #[serde(borrow)]
    strategies: Option<&'a RawValue>,
    #[serde(borrow)]
    variants: Option<&'a RawValue>,
    #[serde(borrow)]
    dependencies: Option<&'a RawValue>,
}

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// The flags that were asked for.
    pub flags: Vec<Flag>,
    /// Whether the token sees every project, so that a flag which is absent does not exist.
    pub whole: bool,
}

/// Reads an answer for those of `keys`, or for all where there are none.
///
/// # Errors
/// No such document, an answer for another environment, or a flag among `keys` that cannot be read.
pub fn decode(bytes: &[u8], keys: &[String], environment: &str) -> Result<Features, Fault> {
    let doc: Doc<'_> = json::decode(bytes)?;
    let query = doc.query;
    let told = query.as_ref().and_then(|query| query.environment.as_deref());
    check_environment(told, environment)?;
    let wanted = Wanted::new(keys.to_vec());
    let is_wanted = wanted.set();
    let mut flags = Vec::new();
    for feature in doc.features.iter().filter(|feature| is_wanted(&feature.name)) {
        let (mut flag, parents) = feature.flag()?;
        let reach = |parent: &str| {
            let parent = doc.features.iter().find(|feature| feature.name == parent)?;
            // A parent has no parents of its own.
            let (flag, parents) = parent.flag().ok()?;
            parents.is_empty().then(|| flag.reach())
        };
        flag.percent = under(flag.percent, &parents, reach);
        flag.prerequisites = parents.iter().map(prerequisite).collect();
        flags.push(flag);
    }
    let projects = query.and_then(|query| query.project).unwrap_or_default();
    Ok(Features { flags, whole: projects.is_empty() || projects.iter().any(|project| project == "*") })
}

/// An admin token gets *development*, whatever its owner meant, and some versions do not even say so.
fn check_environment(told: Option<&str>, asked: &str) -> Result<(), Fault> {
    const HELP: &str = "an admin token gets development here: use a client (backend) token of";
    match told {
        Some(told) if told == asked => Ok(()),
        Some(told @ "development") => Err(wrong_environment(told, asked, &format!(": {HELP} {asked}"))),
        Some(told) => {
            Err(wrong_environment(told, asked, ": use a client (backend) token of that environment"))
        }
        None => {
            let text = format!("does not say for which environment it answers: {HELP} {asked}");
            Err(Fault::new(FaultCode::WrongEnvironment, text))
        }
    }
}

fn prerequisite(parent: &DependencyDoc) -> String {
    let off = if parent.enabled == Some(false) { " off" } else { "" };
    clean(&format!("{}{off}", parent.feature))
}

impl Feature<'_> {
    fn flag(&self) -> Result<(Flag, Vec<DependencyDoc>), Fault> {
        let key = &*self.name;
        let Some(enabled) = field::<Option<bool>>(key, "enabled", self.enabled)? else {
            return Err(unreadable(key, "does not say whether it is enabled"));
        };
        let strategies: Option<Vec<StrategyDoc>> = field(key, "strategies", self.strategies)?;
        let Some(strategies) = strategies else { return Err(unreadable(key, "has no strategies")) };
        let variants: Option<Vec<VariantDoc>> = field(key, "variants", self.variants)?;
        let parents: Option<Vec<DependencyDoc>> = field(key, "dependencies", self.dependencies)?;
        let rollout = rollout(key, enabled, &strategies, &variants.unwrap_or_default())?;
        let flag = Flag {
            key: clean(key),
            enabled,
            percent: rollout.percent,
            unit: rollout.unit,
            variants: rollout.variants.into_iter().map(|(name, weight)| (name, Some(weight))).collect(),
            rules: rollout.rules,
            stale: field::<Option<bool>>(key, "stale", self.stale)?.unwrap_or(false),
            ..Flag::default()
        };
        debug_assert!(enabled || flag.percent == Percent::Known { value: 0.0 });
        Ok((flag, parents.unwrap_or_default()))
    }
}

fn field<T: DeserializeOwned + Default>(key: &str, name: &str, raw: Option<&RawValue>) -> Result<T, Fault> {
    let Some(raw) = raw else { return Ok(T::default()) };
    serde_json::from_str(raw.get()).map_err(|_| unreadable(key, &format!("its {name} cannot be read")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(features: &str, keys: &[&str]) -> Result<Features, Fault> {
        let text = format!(
            r#"{{"version":2,"features":[{features}],"query":{{"environment":"production","project":["default"]}}}}"#
        );
        decode(text.as_bytes(), &keys.iter().map(|k| (*k).to_owned()).collect::<Vec<_>>(), "production")
    }

    #[test]
    fn a_flag_nobody_asked_for_may_be_as_broken_as_it_likes() {
        let broken = r#"{"name":"broken","enabled":5,"strategies":"none"}"#;
        let well = r#"{"name":"a\u002eb","enabled":true,"strategies":[{"name":"default"}],"stale":true,"impressionData":1}"#;
        let told = read(&format!("{broken},{well}"), &["a.b"]).unwrap();
        assert_eq!((told.flags.len(), told.flags[0].key.as_str(), told.flags[0].stale), (1, "a.b", true));
        assert!(!told.whole, "a token of one project does not see the others");
        for (feature, text) in [
            (broken, "flag broken: its enabled cannot be read"),
            (r#"{"name":"broken","strategies":[]}"#, "flag broken: does not say whether it is enabled"),
            (r#"{"name":"broken","enabled":true}"#, "flag broken: has no strategies"),
        ] {
            let fault = read(feature, &["broken"]).unwrap_err();
            assert_eq!((fault.code, fault.text.as_str()), (FaultCode::Unreadable, text));
        }
    }

    #[test]
    fn a_parent_that_nobody_asked_for_counts_all_the_same() {
        let child = r#"{"name":"child","enabled":true,"strategies":[{"name":"default"}],"dependencies":[{"feature":"parent","enabled":true,"variants":[]}]}"#;
        let parent = |rollout| {
            format!(
                r#"{{"name":"parent","enabled":true,"strategies":[{{"name":"flexibleRollout","parameters":{{"rollout":"{rollout}"}}}}]}}"#
            )
        };
        let of = |features: String| read(&features, &["child"]).unwrap().flags[0].clone();
        assert_eq!(of(format!("{child},{}", parent(100))).percent, Percent::Known { value: 100.0 });
        assert_eq!(of(format!("{child},{}", parent(50))).percent, Percent::Unknown);
        assert_eq!(of(child.to_owned()).percent, Percent::Unknown);
        assert_eq!(of(child.to_owned()).prerequisites, ["parent"]);
    }

    #[test]
    fn an_answer_for_another_environment_says_what_to_do() {
        for (query, text) in [
            (
                r#"{"environment":"development"}"#,
                "answers for environment development, not production: an admin token gets development here: use a client (backend) token of production",
            ),
            (
                r#"{"environment":"staging"}"#,
                "answers for environment staging, not production: use a client (backend) token of that environment",
            ),
            (
                "{}",
                "does not say for which environment it answers: an admin token gets development here: use a client (backend) token of production",
            ),
        ] {
            let body = format!(r#"{{"features":[],"query":{query}}}"#);
            let fault = decode(body.as_bytes(), &[], "production").unwrap_err();
            assert_eq!((fault.code, fault.text.as_str()), (FaultCode::WrongEnvironment, text));
        }
    }
}
