//! What a page's flags come to: which variation means on, and how many of everybody get it.

use super::super::{Wanted, between, clean, moment, percentage, some_of, unreadable, words};
use super::wire::{
    EnvironmentDoc, FlagDoc, MemberDoc, PageDoc, RuleDoc, ServeDoc, TargetDoc, VariationDoc, WeightDoc,
};
use crate::model::flag::{Elsewhere, Rule};
use crate::model::{Fault, FaultCode, Flag, Percent};
use crate::sources::json;

/// What a page is read by, on whichever thread.
pub(super) struct Reader {
    pub(super) environment: String,
    pub(super) beside: Vec<String>,
    pub(super) on: Vec<String>,
    pub(super) wanted: Wanted,
}

impl Reader {
    /// The flags that were asked for, how many the page has, and how many there are in all.
    pub(super) fn page(&self, bytes: &[u8]) -> Result<(Vec<Flag>, usize, Option<usize>), Fault> {
        let doc: PageDoc = json::decode(bytes)?;
        let (count, total) = (doc.items.len(), doc.total_count);
        let is_wanted = self.wanted.set();
        let keyed = doc.items.into_iter().filter_map(|item| {
            let key = item.get("key")?.as_str()?.to_owned();
            is_wanted(&key).then_some((key, item))
        });
        let flags = keyed.map(|(key, item)| {
            let doc = serde_json::from_value(item)
                .map_err(|error| unreadable(&key, &format!("cannot be read: {error}")))?;
            self.flag(&key, &doc)
        });
        Ok((flags.collect::<Result<_, _>>()?, count, total))
    }

    fn flag(&self, key: &str, doc: &FlagDoc) -> Result<Flag, Fault> {
        let Some(own) = doc.environments.get(&self.environment) else {
            let told: Vec<&str> = doc.environments.keys().map(String::as_str).collect();
            let text = format!(
                "tells flag {} for {}, not for {}",
                clean(key),
                if told.is_empty() { "no environment".into() } else { clean(&told.join(", ")) },
                self.environment
            );
            return Err(Fault::new(FaultCode::WrongEnvironment, text));
        };
        let meaning = Meaning::of(key, doc.variations.as_deref().unwrap_or_default(), &self.on);
        let state = own.state(&meaning)?;
        let elsewhere = self.beside.iter().map(|name| {
            let environment = clean(name);
            Ok(match doc.environments.get(name) {
                Some(other) => {
                    let state = other.state(&meaning)?;
                    Elsewhere { environment, enabled: Some(state.enabled), percent: state.percent }
                }
                None => Elsewhere { environment, enabled: None, percent: Percent::Unknown },
            })
        });
        Ok(Flag {
            key: clean(key),
            enabled: state.enabled,
            enabled_unknown: state.unsure,
            percent: state.percent,
            unit: own.fallthrough.as_ref().map(ServeDoc::unit).unwrap_or_default(),
            updated_at: own.last_modified.as_ref().and_then(moment),
            variants: own.variants(&meaning, doc.variations.as_deref().unwrap_or_default())?,
            rules: own.rules.iter().flatten().map(|rule| rule.rule(&meaning)).collect::<Result<_, _>>()?,
            targets: own.targets(&meaning),
            prerequisites: own.prerequisites.iter().flatten().map(|p| clean(&p.key)).collect(),
            elsewhere: elsewhere.collect::<Result<_, Fault>>()?,
            owner: doc.maintainer.as_ref().and_then(MemberDoc::name).unwrap_or_default(),
            archived: doc.archived.unwrap_or(false) || own.archived.unwrap_or(false),
            stale: doc.deprecated.unwrap_or(false),
            ..Flag::default()
        })
    }
}

/// Which variations of a flag mean that it is on.
struct Meaning<'k> {
    key: &'k str,
    on: Vec<bool>,
    /// Whether any does; where none does nothing can be said of how many have it on.
    told: bool,
    /// Whether all are booleans, which need nobody to say what they mean.
    boolean: bool,
}

impl<'k> Meaning<'k> {
    fn of(key: &'k str, variations: &[VariationDoc], on: &[String]) -> Self {
        let named = |text: &str| on.iter().any(|on| on == text);
        let means = |variation: &VariationDoc| match variation.value.as_bool() {
            Some(on) => on,
            None => named(&words(&variation.value)) || variation.name.as_deref().is_some_and(named),
        };
        let on: Vec<bool> = variations.iter().map(means).collect();
        let told = on.iter().any(|on| *on);
        let boolean = variations.iter().all(|variation| variation.value.is_boolean());
        Self { key, on, told, boolean }
    }

