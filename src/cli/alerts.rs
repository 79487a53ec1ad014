//! `gonogo alerts`: what fires, what will, and who muted it.
//!
//! JSON: `{"alerts":[{"name","state":"firing|pending|…","since","fires_in_seconds","labels":{…},
//! "annotations":{…},"value","silenced_by":[{"id","by","comment","until"}],"inhibited_by":[…],"muted_by":[…],
//! "receivers":[…],"runbook","generator","watchdog","sources":[…]}],"rules":{"count","oldest_evaluation_seconds"},
//! "errors":[{"code","text"}]}`. Exit codes: 0 none fires, 1 one fires (also silenced ones), 3 cannot tell.

use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr as _;

use super::{Common, Exit, Output, output};
use crate::app::alerts::{Standing, telling_labels, time_text};
use crate::engine::Watch;
use crate::engine::alerts::Seen;
use crate::model::alert::AlertState;
use crate::model::{Launch, Polled, Reason, Time};
use crate::runtime::feed;
use crate::settings;

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only alerts in these states
    #[arg(long, value_name = "STATE", value_enum, value_delimiter = ',')]
    state: Vec<Wanted>,
    /// Only alerts of this name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Only alerts with this label; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    label: Vec<(String, String)>,
}

/// The states that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Wanted {
    /// It fires, and nothing mutes it
    Firing,
    /// It will fire
    Pending,
    /// It fires, and somebody silenced it
    Silenced,
    /// It fires, and another alert or a time interval keeps it back
    Inhibited,
    /// A state that is not known here
    Unknown,
    /// A dead man's switch that fires as it should
    Watchdog,
}

impl Wanted {
    fn fits(self, standing: Standing) -> bool {
        match self {
            Self::Firing => standing == Standing::Firing,
            Self::Pending => standing == Standing::Pending,
            Self::Silenced => standing == Standing::Silenced,
            Self::Inhibited => standing == Standing::Inhibited,
            Self::Unknown => standing == Standing::Other,
            Self::Watchdog => standing == Standing::Watchdog,
        }
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE, as in severity=page")?;
    Ok((name.to_owned(), value.trim_matches('"').to_owned()))
}

impl Args {
    fn is_asked(&self, seen: &Seen) -> bool {
        self.name.as_ref().is_none_or(|name| *name == seen.alert.name)
            && self.label.iter().all(|(name, value)| seen.alert.labels.get(name) == Some(value))
    }

