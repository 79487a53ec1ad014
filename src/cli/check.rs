//! `gonogo check`: GO or NO-GO, with reasons, for people and for pipelines.
//!
//! JSON: `{"verdict":"go|no-go|unknown","gates":[{"id","verdict":"pass|fail|unknown","reason":
//! {"code","text"},"value","threshold","labels":{…},"sampled","age_seconds","source","query"}]}`. Exit
//! codes: 0 GO, 1 NO-GO, 3 unknown, 4 timed out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use crate::checklist::{Derived, Kind, Run, Stage, Template};
use crate::engine::measure::number;
use crate::engine::{Gate, Judgement, Outcome, Overall};
use crate::ledger::Ledger as _;
use crate::model::{GateDef, GateId, ItemId, Launch, Verdict, duration, value};
use crate::promql::Expr;
use crate::settings;

use super::judge::{self, Judged};
use super::{Common, Exit, Output, output};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The longest to wait until windows and holds can be judged [default: the longest of them and a minute]
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// Count the checklist's gates as this run has them [default: as a run that begins now]
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// No config, or one that cannot be read; a run that does not exist.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    let cwd = Path::new("");
    let path =
        settings::discover(common.config.as_deref(), cwd).with_context(|| settings::nothing_found(cwd))?;
    let loaded = settings::load(&path).map_err(|e| anyhow!(e.rendered))?;
    let launch = loaded.launch;
    let run = args.run.as_deref().map(|id| open(id, &launch)).transpose()?;
    let gates = counting(loaded.template.as_ref(), run.as_ref());
    let wanted: BTreeSet<GateId> =
        launch.gates.iter().chain(gates.iter().copied()).map(|g| g.id.clone()).collect();
    let patience = args.timeout.unwrap_or_else(|| patience(&launch, &gates));
    let judged = judge::until_judged(&launch, &gates, &wanted, patience)?;
    let overall = judged.watch.overall(judged.now, |_| true);
    match common.output {
        Output::Json => output::json(&document(&judged, &overall))?,
        Output::Text => output::print(&page(&judged, &overall))?,
    }
    Ok(match overall.outcome {
        Outcome::Go => Exit::Yes,
        Outcome::NoGo => Exit::No,
        Outcome::Unknown if judged.timed_out => Exit::TimedOut,
        Outcome::Unknown => Exit::CannotTell,
    })
}

fn open(id: &str, launch: &Launch) -> anyhow::Result<Run> {
    let path = launch.ledger.clone().unwrap_or_else(super::checklist::default_dir);
    Ok(super::checklist::directory_ledger(path).open(id)?)
}

/// The checklist's gates that count: those of items that are ready or done, as in the room.
fn counting<'t>(template: Option<&'t Template>, run: Option<&Run>) -> Vec<&'t GateDef> {
    let counts = |id: &ItemId, after: &[ItemId]| match run {
        None => after.is_empty(),
        Some(run) => match run.item(id) {
            Some((_, state)) => state.stage == Stage::Done || run.derived(id) == Derived::Ready,
            None => false,
        },
    };
    let items = template.into_iter().flat_map(|t| &t.items);
    let counting = items.filter(|item| counts(&item.id, &item.after));
    counting
        .filter_map(|item| match &item.kind {
            Kind::Gate(gate) => Some(gate),
            Kind::Check => None,
        })
        .collect()
}

/// Long enough for the longest window and the longest hold to be seen.
fn patience(launch: &Launch, checklist: &[&GateDef]) -> Duration {
    let windows = launch.signals.iter().filter_map(|s| Some(Expr::parse(&s.query).ok()?.window()));
    let holds = launch.gates.iter().chain(checklist.iter().copied()).map(|g| g.hold);
    windows.max().unwrap_or_default() + holds.max().unwrap_or_default() + Duration::from_mins(1)
}

fn document(judged: &Judged, overall: &Overall) -> Value {
    let gates = overall.gates.iter().filter_map(|(id, j)| Some(gate_json(judged.watch.gate(id)?, j)));
    json!({ "verdict": overall.outcome.code(), "gates": gates.collect::<Vec<_>>() })
}

fn gate_json(gate: &Gate, judgement: &Judgement) -> Value {
    let labels: BTreeMap<&str, &str> = judgement.labels.iter().collect();
    json!({
        "id": gate.def.id,
        "verdict": judgement.verdict,
        "reason": judgement.reason,
        "value": judgement.value.map(value::text),
        "threshold": format!("{} {}", judgement.threshold.op.as_str(), value::text(judgement.threshold.value)),
        "labels": labels,
        "sampled": judgement.sampled,
        "age_seconds": judgement.age.map(|age| age.as_secs_f64()),
        "source": gate.source,
        "query": gate.query,
    })
}

fn page(judged: &Judged, overall: &Overall) -> String {
    let count = |verdict| overall.count(verdict);
    let mut text = format!(
        "{}  {} fail, {} unknown, {} pass{}\n",
        overall.outcome.words(),
        count(Verdict::Fail),
        count(Verdict::Unknown),
        count(Verdict::Pass),
        if judged.timed_out { "; timed out before all could be judged" } else { "" }
    );
    let width = overall.gates.iter().map(|(id, _)| id.as_str().chars().count()).max().unwrap_or(0);
    for (id, judgement) in &overall.gates {
        let Some(gate) = judged.watch.gate(id) else { continue };
        let line = crate::app::summary::line(gate, judgement);
        let glyph = judgement.verdict.glyph();
        text.push_str(&format!(
            "{glyph} {id:width$}  {:7}  {}  ({})\n",
            judgement.verdict.word(),
            line.text,
            line.source
        ));
        if judgement.verdict != Verdict::Pass {
            let limit = judgement.threshold;
            let wants = format!("wants {} {}", limit.op.as_str(), number(limit.value, gate.unit));
            text.push_str(&format!(
                "  {:width$}           {wants}: {}\n",
                "",
                crate::model::text::harmless(&gate.query)
            ));
        }
    }
    if overall.gates.is_empty() {
        text.push_str("this launch has no gates, so nothing can be said\n");
    }
    text
}
