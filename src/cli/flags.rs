//! `gonogo flags`: the rollout state of the launch's flags.

use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Common, Exit, Output, output};
use crate::engine::Watch;
use crate::engine::flags::{Drift, FlagState, Seen};
use crate::http::{Pool, sign_in};
use crate::model::duration::short;
use crate::model::flag::{Elsewhere, Rule};
use crate::model::{
    Answer, Fault, Flag, FlagDef, Launch, Percent, Polled, Reason, SourceDef, SourceKind, Time, value,
};
use crate::runtime::feed;
use crate::settings;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// What the sources told, taken together.
struct Told {
    environment: String,
    /// When the first of them was asked.
    asked: Time,
    /// Every flag that was told, with what its provider can tell.
    flags: Vec<FlagState>,
    missing: Vec<String>,
    /// Flags that are not among what their provider shows; whether they exist is not known.
    not_shown: Vec<String>,
    faults: Vec<Fault>,
    /// What the sources could not tell beside the flags.
    remarks: Vec<String>,
    /// The signals that say what callers get.
    watch: Watch,
}

impl Told {
    fn seen(&self, flag: &FlagState) -> Option<(Seen, Option<Drift>)> {
        self.watch.seen(flag, self.asked)
    }
}

/// Asks every source that tells flags once, and those that say what callers get. 0: every flag that matters
/// was told; 1: one of them does not exist; 3: a source of flags did not answer,
/// or does not show one of them.
pub fn run(_args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = std::env::current_dir().context("the working directory cannot be found")?;
    let path = settings::discover(common.config.as_deref(), &cwd)
        .ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))?;
    let launch = settings::load(&path)?.launch;
    if !launch.sources.iter().any(|source| source.kind.tells_flags()) {
        return Err(anyhow!(
            "{} has no source that tells flags: add one of kind \"identity\"",
            path.display()
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(sign_in::settling(ask(&launch)));
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    let told = told?;
    match common.output {
        Output::Json => output::json(&document(&told))?,
        Output::Text => output::print(&table(&told))?,
    }
    for fault in &told.faults {
        output::complain(&fault.text);
    }
    for key in &told.missing {
        output::complain(&format!("flag {key} does not exist in {}", told.environment));
    }
    for key in &told.not_shown {
        let environment = &told.environment;
        output::complain(&format!("flag {key} is not among what the provider shows in {environment}"));
    }
    for remark in &told.remarks {
        output::complain(remark);
    }
    Ok(match (told.faults.is_empty() && told.not_shown.is_empty(), told.missing.is_empty()) {
        (false, _) => Exit::CannotTell,
        (true, false) => Exit::No,
        (true, true) => Exit::Yes,
    })
}

/// Whether a source says what callers get of a flag. One that is scraped has no history here.
fn counts_evaluations(launch: &Launch, source: &SourceDef) -> bool {
    let signals = launch.flags.iter().flat_map(|flag| flag.observed.iter().chain(&flag.evaluations));
    let mut sources = signals.filter_map(|id| Some(&launch.signal(id)?.source));
    matches!(source.kind, SourceKind::Prometheus { .. }) && sources.any(|id| *id == source.id)
}

async fn ask(launch: &Launch) -> anyhow::Result<Told> {
    let mut polls = Vec::new();
    let pool = std::sync::Arc::new(Pool::default());
    for def in launch.sources.iter().filter(|def| def.kind.tells_flags() || counts_evaluations(launch, def)) {
        let source = feed::source_sharing(launch, def, &pool)?;
        polls.push(async move {
            let mut source = source;
            source.poll(now()).await
        });
    }
    let polled = futures_util::future::join_all(polls).await;
    let mut told = Told {
        environment: launch.environment.clone(),
        asked: now(),
        flags: Vec::new(),
        missing: Vec::new(),
        not_shown: Vec::new(),
        faults: Vec::new(),
        remarks: Vec::new(),
        watch: Watch::new(launch, []),
    };
    for poll in polled {
        told.asked = told.asked.min(poll.asked);
        told.watch.observe(&poll);
        let tells_flags = launch.source(&poll.source).is_some_and(|def| def.kind.tells_flags());
        match &poll.outcome {
            Ok(answer) => {
                if let Some(fault) = &answer.flags_fault {
                    told.faults.push(Fault::new(fault.code, format!("{}: {fault}", poll.source)));
                }
                let remarks = answer.notes.remarks.iter();
                told.remarks.extend(remarks.map(|remark| format!("{}: {remark}", poll.source)));
                told.take(launch, &poll, answer);
            }
            // What callers get is an extra; the screen of flags is whole without it.
            Err(fault) if tells_flags => {
                told.faults.push(Fault::new(fault.code, format!("{}: {fault}", poll.source)));
            }
            Err(_) => {}
        }
    }
    Ok(told)
}

impl Told {
    fn take(&mut self, launch: &Launch, poll: &Polled, told: &Answer) {
        let (Some(answer), offset) = (&told.flags, told.notes.clock_offset) else { return };
        let missing = if answer.caps.missing { &mut self.missing } else { &mut self.not_shown };
        missing.extend(answer.missing.iter().cloned());
        for flag in &answer.flags {
            let known = launch.flags.iter().find(|def| def.key == flag.key && def.source == poll.source);
            let def = known.cloned().unwrap_or_else(|| FlagDef {
                key: flag.key.clone(),
                source: poll.source.clone(),
                observed: None,
                evaluations: None,
            });
            let mut state = FlagState::new(def);
            state.observe(poll.asked, answer, offset);
            self.flags.push(state);
        }
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn document(told: &Told) -> Value {
    let flags: Vec<Value> = told
        .flags
        .iter()
        .filter_map(|state| Some(flag_document(told, state, state.flag.as_ref()?)))
        .collect();
    let faults: Vec<Reason> = told.faults.iter().map(Reason::from).collect();
    json!({
        "environment": told.environment,
        "age_seconds": if told.faults.is_empty() { json!(now().since(told.asked).as_secs_f64()) } else { Value::Null },
        "flags": flags,
        "missing": told.missing,
        "not_shown": told.not_shown,
        "remarks": told.remarks,
        "errors": faults,
    })
}

/// What is `null` is not known; an empty list is one that is known to be empty.
fn flag_document(told: &Told, state: &FlagState, flag: &Flag) -> Value {
    let caps = state.caps;
    let rule = |rule: &Rule| {
        json!({
            "name": rule.name, "when": rule.when, "percent": percent(rule.percent),
            "variant": rule.variant, "enabled": rule.enabled,
        })
    };
    let other = |other: &Elsewhere| json!({ "environment": other.environment, "enabled": other.enabled, "percent": percent(other.percent) });
    let variant =
        |(name, weight): &(String, Option<f64>)| json!({ "name": name, "weight": weight.map(value::text) });
    let next = |(at, to): (Time, f64)| json!({ "at": at, "percent": value::text(to) });
    json!({
        "key": flag.key,
        "source": state.def.source,
        "environment": state.environment,
        "enabled": flag.switched(),
        "percent": percent(flag.percent),
        "unit": flag.unit,
        "observed": told.seen(state).map(|(seen, drift)| observed_document(&seen, drift)),
        "updated_at": flag.updated_at,
        "updated_by": flag.updated_by,
        "next": flag.next.map(next),
        "rules": caps.rules.then(|| flag.rules.iter().map(rule).collect::<Vec<_>>()),
        "variants": caps.rules.then(|| flag.variants.iter().map(variant).collect::<Vec<_>>()),
        "elsewhere": caps.environments.then(|| flag.elsewhere.iter().map(other).collect::<Vec<_>>()),
        "archived": flag.archived,
        "stale": flag.stale,
    })
}

fn percent(percent: Percent) -> Value {
    let (kind, number) = match percent {
        Percent::Known { value } => ("known", Some(value)),
        Percent::AtLeast { value } => ("at-least", Some(value)),
        Percent::Estimated { value, .. } => ("estimated", Some(value)),
        Percent::Unknown => ("unknown", None),
        Percent::Unsupported => ("unsupported", None),
    };
    let mut document = json!({ "kind": kind, "value": number.map(value::text) });
    if let (Percent::Estimated { n, .. }, Some((low, high)), Some(fields)) =
        (percent, percent.bounds(), document.as_object_mut())
    {
        fields.insert("n".into(), n.into());
        fields.insert("low".into(), value::text(low).into());
        fields.insert("high".into(), value::text(high).into());
    }
    document
}

fn observed_document(seen: &Seen, drift: Option<Drift>) -> Value {
    let word = match drift {
        None => None,
        Some(Drift::None) => Some("none"),
        Some(Drift::Settling) => Some("settling"),
        Some(Drift::Off { .. }) => Some("drift"),
    };
    json!({
        "percent": value::text(seen.percent),
        "n": seen.count,
        "window_seconds": seen.window.map(|window| window.as_secs_f64()),
        "at": seen.at,
        "drift": word,
        "stale": seen.stale,
    })
}

fn table(told: &Told) -> String {
    let head = ["FLAG", "STATE", "ROLLOUT", "OBSERVED", "CHANGED", "BY"].map(String::from);
    let mut rows = vec![head];
    rows.extend(told.flags.iter().filter_map(|state| Some(row(told, state, state.flag.as_ref()?))));
    rows.extend(told.missing.iter().map(|key| [key.as_str(), "missing", "", "", "", ""].map(String::from)));
    rows.extend(
        told.not_shown.iter().map(|key| [key.as_str(), "not shown", "", "", "", ""].map(String::from)),
    );
    columns(&rows)
}

/// Rows as columns two spaces apart, as wide as their widest cell.
pub(super) fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let gap = " ".repeat(width - cell.width() + 2);
            format!("{cell}{gap}")
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}

fn row(told: &Told, state: &FlagState, flag: &Flag) -> [String; 6] {
    let has_unit = !flag.unit.is_empty() && flag.percent.bounds().is_some();
    let unit = if has_unit { format!(" of {}s", flag.unit) } else { String::new() };
    let observed = told.seen(state).map(|(seen, drift)| {
        let n = seen.count.map_or_else(String::new, |n| format!(" (n {n})"));
        let word = match drift {
            Some(Drift::Off { .. }) => " drift",
            Some(Drift::Settling) => " settling",
            None if seen.stale => " stale",
            Some(Drift::None) | None => "",
        };
        format!("{:.1} %{n}{word}", seen.percent)
    });
    [
        flag.key.clone(),
        match (flag.archived, flag.switched()) {
            (true, _) => "archived".to_owned(),
            (false, Some(true)) => "on".to_owned(),
            (false, Some(false)) => "off".to_owned(),
            (false, None) => "unknown".to_owned(),
        },
        format!("{}{unit}", flag.percent.text()),
        observed.unwrap_or_else(|| "-".into()),
        flag.updated_at.map_or_else(|| "-".into(), |at| format!("{} ago", short(told.asked.since(at)))),
        flag.updated_by.clone().unwrap_or_else(|| "-".into()),
    ]
}
