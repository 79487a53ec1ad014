//! `gonogo check`: GO or NO-GO, with reasons, for people and for pipelines.
//!
//! JSON: `{"verdict":"go|no-go|unknown","gates":[{"id","verdict":"pass|fail|unknown","reason":
//! {"code","text"},"value","threshold","labels":{…},"sampled","age_seconds","source","query"}]}`. Exit
//! codes: 0 GO, 1 NO-GO, 3 unknown, 4 timed out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::{Value, json};

use crate::app::state::counts_in;
use crate::checklist::{Run, Template};
use crate::engine::measure::number;
use crate::engine::{Gate, Judgement, Outcome, Overall};
use crate::ledger::Ledger as _;
use crate::model::{GateDef, GateId, ItemId, Launch, Time, Verdict, duration, value};
use crate::promql::Expr;
use crate::settings;

use super::backtest::{self, When};
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
    /// Judge the gates over this capture instead of polling
    #[arg(long, value_name = "FILE", conflicts_with_all = ["timeout", "run"])]
    file: Option<PathBuf>,
    /// The moment of the capture that is judged [default: its whole time]
    #[arg(long, value_name = "TIME", value_parser = Time::parse, conflicts_with = "range")]
    at: Option<Time>,
    /// Judge all the time between, either side may be left out; 0 only if it was GO throughout
    #[arg(long, value_name = "START..END", value_parser = backtest::range)]
    range: Option<(Option<Time>, Option<Time>)>,
    /// How often --range judges
    #[arg(long, value_name = "DURATION", value_parser = duration::parse, default_value = "1s")]
    step: Duration,
    /// Draw strips of time in ASCII
    #[arg(long)]
    plain: bool,
}

/// Runs the command.
///
/// # Errors
/// No config, or one that cannot be read; a run that does not exist.
pub fn run(args: &Args, common: &Common) -> anyhow::Result<Exit> {
    if let Some(file) = &args.file {
        let (from, to) = args.range.unwrap_or_default();
        let when = args.at.map_or(When::Range(from, to), When::At);
        return backtest::run(file, when, args.step, args.plain, common);
    }
    if args.at.is_some() || args.range.is_some() {
        return Err(anyhow!(
            "--at and --range judge a capture: name it with --file (gonogo record writes one)"
        ));
    }
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
pub(super) fn counting<'t>(template: Option<&'t Template>, run: Option<&Run>) -> Vec<&'t GateDef> {
    let counts = |id: &ItemId, after: &[ItemId]| match run {
        None => after.is_empty(),
        Some(run) => counts_in(run, id),
    };
    let items = template.into_iter().flat_map(|t| &t.items);
    let counting = items.filter(|item| counts(&item.id, &item.after));
    counting.filter_map(|item| item.kind.gate()).collect()
}

/// Long enough for the longest window and the longest hold to be seen.
pub(super) fn patience(launch: &Launch, checklist: &[&GateDef]) -> Duration {
    let windows = launch.signals.iter().filter_map(|s| Some(Expr::parse(&s.query).ok()?.window()));
    let holds = launch.gates.iter().chain(checklist.iter().copied()).map(|g| g.hold);
    windows.max().unwrap_or_default() + holds.max().unwrap_or_default() + Duration::from_mins(1)
}

pub(super) fn document(judged: &Judged, overall: &Overall) -> Value {
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

pub(super) fn page(judged: &Judged, overall: &Overall) -> String {
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
        let _ = writeln!(
            text,
            "{glyph} {id:width$}  {:7}  {}  ({})",
            judgement.verdict.word(),
            line.text,
            line.source
        );
        if judgement.verdict != Verdict::Pass {
            let limit = judgement.threshold;
            let wants = format!("wants {} {}", limit.op.as_str(), number(limit.value, gate.unit));
            let _ = writeln!(
                text,
                "  {:width$}           {wants}: {}",
                "",
                crate::model::text::harmless(&gate.query)
            );
        }
    }
    if overall.gates.is_empty() {
        text.push_str("this launch has no gates, so nothing can be said\n");
    }
    text
}
