//! `gonogo flags`: the rollout state of the launch's flags.

use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Common, Exit, Output, output};
use crate::http::Client;
use crate::model::duration::short;
use crate::model::poll::FlagsAnswer;
use crate::model::{Fault, Flag, Launch, Percent, Polled, Reason, SourceDef, SourceKind, Time, value};
use crate::runtime::credential::credential;
use crate::settings;
use crate::sources::{self, Source};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {}

/// What the sources told, taken together.
struct Told {
    environment: String,
    /// When the last of them was asked.
    asked: Time,
    flags: Vec<Flag>,
    missing: Vec<String>,
    faults: Vec<Fault>,
}

/// Asks every source that tells flags once. 0: every flag that matters was told; 1: one of them does
/// not exist; 3: a source did not answer.
pub fn run(_args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = std::env::current_dir().context("the working directory cannot be found")?;
    let path = settings::discover(common.config.as_deref(), &cwd)
        .ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))?;
    let launch = settings::load(&path)?.launch;
    if !launch.sources.iter().any(tells_flags) {
        return Err(anyhow!(
            "{} has no source that tells flags: add one of kind \"identity\"",
            path.display()
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = runtime.block_on(ask(&launch));
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
    Ok(match (told.faults.is_empty(), told.missing.is_empty()) {
        (false, _) => Exit::CannotTell,
        (true, false) => Exit::No,
        (true, true) => Exit::Yes,
    })
}

fn tells_flags(source: &SourceDef) -> bool {
    matches!(source.kind, SourceKind::Identity { .. })
}

async fn ask(launch: &Launch) -> anyhow::Result<Told> {
    let mut polls = Vec::new();
    for def in launch.sources.iter().filter(|def| tells_flags(def)) {
        let options = sources::options(def, def.credential.as_ref().map(credential));
        let source = Source::new(def, &launch.signals, &launch.flags, Client::new(options))?;
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
        faults: Vec::new(),
    };
    for Polled { source, asked, outcome, .. } in polled {
        told.asked = told.asked.min(asked);
        match outcome.map(|answer| answer.flags.unwrap_or_default()) {
            Ok(FlagsAnswer { flags, missing, .. }) => {
                told.flags.extend(flags);
                told.missing.extend(missing);
            }
            Err(fault) => told.faults.push(Fault::new(fault.code, format!("{source}: {fault}"))),
        }
    }
    Ok(told)
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn document(told: &Told) -> Value {
    let flags: Vec<Value> = told.flags.iter().map(flag_document).collect();
    let faults: Vec<Reason> = told.faults.iter().map(Reason::from).collect();
    json!({
        "environment": told.environment,
        "age_seconds": if told.faults.is_empty() { json!(now().since(told.asked).as_secs_f64()) } else { Value::Null },
        "flags": flags,
        "missing": told.missing,
        "errors": faults,
    })
}

fn flag_document(flag: &Flag) -> Value {
    let (kind, number) = match flag.percent {
        Percent::Known { value } => ("known", Some(value)),
        Percent::AtLeast { value } => ("at-least", Some(value)),
        Percent::Estimated { value, .. } => ("estimated", Some(value)),
        Percent::Unknown => ("unknown", None),
    };
    let mut percent = json!({ "kind": kind, "value": number.map(value::text) });
    if let (Percent::Estimated { n, .. }, Some(percent)) = (flag.percent, percent.as_object_mut()) {
        percent.insert("n".into(), n.into());
    }
    json!({
        "key": flag.key,
        "enabled": flag.enabled,
        "percent": percent,
        "updated_at": flag.updated_at,
        "updated_by": flag.updated_by,
    })
}

fn table(told: &Told) -> String {
    let head = ["FLAG", "STATE", "ROLLOUT", "OBSERVED", "CHANGED", "BY"].map(String::from);
    let mut rows = vec![head];
    rows.extend(told.flags.iter().map(|flag| row(flag, told.asked)));
    rows.extend(told.missing.iter().map(|key| [key.as_str(), "missing", "", "", "", ""].map(String::from)));
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

fn row(flag: &Flag, asked: Time) -> [String; 6] {
    let unit = if flag.unit.is_empty() { String::new() } else { format!(" of {}s", flag.unit) };
    let observed = flag.observed.map(|(percent, n)| format!("{percent:.1} % (n {n})"));
    [
        flag.key.clone(),
        if flag.enabled { "on" } else { "off" }.to_owned(),
        format!("{}{unit}", flag.percent.text()),
        observed.unwrap_or_else(|| "-".into()),
        flag.updated_at.map_or_else(|| "-".into(), |at| format!("{} ago", short(asked.since(at)))),
        flag.updated_by.clone().unwrap_or_else(|| "-".into()),
    ]
}