    /// Percent that have it on where this variation is served.
    fn share(&self, variation: usize) -> Result<f64, Fault> {
        let on = self.on.get(variation).ok_or_else(|| {
            unreadable(
                self.key,
                &format!("variation {variation} is served, and there is none of that number"),
            )
        })?;
        Ok(if *on { 100.0 } else { 0.0 })
    }
}

/// What an environment comes to.
struct State {
    enabled: bool,
    /// Whether it is switched off, and what callers get then is not known.
    unsure: bool,
    percent: Percent,
}

impl EnvironmentDoc {
    fn state(&self, meaning: &Meaning<'_>) -> Result<State, Fault> {
        // Without an off variation callers take their own default.
        let off = self.off_variation.map(|variation| meaning.share(variation)).transpose()?;
        let off = off.filter(|_| meaning.told || meaning.boolean);
        let state = |enabled, percent| State { enabled, unsure: false, percent };
        if !self.on {
            // Everybody gets the off variation, also where that one means on.
            return Ok(match off {
                Some(share) => state(share > 0.0, Percent::Known { value: share }),
                None => State { unsure: true, ..state(false, Percent::Unknown) },
            });
        }
        let mut shares = Vec::new();
        shares.extend(self.fallthrough.as_ref().map(|serve| serve.share(meaning)).transpose()?.flatten());
        if shares.is_empty() || !meaning.told {
            return Ok(state(true, Percent::Unknown));
        }
        let unknown = [0.0, 100.0];
        // Those a rule or a target is for do not come to the fallthrough; how many they are is not known.
        for rule in self.rules.iter().flatten() {
            match rule.serve.share(meaning)? {
                Some(share) => shares.push(share),
                None => shares.extend(unknown),
            }
        }
        for target in self.all_targets() {
            shares.push(meaning.share(target.variation)?);
        }
        if self.prerequisites.as_ref().is_some_and(|all| !all.is_empty()) {
            shares.extend(off.map_or(unknown, |off| [off; 2]));
        }
        let low = shares.iter().copied().fold(100.0, f64::min);
        let high = shares.iter().copied().fold(0.0, f64::max);
        Ok(state(true, between(low, high)))
    }

    /// Targets with nobody in them say nothing.
    fn all_targets(&self) -> impl Iterator<Item = &TargetDoc> {
        let all = self.targets.iter().flatten().chain(self.context_targets.iter().flatten());
        all.filter(|target| target.values.as_ref().is_some_and(|values| !values.is_empty()))
    }

    /// The weights of the fallthrough by variation.
    fn variants(
        &self,
        meaning: &Meaning<'_>,
        all: &[VariationDoc],
    ) -> Result<Vec<(String, Option<f64>)>, Fault> {
        let Some(rollout) = self.fallthrough.as_ref().and_then(|serve| serve.rollout.as_ref()) else {
            return Ok(Vec::new());
        };
        let named = |weight: &WeightDoc| {
            meaning.share(weight.variation)?;
            let variation = all.get(weight.variation);
            let name = variation.and_then(|v| v.name.clone()).filter(|name| !name.trim().is_empty());
            let name = name.or_else(|| variation.map(|v| words(&v.value))).unwrap_or_default();
            Ok((clean(&name), Some(percentage(meaning.key, weight.weight / 1000.0)?)))
        };
        rollout.variations.iter().map(named).collect()
    }

    fn targets(&self, meaning: &Meaning<'_>) -> String {
        let part = |word: &str, on: bool| {
            let of = |target: &&TargetDoc| meaning.on.get(target.variation).is_some_and(|is| *is == on);
            let all: Vec<String> =
                self.all_targets().filter(of).flat_map(|t| t.values.iter().flatten()).map(words).collect();
            (!all.is_empty())
                .then(|| format!("{word}: {}", some_of(&all, Clone::clone).trim_matches(['(', ')'])))
        };
        let parts = [part("in", true), part("out", false)];
        clean(&parts.into_iter().flatten().collect::<Vec<_>>().join("; "))
    }
}

impl ServeDoc {
    /// Percent of those it serves that have the flag on; `None` where it serves nothing that is known.
    fn share(&self, meaning: &Meaning<'_>) -> Result<Option<f64>, Fault> {
        if let Some(variation) = self.variation {
            return Ok(Some(meaning.share(variation)?));
        }
        let Some(rollout) = &self.rollout else { return Ok(None) };
        let mut sum = 0.0;
        for weight in &rollout.variations {
            let percent = percentage(meaning.key, weight.weight / 1000.0)?;
            sum += percent * meaning.share(weight.variation)? / 100.0;
        }
        // Weights are whole thousandths; what lies behind those is the arithmetic's.
        Ok(Some(percentage(meaning.key, (sum * 1000.0).round() / 1000.0)?))
    }