    fn is_shown(&self, seen: &Seen) -> bool {
        self.state.is_empty() || self.state.iter().any(|state| state.fits(Standing::of(seen)))
    }
}

/// Asks every source that tells alerts once. The exit code counts what `--name` and `--label` select,
/// whatever states are shown.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = std::env::current_dir().context("the working directory cannot be found")?;
    let path = settings::discover(common.config.as_deref(), &cwd)
        .ok_or_else(|| anyhow!(settings::nothing_found(&cwd)))?;
    let launch = settings::load(&path)?.launch;
    if !launch.has_alerts() {
        return Err(anyhow!(
            "{} has no source of alerts: give a prometheus source alerts = true, or add one of kind \"alertmanager\"",
            path.display()
        ));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (watch, now) = runtime.block_on(crate::http::sign_in::settling(ask(launch)))?;
    // A name that is still being looked up must not hold the exit up.
    runtime.shutdown_background();
    let asked: Vec<&Seen> = watch.alerts.list.iter().filter(|seen| args.is_asked(seen)).collect();
    let shown: Vec<&Seen> = asked.iter().copied().filter(|seen| args.is_shown(seen)).collect();
    let errors = errors(&watch, now);
    match common.output {
        Output::Json => output::json(&document(&watch, &shown, &errors, now))?,
        Output::Text => output::print(&page(&watch, &shown, now))?,
    }
    for error in &errors {
        output::complain(&error.text);
    }
    let is = |state: &dyn Fn(&AlertState) -> bool| asked.iter().any(|s| !s.watchdog && state(&s.alert.state));
    Ok(if is(&|s| *s == AlertState::Firing) {
        Exit::No
    } else if !errors.is_empty() || is(&|s| matches!(s, AlertState::Other(_))) {
        Exit::CannotTell
    } else {
        Exit::Yes
    })
}

async fn ask(mut launch: Launch) -> anyhow::Result<(Watch, Time)> {
    launch.sources.retain(|def| def.kind.tells_alerts());
    // Only the alerts are asked for.
    launch.signals.clear();
    let launch = Arc::new(launch);
    let mut watch = Watch::new(&launch, []);
    let mut polls = Vec::new();
    for def in &launch.sources {
        let mut source = feed::source(&launch, def).map_err(|fault| anyhow!("{}: {fault}", def.id))?;
        polls.push(async move { source.poll(now()).await });
    }
    let polled: Vec<Polled> = futures_util::future::join_all(polls).await;
    for poll in &polled {
        watch.observe(poll);
    }
    Ok((watch, now()))
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Why the list may not be the whole truth.
fn errors(watch: &Watch, now: Time) -> Vec<Reason> {
    let faults = watch.alerts.sources.iter().filter_map(|s| {
        let fault = watch.source(&s.id).and_then(|s| s.fault.as_ref()).or(s.fault.as_ref())?;
        Some(Reason::new(fault.code.as_str(), format!("{}: {fault}", s.id)))
    });
    let troubles = watch.alerts.troubles(now).into_iter().map(|why| Reason::new("alerts", why));
    faults.chain(troubles).collect()
}

fn document(watch: &Watch, shown: &[&Seen], errors: &[Reason], now: Time) -> Value {
    let rules = watch.alerts.rules(now).map(|(count, oldest)| {
        json!({ "count": count, "oldest_evaluation_seconds": oldest.map(|age| age.as_secs_f64()) })
    });
    json!({
        "alerts": shown.iter().map(|seen| alert(seen, now)).collect::<Vec<_>>(),
        "rules": rules,
        "errors": errors,
    })
}

fn alert(seen: &Seen, now: Time) -> Value {
    let a = &seen.alert;
    let map = |labels: &crate::model::Labels| -> Value {
        labels
            .iter()
            .map(|(name, value)| (name.to_owned(), Value::from(value)))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    json!({
        "name": a.name,
        "state": a.state.word(),
        "since": a.since(),
        "active_since": a.active_at,
        "fires_in_seconds": a.fires_in(now).map(|left| left.as_secs_f64()),
        "labels": map(&a.labels),
        "annotations": map(&a.annotations),
        "value": a.value,
        "silenced_by": a.silences,
        "inhibited_by": a.inhibited_by,
        "muted_by": a.muted_by,
        "receivers": a.receivers,
        "runbook": a.runbook,
        "generator": a.generator,
        "watchdog": seen.watchdog,
        "sources": seen.sources,
    })
}

fn page(watch: &Watch, shown: &[&Seen], now: Time) -> String {
    let mut rows = vec![["STATE", "ALERT", "SINCE", "LABELS", "MUTED", "SUMMARY"].map(String::from)];
    for seen in shown {
        let a = &seen.alert;
        rows.push([
            Standing::of(seen).word().into(),
            a.name.clone(),
            time_text(a, now),
            telling_labels(seen),
            a.muted_text().unwrap_or_else(|| "-".into()),
            a.summary().unwrap_or("-").into(),
        ]);
    }
    let mut text = if shown.is_empty() { String::new() } else { columns(&rows) };
    let rules = match watch.alerts.rules(now) {
        Some((count, Some(age))) => {
            format!("{count} rules, the oldest evaluated {} ago", crate::model::duration::short(age))
        }
        Some((count, None)) => format!("{count} rules, none evaluated yet"),
        None => "no source evaluates rules, so an absent alert proves nothing by itself".into(),
    };
    let count = |standing: Standing| shown.iter().filter(|s| Standing::of(s) == standing).count();
    let firing = count(Standing::Firing) + count(Standing::Silenced) + count(Standing::Inhibited);
    let muted = firing - count(Standing::Firing);
    let muted = if muted > 0 { format!(" ({muted} muted)") } else { String::new() };
    let counts = format!("{firing} firing{muted}, {} pending; {rules}\n", count(Standing::Pending));
    text.push_str(&counts);
    text
}

/// Rows as columns two spaces apart, as wide as their widest cell.
fn columns<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| {
            let gap = " ".repeat(width.saturating_sub(cell.width()) + 2);
            format!("{cell}{gap}")
        });
        format!("{}\n", cells.collect::<String>().trim_end())
    };
    rows.iter().map(line).collect()
}