    fn unit(&self) -> String {
        let Some(rollout) = &self.rollout else { return String::new() };
        match (rollout.context_kind.as_deref(), rollout.bucket_by.as_deref()) {
            (_, Some(attribute)) if attribute != "key" => clean(attribute),
            (Some(kind), _) => clean(kind),
            (None, _) => "user".into(),
        }
    }
}

impl RuleDoc {
    fn rule(&self, meaning: &Meaning<'_>) -> Result<Rule, Fault> {
        let share = self.serve.share(meaning)?.filter(|_| meaning.told);
        let clauses = self.clauses.iter().flatten().map(|clause| {
            let not = if clause.negate == Some(true) { "not " } else { "" };
            let values = some_of(clause.values.as_deref().unwrap_or_default(), words);
            format!("{not}{} {} {values}", clause.attribute.as_deref().unwrap_or_default(), clause.op)
        });
        let name = self.description.as_deref().filter(|text| !text.trim().is_empty());
        Ok(Rule {
            name: clean(name.unwrap_or("rule")),
            when: clean(&clauses.collect::<Vec<_>>().join(" and ")),
            percent: share.map_or(Percent::Unknown, |value| Percent::Known { value }),
            variant: String::new(),
            enabled: true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(on: &[&str]) -> Reader {
        Reader {
            environment: "production".into(),
            beside: vec!["staging".into(), "nowhere".into()],
            on: on.iter().map(|on| (*on).to_owned()).collect(),
            wanted: Wanted::new(vec!["k".into()]),
        }
    }

    fn read(variations: &str, environment: &str, on: &[&str]) -> Result<Flag, Fault> {
        let page = format!(
            r#"{{"items":[{{"key":"other","environments":5}},{{"key":"k","variations":{variations},"_maintainer":{{"email":"ada@example.com"}},
            "environments":{{"production":{environment},"staging":{{"on":true,"fallthrough":{{"variation":0}}}}}}}}],"totalCount":2}}"#
        );
        let (mut flags, count, total) = reader(on).page(page.as_bytes())?;
        assert_eq!((count, total, flags.len()), (2, Some(2), 1));
        Ok(flags.remove(0))
    }

    const BOOLEAN: &str = r#"[{"value":true},{"value":false,"name":"off"}]"#;
    const ROLLOUT: &str = r#""fallthrough":{"rollout":{"variations":[{"variation":0,"weight":12500},{"variation":1,"weight":87500}],"contextKind":"org"}}"#;

    #[test]
    fn the_fallthrough_is_all_or_a_bound_or_nothing_that_is_certain() {
        let known = |value| Percent::Known { value };
        let serve = |variation: u8| {
            format!(
                r#""rules":[{{"variation":{variation},"clauses":[{{"attribute":"plan","op":"in","values":["a"]}}]}}]"#
            )
        };
        for (environment, enabled, percent) in [
            (format!(r#"{{"on":true,{ROLLOUT}}}"#), true, known(12.5)),
            (
                format!(
                    r#"{{"on":true,"offVariation":1,{ROLLOUT},"rules":[],"targets":[{{"values":[],"variation":0}}]}}"#
                ),
                true,
                known(12.5),
            ),
            (format!(r#"{{"on":true,{ROLLOUT},{}}}"#, serve(0)), true, Percent::AtLeast { value: 12.5 }),
            (format!(r#"{{"on":true,{ROLLOUT},{}}}"#, serve(1)), true, Percent::Unknown),
            (
                format!(r#"{{"on":true,{ROLLOUT},"targets":[{{"values":["u"],"variation":0}}]}}"#),
                true,
                Percent::AtLeast { value: 12.5 },
            ),
            (
                format!(
                    r#"{{"on":true,"offVariation":1,{ROLLOUT},"prerequisites":[{{"key":"p","variation":0}}]}}"#
                ),
                true,
                Percent::Unknown,
            ),
            (format!(r#"{{"on":true,"fallthrough":{{"variation":0}},{}}}"#, serve(0)), true, known(100.0)),
            (format!(r#"{{"on":false,"offVariation":1,{ROLLOUT}}}"#), false, known(0.0)),
            (format!(r#"{{"on":false,{ROLLOUT}}}"#), false, Percent::Unknown),
            (format!(r#"{{"on":true,{ROLLOUT},"rules":[{{"clauses":[]}}]}}"#), true, Percent::Unknown),
            (format!(r#"{{"on":false,"offVariation":0,{ROLLOUT}}}"#), true, known(100.0)),
        ] {
            let flag = read(BOOLEAN, &environment, &[]).unwrap();
            assert_eq!((flag.enabled, flag.percent), (enabled, percent), "{environment}");
        }
    }

    #[test]
    fn other_environments_rules_targets_and_owners_are_told() {
        let environment = format!(
            r#"{{"on":true,"lastModified":1764000000000,{ROLLOUT},"rules":[{{"description":"staff","clauses":[{{"attribute":"email","op":"endsWith","values":["@example.com"],"negate":true}}],"variation":0}}],
            "contextTargets":[{{"values":["org_acme"],"variation":0}},{{"values":["org_globex"],"variation":1}}]}}"#
        );
        let flag = read(BOOLEAN, &environment, &[]).unwrap();
        assert_eq!((flag.unit.as_str(), flag.owner.as_str()), ("org", "ada@example.com"));
        assert_eq!(flag.targets, "in: org_acme; out: org_globex");
        assert_eq!(
            (flag.rules[0].name.as_str(), flag.rules[0].when.as_str()),
            ("staff", "not email endsWith (@example.com)")
        );
        assert_eq!(flag.variants, [("true".to_owned(), Some(12.5)), ("off".to_owned(), Some(87.5))]);
        let beside: Vec<_> =
            flag.elsewhere.iter().map(|e| (e.environment.as_str(), e.enabled, e.percent)).collect();
        assert_eq!(
            beside,
            [("staging", Some(true), Percent::Known { value: 100.0 }), ("nowhere", None, Percent::Unknown)]
        );
        assert_eq!(flag.updated_at.unwrap().rfc3339(), "2025-11-24T16:00:00.000Z");
    }

    #[test]
    fn of_variations_that_are_no_booleans_the_config_says_which_mean_on() {
        let texts = r#"[{"value":"new","name":"New design"},{"value":"old"}]"#;
        let environment = format!(r#"{{"on":true,{ROLLOUT}}}"#);
        assert_eq!(read(texts, &environment, &[]).unwrap().percent, Percent::Unknown);
        for on in ["new", "New design"] {
            assert_eq!(read(texts, &environment, &[on]).unwrap().percent, Percent::Known { value: 12.5 });
        }
    }

    #[test]
    fn a_flag_that_is_off_is_off_for_all_only_where_its_off_variation_means_off() {
        let texts = r#"[{"value":"new"},{"value":"old"}]"#;
        let off = format!(r#"{{"on":false,"offVariation":1,{ROLLOUT}}}"#);
        let none = format!(r#"{{"on":false,{ROLLOUT}}}"#);
        let is_off = |variations, environment: &str, on: &[&str]| {
            let flag = read(variations, environment, on).unwrap();
            (flag.switched(), flag.reach())
        };
        let known = (Some(false), Percent::Known { value: 0.0 });
        assert_eq!(is_off(texts, &off, &["new"]), known);
        assert_eq!(is_off(BOOLEAN, &off, &[]), known);
        for unknown in [is_off(texts, &off, &[]), is_off(BOOLEAN, &none, &[])] {
            assert_eq!(unknown, (None, Percent::Unknown));
        }
    }

    #[test]
    fn what_cannot_be_is_told_with_the_flags_key() {
        for (environment, code, said) in [
            (
                r#"{"on":true,"fallthrough":{"rollout":{"variations":[{"variation":0,"weight":200000}]}}}"#,
                FaultCode::Unreadable,
                "flag k: percent 200 lies outside 0 to 100",
            ),
            (
                r#"{"on":true,"fallthrough":{"variation":7}}"#,
                FaultCode::Unreadable,
                "flag k: variation 7 is served, and there is none of that number",
            ),
        ] {
            let fault = read(BOOLEAN, environment, &[]).unwrap_err();
            assert_eq!((fault.code, fault.text.as_str()), (code, said));
        }
        let page = br#"{"items":[{"key":"k","environments":{"test":{"on":true}}}]}"#;
        let fault = reader(&[]).page(page).unwrap_err();
        assert_eq!(
            (fault.code, fault.text.as_str()),
            (FaultCode::WrongEnvironment, "tells flag k for test, not for production")
        );
    }
}
